"""The check of a data set before anybody trains on it."""

from collections.abc import Collection, Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
import pandas as pd
import soxr
from numpy.typing import ArrayLike

from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording
from sklearn_heartkd.model_selection._groups import combine_groups, near_duplicate_groups
from sklearn_heartkd.model_selection._levels import level_findings, measure
from sklearn_heartkd.model_selection._metadata import label_findings
from sklearn_heartkd.model_selection._relations import (
    describe_pairs,
    duplicate_findings,
    subject_findings,
)
from sklearn_heartkd.model_selection._report import DatasetReport, Finding, left_out

_RATE = 2000  # Hz, for the near-duplicates
_ORDER = {"problem": 0, "warning": 1, "note": 2}


def check_dataset(
    filenames: Sequence[str | PathLike[str]],
    y: ArrayLike | None = None,
    *,
    subjects: ArrayLike | None = None,
    sources: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    threshold: float = 0.8,
    ignore: Collection[str] = (),
    random_state: Any = 0,
) -> DatasetReport:
    """Find what is wrong with a data set before training on it.

    It reports unreadable files, near-duplicates and those whose labels disagree, subjects with several
    labels, clipping and silence, and classes that exist in one source only or that the length, the
    loudness, the sampling rate, the source or the file name alone predict.

    Parameters
    ----------
    filenames : sequence of path-like, of length n_recordings
        Sound files.
    y : array-like of shape (n_recordings,), default=None
        Labels; None, for all or for a recording, means unknown.
    subjects : array-like of shape (n_recordings,), default=None
        Subjects; None or "", for all or for a recording, means unknown.
    sources : array-like of shape (n_recordings,), default=None
        Where a recording comes from: hospital, device, part of a challenge.
    names : sequence of str, default=None
        Shorter names for the report, such as paths relative to a folder.
    threshold : float, default=0.8
        Smallest correlation of near-duplicates, see :func:`near_duplicate_groups`.
    ignore : collection of str, default=()
        Codes of checks whose findings are left out, such as ``["HKD006"]``; see the table of codes in
        the documentation.
    random_state : int, RandomState instance or None, default=0
        Controls the forests and their splits.

    Returns
    -------
    DatasetReport
        With `findings`, `pairs`, `groups`, ``to_frame()``, ``to_json()``; ``str()`` is for
        reading.

    Raises
    ------
    TypeError
        If `filenames` is a Bunch or dict.
    ValueError
        If no file is given, lengths differ, or a code is unknown.

    See Also
    --------
    check_folder : Check a folder whose layout tells labels and subjects.

    Notes
    -----
    "Predicts" means: the predictions of a random forest of 50 trees that sees only that piece of
    metadata, cross-validated by groups (subjects united with near-duplicates), have a balanced accuracy
    more than 0.1 and more than two standard errors above chance.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import soundfile
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.model_selection import check_dataset
    >>> sounds = make_heart_sounds(4, classes=["normal", "murmur"], random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [Path(folder) / name for name in ("a.wav", "b.wav", "c.wav", "d.wav", "e.wav")]
    ...     for file, x in zip(files, [*sounds.data, 0.5 * sounds.data[0]]):
    ...         soundfile.write(file, x / 2, 2000)
    ...     report = check_dataset(files, [*sounds.target, "murmur"], names=list("abcde"))
    >>> worst = report.findings[0]
    >>> worst.check, worst.severity, worst.files
    ('conflicting labels', 'problem', ['a', 'e'])
    """
    if isinstance(filenames, Mapping):
        raise TypeError("filenames is a Bunch or dict; give its filenames, and its target as y.")
    paths = [fspath(name) for name in filenames]
    if not paths:
        raise ValueError("filenames is empty; give at least one sound file.")
    table = table_of(len(paths), label=y, subject=subjects, source=sources, file=names)
    if names is None:
        table["file"] = paths
    return check_recordings(map(_read, paths), table, threshold, ignore, random_state)


def check_recordings(recordings, table, threshold, ignore, random_state):
    """Return the report of `check_dataset` on waveforms and their rates, or reasons why there are none."""
    n_recordings = len(table)
    table["source"] = table["source"].fillna("").astype(str)
    waveforms, measures, reasons = [], [], {}
    for i, recording in enumerate(recordings):
        if isinstance(recording, str):
            reasons[i] = recording
            continue
        waveform, rate = recording
        measures.append(measure(waveform, rate))
        waveforms.append(
            waveform if rate == _RATE else soxr.resample(waveform, rate, _RATE, quality="HQ")
        )
    findings = [
        Finding("unreadable file", "problem", f"{reason}.", [str(table.loc[i, "file"])])
        for i, reason in reasons.items()
    ]
    table = table.drop(index=list(reasons)).reset_index(drop=True).join(pd.DataFrame(measures))
    pairs, groups = pd.DataFrame(), np.empty(0, dtype=int)
    if len(table):
        duplicates, pairs = near_duplicate_groups(
            waveforms, _RATE, threshold=threshold, y=table["label"], return_pairs=True
        )
        pairs = describe_pairs(pairs, table)
        groups = combine_groups(table["subject"], duplicates)
        findings += [
            *duplicate_findings(duplicates, pairs, table),
            *subject_findings(table),
            *level_findings(table),
            *label_findings(table, groups, random_state),
        ]
    findings = left_out(findings, ignore)
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    counts = table["label"].value_counts().sort_index()
    summary = {
        "recordings": n_recordings,
        "readable": len(table),
        "seconds": float(table["seconds"].sum()) if len(table) else 0.0,
        "subjects": int(table["subject"].nunique()),
        "classes": {str(label): int(n) for label, n in counts.items()},
    }
    return DatasetReport(findings, summary, pairs, groups, table["file"].tolist())


def _read(path):
    try:
        return read_recording(path)
    except UnreadableRecordingError as error:
        return next(iter(error.reasons.values()))


def table_of(n_files, **columns):
    """Return a table of texts, with None where nothing is known."""
    table = pd.DataFrame(index=range(n_files))
    for column, values in columns.items():
        values = [None] * n_files if values is None else list(values)
        if len(values) != n_files:
            raise ValueError(
                f"{len(values)} values of {column} for {n_files} files; give one for each file."
            )
        known = [None if pd.isna(value) or value == "" else str(value) for value in values]
        table[column] = pd.Series(known, dtype=object)
    return table
