"""What the losses between pairs of rows share."""

import torch
from torch.nn import functional


def directions(x, dim=1):
    """Return `x` scaled to length 1; a zero vector stays zero, with a finite gradient."""
    return x / (x.square().sum(dim=dim, keepdim=True) + 1e-8).sqrt()


def cosines(x, y):
    """Return the cosines between the rows of `x` and those of `y`."""
    return directions(x) @ directions(y).T


def row_divergence(target, own, weight):
    """Return the weighted mean of KL(target || own) over rows of log-probabilities."""
    divergence = functional.kl_div(own, target, reduction="none", log_target=True).sum(dim=1)
    return (weight * divergence).sum() / weight.sum()


def prior(weight):
    """Return the logarithm of each row's share of the weights."""
    return weight.log() - weight.sum().log()


def unit(value, floor=1e-4):
    """Return the loss of a student that knows nothing, by which a loss is divided.

    Where the teacher's rows are all alike there is nothing to know; the floor avoids the division
    by zero.
    """
    return max(float(torch.as_tensor(value)), floor)
