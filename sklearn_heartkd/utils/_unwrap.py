"""The one walk through pipelines, searches and other meta-estimators."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

# they leave the check of X to the estimator inside
_CHECKED_INSIDE = (CalibratedClassifierCV, FixedThresholdClassifier, TunedThresholdClassifierCV)


class Part(NamedTuple):
    """An estimator met on the way to the one that predicts.

    Attributes
    ----------
    estimator : estimator
    before : list of transformers and samplers
        The steps of a pipeline between this part and the one around it.
    prefix : str
        Of the parameters of its `fit` in that of the outermost, such as "student__".
    """

    estimator: Any
    before: list
    prefix: str


def walk(model) -> Iterator[Part]:
    """Yield `model` and what predicts inside it, from the outermost to the final estimator.

    The walk goes through the last step of a pipeline, the estimator of a
    :class:`~sklearn.frozen.FrozenEstimator` and of a search, and, once they are fitted, `student_` of a
    distilled classifier and `estimator_` of other meta-estimators. An ensemble is a final estimator.
    """
    before: list[Any] = []
    prefix = ""
    while model is not None:
        yield Part(model, before, prefix)
        before = []
        if isinstance(model, Pipeline):
            *steps, (name, last) = model.steps
            before = [step for _, step in steps if step not in (None, "passthrough")]
            prefix += f"{name}__"
            model = last
        else:
            model = _inside(model)


def _inside(model):
    if isinstance(model, FrozenEstimator):
        return model.estimator  # has the attributes of its estimator, which come next
    if hasattr(model, "estimators_"):
        return None  # the `estimator_` of an ensemble is only the template of its members
    for name in ("student_", "best_estimator_", "estimator_"):
        if hasattr(model, name):
            return getattr(model, name)
    return model.estimator if isinstance(model, BaseSearchCV) else None


def unwrap(model):
    """List `model` and what predicts inside it, see `walk`."""
    return [part.estimator for part in walk(model)]


def final_estimator(model):
    """Return the innermost estimator that predicts for a fitted `model`, see `walk`."""
    return unwrap(model)[-1]


def is_transparent(model):
    """Whether `model` predicts exactly as what is inside it does, behind the steps of a pipeline."""
    return isinstance(model, Pipeline | FrozenEstimator | BaseSearchCV)


def takes_sequences(estimator):
    """Whether `estimator` takes 3-D X, by the tags of what checks X first."""
    return all(get_tags(part).input_tags.three_d_array for part in _first_checks(estimator))


def allows_nan(estimator):
    """Whether `estimator` takes missing values, by the tags of what checks X first."""
    return all(get_tags(part).input_tags.allow_nan for part in _first_checks(estimator))


def _first_checks(estimator):
    """Return the estimators inside `estimator`, fitted or not, that are the first to check X.

    Their tags tell which X it takes; scikit-learn's meta-estimators do not take over all of these tags.
    """
    for part in walk(estimator):
        if part.before:
            return [part.before[0]]
        if not is_transparent(part.estimator):
            break
    checks = part.estimator
    if isinstance(checks, VotingClassifier | StackingClassifier):
        members = [member for _, member in checks.estimators if member != "drop"]
        # with passthrough, X joins the members' probabilities, which are a table
        found = [checks] if getattr(checks, "passthrough", False) else []
        return found + [first for member in members for first in _first_checks(member)]
    if isinstance(checks, _CHECKED_INSIDE) and checks.estimator is not None:
        return _first_checks(checks.estimator)
    return [checks]


def parts_of(estimator):
    """Return `estimator` and the values of all its parameters, also nested ones."""
    return [estimator, *estimator.get_params(deep=True).values()]


def sampling_rates(estimator):
    """Return the sampling rates that the parts of `estimator` expect, by the names of their classes."""
    parts = [part for part in parts_of(estimator) if hasattr(part, "sampling_rate")]
    return {type(part).__name__: part.sampling_rate for part in parts}


def is_frozen_classifier(part):
    """Whether `part` is a classifier that is not to be fitted again."""
    return isinstance(part, FrozenEstimator) and hasattr(part, "predict_proba")
