"""Data sets of one folder for each class or database."""

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

_DESCR = """\
Recordings from {root}, one folder for each class: {classes}.

Groups: {groups}
"""
_NO_SUBJECTS = (
    "each recording is a group of its own, because `subject` was not given; if subjects have "
    "several recordings, scores from splits by these groups are too good."
)


@validate_params(
    {"path": "no_validation", "subject": [str, callable, None], **READING_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
def load_audio_folder(
    path,
    *,
    subject=None,
    sampling_rate=2000,
    duration=None,
    on_error="raise",
    channel="mean",
    return_X_y=False,
    n_jobs=None,
    verbose=0,
):
    r"""Load recordings from a folder that holds one folder for each class.

    Parameters
    ----------
    path : path-like
        The folder. The folders in it are the classes; the sound files in each of them, at any
        depth, are its recordings.
    subject : str or callable, default=None
        Tells who was recorded. A regular expression is searched for in each file's name, and its
        first group, or without a group all of what it matches, is the subject. A callable takes
        the path of a file relative to `path`, such as ``"murmur/s12_a.wav"``. None takes each
        recording for a subject of its own.
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
        - target : ndarray of str of shape (n_recordings,), the names of the class folders.
        - groups : ndarray of str of shape (n_recordings,), the subjects.
        - sampling_rate : float, in Hz.
        - filenames : ndarray of str of shape (n_recordings,), the paths.
        - frame : DataFrame with the columns file (relative to `path`), label, quality (""),
          subject, site (""), seconds, original_sampling_rate.
        - target_names : ndarray of str, the classes.
        - DESCR : str.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is no folder.
    ValueError
        If the folder holds no sound files, none in class folders, or those of one class only, or
        if `subject` finds none in some names or is no regular expression.
    UnreadableRecordingError
        If files cannot be used (see `on_error`).

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
    loose = [name.name for name in names if len(name.parts) == 1]
    if loose:
        raise ValueError(
            f"{len(loose)} sound files (such as {loose[0]!r}) lie directly in {str(root)!r}; move "
            "them into one folder for each class."
        )
    labels = [name.parts[0] for name in names]
    require_two_classes(labels, root)
    subjects = _subjects(subject, names)
    table = pd.DataFrame(
        {
            "path": [str(file) for file in files],
            "file": [name.as_posix() for name in names],
            "label": labels,
            "quality": "",
            "subject": subjects,
            "site": "",
            "group": subjects,
        }
    )
    waveforms, table = read_table(
        table,
        sampling_rate=sampling_rate,
        on_error=on_error,
        channel=channel,
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
        descr=_DESCR.format(
            root=root,
            classes=", ".join(np.unique(table["label"])),
            groups="the subjects." if subject is not None else _NO_SUBJECTS,
        ),
    )


def _subjects(subject, names):
    if subject is None:
        return [name.as_posix() for name in names]
    if callable(subject):
        return [str(subject(name.as_posix())) for name in names]
    return match_subjects(subject, [name.name for name in names])
