"""Probabilities and embeddings of fitted models, through pipelines and meta-estimators."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._unwrap import unwrap


def answer(model, X):
    """Return what a fitted model says about `X`, in one evaluation where it is a network.

    Returns
    -------
    probabilities : ndarray of shape (n, n_classes)
    representation : ndarray of shape (n, n_dimensions)
        Embeddings, or log-probabilities where the model has none.
    """
    if isinstance(model, Pipeline):
        return answer(model.steps[-1][1], before_last(model, X))
    if isinstance(model, FrozenEstimator):
        return answer(model.estimator, X)
    if hasattr(model, "_answer"):
        return model._answer(X)
    probabilities = model.predict_proba(X)
    if can_embed(model):
        return probabilities, embed(model, X)
    return probabilities, log_probabilities(probabilities)


def before_last(pipeline, X):
    """Return what reaches the last step of a fitted pipeline; samplers change nothing here."""
    for _, step in pipeline.steps[:-1]:
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
            X = step.transform(X)
    return X


def can_embed(model):
    """Whether the fitted `model`, or the end of it, has a method `embed`."""
    return any(hasattr(part, "embed") for part in unwrap(model))


def embed(model, X):
    """Return the embeddings of `X`, looked for through pipelines, searches and frozen models."""
    if isinstance(model, Pipeline):
        return embed(model.steps[-1][1], before_last(model, X))
    if hasattr(model, "embed"):
        return model.embed(X)
    return embed(unwrap(model)[1], X)
