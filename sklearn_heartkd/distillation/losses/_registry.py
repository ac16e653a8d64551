"""The losses by name, and what the parameter `losses` of DistilledClassifier may say."""

import math
from numbers import Real

from sklearn.base import clone

from sklearn_heartkd.distillation._parameters import check_distinct
from sklearn_heartkd.distillation.losses._attention_transfer import AttentionTransfer
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._crd import CRD
from sklearn_heartkd.distillation.losses._dist import DIST
from sklearn_heartkd.distillation.losses._dkd import DKD
from sklearn_heartkd.distillation.losses._hint import Hint
from sklearn_heartkd.distillation.losses._infonce import InfoNCE
from sklearn_heartkd.distillation.losses._logits import Logits
from sklearn_heartkd.distillation.losses._pkt import PKT
from sklearn_heartkd.distillation.losses._rkd import RKD
from sklearn_heartkd.distillation.losses._similarity_preserving import SimilarityPreserving
from sklearn_heartkd.distillation.losses._soft_targets import CrossEntropy, SoftTargets
from sklearn_heartkd.distillation.losses._ssd import SSD
from sklearn_heartkd.distillation.losses._supcon import SupCon

LOSSES = {
    "ce": CrossEntropy,
    "kd": SoftTargets,
    "logits": Logits,
    "infonce": InfoNCE,
    "crd": CRD,
    "supcon": SupCon,
    "rkd": RKD,
    "sp": SimilarityPreserving,
    "pkt": PKT,
    "hint": Hint,
    "at": AttentionTransfer,
    "dkd": DKD,
    "dist": DIST,
    "ssd": SSD,
}

SOFTENED = (SoftTargets, DKD, DIST, SSD)


def resolve_losses(losses, weights, temperature, n_classes):
    """Return a list of (name, loss, weight) that always holds a cross-entropy with the labels.

    Raises
    ------
    ValueError
        If a name is unknown or given twice, a weight is negative or for an unknown loss, the temperature
        does not suit any loss, or a loss needs more classes.
    """
    if not isinstance(losses, str):
        for name, value in (("weights", weights), ("temperature", temperature)):
            if value is not None:
                raise ValueError(
                    f"{name}={value!r} goes with losses given by name; set it in a list, as losses="
                    "[('kd', SoftTargets(temperature=4), 0.7)]."
                )
        terms = _from_objects(losses)
    else:
        terms = _from_names(losses.split("+"), weights or {}, temperature)
    has_labels = any(loss.has_labels for _, loss, _ in terms)
    if not has_labels or ("ce" in (weights or {}) and "ce" not in [name for name, _, _ in terms]):
        terms.insert(
            0, ("ce", CrossEntropy(), (weights or {}).get("ce", CrossEntropy.default_weight))
        )
    for name, loss, weight in terms:
        if not isinstance(weight, Real) or not 0 <= float(weight) < math.inf:
            raise ValueError(f"The weight of the loss {name!r} must be at least 0, got {weight!r}.")
        loss._validate_params()
        fewest = 3 if getattr(loss, "standardize", False) else loss.min_classes
        if weight and 2 <= n_classes < fewest:
            raise ValueError(
                f"The loss {name!r} ({loss!r}) needs at least {fewest} classes, got {n_classes}; choose "
                "another loss, such as 'kd' or 'logits'."
            )
    if not any(weight for _, _, weight in terms):
        raise ValueError("All losses have weight 0; give at least one a weight above 0.")
    check_distinct("losses", [name for name, _, _ in terms])
    return terms


def _from_objects(losses):
    if isinstance(losses, DistillationLoss):
        losses = [(type(losses).__name__.lower(), losses, losses.default_weight)]
    if not losses:
        raise ValueError(
            "losses=[] is empty; give at least one loss, or train on the labels alone with losses='ce'."
        )
    terms = []
    for item in losses:
        if not (isinstance(item, (tuple, list)) and len(item) == 3):
            raise ValueError(
                f"losses takes a name, a loss, or a list of (name, loss, weight), got {item!r} in it."
            )
        name, loss, weight = item
        if isinstance(loss, str):
            loss = _by_name(loss)()
        if not isinstance(loss, DistillationLoss):
            raise ValueError(f"The loss {name!r} must be a DistillationLoss, got {loss!r}.")
        terms.append((name, clone(loss), weight))
    return terms


def _from_names(names, weights, temperature):
    names = [name.strip() for name in names]
    unknown = sorted(set(weights) - {*names, "ce"})
    if unknown:
        raise ValueError(
            f"weights has {unknown}, but losses={'+'.join(names)!r} does not; use the same names in "
            "both."
        )
    terms = [(name, _by_name(name)()) for name in names]
    softened = [loss for _, loss in terms if isinstance(loss, SOFTENED)]
    if temperature is not None and not softened:
        raise ValueError(
            f"temperature={temperature!r} softens probabilities, but losses={'+'.join(names)!r} does not "
            "use any; leave it None, or give the loss as an object with its own temperature."
        )
    for loss in softened if temperature is not None else []:
        loss.set_params(temperature=temperature)
    return [(name, loss, weights.get(name, loss.default_weight)) for name, loss in terms]


def _by_name(name):
    if name not in LOSSES:
        raise ValueError(
            f"Unknown loss {name!r}; known are {', '.join(sorted(LOSSES))}, joined by '+'."
        )
    return LOSSES[name]
