"""The check of a folder of recordings in a layout that the loaders know."""

import warnings
from collections.abc import Callable, Collection
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_heartkd.datasets import UnreadableRecordingError, open_store, read_recording
from sklearn_heartkd.datasets._assemble import audio_files
from sklearn_heartkd.datasets._layouts import LAYOUTS, guess_layout, load_folder
from sklearn_heartkd.datasets._store import is_store
from sklearn_heartkd.model_selection._check import check_dataset, check_recordings, table_of
from sklearn_heartkd.model_selection._report import DatasetReport, Finding, left_out


def check_folder(
    path: str | PathLike[str],
    *,
    layout: str | None = None,
    subject: str | Callable[[str], str] | None = None,
    split: str | bool | None = None,
    threshold: float = 0.8,
    ignore: Collection[str] = (),
    random_state: Any = 0,
) -> DatasetReport:
    """Check the recordings of a folder, as `check_dataset` does.

    Labels and subjects come from the loader of the layout. Only labeled recordings are compared;
    unreadable files are reported wherever they are.

    Parameters
    ----------
    path : path-like
        The folder, or that of a store of recordings (:func:`~sklearn_heartkd.datasets.store`), whose
        groups are taken as subjects.
    layout : {"pascal", "physionet2016", "circor", "bmd_hs", "folder"}, default=None
        The layout: that of a public data set, or "folder", one folder for each class. None recognizes
        it by the names of the files.
    subject : str or callable, default=None
        How the subject is found in a file's name, for the layouts "physionet2016" and "folder".
    split : str, False or None, default=None
        For the layout "folder", see :func:`~sklearn_heartkd.datasets.load_audio_folder`.
    threshold : float, default=0.8
        Smallest correlation of near-duplicates.
    ignore : collection of str, default=()
        Codes of checks whose findings are left out, as in :func:`check_dataset`.
    random_state : int, RandomState instance or None, default=0
        Controls the forests and their splits.

    Returns
    -------
    DatasetReport
        The findings; its `summary` also has the `layout`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    ValueError
        If the folder holds no recordings, or none in this layout, or a code is unknown.

    See Also
    --------
    check_dataset : Check files with given labels and subjects.

    Examples
    --------
    >>> from sklearn_heartkd.model_selection import check_folder
    >>> report = check_folder("path/to/heartbeat-sounds")  # doctest: +SKIP
    >>> report.summary["layout"]  # doctest: +SKIP
    'pascal'
    """
    if is_store(path):
        return _check_store(path, threshold, ignore, random_state)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root, files = audio_files(path)
        layout = layout or guess_layout(root, files)
        try:
            loaded = load_folder(root, layout, subject=subject, split=split, on_error="skip")
            table = loaded.frame.set_index(loaded.filenames)
        except UnreadableRecordingError:
            table = pd.DataFrame(columns=["label", "subject"])
    others = sorted(set(map(str, files)) - set(table.index))
    table = table.reindex([*table.index, *(file for file in others if not _can_be_read(file))])
    is_known = subject is not None or layout != "folder"
    report = check_dataset(
        table.index,
        table["label"],
        subjects=table["subject"] if is_known else None,
        sources=table.get(LAYOUTS[layout].source),
        names=[Path(name).relative_to(root).as_posix() for name in table.index],
        threshold=threshold,
        ignore=ignore,
        random_state=random_state,
    )
    report.summary["layout"] = layout
    messages = dict.fromkeys(str(warning.message) for warning in caught)
    more = [
        Finding("names and tables", "warning", message)
        for message in messages
        if "cannot be used" not in message  # reported by check_dataset
    ]
    report.findings.extend(left_out(more, ignore))
    return report


def _check_store(path, threshold, ignore, random_state):
    """Check the recordings of a store; its groups are the subjects."""
    stored = open_store(path)
    if stored.data.ndim != 2 or stored.sampling_rate is None:
        raise ValueError(
            f"The store {str(path)!r} has rows of shape {stored.data.shape[1:]} and the sampling rate "
            f"{stored.sampling_rate}; give a store of recordings, with their sampling rate."
        )
    table = table_of(
        len(stored.data),
        label=stored.target,
        subject=stored.groups,
        source=stored.frame.get("site"),
        file=stored.filenames,
    )
    recordings = ((row, stored.sampling_rate) for row in stored.data)
    report = check_recordings(recordings, table, threshold, ignore, random_state)
    report.summary["layout"] = "store"
    return report


def _can_be_read(file):
    try:
        read_recording(file)
    except UnreadableRecordingError:
        return False
    return True
