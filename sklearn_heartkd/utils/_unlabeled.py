"""Rows without labels that `fit` gets beside X: their check, and their way through inner splits."""

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params, _num_samples

from sklearn_heartkd.utils._group_splits import check_groups


def is_unlabeled(name):
    """Whether an argument of `fit`, such as ``distilled__X_unlabeled``, belongs to rows without labels."""
    return name.rpartition("__")[2] in ("X_unlabeled", "groups_unlabeled")


def check_unlabeled(check, X_unlabeled, groups_unlabeled, groups):
    """Return rows without labels and their subjects as arguments of `fit`, none if there are no rows.

    `check` validates the rows as new X.

    Raises
    ------
    ValueError
        If the rows are not like X, or the subjects are not one for each row, or of another kind than
        those of X.
    """
    if X_unlabeled is None:
        if groups_unlabeled is not None:
            raise ValueError("groups_unlabeled goes with X_unlabeled; give both, or neither.")
        return {}
    if _num_samples(X_unlabeled) == 0:
        return {}
    try:
        X_unlabeled = check(X_unlabeled)
    except ValueError as error:
        raise ValueError(
            f"X_unlabeled does not fit to X; put pipelines inside the meta-estimator, not around it. The "
            f"check of X_unlabeled said: {error}"
        ) from error
    rows = np.empty(_num_samples(X_unlabeled))
    subjects = check_groups(groups_unlabeled, rows, "groups_unlabeled")
    if subjects is None:
        return {"X_unlabeled": X_unlabeled}
    if groups is not None:
        _require_same_kind(groups, subjects)
    return {"X_unlabeled": X_unlabeled, "groups_unlabeled": subjects}


def rows_of_others(groups, groups_unlabeled, held_out):
    """Return the rows of `groups_unlabeled` whose subjects are not those of the rows `held_out`."""
    _require_same_kind(groups, groups_unlabeled)
    return np.flatnonzero(~np.isin(groups_unlabeled, groups[held_out]))


def _require_same_kind(groups, groups_unlabeled):
    if (groups.dtype.kind in "OUS") != (groups_unlabeled.dtype.kind in "OUS"):
        raise ValueError(
            f"groups is of dtype {groups.dtype}, but groups_unlabeled of {groups_unlabeled.dtype}, so no "
            "subject could be in both; give both as texts or both as numbers."
        )


def cut_parameters(X, params, rows):
    """Return the arguments of `fit` for some rows of X; rows without labels stay, however many they are."""
    kept = {name: value for name, value in params.items() if is_unlabeled(name)}
    others = {name: value for name, value in params.items() if name not in kept}
    return _check_method_params(X, others, rows) | kept


def fold_parameters(X, params, groups, training, held_out):
    """Return the arguments of `fit` for the training part of an inner split.

    Rows without labels lose those of the held-out subjects.
    """
    params = cut_parameters(X, params, training)
    for name in [name for name in params if name.endswith("groups_unlabeled")]:
        if groups is not None:
            rows = rows_of_others(groups, params[name], held_out)
            _take(params, name.removesuffix("groups_unlabeled"), rows)
    return params


def spare_a_row(X, params):
    """Drop a row without label if they are as many as those of X.

    scikit-learn's searches take what has the length of X for metadata of its rows, and cut it.
    """
    params = dict(params)
    for name in [name for name in params if name.endswith("X_unlabeled")]:
        n_rows = _num_samples(params[name])
        if n_rows == _num_samples(X):
            _take(params, name.removesuffix("X_unlabeled"), np.arange(n_rows - 1))
    return params


def _take(params, prefix, rows):
    """Leave only some of the rows without labels in `params`, and nothing of them if there are none."""
    for name in (f"{prefix}X_unlabeled", f"{prefix}groups_unlabeled"):
        if name in params:
            values = params.pop(name)
            if len(rows):
                params[name] = _safe_indexing(values, rows)
