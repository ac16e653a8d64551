"""Groups of recordings that a split must not separate."""

import re
from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_heartkd.datasets._assemble import compile_pattern
from sklearn_heartkd.utils._near_duplicates import connected_groups, find_near_duplicates


def subject_groups(
    filenames: Sequence[str | PathLike[str]], pattern: str | re.Pattern[str]
) -> np.ndarray:
    r"""Take the subject of each recording from its file name.

    The subjects are groups that a split must not separate.

    Parameters
    ----------
    filenames : sequence of path-like, of length n_recordings
        Paths or names.
    pattern : str or compiled pattern
        Regular expression that is searched in each path, folders included (as with ``/``). The
        subject is its group named ``subject``, else all its groups joined by ``-``, else the
        whole match.

    Returns
    -------
    groups : ndarray of str of shape (n_recordings,)
        For the parameter `groups` of any scikit-learn group splitter.

    Raises
    ------
    ValueError
        If the pattern does not match some of the names, or is not a regular expression.

    See Also
    --------
    combine_groups : Unite groupings.

    Examples
    --------
    >>> from sklearn_heartkd.model_selection import subject_groups
    >>> names = ["set_b/normal__103_1305031931979_B.wav", "set_b/murmur__112_1306243000964_A.wav"]
    >>> subject_groups(names, r"__(\d+)_").tolist()
    ['103', '112']
    """
    compiled = compile_pattern("pattern", pattern)
    names = [fspath(name).replace("\\", "/") for name in filenames]
    matches = [compiled.search(name) for name in names]
    missed = [name for name, match in zip(names, matches, strict=True) if match is None]
    if missed:
        raise ValueError(
            f"the pattern {compiled.pattern!r} does not match {len(missed)} of {len(names)} file "
            f"names, such as {missed[0]!r}; change it, or leave these files out."
        )
    return np.array([_subject(match) for match in matches if match], dtype=str)


def _subject(match):
    if "subject" in match.re.groupindex:
        return match["subject"] or ""
    return "-".join(part or "" for part in match.groups()) or match[0]


def near_duplicate_groups(
    recordings: Sequence[ArrayLike] | np.ndarray,
    sampling_rate: ArrayLike,
    *,
    threshold: float = 0.8,
    low: float = 60.0,
    high: float = 800.0,
    min_overlap: float = 3.0,
    y: ArrayLike | None = None,
    return_pairs: bool = False,
    n_jobs: int | None = None,
) -> Any:
    """Group recordings that are copies of each other, or cuts of one longer recording.

    Copies are found whatever their gain, offset, polarity or delay: by the normalized
    cross-correlation of the band-passed recordings. Groups are the connected components of the
    pairs found.

    Parameters
    ----------
    recordings : array of shape (n_recordings, n_samples) or sequence of 1-D arrays
        Mono waveforms.
    sampling_rate : float or array of shape (n_recordings,)
        In Hz; one for all, or one per recording.
    threshold : float, default=0.8
        Smallest absolute correlation of a pair, between 0 and 1. Overlaps shorter than
        ``2 * min_overlap`` need more, unless they are all of the shorter recording.
    low, high : float, default=60.0, 800.0
        Pass-band in Hz. `high` is lowered to half the smallest sampling rate.
    min_overlap : float, default=3.0
        Shortest common part in seconds; of a recording shorter than that, nine tenths must
        overlap.
    y : array of shape (n_recordings,), default=None
        Labels, for the report.
    return_pairs : bool, default=False
        True also returns the report.
    n_jobs : int, default=None
        The number of threads; None means 1, -1 all processors.

    Returns
    -------
    groups : ndarray of int of shape (n_recordings,)
        For the parameter `groups` of any scikit-learn group splitter. A recording without a
        near-duplicate is a separate group.
    pairs : pandas.DataFrame
        Only with ``return_pairs=True``. One row per pair: first, second (positions), correlation
        (negative: inverted polarity), lag_seconds (of the second behind the first),
        overlap_seconds; with `y` also first_label, second_label and labels_disagree.

    Raises
    ------
    ValueError
        If a recording is not 1-D, is empty or holds NaN or infinity, `y` has another length, or
        a parameter is out of range.

    See Also
    --------
    combine_groups : Unite these groups with the subjects.

    Notes
    -----
    Pairs are proposed by fingerprints of short parts, in a nearest-neighbor index, and only these
    are compared in full, so that a pair can be missed. On PASCAL, where the settings of the fingerprints
    were chosen, no pair is missed. The memory grows with the length of the recordings.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.model_selection import near_duplicate_groups
    >>> sounds = make_heart_sounds(5, classes=["normal"], random_state=0)
    >>> recordings = [*sounds.data, -0.2 * sounds.data[3]]
    >>> groups, pairs = near_duplicate_groups(
    ...     recordings, sounds.sampling_rate, y=["normal"] * 5 + ["murmur"], return_pairs=True
    ... )
    >>> groups
    array([0, 1, 2, 3, 4, 3])
    >>> pairs[["first", "second", "first_label", "second_label", "labels_disagree"]]
       first  second first_label second_label  labels_disagree
    0      3       5      normal       murmur             True
    """
    recordings, labels = list(recordings), None if y is None else np.asarray(y)
    if labels is not None and len(labels) != len(recordings):
        raise ValueError(
            f"y has {len(labels)} labels for {len(recordings)} recordings; give one each."
        )
    found = find_near_duplicates(
        recordings,
        sampling_rate,
        threshold=threshold,
        low=low,
        high=high,
        min_overlap=min_overlap,
        n_jobs=n_jobs,
    )
    if not return_pairs:
        return found.groups
    pairs = found.pairs
    if labels is not None:
        first, second = labels[pairs["first"]], labels[pairs["second"]]
        pairs = pairs.assign(
            first_label=first, second_label=second, labels_disagree=first != second
        )
    return found.groups, pairs


def combine_groups(*groups: ArrayLike) -> np.ndarray:
    """Unite groupings, so that recordings share a group if any of the groupings joins them.

    This also holds through others: if a and b have one subject, and b and c are copies, then a, b and
    c are one group.

    Parameters
    ----------
    *groups : array-like of shape (n_recordings,)
        At least one grouping. None, NaN and "" mean that the group is unknown: by that grouping,
        such a recording is alone.

    Returns
    -------
    groups : ndarray of int of shape (n_recordings,)
        Counting from 0 in the order of the recordings.

    Raises
    ------
    ValueError
        If no grouping is given, or their lengths differ.

    See Also
    --------
    near_duplicate_groups : Group recordings that are copies of each other.
    subject_groups : Take the subject of each recording from its file name.

    Examples
    --------
    >>> from sklearn_heartkd.model_selection import combine_groups
    >>> subjects = ["103", "103", "146", "112", None]
    >>> duplicates = [0, 1, 1, 2, 3]
    >>> combine_groups(subjects, duplicates)
    array([0, 0, 0, 1, 2])
    """
    if not groups:
        raise ValueError("combine_groups needs at least one grouping, got none.")
    groupings = [np.asarray(grouping, dtype=object) for grouping in groups]
    lengths = [len(grouping) for grouping in groupings]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"The groupings have different lengths {lengths}; give each recording one group."
        )
    first, second = [], []
    for grouping in groupings:
        codes = pd.factorize(pd.Series(grouping).replace("", None))[0]
        known = np.flatnonzero(codes >= 0).tolist()
        leaders: dict[int, int] = {}
        for i in known:
            first.append(leaders.setdefault(int(codes[i]), i))
            second.append(i)
    return connected_groups(lengths[0], first, second)
