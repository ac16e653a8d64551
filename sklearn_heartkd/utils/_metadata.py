"""Handing metadata, such as sample weights and subjects, on to the estimators inside another one."""

import warnings
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.validation import has_fit_parameter, indexable

from sklearn_heartkd.utils._group_splits import check_devices, check_groups, takes_groups
from sklearn_heartkd.utils._unlabeled import check_unlabeled, is_unlabeled
from sklearn_heartkd.utils._unwrap import is_transparent, parts_of, walk
from sklearn_heartkd.utils._warnings import outside

SEARCH_WITHOUT_GROUPS = (
    "{} splits its training data without groups, so rows of one subject can be on both sides; give "
    "it a splitter that uses groups, such as cv=StratifiedGroupKFold(3)."
)


OWN = {"sample_weight", "groups", "devices", "X_unlabeled", "groups_unlabeled"}


class MetadataRouterMixin:
    """Base of the meta-estimators of this package, which hand metadata on to the estimators inside.

    Without metadata routing, sample weights, groups, devices and rows without labels reach them all the
    same.
    """

    # requested by default, so that metadata routing hands the subjects to the inner splits
    __metadata_request__fit = dict.fromkeys(OWN - {"sample_weight"}, True)
    estimator: Any
    _needs_weights = True  # whether an estimator inside must take sample weights that are given
    _learns_unlabeled = False  # whether rows without labels are for the meta-estimator itself

    def _nested(self) -> dict[str, Any]:
        """Return the estimators inside by name."""
        return {"estimator": self.estimator}

    def get_metadata_routing(self) -> MetadataRouter:
        """Get metadata routing of this object.

        Returns
        -------
        MetadataRouter
            With the requests of the estimators inside, and of `fit` itself.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        for name, estimator in self._nested().items():
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(**{name: estimator}, method_mapping=mapping)
        return router

    def _takes_unlabeled(self):
        """Whether rows without labels change anything here or inside."""
        inside = self._nested().values()
        return self._learns_unlabeled or any(fit_parameters(e, X_unlabeled=()) for e in inside)

    def _check_new(self, X):
        """Validate X as after `fit`."""
        return indexable(X)[0]

    def _check_metadata(self, y, groups, devices, X_unlabeled, groups_unlabeled):
        """Return what `fit` got beside X, y and sample weights as arguments for `_route`."""
        groups = check_groups(groups, y)
        unlabeled = check_unlabeled(self._check_new, X_unlabeled, groups_unlabeled, groups)
        return {"groups": groups, "devices": check_devices(devices, y)} | unlabeled

    def _route(self, **metadata):
        """Return the arguments of `fit` for each estimator inside, by its name.

        Without routing, only the names in `OWN` are known.

        Raises
        ------
        TypeError
            If there are rows without labels, but nothing that learns from them.
        """
        metadata = {name: value for name, value in metadata.items() if value is not None}
        if "groups" in metadata:
            for inner in self._nested().values():
                _warn_of_search(inner)
        if _routing_enabled():
            routed = process_routing(self, "fit", **metadata)
            found = {name: routed[name].fit for name in self._nested()}
        else:
            _raise_for_params(dict.fromkeys(metadata.keys() - OWN), self, "fit")
            found = {
                name: fit_parameters(inner, needs_weights=self._needs_weights, **metadata)
                for name, inner in self._nested().items()
            }
        taken = {name for params in found.values() for name in params}
        learns = self._learns_unlabeled or any(map(is_unlabeled, taken))
        if "X_unlabeled" in metadata and not learns:
            raise TypeError(
                f"X_unlabeled was given, but nothing in {type(self).__name__} learns from rows without "
                "labels; leave them out, or use a DistilledClassifier inside."
            )
        return found


def _warn_of_search(estimator):
    for part in walk(estimator):
        inner = part.estimator
        if isinstance(inner, BaseSearchCV) and not takes_groups(check_cv(inner.cv)):
            message = SEARCH_WITHOUT_GROUPS.format(type(inner).__name__)
            warnings.warn(message, UserWarning, stacklevel=outside())
        if isinstance(inner, FrozenEstimator):
            break


def fit_parameters(estimator, *, needs_weights=True, **metadata):
    """Return the arguments under which `estimator.fit` takes metadata where routing is not enabled.

    A pipeline hands them to its last step, a search its groups to the splitter and everything else to
    the estimator. What an estimator does not take is left out, rows without labels also where nothing
    inside learns from them, except sample weights, without which it would be a different model.

    Raises
    ------
    TypeError
        If sample weights are needed and given, and `estimator` takes none.
    """
    metadata = {name: value for name, value in metadata.items() if value is not None}
    found: dict[str, Any] = {}
    for part in walk(estimator):
        inner = part.estimator
        if isinstance(inner, FrozenEstimator):
            return found
        if isinstance(inner, BaseSearchCV) and "groups" in metadata:
            groups = metadata.pop("groups")
            if takes_groups(check_cv(inner.cv)):
                found[f"{part.prefix}groups"] = groups
        if not is_transparent(inner):
            break
    taken = {name for name in metadata if has_fit_parameter(inner, name)}
    if isinstance(inner, MetadataRouterMixin) and not inner._takes_unlabeled():
        taken -= set(filter(is_unlabeled, metadata))
    # these take metadata without an argument of that name
    if isinstance(inner, VotingClassifier | StackingClassifier):
        taken |= metadata.keys() & {"sample_weight"}
    elif isinstance(inner, CalibratedClassifierCV) and inner.estimator is not None:
        others = {name: value for name, value in metadata.items() if name != "sample_weight"}
        further = fit_parameters(inner.estimator, **others)
        found |= {part.prefix + name: value for name, value in further.items()}
    if needs_weights and "sample_weight" in metadata.keys() - taken:
        raise TypeError(
            f"sample_weight was given, but {type(inner).__name__} takes no sample weights; leave them "
            "out or use an estimator that takes them."
        )
    return found | {part.prefix + name: metadata[name] for name in taken}


def split_parameters(pipeline, params):
    """Split the arguments of a pipeline's `fit` into those of its earlier and of its last step.

    Returns
    -------
    before : dict
        Arguments of `fit_transform` of the earlier steps, as one pipeline.
    last : dict
        Arguments of `fit` of the last step.
    """
    name = pipeline.steps[-1][0]
    if not _routing_enabled():
        return {}, {key.removeprefix(f"{name}__"): value for key, value in params.items()}
    last = process_routing(pipeline, "fit", **params)[name].fit if params else {}
    if len(pipeline) == 1:
        return {}, last
    taken = get_routing_for_object(pipeline[:-1]).consumes("fit_transform", params)
    return {key: params[key] for key in taken}, last


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
