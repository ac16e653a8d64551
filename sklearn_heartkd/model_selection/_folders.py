"""The check of a folder of recordings in a layout that the loaders know."""

import re
import warnings
from pathlib import Path

from sklearn_heartkd import datasets
from sklearn_heartkd.datasets._assemble import audio_files
from sklearn_heartkd.model_selection._check import check_dataset
from sklearn_heartkd.model_selection._report import Finding

LAYOUTS = ("pascal", "physionet2016", "folder")


def check_folder(path, *, layout=None, subject=None, threshold=0.8, random_state=0):
    """Check the recordings of a folder, see :func:`check_dataset`.

    Parameters
    ----------
    path : path-like
        The folder.
    layout : {"pascal", "physionet2016", "folder"}, default=None
        How labels and subjects are told from names: as :func:`~sklearn_heartkd.datasets.load_pascal`,
        :func:`~sklearn_heartkd.datasets.load_physionet2016` or
        :func:`~sklearn_heartkd.datasets.load_audio_folder` (one folder for each class) do. None
        tries to recognise it.
    subject : str or callable, default=None
        How the loaders of the other layouts than PASCAL tell the subject from a file's name.
    threshold : float, default=0.8
        Of the near-duplicates.
    random_state : int, RandomState instance or None, default=0
        For the forests and their splits.

    Returns
    -------
    DatasetReport
        See :func:`check_dataset`. Of PASCAL and PhysioNet, only labelled recordings are
        compared; unreadable files are reported wherever they are.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is no folder.
    ValueError
        If the folder holds no recordings, or none in this layout.
    """
    root, files = audio_files(path)
    if layout is None:
        layout = guess_layout(root, files)
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {LAYOUTS}, got {layout!r}")
    load = {
        "pascal": datasets.load_pascal,
        "physionet2016": datasets.load_physionet2016,
        "folder": datasets.load_audio_folder,
    }[layout]
    if subject is not None and layout == "pascal":
        raise ValueError(f"subject={subject!r} is of no use: the names of PASCAL tell the subject")
    options = {} if subject is None else {"subject": subject}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loaded = load(root, on_error="skip", **options)
        except datasets.UnreadableRecordingError:
            return check_dataset(files, names=[file.relative_to(root).as_posix() for file in files])
    frame = loaded.frame
    told = subject is not None or layout != "folder"
    subjects = frame["subject"].tolist() if told else None
    source = next((column for column in ("set", "database") if column in frame), None)
    unreadable = _unreadable(set(map(str, files)) - set(loaded.filenames))
    n_more = len(unreadable)
    report = check_dataset(
        [*loaded.filenames, *unreadable],
        [*loaded.target, *[None] * n_more],
        subjects=None if subjects is None else [*subjects, *[None] * n_more],
        sources=None if source is None else [*frame[source], *[None] * n_more],
        names=[
            Path(name).relative_to(root).as_posix() for name in (*loaded.filenames, *unreadable)
        ],
        threshold=threshold,
        random_state=random_state,
    )
    report.findings.extend(
        Finding("names and tables", "warning", str(warning.message))
        for warning in caught
        if "cannot be used" not in str(warning.message)  # reported above
    )
    return report


def guess_layout(root, files):
    """Recognise the layout of a folder from the names in it."""
    names = [file.relative_to(root).as_posix() for file in files]
    if any(root.rglob("REFERENCE*.csv")):
        return "physionet2016"
    pascal = re.compile(r"(^|/)(set_[ab]|[AB]training\w*|Training [AB] \w+)/", re.IGNORECASE)
    if any(pascal.search(f"{root.name}/{name}") for name in names):
        return "pascal"
    return "folder"


def _unreadable(files):
    unreadable = []
    for file in sorted(files):
        try:
            datasets.read_recording(file)
        except datasets.UnreadableRecordingError:
            unreadable.append(file)
    return unreadable
