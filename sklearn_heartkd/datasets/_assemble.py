"""The parts that all loaders share: the folder, the recordings of one length, the Bunch."""

import re
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from sklearn_heartkd.datasets._reading import ON_ERROR, read_recordings
from sklearn_heartkd.utils._audio_files import find_audio_files, unreadable_message
from sklearn_heartkd.utils._recordings import fit_length
from sklearn_heartkd.utils._warnings import warn

_CONSTRAINTS = {
    "path": "no_validation",
    "sampling_rate": [Interval(Real, 0, None, closed="neither")],
    "duration": [Interval(Real, 0, None, closed="neither"), None],
    "on_error": [StrOptions(set(ON_ERROR))],
    "channel": [StrOptions({"mean", "left", "right"}), Interval(Integral, 0, None, closed="left")],
    "return_X_y": ["boolean"],
    "n_jobs": [int, None],
    "verbose": ["verbose"],
}
_OF_A_FOLDER = """\
Recordings from {path}, of the classes {classes}.

Groups: {groups}
"""
_NO_SUBJECTS = (
    "each recording is a separate group, because `subject` was not given; if subjects have several "
    "recordings, scores from splits by these groups are too good."
)


def validated(**constraints):
    """Decorate a loader such that its parameters are validated; those of reading are known."""
    return validate_params(_CONSTRAINTS | constraints, prefer_skip_nested_validation=True)


class Reading(NamedTuple):
    """The parameters of reading, which all loaders share."""

    sampling_rate: float
    duration: float | None
    on_error: str
    channel: str | int
    n_jobs: int | None
    verbose: int


def find_subjects(subject, names):
    """Return the subject in each name of a file: by a callable, by a pattern, or (None) the name."""
    if subject is None:
        return names
    if callable(subject):
        return [str(subject(name)) for name in names]
    pattern = compile_pattern("subject", subject)
    names = [name.rpartition("/")[2] for name in names]
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
        warn(f"{unreadable_message(unreadable)}.")
    return root, files


def read_table(table, reading):
    """Read the files of a table; return the waveforms and the table completed."""
    waveforms, original_rates, indices = read_recordings(
        table["path"],
        reading.sampling_rate,
        channel=reading.channel,
        on_error=reading.on_error,
        n_jobs=reading.n_jobs,
        verbose=reading.verbose,
    )
    table = table.iloc[indices].reset_index(drop=True)
    table["seconds"] = [len(waveform) / reading.sampling_rate for waveform in waveforms]
    table["original_sampling_rate"] = original_rates
    return waveforms, table


def assemble(table, path, reading, descr):
    """Read the files of a table with labels; return the Bunch."""
    waveforms, table = read_table(table, reading)
    require_two_classes(table["label"], path)
    return make_bunch(
        with_duration(waveforms, reading.sampling_rate, reading.duration),
        table,
        reading.sampling_rate,
        descr,
    )


def assemble_folder(table, path, reading, subject):
    """Read a private data set, whose groups are the column ``subject``."""
    bunch = assemble(table.assign(group=table["subject"]), path, reading, descr="")
    bunch.DESCR = _OF_A_FOLDER.format(
        path=path,
        classes=", ".join(bunch.target_names),
        groups="the subjects." if subject is not None else _NO_SUBJECTS,
    )
    return bunch


def make_bunch(data, table, sampling_rate, descr):
    """Return the Bunch of a data set.

    The columns ``path`` and ``group`` of the table become ``filenames`` and ``groups``; a column
    ``device`` is also returned as ``devices``.
    """
    labels = table["label"].dropna().to_numpy(dtype=str)  # all are known, or none
    return Bunch(
        data=data,
        target=labels if len(labels) else None,
        groups=table["group"].to_numpy(dtype=str),
        devices=table["device"].to_numpy(dtype=str) if "device" in table else None,
        sampling_rate=sampling_rate,
        filenames=table["path"].to_numpy(dtype=str),
        frame=table.drop(columns=["path", "group"]),
        target_names=np.unique(labels),
        DESCR=descr,
    )


def with_duration(waveforms, sampling_rate, duration):
    """Leave recordings ragged (None), or loop or crop each to the duration."""
    if duration is None:
        return waveforms
    n_samples = round(duration * sampling_rate)
    if n_samples < 1:
        raise ValueError(
            f"duration={duration!r} is less than one sample at {sampling_rate} Hz; choose a longer one."
        )
    return np.stack([fit_length(waveform, n_samples) for waveform in waveforms])


def require_two_classes(labels, root, advice=""):
    """Refuse a data set from which no classifier can learn; `advice` is added to the error."""
    if len(set(labels)) < 2:
        raise ValueError(
            f"All recordings in {str(root)!r} are of one class, {next(iter(labels))!r}; a "
            f"classifier needs at least two. {advice}".rstrip()
        )
