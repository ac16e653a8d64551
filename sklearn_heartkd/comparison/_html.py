"""Parts of a self-contained page: tables, pictures and sounds, all inside the file."""

import base64
import io
import re
import struct
from html import escape

import numpy as np

from sklearn_heartkd.utils._text import printable

_AUDIO_RATE = 8000  # Hz; browsers refuse rates as low as those of heart sounds
_INTERVAL = re.compile(r"([−+]?[\d.]+) (\(.+\))")
_N_SHADES = 10


def text_html(value):
    """Return a value as text in the page."""
    return escape(printable(value))


def table_html(frame, caption, *, text=(), fold=False):
    """Return a table; on a narrow screen a folded one shows each row as a card.

    The columns in `text` hold prose and are broken. The roles are written out, because browsers
    forget them where a style changes the display of a table.
    """
    names = [text_html(name) for name in frame.columns]
    corner = text_html(frame.index.name or "")
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in [corner, *names])
    rows = []
    for index, row in frame.iterrows():
        cells = "".join(
            f'<td role="cell" data-label="{name}"{" class=text" if column in text else ""}>'
            f"{_cell(value)}</td>"
            for name, (column, value) in zip(names, row.items(), strict=True)
        )
        start = f'<th scope="row" role="rowheader">{text_html(index)}</th>'
        rows.append(f'<tr role="row">{start}{cells}</tr>')
    return _table(caption, head, rows, "fold" if fold else "")


def matrix_html(counts, caption):
    """Return a confusion matrix, each cell shaded by its share of the row."""
    names = [text_html(name) for name in counts.columns]
    head = '<th scope="col" role="columnheader">true</th>' + "".join(
        f'<th scope="col" role="columnheader"><span>{name}</span></th>' for name in names
    )
    rows = []
    for name, row in zip(names, counts.to_numpy(), strict=True):
        shares = row / max(row.sum(), 1)
        cells = "".join(
            f'<td role="cell" class="s{round(share * _N_SHADES)}">{count:.0f} '
            f"<small>{share:.0%}</small></td>"
            for count, share in zip(row, shares, strict=True)
        )
        rows.append(f'<tr role="row"><th scope="row" role="rowheader">{name}</th>{cells}</tr>')
    return _table(caption, head, rows, "matrix", f"Confusion matrix of {caption}")


def _table(caption, head, rows, kind, label=None):
    return (
        f'<div class="wide" role="group" tabindex="0" aria-label="{text_html(label or caption)}">'
        f'<table role="table" class="{kind}"><caption>{text_html(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table></div>'
    )


def _cell(value):
    """Return the text of a cell, an interval in small print."""
    found = _INTERVAL.fullmatch(str(value))
    return f"{found[1]} <small>{found[2]}</small>" if found else text_html(value)


def picture_html(png, alt, caption="", *, narrow=None):
    """Return a picture in the page; `png` is the content of its file, `narrow` one for a phone."""
    width, height = struct.unpack(">II", png[16:24])  # at a fixed place in every PNG file
    under = f"<figcaption>{text_html(caption)}</figcaption>" if caption else ""
    image = (
        f'<img alt="{text_html(alt)}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{_encoded(png)}">'
    )
    if narrow is not None:
        width, height = struct.unpack(">II", narrow[16:24])
        image = (
            f'<picture><source media="(max-width: 40rem)" width="{width}" height="{height}" '
            f'srcset="data:image/png;base64,{_encoded(narrow)}">{image}</picture>'
        )
    return f"<figure>{image}{under}</figure>"


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
