"""Data sets with one folder for each class."""

import re
from collections.abc import Callable
from itertools import compress
from os import PathLike
from typing import Any

import pandas as pd
from sklearn.utils._param_validation import Options

from sklearn_heartkd.datasets._assemble import (
    Reading,
    assemble_folder,
    audio_files,
    find_subjects,
    require_two_classes,
    validated,
)
from sklearn_heartkd.datasets._layouts import explain_layout
from sklearn_heartkd.datasets._listing import join_spellings, listing, plain

_SPLIT = re.compile(r"train(ing)?|val(id|idation)?|dev|test(ing)?|eval|holdout|fold|split")


@validated(subject=[str, callable, None], split=[str, None, Options(bool, {False})])
def load_audio_folder(
    path: str | PathLike[str],
    *,
    subject: str | Callable[[str], str] | None = None,
    split: str | bool | None = None,
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    r"""Load recordings from a folder that holds one folder for each class.

    Names of classes that differ only by case, blanks or Unicode form are joined, with a warning.

    Parameters
    ----------
    path : path-like
        The folder. The folders in it are the classes; the sound files in each of them, at any
        depth, are its recordings. Hidden files are left out, links to folders are followed.
    subject : str or callable, default=None
        How to find the subject. A regular expression is searched for in each file's name: the
        subject is its first group or, without a group, the whole match. A callable takes the path
        of a file relative to `path`, such as ``"murmur/s12_a.wav"``. None treats each recording as
        a separate subject.
    split : str, False or None, default=None
        For folders such as ``train`` and ``test`` above those of the classes: the name of the one to
        load, or "all". False takes the first folders for classes, also where they look like splits;
        None raises an error there.
    sampling_rate : float, default=2000
        The rate in Hz to which all recordings are resampled.
    duration : float, default=None
        Seconds. None keeps every recording at its length; a number crops longer recordings at
        their end and repeats shorter ones, and never pads with zeros.
    on_error : {"raise", "skip", "repair"}, default="raise"
        What to do about files that cannot be used, see :func:`read_recordings`.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel to use of recordings with several, see :func:`read_recording`.
    return_X_y : bool, default=False
        True returns ``(data, target)`` instead of the Bunch.
    n_jobs : int, default=None
        The number of threads that read; None means 1.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        - data : list of float32 arrays of shape (n_samples,), or float32 array of shape
          (n_recordings, n_samples) if `duration` is given.
        - target : ndarray of str of shape (n_recordings,), the names of the class folders.
        - groups : ndarray of str of shape (n_recordings,), the subjects.
        - devices : ndarray of str of shape (n_recordings,), or None where they are unknown: the
          stethoscopes, for the `devices` of `fit`.
        - sampling_rate : float, in Hz.
        - filenames : ndarray of str of shape (n_recordings,), the paths.
        - frame : DataFrame with the columns file (relative to `path`), label, quality (""),
          subject, site (""), split (if there are splits), seconds, original_sampling_rate.
        - target_names : ndarray of str, the classes.
        - DESCR : str.

    Raises
    ------
    ValueError
        If there are sound files outside of the class folders, or of less than two classes; if splits
        seem to lie above the classes and `split` is None; if `subject` finds nothing in some names.
    UnreadableRecordingError
        If files cannot be used (see `on_error`).

    See Also
    --------
    load_table : Load the recordings that a table lists.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import soundfile
    >>> from sklearn_heartkd.datasets import load_audio_folder, make_heart_sounds
    >>> sounds = make_heart_sounds(8, classes=["normal", "murmur"], random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, label, waveform in zip(sounds.filenames, sounds.target, sounds.data):
    ...         Path(folder, label).mkdir(exist_ok=True)
    ...         soundfile.write(Path(folder, label, name), waveform, 2000)
    ...     loaded = load_audio_folder(folder, subject=r"__(\d+)", duration=3.0)
    >>> loaded.data.shape
    (8, 6000)
    >>> loaded.frame.loc[0, ["file", "subject"]].to_list()
    ['murmur/murmur__001_00.wav', '001']
    """
    root, files = audio_files(path)
    names = [file.relative_to(root) for file in files]
    n_above = _n_folders_above(names, split)
    splits = [name.parts[0] if n_above and len(name.parts) > 1 else "" for name in names]
    if n_above and split not in (None, "all"):
        chosen = [plain(found) == plain(split) for found in splits]
        if not any(chosen):
            raise ValueError(
                f"split={split!r} is not a folder; choose from {sorted(set(splits) - {''})}."
            )
        files, names, splits = (list(compress(x, chosen)) for x in (files, names, splits))
    loose = [name.as_posix() for name in names if len(name.parts) < n_above + 2]
    if loose:
        raise ValueError(
            f"{len(loose)} sound files (such as {listing(loose, 1)}) do not lie in the folder of a class. "
            f"{explain_layout(root, files)}"
        )
    labels = join_spellings([name.parts[n_above] for name in names])
    require_two_classes(labels, root, explain_layout(root, files))
    names = [name.as_posix() for name in names]
    table = pd.DataFrame(
        {
            "path": [str(file) for file in files],
            "file": names,
            "label": labels,
            "quality": "",
            "subject": find_subjects(subject, names),
            "site": "",
        }
    )
    if n_above:
        table["split"] = splits
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    bunch = assemble_folder(table, root, reading, subject)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _n_folders_above(names, split):
    """Return how many folders lie above those of the classes: 1 where there are splits, else 0."""
    if split is False:
        return 0
    if split is not None:
        return 1
    inside: dict[str, set[str]] = {}
    for name in names:
        inside.setdefault(name.parts[0], set()).add(name.parts[1] if len(name.parts) > 2 else "")
    first, *others = inside.values()
    are_alike = others and len(first) > 1 and "" not in first and all(x == first for x in others)
    are_splits = all(map(_is_split, inside))
    with_classes = sorted(name for name, classes in inside.items() if "" not in classes)
    if are_splits and not with_classes:
        return 1
    if are_alike or are_splits:
        raise ValueError(
            f"The first folders, {listing(sorted(inside))}, look like splits, not like classes: load one "
            f'of them with split={with_classes[0]!r}, or all with split="all", which adds a column '
            '"split" to the frame. If they are classes, pass split=False.'
        )
    return 0


def _is_split(name):
    """Whether a name is of words for splits, such as "train", "Test_set" or "fold 3"."""
    words = set(re.findall(r"[^\W\d_]+", plain(name))) - {"set", "data"}
    return bool(words) and all(map(_SPLIT.fullmatch, words))
