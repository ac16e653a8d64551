"""What the losses between pairs of rows share."""

import math

import torch
from torch.nn import functional

FIXED = 1e-30  # for what has no gradient to be kept finite: the teacher's side, of any scale


def directions(x, dim=1, epsilon=1e-8):
    """Return `x` scaled to length 1; a zero vector stays zero, with a finite gradient."""
    return x / (x.square().sum(dim=dim, keepdim=True) + epsilon).sqrt()


def cosines(x, y, epsilon=1e-8):
    """Return the cosines between the rows of `x` and those of `y`."""
    return directions(x, epsilon=epsilon) @ directions(y, epsilon=epsilon).T


def row_divergence(target, own, weight):
    """Return the weighted mean of KL(target || own) over rows of log-probabilities."""
    divergence = functional.kl_div(own, target, reduction="none", log_target=True).sum(dim=1)
    return (weight * divergence).sum() / weight.sum()


def prior(weight):
    """Return the logarithm of each row's share of the weights."""
    return weight.log() - weight.sum().log()


def unit(value, floor=1e-3):
    """Return the number by which a loss is divided, so that a student that knows nothing costs 1.

    Parameters
    ----------
    value : float
        What a student that knows nothing costs.
    floor : float
        Where it costs less, the teacher's rows are nearly alike, and the loss weighs the less the less
        they have to tell; where they are all alike it is nothing.
    """
    value = float(torch.as_tensor(value))
    if value >= floor:
        return value
    return floor**2 / value if value > 0 else math.inf
