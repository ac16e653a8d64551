"""Fitting an estimator inside another, with what it takes of the metadata."""

import inspect
import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from sklearn_heartkd.utils._unwrap import parts_of

SEARCH_WITHOUT_GROUPS = (
    "{} splits its training data without regard to the groups, so recordings of one subject can stand "
    "on both sides; give it a splitter that uses them, such as cv=StratifiedGroupKFold(3)."
)

ORIGIN_UNKNOWN = (
    "{sampler} does not tell which recordings its own come from, so {last} takes each for a subject of "
    "its own; use a sampler with sample_indices_, such as AugmentingOverSampler."
)


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
