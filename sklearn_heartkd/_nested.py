"""What the meta-estimators share: fitting, seeding and questioning an estimator inside another."""

import inspect
import warnings

import numpy as np
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from sklearn_heartkd._random import draw_seed
from sklearn_heartkd._unwrap import unwrap

SEARCH_WITHOUT_GROUPS = (
    "{} splits its training data without regard to the groups, so recordings of one subject can stand "
    "on both sides; give it a splitter that uses them, such as cv=StratifiedGroupKFold(3)."
)

ORIGIN_UNKNOWN = (
    "{sampler} does not tell which recordings its own come from, so {last} takes each for a subject of "
    "its own; use a sampler with sample_indices_, such as AugmentingOverSampler."
)


def clone_seeded(estimator, random_state):
    """Clone `estimator`; give every random state in it that is None a seed of its own.

    Parameters
    ----------
    estimator : estimator
    random_state : RandomState
    """
    estimator = clone(estimator)
    if isinstance(estimator, FrozenEstimator):
        return estimator
    seeds = {name: draw_seed(random_state) for name in unset_seeds(estimator)}
    return estimator.set_params(**seeds) if seeds else estimator


def unset_seeds(estimator):
    """Return the names of the random states in `estimator` that are None and not frozen."""
    if isinstance(estimator, FrozenEstimator):
        return []
    return [
        name
        for name, value in sorted(estimator.get_params(deep=True).items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]


def parts_of(estimator):
    """Return `estimator` and whatever among its parameters, also nested ones, is an object."""
    return [estimator, *estimator.get_params(deep=True).values()]


def is_frozen_classifier(part):
    """Whether `part` is a classifier that is not to be fitted again."""
    return isinstance(part, FrozenEstimator) and hasattr(part, "predict_proba")


def fit_nested(estimator, X, y, *, sample_weight=None, groups=None):
    """Fit `estimator` with what it takes of the metadata, see `fit_parameters`.

    Behind the samplers of an imbalanced-learn pipeline each recording has the group of the one that
    it was copied from. Where a sampler has no `sample_indices_`, each is a group of its own.

    Raises
    ------
    TypeError
        If sample weights are given and `estimator` takes none or holds a sampler.
    """
    sampler = _first_sampler(estimator)
    if sampler is not None and sample_weight is not None:
        raise TypeError(
            f"sample_weight was given, but {type(sampler).__name__} in the Pipeline takes none and makes "
            "or drops recordings; leave out the weights or the sampler."
        )
    if sampler is None or groups is None:
        metadata = fit_parameters(estimator, sample_weight=sample_weight, groups=groups)
        return estimator.fit(X, y, **metadata)
    name, last = estimator.steps[-1]
    end = _End()
    estimator.steps[-1] = name, end
    try:
        estimator.fit(X, y, **fit_parameters(estimator, groups=groups))
    finally:
        estimator.steps[-1] = name, last
    X, y = end.reached_
    if _routing_enabled() and not get_routing_for_object(last).consumes("fit", ["groups"]):
        groups = None
    else:
        groups = _groups_behind(estimator, groups, len(y))
    fit_nested(last, X, y, groups=groups)
    return estimator


class _End(BaseEstimator):
    """Stand in for the last step of a pipeline and keep what reaches it."""

    def fit(self, X, y):
        self.reached_ = X, y
        return self


def _first_sampler(estimator):
    if not isinstance(estimator, Pipeline):
        return None
    samplers = [step for _, step in estimator.steps if hasattr(step, "fit_resample")]
    return samplers[0] if samplers else _first_sampler(estimator.steps[-1][1])


def _groups_behind(pipeline, groups, n_rows):
    """Return the groups of the rows that reach the last step of a pipeline."""
    groups, last = np.asarray(groups), pipeline.steps[-1][1]
    for _, step in pipeline.steps[:-1]:
        if hasattr(step, "sample_indices_"):
            groups = groups[step.sample_indices_]
        elif hasattr(step, "fit_resample"):
            if _uses_groups(last):
                names = {"sampler": type(step).__name__, "last": type(last).__name__}
                warnings.warn(ORIGIN_UNKNOWN.format(**names), stacklevel=5)
            return np.arange(n_rows)
    return groups


def splits_inside(estimator):
    """Whether `estimator`, or one that is fitted inside it, takes groups and splits by them."""
    parts = parts_of(estimator)
    frozen = [part.estimator for part in parts if isinstance(part, FrozenEstimator)]
    return any(
        getattr(part, "early_stopping", False) or getattr(part, "cv", None) is not None
        for part in parts
        if hasattr(part, "fit")
        and has_fit_parameter(part, "groups")
        and not any(part is kept for kept in frozen)
    )


def _uses_groups(estimator):
    # inner splits, contrastive pretraining and contrastive losses
    names = {"early_stopping", "cv", "pretrain", "losses"}
    parameters = estimator.get_params().items()
    return any(
        name.rpartition("__")[2] in names and value is not None and value is not False
        for name, value in parameters
    )


def fit_parameters(estimator, **metadata):
    """Return the arguments under which `estimator.fit` takes the metadata that are not None.

    A Pipeline hands them to its last step. What an estimator does not take is left out, except
    sample weights, without which it would be a different model.

    Raises
    ------
    TypeError
        If sample weights are given and `estimator` takes none.
    """
    metadata = {name: value for name, value in metadata.items() if value is not None}
    if isinstance(estimator, FrozenEstimator):
        return {}
    if isinstance(estimator, Pipeline) and not _routing_enabled():
        step, last = estimator.steps[-1]
        return {
            f"{step}__{name}": value for name, value in fit_parameters(last, **metadata).items()
        }
    if _is_search(estimator) and "groups" in metadata and not _splits_by_group(estimator):
        warnings.warn(SEARCH_WITHOUT_GROUPS.format(type(estimator).__name__), stacklevel=5)
    taken = {name for name in metadata if has_fit_parameter(estimator, name)}
    inside = {}
    if _routing_enabled():
        if _hands_on(estimator):
            taken |= get_routing_for_object(estimator).consumes("fit", metadata)
    elif _is_search(estimator):
        # its groups are for the splitter, everything else for the estimator
        groups = {name: metadata.pop(name) for name in ("groups",) if name in metadata}
        inside = fit_parameters(estimator.estimator, **metadata)
        return inside | groups if _splits_by_group(estimator) else inside
    elif isinstance(estimator, (VotingClassifier, StackingClassifier)):
        taken |= {"sample_weight"}
    elif isinstance(estimator, CalibratedClassifierCV) and estimator.estimator is not None:
        inside = fit_parameters(estimator.estimator, groups=metadata.get("groups"))
    if "sample_weight" in metadata and "sample_weight" not in taken:
        request = ", or ask for them with set_fit_request(sample_weight=True)"
        raise TypeError(
            f"sample_weight was given, but {type(estimator).__name__} takes none in fit; leave the "
            f"weights out or use an estimator that takes them{request if _routing_enabled() else ''}."
        )
    return {name: value for name, value in metadata.items() if name in taken} | inside


def _hands_on(estimator):
    parameters = inspect.signature(estimator.fit).parameters.values()
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def step_parameters(steps, **metadata):
    """Return the arguments that the transformers of a Pipeline asked for by metadata routing."""
    metadata = {name: value for name, value in metadata.items() if value is not None}
    if not _routing_enabled():
        return {}
    taken = get_routing_for_object(steps).consumes("fit_transform", metadata)
    return {name: value for name, value in metadata.items() if name in taken}


def _is_search(estimator):
    return isinstance(estimator, BaseSearchCV)


def _splits_by_group(search):
    splitter = check_cv(search.cv)
    return bool(get_routing_for_object(splitter).consumes("split", ["groups"]))


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


def log_probabilities(probabilities):
    """Return log p, with probabilities below 1e-12 raised to that."""
    probabilities = np.asarray(probabilities)
    if probabilities.dtype not in (np.float32, np.float64):
        probabilities = probabilities.astype(np.float64)
    return np.log(np.clip(probabilities, 1e-12, None))


def require_probabilities(estimator, role):
    """Raise if `estimator` cannot give probabilities."""
    if is_regressor(estimator):
        raise TypeError(
            f"{role} {type(estimator).__name__} is a regressor and has no predict_proba; give a classifier."
        )
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(last, StackingClassifier) and last.final_estimator is None:
        return  # a logistic regression, which only fit tells it
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{role} {type(estimator).__name__} has no predict_proba; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV to give it one."
        )


def require_rows(values, n_rows, subject):
    """Raise if what a classifier says is not a table with a row for each recording."""
    if np.ndim(values) != 2 or len(values) != n_rows:
        raise ValueError(
            f"{subject} of shape {np.shape(values)} for {n_rows} recordings; there must be a row for each."
        )


def require_finite(values, subject):
    """Raise if what a classifier says is not finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"{subject} that are not finite; look at what it was fitted on, or at its learning rate."
        )


EVERY_CLASS = "fit it on recordings of every class"
FEWER_FOLDS = (
    "some class has too few subjects for every fold to learn it: use fewer folds, do without cv, or "
    "give recordings of more subjects"
)


def as_probabilities(probabilities, n_classes, role):
    """Return what a classifier says as an array; raise if these are no probabilities of its classes.

    Rows may be all 0, which some meta-estimators give, and rounded.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.dtype.kind != "f":
        probabilities = probabilities.astype(np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != n_classes:
        raise ValueError(
            f"{role} gives probabilities of shape {probabilities.shape}, but knows {n_classes} classes; "
            "predict_proba must have a row for each recording and a column for each class."
        )
    require_finite(probabilities, f"{role} gives probabilities")
    totals = probabilities.sum(axis=1, dtype=np.float64)
    far = (probabilities < -1e-6).any(axis=1) | ((np.abs(totals - 1) > 0.05) & (totals != 0))
    if far.any():
        row = int(far.argmax())
        raise ValueError(
            f"{role} gives {probabilities[row].tolist()} for row {row}, which are no probabilities: they "
            "must be at least 0 and sum to 1."
        )
    return probabilities


def align(probabilities, from_classes, to_classes, role, advice=EVERY_CLASS):
    """Reorder columns from one list of classes to another; drop surplus ones and renormalise.

    Raises
    ------
    ValueError
        If a wanted class is missing, or these are no probabilities, a column for each class.
    """
    probabilities = as_probabilities(probabilities, len(from_classes), role)
    position = {label: i for i, label in enumerate(from_classes)}
    missing = [label for label in to_classes.tolist() if label not in position]
    if missing:
        raise ValueError(f"{role} does not know {missing}, only {from_classes.tolist()}; {advice}.")
    aligned = probabilities[:, [position[label] for label in to_classes]]
    total = aligned.sum(axis=1, keepdims=True)
    return np.where(total > 0, aligned / np.where(total > 0, total, 1), 1 / len(to_classes))


def rows_of(X, rows):
    """Return some rows of an array, a data frame or a list of recordings of different length."""
    return _safe_indexing(X, rows)
