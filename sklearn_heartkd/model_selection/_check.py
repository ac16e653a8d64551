"""The check of a data set before anybody trains on it."""

from collections.abc import Mapping
from os import fspath

import numpy as np
import pandas as pd
import soxr

from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording
from sklearn_heartkd.model_selection._groups import combine_groups, near_duplicate_groups
from sklearn_heartkd.model_selection._metadata import (
    constant_length_findings,
    metadata_findings,
    source_findings,
)
from sklearn_heartkd.model_selection._report import DatasetReport, Finding

_RATE = 2000  # Hz, for the near-duplicates
_CLIPPED_RUN = 3  # samples in a row at the extreme value
_CLIPPED_SHARE = 0.001  # of the samples, to be reported
_SILENT_DB = -70.0  # below full scale
_SILENT_SECONDS = 1.0
_ORDER = {"problem": 0, "warning": 1, "note": 2}


def check_dataset(
    filenames,
    y=None,
    *,
    subjects=None,
    sources=None,
    names=None,
    threshold=0.8,
    random_state=0,
):
    """Find what is wrong with a data set before training on it.

    Looks for unreadable files, near-duplicates and those whose labels disagree, subjects with
    several labels, classes that exist in one source only or that the length, the loudness, the
    sampling rate, the source or the file name alone predict, clipping and silence.

    Parameters
    ----------
    filenames : sequence of path-like, of length n_recordings
        Sound files.
    y : array-like of shape (n_recordings,), default=None
        Labels; None, overall or for a recording, means unknown.
    subjects : array-like of shape (n_recordings,), default=None
        Subjects; None or "", overall or for a recording, means unknown.
    sources : array-like of shape (n_recordings,), default=None
        Where a recording comes from: hospital, device, part of a challenge.
    names : sequence of str, default=None
        Shorter names for the report, such as paths relative to a folder.
    threshold : float, default=0.8
        Of the near-duplicates, see :func:`near_duplicate_groups`.
    random_state : int, RandomState instance or None, default=0
        For the forests and their splits.

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
        If no file is given, or lengths differ.

    Notes
    -----
    "Predicts" means: the predictions of a random forest of 50 trees that sees nothing but that
    piece of metadata, cross-validated by groups (subjects united with near-duplicates), have a
    balanced accuracy more than 0.1 and more than two standard errors above chance.

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
        raise ValueError("filenames is empty; give at least one sound file")
    columns = {"label": y, "subject": subjects, "source": sources, "file": names}
    for column, values in columns.items():
        if values is not None and len(values) != len(paths):
            raise ValueError(
                f"{len(values)} values of {column} for {len(paths)} files; give one for each file"
            )
    table = pd.DataFrame(
        {key: _known(values, len(paths)) for key, values in columns.items()},
        index=range(len(paths)),
    )
    if names is None:
        table["file"] = paths
    table["source"] = table["source"].fillna("").astype(str)
    recordings, measures, reasons = [], [], {}
    for i, path in enumerate(paths):
        try:
            waveform, rate = read_recording(path)
        except UnreadableRecordingError as error:
            reasons[i] = next(iter(error.reasons.values()))
            continue
        measures.append(_measures(waveform, rate))
        recordings.append(
            waveform if rate == _RATE else soxr.resample(waveform, rate, _RATE, quality="HQ")
        )
    findings = [
        Finding("unreadable file", "problem", f"{reason}.", [table.loc[i, "file"]])
        for i, reason in reasons.items()
    ]
    table = table.drop(index=list(reasons)).reset_index(drop=True)
    table = table.join(pd.DataFrame(measures))
    pairs, groups = pd.DataFrame(), np.empty(0, dtype=int)
    if len(table):
        duplicates, pairs = near_duplicate_groups(
            recordings, _RATE, threshold=threshold, y=table["label"], return_pairs=True
        )
        pairs = _named(pairs, table)
        groups = combine_groups(table["subject"], duplicates)
        findings += [
            *_duplicate_findings(duplicates, pairs, table),
            *_subject_findings(table),
            *_level_findings(table),
            *_label_findings(table, groups, random_state),
        ]
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    counts = table["label"].value_counts().sort_index()
    summary = {
        "recordings": len(paths),
        "readable": len(table),
        "seconds": float(table["seconds"].sum()) if len(table) else 0.0,
        "subjects": int(table["subject"].nunique()),
        "classes": {str(label): int(n) for label, n in counts.items()},
    }
    return DatasetReport(findings, summary, pairs, groups, table["file"].tolist())


def _known(values, n):
    """Return strings, and None where nothing is known."""
    values = [None] * n if values is None else list(values)
    return pd.Series([None if pd.isna(v) or v == "" else str(v) for v in values], dtype=object)


def _measures(waveform, rate):
    peak = float(np.abs(waveform).max())
    rms = float(np.sqrt(np.mean(np.square(waveform - waveform.mean(), dtype=float))))
    extreme = np.abs(waveform) >= 0.999 * peak
    runs = np.convolve(extreme, np.ones(_CLIPPED_RUN), mode="valid") >= _CLIPPED_RUN
    n_block = max(1, int(_SILENT_SECONDS * rate))
    n_blocks = max(1, len(waveform) // n_block)
    blocks = np.array_split(waveform[: n_blocks * n_block], n_blocks)
    levels = [_decibel(np.std(block.astype(float))) for block in blocks]
    return {
        "n_samples": len(waveform),
        "seconds": len(waveform) / rate,
        "sampling_rate": rate,
        "peak_db": _decibel(peak),
        "rms_db": _decibel(rms),
        "clipped": float(np.mean(runs)) if rms > 0 else 0.0,
        "silent_seconds": float(
            np.sum(np.less(levels, _SILENT_DB)) * len(waveform) / n_blocks / rate
        ),
    }


def _decibel(amplitude):
    return float(20 * np.log10(max(amplitude, 1e-10)))


def _named(pairs, table):
    names = table["file"].to_numpy()
    pairs = pairs.assign(first_file=names[pairs["first"]], second_file=names[pairs["second"]])
    known = pairs["first_label"].notna() & pairs["second_label"].notna()
    pairs["labels_disagree"] &= known
    columns = ["first_file", "second_file", "correlation", "lag_seconds", "overlap_seconds"]
    return pairs[[*columns, "first_label", "second_label", "labels_disagree", "first", "second"]]


def _duplicate_findings(duplicates, pairs, table):
    for cluster in pd.unique(duplicates):
        members = np.flatnonzero(duplicates == cluster)
        if len(members) < 2:
            continue
        chosen = table.iloc[members]
        inside = pairs[np.isin(pairs["first"], members)]
        low, high = inside["correlation"].abs().min(), inside["correlation"].abs().max()
        labels = sorted(chosen["label"].dropna().unique())
        subjects = sorted(chosen["subject"].dropna().unique())
        strength = f"correlation {low:.3f}" + (f" to {high:.3f}" if high - low > 5e-4 else "")
        message = f"{len(members)} recordings are copies or cuts of one another ({strength})"
        if len(subjects) > 1:
            message += f", though they are of different subjects ({', '.join(subjects)})"
        if len(labels) > 1:
            message += f", but are labelled {' and '.join(labels)}"
        yield Finding(
            "conflicting labels" if len(labels) > 1 else "near-duplicates",
            "problem",
            message + ". Keep them in one fold, or keep one of them.",
            chosen["file"].tolist(),
            {
                "smallest_correlation": float(low),
                "largest_correlation": float(high),
                "labels": labels,
                "subjects": subjects,
            },
        )


def _subject_findings(table):
    labels = (
        table.dropna(subset=["label"]).groupby("subject")["label"].agg(lambda s: sorted(set(s)))
    )
    several = labels[labels.map(len) > 1]
    if len(several):
        chosen = table[table["subject"].isin(several.index)]
        examples = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in several[:5].items())
        yield Finding(
            "subject with several labels",
            "warning",
            f"{len(several)} of {len(labels)} subjects have recordings of several classes "
            f"({examples}{'; …' if len(several) > 5 else ''}). Split by subject.",
            chosen["file"].tolist(),
            {"subjects": {str(name): kinds for name, kinds in several.items()}},
        )
    sizes = table["subject"].value_counts()
    repeated = sizes[sizes > 1]
    if len(repeated):
        yield Finding(
            "several recordings of a subject",
            "warning",
            f"{len(repeated)} of {len(sizes)} subjects have more than one recording, at most "
            f"{sizes.max()}: a random split would measure memory of the patient. Split by subject.",
            values={"subjects": len(sizes), "repeated": len(repeated)},
        )


def _level_findings(table):
    clipped = table[table["clipped"] > _CLIPPED_SHARE]
    if len(clipped):
        yield Finding(
            "clipping",
            "warning",
            f"{len(clipped)} recordings have more than {_CLIPPED_SHARE:.1%} of their samples cut "
            f"off at the extreme value, at most {clipped['clipped'].max():.1%}.",
            clipped.sort_values("clipped", ascending=False)["file"].tolist(),
            {"largest_share": float(clipped["clipped"].max())},
        )
    silent = table[table["rms_db"] < _SILENT_DB]
    if len(silent):
        yield Finding(
            "silence",
            "problem",
            f"{len(silent)} recordings are silent (below {_SILENT_DB:.0f} dB of full scale).",
            silent["file"].tolist(),
        )
    gaps = table[(table["silent_seconds"] > 0) & (table["rms_db"] >= _SILENT_DB)]
    if len(gaps):
        yield Finding(
            "silent part",
            "warning",
            f"{len(gaps)} recordings hold a second or more of silence, at most "
            f"{gaps['silent_seconds'].max():.1f} s.",
            gaps.sort_values("silent_seconds", ascending=False)["file"].tolist(),
        )


def _label_findings(table, groups, random_state):
    known = table["label"].notna().to_numpy()
    if table.loc[known, "label"].nunique() < 2:
        return
    table, groups = table[known].reset_index(drop=True), groups[known]
    labels = table["label"].to_numpy(dtype=str)
    yield from source_findings(table, labels)
    yield from constant_length_findings(table, labels)
    yield from metadata_findings(table, labels, groups, random_state)
