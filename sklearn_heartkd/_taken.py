"""Which X an estimator inside another takes: sequences or tables, with or without missing values."""

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
    """Return X, flattened to a table if it is 3-D and `estimator` takes only tables."""
    if getattr(X, "ndim", 2) != 3 or takes_sequences(estimator):
        return X
    return X if _starts_with_functions_of_sequences(estimator, X[:2]) else X.reshape(len(X), -1)


def _starts_with_functions_of_sequences(estimator, sample):
    """Whether a pipeline begins with functions that turn 3-D rows into what its next step takes."""
    while isinstance(estimator, _HAND_X_ON):
        estimator = estimator.estimator
    if not isinstance(estimator, Pipeline):
        return False
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    for step in steps:
        if not _is_function(step):
            return np.ndim(sample) == 2 or takes_sequences(step)
        try:
            sample = clone(step).fit_transform(sample)
        except Exception:  # whatever a function of tables raises
            return False
    return False


def _is_function(step):
    if isinstance(step, FeatureUnion):
        return all(_is_function(part) for _, part in step.transformer_list)
    return isinstance(step, FunctionTransformer) and not step.validate
