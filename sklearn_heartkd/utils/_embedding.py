"""Probabilities and embeddings of fitted models, through pipelines and meta-estimators."""

from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._unwrap import is_transparent, unwrap, walk


def answer(model, X):
    """Return the predictions of a fitted model, of one evaluation where it is a network.

    Returns
    -------
    probabilities : ndarray of shape (n, n_classes)
    representation : ndarray of shape (n, n_dimensions)
        Embeddings, or log-probabilities where the model has none.
    """
    for part in walk(model):
        X = transform(part.before, X)
        if hasattr(part.estimator, "_answer"):
            return part.estimator._answer(X)
        if not is_transparent(part.estimator):
            break
    probabilities = part.estimator.predict_proba(X)
    if can_embed(part.estimator):
        return probabilities, embed(part.estimator, X)
    return probabilities, log_probabilities(probabilities)


def transform(steps, X):
    """Send X through fitted steps of a pipeline; samplers change nothing in a prediction."""
    for step in steps:
        if not hasattr(step, "fit_resample"):
            X = step.transform(X)
    return X


def can_embed(model):
    """Whether the fitted `model`, or the end of it, has a method `embed`."""
    return any(hasattr(part, "embed") for part in unwrap(model))


def embed(model, X):
    """Return the embeddings of `X` by the outermost part of `model` that has a method `embed`."""
    for part in walk(model):
        X = transform(part.before, X)
        if hasattr(part.estimator, "embed"):
            return part.estimator.embed(X)
    raise AttributeError(f"{type(model).__name__} has no method embed.")
