"""The inner splits: by subject where the subjects are known."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.utils.metadata_routing import get_routing_for_object

from sklearn_heartkd.utils._warnings import outside

CROSSING = (
    "{owner} splits its training data with {splitter}, which puts rows of one subject on both "
    "sides; use a splitter by groups, such as cv=StratifiedGroupKFold(3)."
)

WITHOUT_GROUPS = (
    "{owner} splits its training data without groups, so rows of one subject can be on both "
    "sides; pass the subjects to fit, as fit(X, y, groups=groups) or, through scikit-learn's "
    "cross-validation, params={{'groups': groups}} (params={{'<step>__groups': groups}} in a "
    "Pipeline). Ensembles and other meta-estimators hand them on with metadata routing enabled. Where the "
    "rows are independent, pass groups=np.arange(len(y))."
)


def warn_without_groups(owner):
    """Warn that an inner split is about to ignore subjects."""
    message = WITHOUT_GROUPS.format(owner=type(owner).__name__)
    warnings.warn(message, UserWarning, stacklevel=outside())


def check_devices(devices, y):
    """Return `devices` as an array, or None; raise ValueError if they are not one for each recording."""
    return check_groups(devices, y, "devices", "device")


def check_groups(groups, y, name="groups", one="subject"):
    """Return `groups` as an array, or None; errors call them `name` and each of them `one`.

    Raises
    ------
    ValueError
        If they are not one known subject for each recording.
    """
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.ndim > 0 and len(groups) != len(y):
        raise ValueError(
            f"{name} has {len(groups)} values for {len(y)} recordings; give one {one} for each. "
            "Where a sampler of a pipeline added or dropped some, wrap the pipeline in WindowedClassifier, "
            f"which gives every copy the {one} of its original."
        )
    if groups.ndim != 1:
        raise ValueError(
            f"{name} has shape {groups.shape}; give one {one} for each recording, shape ({len(y)},)."
        )
    unknown = pd.isna(groups)
    if unknown.any():
        raise ValueError(
            f"{name} has no {one} in row {int(unknown.argmax())}; give recordings of unknown "
            f"{one}s a {one} each, or leave them out."
        )
    if groups.dtype == object and len({isinstance(label, str) for label in groups.tolist()}) > 1:
        raise ValueError(
            f"{name} mixes texts with other values, which cannot be sorted; make all of them texts."
        )
    return groups


def hold_out(owner, y, groups, fraction, seed):
    """Return the rows to train on and those to hold out, with every class in the training part.

    Among the splits by subject it is the one whose parts differ least in the shares of the classes `y`,
    and from the wanted fraction. `owner` stands in the warning if `groups` is None.

    Raises
    ------
    ValueError
        If no split leaves every class in the training part.
    """
    if groups is None:
        warn_without_groups(owner)
        splitter = StratifiedShuffleSplit(1, test_size=fraction, random_state=seed)
        try:
            return next(splitter.split(y, y))
        except ValueError as error:
            raise ValueError(
                f"Cannot hold out {fraction:.0%} of {len(y)} recordings: {error}"
            ) from error
    n_splits = max(2, round(1 / fraction))
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise ValueError(
            f"Holding out {fraction:.0%} of the subjects needs at least {n_splits} of them, got "
            f"{n_groups}; raise validation_fraction or give recordings of more subjects."
        )
    # any fold may serve as the held-out part; a class of few subjects is missing in some training parts
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    splits = [
        (training, held_out)
        for training, held_out in splitter.split(y, y, groups)
        if len(held_out) and len(np.unique(y[training])) == len(np.unique(y))
    ]
    if splits:
        return min(splits, key=lambda split: _distance(y, split, fraction))
    raise ValueError(
        "No split by subject leaves every class in the training part, because one class comes from "
        "a single subject; turn the inner split off or give recordings of more subjects."
    )


def _distance(y, split, fraction):
    """Return how far a split is from one of equal shares of the classes and of the wanted size."""
    shares = [np.bincount(y[rows], minlength=y.max() + 1) / len(rows) for rows in split]
    size = len(split[1]) / len(y)
    return np.abs(shares[0] - shares[1]).sum() + abs(size - fraction) / fraction


def takes_groups(splitter):
    """Whether groups are for `splitter`; those of scikit-learn that ignore groups warn of them."""
    ours = not type(splitter).__module__.startswith("sklearn.")
    return ours or bool(get_routing_for_object(splitter).consumes("split", ["groups"]))


def subject_folds(owner, splitter, y, groups):
    """List the splits of a cross-validation splitter, by subject where they are known.

    A splitter made from an integer (`StratifiedKFold`) becomes a `StratifiedGroupKFold`. Any other
    that puts a subject on both sides is warned about.

    Raises
    ------
    ValueError
        If there are fewer subjects than folds.
    """
    if groups is None:
        if hasattr(splitter, "random_state"):  # a list of splits is the caller's own choice
            warn_without_groups(owner)
    elif type(splitter) in (StratifiedKFold, KFold):
        n_groups = len(np.unique(groups))
        if n_groups < splitter.n_splits:
            advice = f"use cv={n_groups}" if n_groups > 1 else "do without cv"
            raise ValueError(
                f"{splitter.n_splits} folds by subject need at least as many subjects, got "
                f"{n_groups}; {advice} or give recordings of more subjects."
            )
        splitter = StratifiedGroupKFold(
            splitter.n_splits, shuffle=splitter.shuffle, random_state=splitter.random_state
        )
    by_group = groups if takes_groups(splitter) else None
    splits = list(splitter.split(np.zeros((len(y), 1)), y, by_group))
    if groups is not None and any(_share_subjects(groups, *split) for split in splits):
        names = {"owner": type(owner).__name__, "splitter": type(splitter).__name__}
        warnings.warn(CROSSING.format(**names), UserWarning, stacklevel=outside())
    return splits


def _share_subjects(groups, training, held_out):
    groups = np.asarray(groups)
    return len(np.intersect1d(groups[training], groups[held_out])) > 0


def splits_of_rows(cv, rows, n_rows):
    """Return `cv` for some of `n_rows` rows only: splits that are given as a list number all of them.

    Splits that an iterator would give only once become a list.
    """
    if cv is None or isinstance(cv, Integral) or hasattr(cv, "split"):
        return cv
    # the new number of each row, or -1 for one that is left out
    place = np.full(n_rows, -1)
    place[rows] = np.arange(len(rows))
    return [tuple(kept[kept >= 0] for kept in (place[train], place[test])) for train, test in cv]
