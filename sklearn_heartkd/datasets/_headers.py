"""What the header of a sound file declares, compared with what the file holds.

libsndfile reads a file that was cut off, or never finished, without a complaint: it returns what is there,
or what the header declares, whichever is shorter. Formats with a size in their header are therefore
compared here before they are decoded.
"""

import struct
from typing import NamedTuple

_MOST_CHUNKS = 1000
_BLOCK = _OGG_PAGE = 1 << 16  # bytes
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n\0"
_PLAIN_WAV = (1, 3, 6, 7, 0xFFFE)  # encodings in which all samples have the same number of bytes
_PLAIN_AIFC = (b"none", b"sowt", b"fl32", b"fl64", b"twos")
_PLAIN_CAF = (b"lpcm", b"ulaw", b"alaw")
_AU_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # bytes by encoding


class UnusableError(Exception):
    """The reason why one file cannot be used."""


class _Style(NamedTuple):
    """How the chunks of a format are written."""

    first: int  # position of the first chunk
    size: str  # the format of the size, for struct
    id_length: int = 4
    size_includes_header: bool = False
    alignment: int = 2
    is_repairable: bool = False


_RIFF = _Style(12, "<I", is_repairable=True)
_W64 = _Style(40, "<Q", id_length=16, size_includes_header=True, alignment=8)
_STYLES = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"RIFX": _RIFF._replace(size=">I"),
    b"riff": _W64,
    b"FORM": _Style(12, ">I"),
    b"caff": _Style(8, ">q", alignment=1),
}


class _Data(NamedTuple):
    """The samples of a file by its header."""

    start: int
    declared: int  # bytes
    frame: int  # bytes of a sample of all channels; 0 in a compressed format
    position: int  # of the size in the header
    form: str  # of the size, for struct
    addend: int  # what the size counts beside the samples
    style: _Style | None  # None where no chunks may follow


def compare_with_header(file, n_bytes, *, repair):
    """Compare the samples in a file with the number that its header declares.

    Returns what to say about a file that is not whole, or None, and the position and the bytes that make
    its header agree with what it holds. `repair` uses a damaged RIFF or RF64 file as far as it goes.
    """
    whole = None, (0, b"")
    if _content(file, 0, 4) == b"OggS":
        return _compare_ogg(file, n_bytes), (0, b"")
    data = _find_data(file, n_bytes)
    if data is None or data.start > n_bytes:
        return whole
    present, unit = n_bytes - data.start, max(data.frame, 1)
    kind = "samples" if data.frame else "bytes of samples"
    here, declared = present // unit, data.declared // unit
    is_over = _is_harmless(file, data, n_bytes)
    if data.declared <= 0 and is_over:
        return whole
    largest = (1 << 8 * struct.calcsize(data.form)) - 1
    patch = data.position, struct.pack(data.form, min(present + data.addend, largest))
    if _is_placeholder(data.declared):
        note = f"unfinished: its header gives no length; {here} {kind} were read up to its end"
        return note, patch
    if here < declared:
        error = f"cut off: {here} of {declared} {kind} are there"
    elif not is_over:
        error = f"damaged header: it declares {declared} {kind}, but the file holds {here}"
    else:
        return whole
    if data.style is None or not data.style.is_repairable:
        raise UnusableError(error)
    if not repair:
        raise UnusableError(f'{error}; read_recordings with on_error="repair" reads what is there')
    return f"{error}; repaired", patch


def _is_placeholder(size):
    """Whether a size is one that programs write while they do not know the length.

    Some write the largest number, signed or not, some subtract the length of the header from it, and
    some round it down.
    """
    largest = (1 << 31, 1 << 32, 1 << 63, 1 << 64)
    return size <= 0 or size == 1 << 31 or (size | 0xFFF) + 1 in largest


def _compare_ogg(file, n_bytes):
    """Ogg declares no length, but marks its last page."""
    end = _content(file, max(0, n_bytes - _OGG_PAGE), _OGG_PAGE)
    page = end[max(end.rfind(b"OggS"), 0) :].ljust(27, b"\0")
    n_segments = page[26]
    is_whole = 27 + n_segments + sum(page[27 : 27 + n_segments]) <= len(page)
    if page[5] & 4 and is_whole:
        return None
    return "unfinished: the mark of its end is missing; it was read as far as it goes"


def _find_data(file, n_bytes):
    """Return the `_Data` of a file; None for other formats and for headers without samples."""
    head = _content(file, 0, 24)
    if head[:4] in (b".snd", b"dns.") and len(head) == 24:
        return _au(head)
    style = _STYLES.get(head[:4])
    if style is None:
        return None
    frame, long_size, long_position = 0, None, 0
    for name, start, size in _chunks(file, style.first, n_bytes, style):
        content = _content(file, start, 24).ljust(24, b"\0")
        if name == b"ds64":  # sizes of 64 bits, for the chunk of the samples as well
            long_size, long_position = struct.unpack_from("<Q", content, 8)[0], start + 8
        elif name == b"fmt ":
            tag, block = struct.unpack_from(style.size[0] + "H10xH", content)
            frame = block if tag in _PLAIN_WAV else 0
        elif name == b"COMM":
            n_channels, bits = struct.unpack_from(">h4xh", content)
            is_plain = size == 18 or content[18:22].lower() in _PLAIN_AIFC
            frame = max(n_channels * ((bits + 7) // 8), 0) if is_plain else 0
        elif name == b"desc":
            frame = struct.unpack_from(">I", content, 16)[0] if content[8:12] in _PLAIN_CAF else 0
        elif name in (b"data", b"SSND", b"BODY"):
            if long_size is not None and size == 0xFFFFFFFF:
                return _Data(start, long_size, frame, long_position, "<Q", 0, style)
            n_before = {b"FORM": 8, b"caff": 4}.get(head[:4], 0)
            if name == b"SSND":
                n_before += struct.unpack_from(">I", content)[0]
            elif name == b"BODY":
                n_before = 0
            position = start - struct.calcsize(style.size)
            addend = n_before + (24 if style.size_includes_header else 0)
            declared = size if _is_placeholder(size) else size - n_before
            return _Data(start + n_before, declared, frame, position, style.size, addend, style)
    return None


def _au(head):
    order = ">" if head[:4] == b".snd" else "<"
    start, declared, encoding, _, n_channels = struct.unpack_from(order + "5I", head, 4)
    frame = _AU_WIDTHS.get(encoding, 0) * n_channels
    return _Data(start, declared, frame, 8, order + "I", 0, None)


def _chunks(file, at, end, style):
    """Yield the name of each chunk, where its content starts and its size, until one is out of order."""
    n_header = style.id_length + struct.calcsize(style.size)
    for _ in range(_MOST_CHUNKS):
        header = _content(file, at, n_header)
        if len(header) < n_header or not all(0x20 <= byte < 0x7F for byte in header[:4]):
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
