"""What the header of a sound file declares, compared with what the file holds.

libsndfile reads a file that was cut off, or never finished, without a complaint: it returns what is there,
or what the header declares, whichever is shorter. Formats with a size in their header are therefore
compared here before they are decoded.
"""

import struct
from typing import BinaryIO, NamedTuple

_MOST_CHUNKS = 1000
_BLOCK = _OGG_PAGE = 1 << 16  # bytes
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n\0"


class Finding(NamedTuple):
    """The result of `compare_with_header`.

    Attributes
    ----------
    error : str or None
        Why the file should not be used as it is.
    note : str or None
        What is said about a file that is used, but is not whole.
    patches : tuple of (int, bytes)
        Positions in the file and the bytes that make its header agree with what it holds.
    """

    error: str | None = None
    note: str | None = None
    patches: tuple[tuple[int, bytes], ...] = ()


class _Style(NamedTuple):
    """How the chunks of a format are written."""

    id_length: int
    size: str  # the format of the size, for struct
    size_includes_header: bool
    alignment: int
    repairable: bool = False


_RIFF = _Style(4, "<I", False, 2, repairable=True)
_RIFX = _Style(4, ">I", False, 2, repairable=True)
_W64 = _Style(16, "<Q", True, 8)
_AIFF = _Style(4, ">I", False, 2)
_CAF = _Style(4, ">q", False, 1)


class _Data(NamedTuple):
    """The position and the number of samples by the header."""

    style: _Style | None  # None where no chunks may follow
    start: int
    declared: int  # bytes
    frame: int  # bytes of a sample of all channels; 0 in a compressed format
    sizes: list[
        tuple[int, str, int, int]
    ]  # position, format, divisor, addend of each size to patch


def compare_with_header(file: BinaryIO, n_bytes: int, *, repair: bool) -> Finding:
    """Compare the samples in a file with the number that its header declares.

    Parameters
    ----------
    file : binary file that can seek
    n_bytes : int
        Its size.
    repair : bool
        Whether a damaged RIFF or RF64 file is used as far as it goes.

    Returns
    -------
    Finding
    """
    if _content(file, 0, 4) == b"OggS":
        return _compare_ogg(file, n_bytes)
    data = _find_data(file, n_bytes)
    if data is None or data.start > n_bytes:
        return Finding()
    present, unit = n_bytes - data.start, max(data.frame, 1)
    kind = "samples" if data.frame else "bytes of samples"
    here, declared = present // unit, data.declared // unit
    is_over = _is_harmless(file, data, n_bytes)
    if data.declared <= 0 and is_over:
        return Finding()
    if _is_placeholder(data.declared, data.sizes[0][1]):
        note = f"unfinished: its header gives no length; {here} {kind} were read up to its end"
        return Finding(note=note, patches=_patches(data, present))
    if here < declared:
        error = f"cut off: {here} of {declared} {kind} are there"
    elif not is_over:
        error = f"damaged header: it declares {declared} {kind}, but the file holds {here}"
    else:
        return Finding()
    if not (data.style and data.style.repairable):
        return Finding(error)
    if not repair:
        return Finding(f'{error}; read_recordings with on_error="repair" reads what is there')
    return Finding(note=f"{error}; repaired", patches=_patches(data, present))


def _is_placeholder(size, form):
    """Whether a size is one that programs write while they do not know the length.

    Some write the largest number, signed or not, some subtract the length of the header from it, and
    some round it down.
    """
    largest = (1 << 8 * struct.calcsize(form)) - 1
    return (
        size <= 0
        or 0x7FFFF000 <= size <= 0x80000000
        or 0xFFFFF000 <= size <= 0xFFFFFFFF
        or (largest - 0xFFF <= size <= largest)
    )


def _patches(data, present):
    largest = {form: (1 << 8 * struct.calcsize(form)) - 1 for _, form, _, _ in data.sizes}
    return tuple(
        (position, struct.pack(form, min(present // divisor + addend, largest[form])))
        for position, form, divisor, addend in data.sizes
    )


def _find_data(file, n_bytes):
    """Return the `_Data` of a file; None for other formats and for headers without samples."""
    file.seek(0)
    head = file.read(40)
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return _riff(file, n_bytes, _RIFX if head[:4] == b"RIFX" else _RIFF)
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return _riff(file, n_bytes, _W64)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(file, n_bytes)
    if head[:4] == b"caff":
        return _caf(file, n_bytes)
    if head[:4] in (b".snd", b"dns.") and len(head) >= 24:
        return _au(head)
    return None


def _compare_ogg(file, n_bytes):
    """Ogg declares no length, but marks its last page."""
    end = _content(file, max(0, n_bytes - _OGG_PAGE), _OGG_PAGE)
    page = end[max(end.rfind(b"OggS"), 0) :].ljust(27, b"\0")
    n_segments = page[26]
    is_whole = 27 + n_segments + sum(page[27 : 27 + n_segments]) <= len(page)
    if page[5] & 4 and is_whole:
        return Finding()
    return Finding(note="unfinished: the mark of its end is missing; it was read as far as it goes")


def _riff(file, n_bytes, style):
    frame, long_size = 0, None
    for name, start, size in _chunks(file, 40 if style is _W64 else 12, n_bytes, style):
        if name == b"ds64":  # sizes of 64 bits, for the chunk of the samples as well
            content = _content(file, start, 16)
            long_size = struct.unpack_from("<Q", content, 8)[0] if len(content) == 16 else None
            long_position = start + 8
        elif name == b"fmt ":
            content = _content(file, start, 14)
            if len(content) == 14:
                tag, block = struct.unpack(style.size[0] + "H10xH", content)
                frame = block if tag in (1, 3, 6, 7, 0xFFFE) else 0
        elif name == b"data":
            if long_size is not None and size == 0xFFFFFFFF:
                return _Data(style, start, long_size, frame, [(long_position, "<Q", 1, 0)])
            addend = 24 if style is _W64 else 0
            position = start - struct.calcsize(style.size)
            return _Data(style, start, size, frame, [(position, style.size, 1, addend)])
    return None


def _aiff(file, n_bytes):
    frame = n_frames = 0
    counts: list[tuple[int, str, int, int]] = []
    for name, start, size in _chunks(file, 12, n_bytes, _AIFF):
        if name == b"COMM":
            content = _content(file, start, 22)
            if len(content) < 18:
                return None
            n_channels, n_frames, bits = struct.unpack_from(">hIh", content)
            if size == 18 or content[18:22].lower() in (
                b"none",
                b"sowt",
                b"fl32",
                b"fl64",
                b"twos",
            ):
                frame = n_channels * ((bits + 7) // 8)
                counts = [(start + 2, ">I", max(frame, 1), 0)]
        elif name == b"SSND":
            content = _content(file, start, 4)
            if len(content) < 4:
                return None
            before = 8 + struct.unpack(">I", content)[0]
            declared = min(n_frames * frame, size - before) if frame > 0 else size - before
            if _is_placeholder(size, ">I") or _is_placeholder(n_frames, ">I"):
                declared = 0
            sizes = [(start - 4, ">I", 1, before), *counts]
            return _Data(_AIFF, start + before, max(declared, 0), max(frame, 0), sizes)
    return None


def _caf(file, n_bytes):
    frame = 0
    for name, start, size in _chunks(file, 8, n_bytes, _CAF):
        if name == b"desc":
            content = _content(file, start, 24)
            if len(content) == 24 and content[8:12] in (b"lpcm", b"ulaw", b"alaw"):
                frame = struct.unpack_from(">I", content, 16)[0]
        elif name == b"data":  # 4 bytes precede the samples; -1 means an unknown length
            return _Data(_CAF, start + 4, max(size - 4, 0), frame, [(start - 8, ">q", 1, 4)])
    return None


def _au(head):
    order = ">" if head[:4] == b".snd" else "<"
    start, declared, encoding, _, n_channels = struct.unpack_from(order + "5I", head, 4)
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0)
    return _Data(None, start, declared, width * n_channels, [(8, order + "I", 1, 0)])


def _chunks(file, at, end, style):
    """Yield the name of each chunk, where its content starts and its size, until one is out of order."""
    n_header = style.id_length + struct.calcsize(style.size)
    for _ in range(_MOST_CHUNKS):
        header = _content(file, at, n_header)
        if (
            len(header) < n_header
            or not header[:4].isascii()
            or not header[:4].decode().isprintable()
        ):
            return
        size = struct.unpack_from(style.size, header, style.id_length)[0]
        if style.size_includes_header:
            size -= n_header
        yield header[:4], at + n_header, size
        if size < 0:
            return
        at += n_header + size
        at += -at % style.alignment
        if at >= end:
            return


def _is_harmless(file, data, n_bytes):
    """Whether nothing but a pad byte, chunks, zeros or text lies behind the declared samples."""
    for pad in (0, data.declared % 2):
        at = min(data.start + data.declared + pad, n_bytes)
        if data.style is not None:
            for name, start, size in _chunks(file, at, n_bytes, data.style):
                if name == b"data" or start + size > n_bytes:
                    break
                at = min(start + size + -size % data.style.alignment, n_bytes)
        if n_bytes - at < max(data.frame, 2) or _is_empty(file, at):
            return True
    return False


def _is_empty(file, at):
    """Whether the rest of a file is of zeros or of text."""
    file.seek(at)
    alphabet = None
    while block := file.read(_BLOCK):
        if alphabet is None:
            alphabet = _TEXT if block.strip(b"\0") else b"\0"
        if block.translate(None, alphabet):
            return False
    return True


def _content(file, at, n):
    file.seek(at)
    return file.read(n)
