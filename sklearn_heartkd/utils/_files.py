"""Files: a check before reading, and writing in one step."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from sklearn_heartkd.utils._text import printable


@contextmanager
def replace_files(*paths: str | os.PathLike[str]) -> Iterator[list[Path]]:
    """Yield temporary paths, which replace `paths` where the block ends without an error.

    All of them are flushed to the disk before the first target is replaced. Where the block raises, or the
    disk is full, the targets stay as they were. A link stays one: the file that it leads to is replaced.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    temporary: list[Path] = []
    try:
        for path, target in zip(paths, targets, strict=True):
            # in the same folder: only within a file system is a file replaced in one step
            made = target.with_name(f".{target.stem[:100]}-{token_hex(4)}{target.suffix}")
            try:
                made.touch(exist_ok=False)
            except OSError as error:
                raise OSError(error.errno, error.strerror, os.fspath(path)) from None
            temporary.append(made)
        yield temporary
        for made, target in zip(temporary, targets, strict=True):
            with open(made, "rb+") as file:
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, made)
        for made, target in zip(temporary, targets, strict=True):
            os.replace(made, target)
    finally:
        for made in temporary:
            made.unlink(missing_ok=True)


def replace_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to a file as UTF-8 in one step; the old file stays where that fails."""
    with replace_files(path) as [made]:
        made.write_text(text, encoding="utf-8", newline="")


def require_regular_file(path: str | os.PathLike[str]) -> int:
    """Return the size of a file in bytes; raise an error for folders, pipes, devices and sockets.

    Reading from a pipe or a device may wait or go on forever, so that they are refused before they
    are opened.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        kind = kinds.get(stat.S_IFMT(status.st_mode), "device")
        raise ValueError(f"{printable(os.fspath(path))} is a {kind}; give a regular file.")
    return status.st_size
