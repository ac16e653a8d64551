"""Pieces of a self-contained page: tables, pictures and sounds, all inside the file."""

import base64
import io
from html import escape

import numpy as np

_AUDIO_RATE = 8000  # Hz; browsers refuse rates as low as those of heart sounds


def table_html(frame, caption, *, text=()):
    """Return a table whose rows are headed by the index; it scrolls by itself on a phone.

    Parameters
    ----------
    frame : DataFrame
        Of strings.
    caption : str
    text : sequence of str
        Columns of text, which are aligned to the left and broken into lines.
    """
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    rows = []
    for name, row in frame.iterrows():
        cells = "".join(
            f"<td{' class=text' if column in text else ''}>{escape(str(value))}</td>"
            for column, value in row.items()
        )
        rows.append(f'<tr><th scope="row">{escape(str(name))}</th>{cells}</tr>')
    corner = escape(str(frame.index.name or ""))
    return (
        f'<p class="caption">{escape(caption)}</p>'
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f'<thead><tr><th scope="col">{corner}</th>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def figure_html(figure, alt, caption="", *, dpi=110):
    """Return a matplotlib figure as a picture inside the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())
    under = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img alt="{escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{_encoded(buffer)}">{under}</figure>'
    )


def audio_html(waveform, sampling_rate, label):
    """Return a recording as a player inside the page, as loud as its format allows."""
    import soundfile
    import soxr

    waveform = np.asarray(waveform, dtype=np.float32)
    waveform = waveform - waveform.mean()
    if sampling_rate != _AUDIO_RATE:
        waveform = soxr.resample(waveform, sampling_rate, _AUDIO_RATE, quality="HQ")
    loudest = np.abs(waveform).max()
    buffer = io.BytesIO()
    soundfile.write(
        buffer, 0.95 * waveform / max(loudest, 1e-9), _AUDIO_RATE, format="WAV", subtype="PCM_16"
    )
    return (
        f'<audio controls preload="metadata" aria-label="{escape(label)}" '
        f'src="data:audio/wav;base64,{_encoded(buffer)}"></audio>'
    )


def _encoded(buffer):
    return base64.b64encode(buffer.getvalue()).decode("ascii")
