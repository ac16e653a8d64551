"""Files: a check before reading, and writing in one step."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sklearn_heartkd.utils._text import printable


@contextmanager
def replace_files(*paths: str | os.PathLike[str]) -> Iterator[list[Path]]:
    """Yield temporary paths, which replace `paths` where the block ends without an error.

    The temporary files lie in the folder of their target, because a file can be replaced in one step
    only within a file system. All of them are flushed to the disk before the first target is replaced.
    Where the block raises, or the disk is full, the targets stay as they were.

    Parameters
    ----------
    *paths : str or path
        The targets. A symbolic link stays one: the file that it leads to is replaced.

    Yields
    ------
    list of Path
        One empty temporary file for each target, with the same suffix.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    temporary: list[Path] = []
    try:
        for target in targets:
            try:
                handle, name = tempfile.mkstemp(
                    prefix=f".{target.stem[:100]}-", suffix=target.suffix, dir=target.parent
                )
            except OSError as error:  # nobody knows the name of the temporary file
                raise OSError(error.errno, error.strerror, str(target)) from error
            os.close(handle)
            temporary.append(Path(name))
        yield temporary
        for made, target in zip(temporary, targets, strict=True):
            _flush(made)
            made.chmod(_mode(target))
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
    """Return the size of a file in bytes; raise for what cannot be read to its end.

    Reading from a pipe or a device may wait or go on forever, so that they are refused before they
    are opened.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or it is a folder.
    ValueError
        If it is a pipe, a device or a socket.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        kind = kinds.get(stat.S_IFMT(status.st_mode), "device")
        raise ValueError(f"{printable(os.fspath(path))} is a {kind}; give a regular file.")
    return status.st_size


def _flush(path):
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode(target):
    """Return the permissions of the file to be replaced, or those of any new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    return 0o666 & ~_umask()


def _umask():
    # the mask can only be read by setting it, which is not safe in threads; Linux tells it in a file
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    except OSError:
        pass
    return 0o022
