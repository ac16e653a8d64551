"""Which files are recordings, and where they lie in a folder."""

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sklearn_heartkd.utils._text import printable

# all that libsndfile reads but .sds, see the decoder, and .mat, which in data sets of sounds are tables
_READABLE = (
    ".wav .wave .bwf .rf64 .w64 .aif .aiff .aifc .au .snd .caf .flac .ogg .oga .opus .mp3 .voc .sph "
    ".nist .paf .sf .avr .svx .pvf .htk .wve .xi"
)
# audio that ffmpeg converts, but that the decoder of this package does not read
_UNREADABLE = (
    ".m4a .m4b .m4r .mp4 .aac .adts .wma .amr .awb .3gp .3gpp .3g2 .ac3 .alac .ape .webm .weba .mka .ra "
    ".qcp .spx .tta .wv .mp2 .dsf .gsm .sds"
)
READABLE_SUFFIXES = frozenset(_READABLE.split())
UNREADABLE_SUFFIXES = frozenset(_UNREADABLE.split())
_HIDDEN = (".", "__MACOSX", "$RECYCLE.BIN")


class AudioFiles(NamedTuple):
    """The recordings below a folder, each list in sorted order."""

    readable: list[Path]
    unreadable: list[Path]  # to be reported with `unreadable_message`


def find_audio_files(folder: str | os.PathLike[str]) -> AudioFiles:
    """List the recordings below a folder by their suffix, at any depth.

    Hidden files and folders and those of a Mac's archives are left out. Links to folders are followed,
    each folder once.
    """
    found = AudioFiles([], [])
    for file in _walk(Path(folder)):
        suffix = file.suffix.lower()
        if suffix in READABLE_SUFFIXES:
            found.readable.append(file)
        elif suffix in UNREADABLE_SUFFIXES:
            found.unreadable.append(file)
    return AudioFiles(sorted(found.readable), sorted(found.unreadable))


def unreadable_message(files: Sequence[Path]) -> str:
    """Return a sentence about audio that must be converted, with the command that converts it."""
    kinds = Counter(file.suffix.lower() for file in files)
    counts = ", ".join(f"{n} {suffix}" for suffix, n in sorted(kinds.items()))
    noun = "file is" if len(files) == 1 else "files are"
    return (
        f"{len(files)} audio {noun} left out because this kind cannot be read ({counts}; such as "
        f"{printable(files[0])}). Convert each of them with {conversion(files[0])}"
    )


def conversion(file: str | os.PathLike[str]) -> str:
    """Return the ffmpeg command that makes a WAV file of an audio file."""
    file = Path(file)
    names = (shlex.quote(printable(path)) for path in (file, file.with_suffix(".wav")))
    return "ffmpeg -i {} {}".format(*names)


def _walk(root: Path) -> Iterator[Path]:
    """Yield all files that are not hidden.

    Folders that are links wait until the real ones are done, so that a recording that can be reached
    in both ways goes by its real path. A folder that was seen, or that holds `root`, is a loop.
    """
    top = Path(os.path.realpath(root))
    seen: set[str] = set()
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen or (folder != root and top.is_relative_to(real)):
            continue
        seen.add(real)
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith(_HIDDEN):
                    continue
                path = folder / entry.name
                if not entry.is_dir():
                    yield path
                elif entry.is_symlink():
                    links.append(path)
                else:
                    folders.append(path)
