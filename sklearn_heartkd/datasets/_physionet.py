"""The PhysioNet/Computing in Cardiology Challenge 2016."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import validate_params

from sklearn_heartkd.datasets._assemble import (
    READING_CONSTRAINTS,
    audio_files,
    make_bunch,
    match_subjects,
    read_table,
    require_two_classes,
)

_LABELS = {"1": "abnormal", "-1": "normal"}
_QUALITIES = {"1": "good", "0": "poor"}

_DESCR = """\
PhysioNet/Computing in Cardiology Challenge 2016

Phonocardiograms of several databases ("training-a" to "training-f"), at 2 kHz, labelled normal
or abnormal, in some copies with a signal quality (good, poor).

Groups: {groups}

The databases differ in their devices, their patients and their share of abnormal recordings:
report them one by one, or leave one out at a time (frame["database"]).

C. Liu, D. Springer, Q. Li and others: An open access database for the evaluation of heart sound
algorithms, Physiological Measurement 37(12), 2016, doi:10.1088/0967-3334/37/12/2181
"""
_NO_SUBJECTS = (
    "each recording is a group of its own, because the layout does not tell the patients, of whom "
    "some have several recordings; give `subject`, or scores by these groups are too good."
)


@validate_params(
    {"path": "no_validation", "databases": [str], "subject": [str, callable, None]}
    | READING_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def load_physionet2016(
    path,
    *,
    databases="abcdef",
    subject=None,
    sampling_rate=2000,
    duration=None,
    on_error="raise",
    return_X_y=False,
    n_jobs=None,
    verbose=0,
):
    """Load the training recordings of the PhysioNet/CinC challenge of 2016 [1]_.

    Parameters
    ----------
    path : path-like
        The folder that holds ``training-a`` to ``training-f``, each with its recordings and
        ``REFERENCE.csv``: name, 1 (abnormal) or -1 (normal), and in some copies the signal quality,
        1 (good) or 0 (poor).
    databases : str, default="abcdef"
        The letters of the databases to load; those that `path` does not hold are left out.
    subject : str or callable, default=None
        Tells who was recorded. A regular expression is searched for in each recording's name, such as
        ``"a0001"``, and its first group, or without a group all of what it matches, is the subject. A
        callable takes the name. None takes each recording for a subject of its own.
    sampling_rate : float, default=2000
        The rate in Hz to which all recordings are resampled.
    duration : float, default=None
        Seconds. None keeps every recording at its length; a number crops longer recordings at
        their end and repeats shorter ones, and never pads with zeros.
    on_error : {"raise", "skip"}, default="raise"
        What to do about files that cannot be used: one error, or one warning, that names them.
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
        - target : ndarray of str of shape (n_recordings,), "abnormal" or "normal".
        - groups : ndarray of str of shape (n_recordings,): "<database>-<subject>".
        - sampling_rate : float, in Hz.
        - filenames : ndarray of str of shape (n_recordings,), the paths.
        - frame : DataFrame with the columns file (relative to `path`), database (its letter),
          label, quality ("good", "poor" or "" if not told), subject, site (""), seconds,
          original_sampling_rate.
        - target_names : ndarray of str, the classes.
        - DESCR : str.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is no folder.
    ValueError
        If the folder holds none of the databases, or recordings of one class only, if a
        ``REFERENCE.csv`` is missing or holds other values, or if `subject` finds none in some names or
        is no regular expression.
    UnreadableRecordingError
        If files cannot be used, or listed recordings are not there (see `on_error`).

    References
    ----------
    .. [1] C. Liu, D. Springer, Q. Li et al., "An open access database for the evaluation of heart
       sound algorithms", Physiological Measurement 37(12), 2016.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import load_physionet2016
    >>> cinc = load_physionet2016("path/to/training", databases="ab")  # doctest: +SKIP
    >>> cinc.target_names  # doctest: +SKIP
    array(['abnormal', 'normal'], dtype='<U8')
    """
    root, files = audio_files(path)
    unknown = set(databases) - set("abcdef")
    if unknown or not databases:
        raise ValueError(f"databases must be some of the letters 'abcdef', got {databases!r}.")
    letters = [letter for letter in sorted(databases) if (root / f"training-{letter}").is_dir()]
    if not letters:
        raise ValueError(
            f"The folder {str(root)!r} holds none of the folders training-a to training-f that "
            f"databases={databases!r} asks for; give the folder that holds them."
        )
    table = pd.concat([_references(root, letter) for letter in letters], ignore_index=True)
    _warn_of_unlisted(files, table, letters)
    table["subject"] = table["name"]
    if isinstance(subject, str):
        table["subject"] = match_subjects(subject, table["name"].tolist())
    elif subject is not None:
        table["subject"] = table["name"].map(subject).astype(str)
    table["site"] = ""
    table["group"] = table["database"] + "-" + table["subject"]
    waveforms, table = read_table(
        table.drop(columns="name"),
        sampling_rate=sampling_rate,
        on_error=on_error,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    require_two_classes(table["label"], root)
    return make_bunch(
        waveforms,
        table,
        sampling_rate=sampling_rate,
        duration=duration,
        return_X_y=return_X_y,
        descr=_DESCR.format(groups="the subjects." if subject is not None else _NO_SUBJECTS),
    )


def _references(root, letter):
    folder = root / f"training-{letter}"
    reference = folder / "REFERENCE.csv"
    if not reference.is_file():
        raise ValueError(f"{str(reference)!r} is missing; it holds the labels, so restore it.")
    rows = pd.read_csv(reference, header=None, names=["name", "label", "quality"], dtype=str)
    rows = rows.apply(lambda column: column.str.strip())
    for column, meaning in (("label", _LABELS), ("quality", _QUALITIES)):
        strange = ~rows[column].isin(list(meaning))
        if column == "quality":
            strange &= rows[column].notna()
        if strange.any():
            row = rows[strange].iloc[0]
            raise ValueError(
                f"{str(reference)!r} gives {row['name']!r} the {column} {row[column]!r}; it must "
                f"be {' or '.join(meaning)}."
            )
    paths = [folder / f"{name}.wav" for name in rows["name"]]
    return pd.DataFrame(
        {
            "path": [str(file) for file in paths],
            "file": [file.relative_to(root).as_posix() for file in paths],
            "database": letter,
            "label": rows["label"].map(_LABELS),
            "quality": rows["quality"].map(_QUALITIES).fillna(""),
            "name": rows["name"],
        }
    )


def _warn_of_unlisted(files, table, letters):
    folders = {f"training-{letter}" for letter in letters}
    found = [str(file) for file in files if file.parent.name in folders]
    unlisted = np.setdiff1d(found, table["path"])
    if len(unlisted):
        warnings.warn(
            f"{len(unlisted)} recordings are not in REFERENCE.csv and left out (such as "
            f"{str(unlisted[0])!r}).",
            stacklevel=4,
        )
