"""Validation of X for meta-estimators, whose inner estimators check the rest."""

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, validate_data

from sklearn_heartkd._recordings import as_sequence

_FORMS = {"allow_nd": True, "dtype": [np.float64, np.float32], "ensure_all_finite": False}


def is_ragged(X):
    """Whether X is a sequence of recordings of different length."""
    return isinstance(X, (list, tuple)) and len({np.shape(row) for row in X}) > 1


def check_any_input(estimator, X, y):
    """Validate X, in any of the project's forms, and y for the `fit` of a meta-estimator.

    Returns
    -------
    X : ndarray, data frame or list of ndarray
        A list where the recordings differ in length; a data frame stays one, because pipelines
        inside may choose columns by name.
    y : ndarray of shape (n,)
    """
    X = as_sequence(X)
    if is_ragged(X):
        for attribute in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(attribute, None)
        X = [np.asarray(row) for row in X]
        y = _check_y(y)
        check_consistent_length(X, y)
        return X, y
    checked, y = validate_data(estimator, X, y, **_FORMS)
    return _finite(estimator, X, checked), y


def check_any_new_input(estimator, X):
    """Validate X, in any of the project's forms, for a fitted meta-estimator."""
    X = as_sequence(X)
    if is_ragged(X):
        return [np.asarray(row) for row in X]
    return _finite(estimator, X, validate_data(estimator, X, reset=False, **_FORMS))


def _finite(estimator, X, checked):
    bad = ~np.isfinite(checked).reshape(len(checked), -1).all(axis=1)
    if bad.any():
        raise ValueError(
            f"X holds NaN or infinity, first in row {int(bad.argmax())}; {type(estimator).__name__} "
            "takes finite numbers only: repair or drop these rows."
        )
    return X if hasattr(X, "iloc") else checked
