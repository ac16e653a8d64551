"""Validation of X and of sample weights for estimators that `fit` others, and for the networks."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_array, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    validate_data,
)

from sklearn_heartkd.utils._rows import Rows, blocks
from sklearn_heartkd.utils._unlabeled import cut_parameters

_FORMS = {"allow_nd": True, "dtype": [np.float64, np.float32], "ensure_all_finite": False}


def as_sequence(X):
    """Turn a 1-D array or a series of arrays into a list of them; leave everything else."""
    is_series = type(X).__name__ == "Series" and X.dtype == object
    is_array = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    return list(X) if is_series or is_array else X


def as_rows(X: Any) -> Any:
    """Return X as `Rows` if it is on disk and gives rows by index, else as it is."""
    if isinstance(X, (Rows, np.ndarray)) or issparse(X):
        return X  # a memory map is an array already
    lazy = all(hasattr(X, name) for name in ("shape", "dtype", "__getitem__"))
    # series name their values, and arrays of other libraries are in memory
    others = ("iloc", "__array_namespace__", "__torch_function__")
    if not lazy or len(X.shape) < 2 or any(hasattr(X, name) for name in others):
        return X
    return Rows(X)


def has_another_length(estimator, X):
    """Whether X is a list of 1-D arrays of one length that `estimator` was not fitted on."""
    if not isinstance(X, list | tuple) or not hasattr(estimator, "n_features_in_"):
        return False
    lengths = {row.shape for row in X if isinstance(row, np.ndarray) and row.ndim == 1}
    return len(lengths) == 1 and lengths != {(estimator.n_features_in_,)}


def differ_in_shape(X):
    """Whether X is a sequence of recordings of different shapes."""
    return isinstance(X, (list, tuple)) and len({np.shape(row) for row in X}) > 1


def check_any_input(estimator: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Validate X, in any of the project's forms, and y for the `fit` of a meta-estimator.

    X becomes an array, `Rows`, or a list of arrays where the recordings differ in length. A data frame
    stays one, because pipelines inside may choose columns by name; they check what its columns hold
    unless all are numbers.
    """
    X = as_rows(as_sequence(X))
    if isinstance(X, (list, tuple)) and not X:
        raise ValueError(f"{type(estimator).__name__} got no recordings (0 sample(s)): give some.")
    if differ_in_shape(X):
        for attribute in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(attribute, None)
        X = [np.asarray(row) for row in X]
    elif _has_other_columns(X):
        _check_columns(estimator, X, reset=True)
    elif isinstance(X, Rows):
        X = _finite(estimator, X, check_rows(estimator, X, reset=True, **_FORMS))
    else:
        checked, y = validate_data(estimator, X, y, **_FORMS)
        X = _finite(estimator, X, checked)
    y = _check_y(y)
    check_consistent_length(X, y)
    check_classification_targets(y)
    return X, y


def check_any_new_input(estimator, X):
    """Validate X, in any of the project's forms, for a fitted meta-estimator."""
    X = as_rows(as_sequence(X))
    if differ_in_shape(X) or has_another_length(estimator, X):
        return [np.asarray(row) for row in X]
    if _has_other_columns(X):
        _check_columns(estimator, X, reset=False)
        return X
    check = check_rows if isinstance(X, Rows) else validate_data
    return _finite(estimator, X, check(estimator, X, reset=False, **_FORMS))


def check_rows(estimator, X, *, reset, **forms):
    """Validate `Rows` as `validate_data` does an array, a block at a time; return them."""
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    for block in blocks(len(X)):
        check_array(np.asarray(X[block]), estimator=estimator, input_name="X", **forms)
    return X


def require_numbers(X, advice):
    """Raise if X is a data frame with columns that do not hold numbers; `advice` ends the message."""
    if not hasattr(X, "columns"):
        return
    texts = []
    for name in X.columns:
        try:
            np.asarray(X[name], dtype=np.float64)
        except (TypeError, ValueError):
            texts.append(name)
    if texts:
        raise ValueError(f"The columns {texts} of X do not hold numbers; {advice}.")


def _has_other_columns(X):
    """Whether X is a data frame with columns that do not hold numbers."""
    if not hasattr(X, "iloc") or not hasattr(X, "dtypes"):
        return False
    return len(X.select_dtypes(["number", "bool"]).columns) < X.shape[1]


def _check_columns(estimator, X, *, reset):
    _check_feature_names(estimator, X, reset=reset)
    _check_n_features(estimator, X, reset=reset)


def _finite(estimator, X, checked):
    allow_nan = get_tags(estimator).input_tags.allow_nan
    for block in blocks(len(checked)):
        part = np.asarray(checked[block])
        allowed = np.isfinite(part)
        if allow_nan:
            allowed |= np.isnan(part)
        bad = ~allowed.reshape(len(part), -1).all(axis=1)
        if bad.any():
            raise ValueError(
                f"X holds NaN or infinity, first in row {block.start + int(bad.argmax())}; "
                f"{type(estimator).__name__} takes finite numbers only: repair or drop these rows, or "
                "begin every estimator inside with an imputer."
            )
    return X if hasattr(X, "iloc") else checked


def drop_weightless(
    X: Any, y: Any, sample_weight: Any, params: dict[str, Any] | None = None, *, dtype: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, dict[str, Any], np.ndarray]:
    """Leave out the rows of weight 0, which count as absent; `rows` are those that are left.

    Metadata in `params` that have a value for each row lose the same rows; everything else passes whole,
    rows without labels among it.
    """
    params = {} if params is None else params
    if sample_weight is None:
        return X, y, None, params, np.arange(len(y))
    sample_weight = _check_sample_weight(sample_weight, y, dtype=dtype, ensure_non_negative=True)
    rows = np.flatnonzero(sample_weight)
    if len(rows) == 0:  # scikit-learn before 1.9 takes such weights
        raise ValueError("Sample weights must contain at least one non-zero number.")
    if len(rows) == len(y):  # nothing to copy
        return X, y, sample_weight, params, rows
    params = cut_parameters(X, params, rows)
    return _safe_indexing(X, rows), y[rows], sample_weight[rows], params, rows
