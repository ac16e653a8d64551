"""Fitting an estimator inside another one, and asking it."""

import warnings
from itertools import takewhile

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_heartkd.utils._metadata import MetadataRouterMixin, split_parameters
from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._unlabeled import cut_parameters, is_unlabeled, spare_a_row
from sklearn_heartkd.utils._unwrap import is_transparent, parts_of, takes_sequences, unwrap, walk
from sklearn_heartkd.utils._warnings import outside

ORIGIN_UNKNOWN = (
    "{sampler} does not record from which rows its samples come, so {last} treats each as a separate "
    "subject; use a sampler with sample_indices_, such as AugmentingOverSampler."
)


def as_taken(estimator, X):
    """Return X, flattened to a table if it is 3-D and `estimator` takes only tables.

    A pipeline that begins with functions, which check nothing, gets the table unless they fail on it.
    """
    if getattr(X, "ndim", 2) != 3 or takes_sequences(estimator):
        return X
    flat = np.asarray(X).reshape(len(X), -1)
    steps = [step for part in walk(estimator) for step in part.before]
    functions = list(takewhile(_is_function, steps))
    return flat if _give_a_table(functions, flat[:2]) else X


def _give_a_table(functions, sample):
    for function in functions:
        try:
            sample = clone(function).fit_transform(sample)
        except Exception:  # a function may raise anything
            return False
    return np.ndim(sample) == 2


def _is_function(step):
    """Whether a step consists of functions alone, be it by a union or a pipeline of them."""
    parts = [part for part in parts_of(step) if hasattr(part, "transform")]
    kinds = FunctionTransformer, FeatureUnion, Pipeline
    checked = [getattr(part, "validate", not isinstance(part, kinds)) for part in parts]
    return bool(parts) and not any(checked)


def fit_nested(estimator, X, y, params):
    """Fit `estimator` with the arguments `params`, which `MetadataRouterMixin._route` returned.

    In a pipeline with a sampler of imbalanced-learn, metadata follow the rows to the last step: each
    recording has those of the one that it was copied from. Where a sampler has no `sample_indices_`,
    each is a group by itself. Rows without labels pass the pipeline's steps as those of a prediction do.

    Raises
    ------
    TypeError
        If sample weights would have to pass a sampler.
    """
    further = any(map(is_unlabeled, params))
    if further and not all(
        isinstance(p, Pipeline | MetadataRouterMixin) for p in unwrap(estimator)
    ):
        params = spare_a_row(X, params)
    samplers = [step for part in walk(estimator) for step in part.before if _samples(step)]
    behind = {}
    if isinstance(estimator, Pipeline) and (samplers or further):
        before, behind = split_parameters(estimator, params)
    if any(name.rpartition("__")[2] == "sample_weight" for name in behind):
        raise TypeError(
            f"sample_weight was given, but {type(samplers[0]).__name__} in the Pipeline makes or drops "
            "recordings and takes no weights; leave out the weights or the sampler."
        )
    if not behind:
        return estimator.fit(X, y, **params)
    # the earlier steps are fitted alone, because only then is it known which rows they hand on
    name, last = estimator.steps[-1]
    end = _End()
    estimator.steps[-1] = name, end
    try:
        estimator.fit(X, y, **before)
    finally:
        estimator.steps[-1] = name, last
    rows = _origin(estimator, len(y))
    if rows is not None:
        behind = cut_parameters(y, behind, rows)
    else:
        # what belongs to each row is lost with it
        behind = {
            key: value if is_unlabeled(key) else np.arange(len(end.y_))
            for key, value in behind.items()
            if is_unlabeled(key) or key.endswith("groups")
        }
        if _uses_groups(last):
            names = {"sampler": type(samplers[0]).__name__, "last": type(last).__name__}
            warnings.warn(ORIGIN_UNKNOWN.format(**names), stacklevel=outside())
    steps = [step for _, step in estimator.steps[:-1] if step not in (None, "passthrough")]
    for key in [key for key in behind if key.endswith("X_unlabeled")]:
        behind[key] = transform(steps, behind[key])
    fit_nested(last, end.X_, end.y_, behind)
    return estimator


def _samples(step):
    return hasattr(step, "fit_resample")


class _End(BaseEstimator):
    """Stand in for the last step of a pipeline and keep what reaches it."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self


def _origin(pipeline, n_rows):
    """Return the row from which each row that reaches the last step comes, or None if unknown."""
    rows = np.arange(n_rows)
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "sample_indices_"):
            rows = rows[step.sample_indices_]
        elif _samples(step):
            return None
    return rows


def _uses_groups(estimator):
    # inner splits, contrastive pretraining and contrastive losses
    names = {"early_stopping", "cv", "pretrain", "losses"}
    return any(
        name.rpartition("__")[2] in names and value is not None and value is not False
        for name, value in estimator.get_params().items()
    )


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
        if not _samples(step):
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
