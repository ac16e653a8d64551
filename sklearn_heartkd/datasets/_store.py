"""Recordings or features on disk, for data sets larger than the memory."""

import hashlib
import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from tqdm import tqdm

from sklearn_heartkd.datasets._assemble import make_bunch, with_duration
from sklearn_heartkd.datasets._layouts import load_folder
from sklearn_heartkd.utils._files import replace_text
from sklearn_heartkd.utils._rows import Rows, blocks
from sklearn_heartkd.utils._text import guard_cell, unguard_cell

_DATA, _TABLE, _PART, _PROGRESS = "data.npy", "rows.csv", "data.part", "progress.json"
_TEXTS = ("label", "path", "group", "file", "subject", "quality", "site", "device")


def store(
    source: Any,
    path: str | os.PathLike[str],
    *,
    transformer: Any = None,
    duration: float | None = None,
    block_size: int = 256,
    verbose: int = 0,
    **options: Any,
) -> Bunch:
    """Write recordings, or their features, to a folder from which they are read when needed.

    The folder holds the values (``data.npy``, float32) and a table of labels, groups and names
    (``rows.csv``). They are written in blocks; where the writing was interrupted, a call with the same
    arguments continues it.

    Parameters
    ----------
    source : Bunch or path-like
        A data set of a loader or of `make_heart_sounds`, or another Bunch with `data` and, where they are
        known, `target`, `groups`, `filenames`, `sampling_rate` and `frame`. `data` may be any sequence
        that reads recordings when it is indexed. Or a folder, which is loaded whole by the loader of its
        layout.
    path : path-like
        The folder to write. It is made if it does not exist.
    transformer : transformer, default=None
        Its `transform` is applied to each block, and the result is stored. It must treat rows
        separately, as the features of this package do. A pipeline must be fitted.
    duration : float, default=None
        Length in seconds to which recordings are looped or cropped. Needed where they differ in length.
    block_size : int, default=256
        Number of recordings that are in memory at a time.
    verbose : int, default=0
        1 shows a progress bar.
    **options : dict
        For the loader, if `source` is a folder: `layout`, `sampling_rate`, `subject` and so on.

    Returns
    -------
    Bunch
        As :func:`open_store` returns it.

    Raises
    ------
    FileExistsError
        If the folder holds a complete store.
    ValueError
        If the recordings differ in length and no `duration` is given, or a transformer changes the
        number of rows.

    See Also
    --------
    open_store : Open it again.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds, store
    >>> sounds = make_heart_sounds(12, classes=("normal", "murmur"), random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     features = store(sounds, folder, transformer=LogMelSpectrogram())
    ...     model = StudentClassifier(max_epochs=2).fit(features.data, features.target)
    >>> features.data.shape[:2]
    (12, 32)
    """
    root = Path(path)
    if is_store(root):
        raise FileExistsError(
            f"{str(root)!r} holds a store; open it with open_store, or delete it."
        )
    if not isinstance(source, dict):
        source = load_folder(source, duration=None, **options)
    elif options:
        raise TypeError(
            f"{sorted(options)} are for folders, but source is a Bunch; leave them out."
        )
    if len(source.data) == 0:
        raise ValueError("source holds no recordings; give some.")
    root.mkdir(parents=True, exist_ok=True)
    table = _table(source)
    text = table.map(guard_cell).to_csv(index=False)
    what = (len(table), text, repr(transformer), duration)
    key = hashlib.sha256(repr(what).encode()).hexdigest()
    done, shape = _progress(root, key)
    with open(root / _PART, "r+b" if done else "wb") as file:
        for block in tqdm(list(blocks(len(table), block_size)), unit="block", disable=not verbose):
            if block.start < done:
                continue
            values = _read(source, block, duration, transformer)
            if len(values) != len(table[block]) or values.shape[1:] != (shape or values.shape)[1:]:
                raise ValueError(
                    f"Rows from {block.start} have the shape {values.shape}, which does not suit the "
                    f"{len(table[block])} recordings of this block and the shape {shape} of the first."
                )
            shape = len(table), *values.shape[1:]
            header = _header(shape)
            # what an interrupted call wrote after its last note of progress is written again
            file.seek(0 if block.start == 0 else len(header) + block.start * values[0].nbytes)
            file.write((header if block.start == 0 else b"") + values.tobytes())
            file.flush()
            note = {"key": key, "rows": block.start + len(values), "shape": shape}
            replace_text(root / _PROGRESS, json.dumps(note))
        file.truncate()
        os.fsync(file.fileno())
    replace_text(root / _TABLE, text)
    os.replace(root / _PART, root / _DATA)  # from here on it is complete
    (root / _PROGRESS).unlink()
    return open_store(root)


def open_store(path: str | os.PathLike[str]) -> Bunch:
    """Open what `store` wrote, without reading its values.

    Networks, features and `cross_validate` take the `data` as it is and read a batch at a time; other
    estimators read all of it.

    Parameters
    ----------
    path : path-like
        The folder.

    Returns
    -------
    Bunch
        As a loader returns it. `data` is a view of the rows on disk: it has `shape` and `dtype`, an index
        of one row reads this row, any other index along the first axis gives a smaller view, and
        ``numpy.asarray`` reads the rows of a view.

    Raises
    ------
    FileNotFoundError
        If the folder does not hold a complete store.

    See Also
    --------
    store : Writes it.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_heartkd.datasets import make_heart_sounds, open_store, store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = store(make_heart_sounds(6, random_state=0), folder)
    ...     sounds = open_store(folder)
    >>> sounds.data.shape, sounds.data[[4, 0]].shape
    ((6, 10000), (2, 10000))
    """
    root = Path(path)
    if not is_store(root):
        part = (root / _PART).exists()
        raise FileNotFoundError(
            f"{str(root)!r} does not hold a complete store; "
            + ("call store again to continue it." if part else "write one with store.")
        )
    columns = pd.read_csv(root / _TABLE, nrows=0).columns
    texts = {name: str for name in columns if name in _TEXTS}
    table = pd.read_csv(root / _TABLE, dtype=texts, keep_default_na=False).map(unguard_cell)
    table["label"] = table["label"].replace("", None)
    file = os.path.abspath(root / _DATA)
    rate = float(table.pop("sampling_rate").iloc[0]) if "sampling_rate" in table else None
    return make_bunch(
        Rows(np.load(file, mmap_mode="r"), path=file),
        table,
        sampling_rate=rate,
        descr=f"The rows of the store {str(root)!r}.",
    )


def is_store(path):
    """Whether a folder holds a complete store."""
    return (Path(path) / _DATA).is_file() and (Path(path) / _TABLE).is_file()


def _table(source):
    """Return a row for each recording, with the names of columns that `make_bunch` takes."""
    frame = source.get("frame")
    table = pd.DataFrame(index=range(len(source.data))) if frame is None else frame.copy()
    names = [str(i) for i in range(len(source.data))]
    for column, key, default in (
        ("label", "target", ""),
        ("group", "groups", names),
        ("path", "filenames", names),
        ("device", "devices", None),
        ("sampling_rate", "sampling_rate", None),
    ):
        value = source.get(key)
        value = default if value is None else value
        if value is not None:
            table[column] = value
    return table


def _progress(root, key):
    """Return how many rows an interrupted call with the same arguments wrote, and their shape."""
    try:
        note = json.loads((root / _PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0, None
    if note["key"] != key or not (root / _PART).is_file():
        return 0, None
    return note["rows"], tuple(note["shape"])


def _read(source, block, duration, transformer):
    """Return the rows of a block as they are stored."""
    data = source.data[block]
    if duration is not None:
        data = with_duration(data, source.sampling_rate, duration)
    if transformer is not None:
        data = transformer.transform(data)
    try:
        return np.asarray(data, dtype=np.float32)
    except ValueError:
        raise ValueError("The recordings differ in length; give a duration in seconds.") from None


def _header(shape):
    header = BytesIO()
    described = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()
