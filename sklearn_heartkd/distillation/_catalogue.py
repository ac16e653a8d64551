"""The losses by name, and what the parameter `losses` of DistilledClassifier may say."""

from numbers import Real

from sklearn.base import clone

from sklearn_heartkd.distillation._base import DistillationLoss
from sklearn_heartkd.distillation._contrastive import InfoNCE
from sklearn_heartkd.distillation._soft_targets import CrossEntropy, SoftTargets

CATALOGUE = {
    "ce": CrossEntropy,
    "kd": SoftTargets,
    "infonce": InfoNCE,
}


def resolve_losses(losses, weights, temperature):
    """Return a list of (name, loss, weight) that always holds the cross-entropy, "ce".

    Parameters
    ----------
    losses : str, DistillationLoss or list of (name, loss, weight)
        Names are joined by "+".
    weights : dict or None
        Weights by name; with names only.
    temperature : float or None
        Of the soft targets; with names only.

    Raises
    ------
    ValueError
        If a name is unknown or a weight is negative or names no loss.
    """
    if not isinstance(losses, str):
        if weights is not None:
            raise ValueError(
                f"weights={weights!r} goes with losses given by name; give the weights in the list, "
                "as losses=[(name, loss, weight), ...]."
            )
        if temperature is not None:
            raise ValueError(
                f"temperature={temperature!r} goes with losses given by name; give it to the loss, as "
                "SoftTargets(temperature=...)."
            )
        terms = _from_objects(losses)
    else:
        terms = _from_names(losses.split("+"), weights or {}, temperature)
    if not any(isinstance(loss, CrossEntropy) for _, loss, _ in terms):
        terms.insert(
            0, ("ce", CrossEntropy(), (weights or {}).get("ce", CrossEntropy.default_weight))
        )
    for name, _, weight in terms:
        if not isinstance(weight, Real) or weight < 0:
            raise ValueError(f"The weight of the loss {name!r} must be at least 0, got {weight!r}.")
    return terms


def _from_objects(losses):
    if isinstance(losses, DistillationLoss):
        losses = [(type(losses).__name__.lower(), losses, losses.default_weight)]
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
            f"weights names {unknown}, but losses={'+'.join(names)!r} has no such term; name them in "
            "both."
        )
    terms = []
    for name in names:
        loss = _by_name(name)()
        if temperature is not None and isinstance(loss, SoftTargets):
            loss.set_params(temperature=temperature)
        terms.append((name, loss, weights.get(name, loss.default_weight)))
    return terms


def _by_name(name):
    if name not in CATALOGUE:
        raise ValueError(
            f"Unknown loss {name!r}; known are {', '.join(sorted(CATALOGUE))}, joined by '+'."
        )
    return CATALOGUE[name]
