"""Parts of a self-contained page: tables, pictures and sounds, all inside the file."""

import base64
import io
import struct
from html import escape

import numpy as np

from sklearn_heartkd.utils._text import printable

_AUDIO_RATE = 8000  # Hz; browsers refuse rates as low as those of heart sounds


def text_html(value):
    """Return a value as text in the page."""
    return escape(printable(value))


def table_html(frame, caption, *, text=()):
    """Return a table that scrolls by itself; the columns in `text` hold prose and are broken."""
    head = "".join(f'<th scope="col">{text_html(name)}</th>' for name in frame.columns)
    rows = []
    for name, row in frame.iterrows():
        cells = "".join(
            f"<td{' class=text' if column in text else ''}>{text_html(value)}</td>"
            for column, value in row.items()
        )
        rows.append(f'<tr><th scope="row">{text_html(name)}</th>{cells}</tr>')
    corner = text_html(frame.index.name or "")
    return (
        f'<p class="caption">{text_html(caption)}</p>'
        f'<div class="wide" role="region" tabindex="0" aria-label="{text_html(caption)}"><table>'
        f'<thead><tr><th scope="col">{corner}</th>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def picture_html(png, alt, caption=""):
    """Return a picture in the page; `png` is the content of its file."""
    width, height = struct.unpack(">II", png[16:24])  # at a fixed place in every PNG file
    under = f"<figcaption>{text_html(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img alt="{text_html(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{_encoded(png)}">{under}</figure>'
    )


def audio_html(waveform, sampling_rate, label):
    """Return a player of a recording, which is made as loud as the format allows."""
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
        f'<audio controls preload="metadata" aria-label="{text_html(label)}" '
        f'src="data:audio/wav;base64,{_encoded(buffer.getvalue())}"></audio>'
    )


def _encoded(content):
    return base64.b64encode(content).decode("ascii")
