"""The parts that all loaders share: the folder, the recordings of one length, the Bunch."""

import re
import warnings
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.datasets._listing import listing
from sklearn_heartkd.datasets._reading import ON_ERROR, read_recordings
from sklearn_heartkd.utils._audio_files import find_audio_files, unreadable_message
from sklearn_heartkd.utils._recordings import fit_length
from sklearn_heartkd.utils._warnings import outside

READING_CONSTRAINTS = {
    "sampling_rate": [Interval(Real, 0, None, closed="neither")],
    "duration": [Interval(Real, 0, None, closed="neither"), None],
    "on_error": [StrOptions(set(ON_ERROR))],
    "channel": [StrOptions({"mean", "left", "right"}), Interval(Integral, 0, None, closed="left")],
    "return_X_y": ["boolean"],
    "n_jobs": [int, None],
    "verbose": ["verbose"],
}


def match_subjects(subject, names):
    """Return what a regular expression finds in names: its first group, or all of the match.

    Raises
    ------
    ValueError
        If it is invalid, or finds nothing in some of the names.
    """
    pattern = compile_pattern("subject", subject)
    matches = [pattern.search(name) for name in names]
    found = [match and (match[1] if pattern.groups else match[0]) for match in matches]
    strangers = [name for name, who in zip(names, found, strict=True) if not who]
    if strangers:
        raise ValueError(
            f"subject={subject!r} matches nothing in {len(strangers)} of {len(names)} file names "
            f"(such as {strangers[0]!r}); correct the regular expression."
        )
    return found


def compile_pattern(name, pattern):
    """Return a regular expression compiled; `name` is that of the parameter."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f"{name}={pattern!r} is not a regular expression ({error}); correct it, or put a backslash "
            "before characters that stand for themselves."
        ) from error


def audio_files(path):
    """Return the folder and its sound files in sorted order; warn of audio that cannot be read."""
    root = Path(path)
    if not root.exists():
        raise FileNotFoundError(f"The folder {str(root)!r} does not exist; check the path.")
    if not root.is_dir():
        raise NotADirectoryError(f"{str(root)!r} is not a folder; give the folder that holds it.")
    files, unreadable = find_audio_files(root)
    if not files:
        hint = f" {unreadable_message(unreadable)}." if unreadable else ""
        raise ValueError(
            f"The folder {str(root)!r} holds no sound files; give the folder that holds the "
            f"recordings.{hint}"
        )
    if unreadable:
        warnings.warn(f"{unreadable_message(unreadable)}.", stacklevel=outside())
    return root, files


def read_table(table, *, sampling_rate, on_error, channel, n_jobs, verbose):
    """Read the files of a table; return the waveforms and the table completed."""
    waveforms, original_rates, indices = read_recordings(
        table["path"],
        sampling_rate,
        channel=channel,
        on_error=on_error,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    table = table.iloc[indices].reset_index(drop=True)
    table["seconds"] = [len(waveform) / sampling_rate for waveform in waveforms]
    table["original_sampling_rate"] = original_rates
    return waveforms, table


def make_bunch(waveforms, table, *, sampling_rate, duration, return_X_y, descr, **extra):
    """Return the Bunch of a data set, or X and y.

    The columns ``path`` and ``group`` of the table become ``filenames`` and ``groups``.
    """
    target, target_names = None, np.array([], dtype=str)
    if table["label"].notna().any():
        target = table["label"].to_numpy(dtype=str)
        target_names = np.unique(target)
    data = with_duration(waveforms, sampling_rate, duration)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        groups=table["group"].to_numpy(dtype=str),
        sampling_rate=sampling_rate,
        filenames=table["path"].to_numpy(dtype=str),
        frame=table.drop(columns=["path", "group"]),
        target_names=target_names,
        DESCR=descr,
        **extra,
    )


def with_duration(waveforms, sampling_rate, duration):
    """Leave recordings ragged (None), or loop or crop each to `duration` seconds."""
    if duration is None:
        return waveforms
    n_samples = round(duration * sampling_rate)
    if n_samples < 1:
        raise ValueError(
            f"duration={duration!r} is less than one sample at {sampling_rate} Hz; choose a "
            "longer one."
        )
    return np.stack([fit_length(waveform, n_samples) for waveform in waveforms])


def require_two_classes(labels, root, advice=""):
    """Refuse a data set from which no classifier can learn; `advice` is added to the error."""
    if len(set(labels)) < 2:
        raise ValueError(
            f"All recordings in {str(root)!r} are of one class, {next(iter(labels))!r}; a "
            f"classifier needs at least two. {advice}".rstrip()
        )


def warn_of_disagreement(source, pairs):
    """Warn once if another source disagrees with the labels in use.

    `pairs` holds for each file in dispute its name, the label in use and the other one.
    """
    if pairs:
        disputed = [f"{name} is {used!r}, not {other!r}" for name, used, other in pairs]
        warnings.warn(
            f"{source} disagree with the labels in use on {len(pairs)} files ({listing(disputed)}).",
            stacklevel=outside(),
        )
