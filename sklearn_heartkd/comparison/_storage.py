"""The folder of a comparison: what it belongs to, its lock and its stored fits."""

import hashlib
import io
import json
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np

from sklearn_heartkd._version import __version__
from sklearn_heartkd.utils._files import replace_files, replace_text

_N_CHECKSUM = hashlib.sha256().digest_size


def check_same(path, data, splits, recipe, unlabeled=None):
    """Store in a file what the results of its folder belong to, and return that as a key.

    A damaged file is written again, since the stored fits are checked one by one. ValueError is
    raised if the folder holds the results of something else.
    """
    names = [Path(name).name for name in data.filenames]  # the folder may have been moved
    labels = [np.asarray(values).tolist() for values in (data.target, data.groups)]
    rows = [np.asarray(part) for split in splits for part in split]
    content = [names, labels, rows, list(data.data)]
    if unlabeled is not None:
        content += [np.asarray(unlabeled.groups).tolist(), list(unlabeled.data)]
    if recipe.balance:
        content.append(np.asarray(data.devices).tolist())
    digest = joblib.hash(content, coerce_mmap=True)
    settings = {"recipe": repr(recipe), "data": digest, "version": __version__}
    text = json.dumps(settings, indent=1)
    if path.exists():
        stored = path.read_bytes()
        if not stored.endswith(b"}"):
            warnings.warn(f"{path} is damaged; it is written again.", stacklevel=2)
        elif stored != text.encode():
            raise ValueError(
                f"{path.parent} holds a comparison with other recordings, folds or settings; choose "
                "another folder or delete it."
            )
    replace_text(path, text)
    return text


@contextmanager
def locked(folder):
    """Keep other comparisons out of a folder; the lock ends with the process, even if it is killed."""
    with (folder / ".lock").open("a") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise ValueError(
                f"Another comparison is running in {folder}; wait for its end or choose another folder."
            ) from error
        except OSError:
            pass  # a file system without locks
        yield


def write_whole(value, path, key):
    """Store a value so that joblib loads it; the checksum behind it also covers the key."""
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    content = buffer.getvalue()
    with replace_files(path) as [made]:
        made.write_bytes(content + _checksum(content, key))


def are_whole(paths, key):
    """Whether all of some files were stored with the key; damaged ones are deleted with a warning."""
    present = [path for path in paths if path.exists()]
    damaged = [path for path in present if not _is_whole(path, key)]
    for path in damaged:
        warnings.warn(
            f"{path} is damaged or belongs to another comparison; it is computed again.",
            stacklevel=2,
        )
        path.unlink()
    return len(present) == len(paths) and not damaged


def _is_whole(path, key):
    content = path.read_bytes()
    return content[-_N_CHECKSUM:] == _checksum(content[:-_N_CHECKSUM], key)


def _checksum(content, key):
    return hashlib.sha256(key.encode() + content).digest()


def result_file(folder, task):
    """Return the file of a task's predictions."""
    return folder / "parts" / f"{task.name}.predictions"


def model_file(folder, task):
    """Return the file of a task's fitted model."""
    return folder / "parts" / f"{task.name}.model"
