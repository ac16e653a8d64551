"""Which X an estimator inside another takes: sequences or tables, with or without missing values."""

from itertools import takewhile

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils._testing import ignore_warnings


def _first_step(pipeline):
    return next(step for _, step in pipeline.steps if step not in (None, "passthrough"))


# those of scikit-learn's meta-estimators that leave the check of X to the estimator inside
_HAND_X_ON = (
    AdaBoostClassifier,
    BaseSearchCV,
    CalibratedClassifierCV,
    FixedThresholdClassifier,
    FrozenEstimator,
    OneVsRestClassifier,
    TunedThresholdClassifierCV,
)


def takes_sequences(estimator):
    """Whether `estimator` takes 3-D X, judged by the tags of whatever inside it gets X first."""
    if isinstance(estimator, Pipeline):
        return takes_sequences(_first_step(estimator))
    if isinstance(estimator, (VotingClassifier, StackingClassifier)):
        members = [member for _, member in estimator.estimators if member != "drop"]
        return not getattr(estimator, "passthrough", False) and all(map(takes_sequences, members))
    if isinstance(estimator, _HAND_X_ON):
        return estimator.estimator is not None and takes_sequences(estimator.estimator)
    return get_tags(estimator).input_tags.three_d_array


def allows_nan(estimator):
    """Whether `estimator` takes missing values, judged by the tags of whatever gets X first."""
    if isinstance(estimator, Pipeline):
        return allows_nan(_first_step(estimator))
    return get_tags(estimator).input_tags.allow_nan


def as_taken(estimator, X):
    """Return X, flattened to a table if it is 3-D and `estimator` takes only tables.

    A pipeline that starts with functions gets a table, too, unless these fail on it, but not on
    sequences, or it was fitted on those.
    """
    if getattr(X, "ndim", 2) != 3 or takes_sequences(estimator):
        return X
    flat = X.reshape(len(X), -1)
    functions = _leading_functions(estimator)
    n_features = getattr(estimator, "n_features_in_", flat.shape[1])
    if not functions or (n_features == flat.shape[1] and _lead_to_a_table(functions, flat[:2])):
        return flat
    return X if _lead_to_a_table(functions, X[:2]) else flat


def _leading_functions(estimator):
    """Return the functions with which a pipeline begins."""
    while isinstance(estimator, _HAND_X_ON):
        estimator = estimator.estimator
    steps = _steps_of(estimator) if isinstance(estimator, Pipeline) else []
    return list(takewhile(_is_function, steps))


def _lead_to_a_table(functions, sample):
    """Whether functions turn some rows into a table."""
    with ignore_warnings():
        for function in functions:
            try:
                sample = clone(function).fit_transform(sample)
            except Exception:  # whatever a function raises of rows that it does not take
                return False
    return np.ndim(sample) == 2


def _steps_of(pipeline):
    """Return the steps of a pipeline, those of pipelines in it in their place."""
    steps = [step for _, step in pipeline.steps if step not in (None, "passthrough")]
    return [
        inner
        for step in steps
        for inner in (_steps_of(step) if isinstance(step, Pipeline) else [step])
    ]


def _is_function(step):
    if isinstance(step, FeatureUnion):
        parts = [part for _, part in step.transformer_list if part not in ("drop", "passthrough")]
        return all(map(_is_function, parts))
    return isinstance(step, FunctionTransformer) and not step.validate
