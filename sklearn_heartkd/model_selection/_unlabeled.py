"""Recordings without labels beside a labeled data set."""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sklearn_heartkd.datasets import read_recordings
from sklearn_heartkd.datasets._assemble import audio_files, find_subjects
from sklearn_heartkd.model_selection._groups import near_duplicate_groups
from sklearn_heartkd.utils._unlabeled import rows_of_others


def split_unlabeled(groups: ArrayLike, groups_unlabeled: ArrayLike, test: ArrayLike) -> np.ndarray:
    """Choose the rows without labels that may be learned from where some subjects are tested.

    `cross_validate` and `GridSearchCV` hand all rows without labels to every fold, with which a student
    hears the subjects that it is tested on. A loop over the folds with this function is honest.

    Parameters
    ----------
    groups : array-like of shape (n_recordings,)
        Subjects of the recordings that have labels.
    groups_unlabeled : array-like of shape (n_unlabeled,)
        Subjects of the recordings without labels, named as those.
    test : array-like of shape (n_test,)
        Numbers of the recordings that have labels and are held out.

    Returns
    -------
    ndarray of int of shape (n_kept,)
        Numbers of the recordings without labels whose subjects are not held out.

    Raises
    ------
    ValueError
        If one of the groups are texts and the others numbers.

    See Also
    --------
    sklearn_heartkd.DistilledClassifier : Learns from such recordings.

    Examples
    --------
    >>> from sklearn_heartkd.model_selection import split_unlabeled
    >>> groups, groups_unlabeled = ["p1", "p1", "p2", "p3"], ["p2", "p4", "p1", "p4"]
    >>> split_unlabeled(groups, groups_unlabeled, test=[2, 3])
    array([1, 2, 3])
    """
    return rows_of_others(np.asarray(groups), np.asarray(groups_unlabeled), np.asarray(test))


def load_unlabeled(path, labeled, *, subject=None, channel="mean", on_error="raise"):
    """Read all recordings of a folder as if they had no labels; return their `data` and `groups`.

    A copy of a labeled recording gets its group, with a warning, so that it is left out where that one
    is tested. `labeled` is a Bunch of a loader, the other arguments are those of
    :func:`~sklearn_heartkd.datasets.load_audio_folder`.
    """
    root, files = audio_files(path)
    rate = labeled.sampling_rate
    data, _, kept = read_recordings(files, rate, channel=channel, on_error=on_error)
    names = [files[i].relative_to(root).as_posix() for i in kept]
    groups = np.array(find_subjects(subject, names), dtype=object)
    n_labeled = len(labeled.data)
    everything = [*(np.asarray(row) for row in labeled.data), *data]
    _, pairs = near_duplicate_groups(everything, rate, return_pairs=True)
    across = pairs[(pairs["first"] < n_labeled) & (pairs["second"] >= n_labeled)]
    for first, second in across[["first", "second"]].to_numpy():
        groups[second - n_labeled] = str(labeled.groups[first])
    if len(across):
        n_copies, example = across["second"].nunique(), names[across["second"].iloc[0] - n_labeled]
        warnings.warn(
            f"{n_copies} recordings of {root} (such as {example}) are copies of labeled recordings; they "
            "are left out where these are tested.",
            stacklevel=2,
        )
    return Bunch(data=data, groups=groups.astype(str))
