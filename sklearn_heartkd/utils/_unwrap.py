"""Find the estimator that does the work inside pipelines, searches and meta-estimators."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

_FITTED_PARTS = ("student_", "best_estimator_", "estimator_")


def unwrap_once(model):
    """Return the part of `model` that predicts for it, or None where `model` does so itself."""
    if isinstance(model, Pipeline):
        return model.steps[-1][1]
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if hasattr(model, "estimators_"):
        return None  # an ensemble: its `estimator_` is only the template of its members
    for name in _FITTED_PARTS:
        if hasattr(model, name):
            return getattr(model, name)
    return None


def unwrap(model):
    """List `model` and what predicts inside it, from the outermost to the final estimator."""
    chain = [model]
    while (inner := unwrap_once(chain[-1])) is not None:
        chain.append(inner)
    return chain


def final_estimator(model):
    """Return the innermost estimator that predicts for a fitted `model`.

    It is looked for in the last step of a :class:`~sklearn.pipeline.Pipeline`, in a
    :class:`~sklearn.frozen.FrozenEstimator`, in `best_estimator_` of a search, in `student_` of a
    distilled classifier and in `estimator_` of other meta-estimators; an ensemble is itself the
    final estimator. A fitted network of this package is recognised by its attribute `module_`.
    """
    return unwrap(model)[-1]


def parts_of(estimator):
    """Return `estimator` and whatever among its parameters, also nested ones, is an object."""
    return [estimator, *estimator.get_params(deep=True).values()]


def is_frozen_classifier(part):
    """Whether `part` is a classifier that is not to be fitted again."""
    return isinstance(part, FrozenEstimator) and hasattr(part, "predict_proba")
