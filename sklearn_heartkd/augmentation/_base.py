"""The batch that an augmentation changes, and the interface of the augmentations."""

from dataclasses import dataclass

import torch
from sklearn.base import BaseEstimator
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Rows of the training data on their way into a network.

    Attributes
    ----------
    x : Tensor of shape (n, n_channels, n_frames)
    target : Tensor of shape (n,)
        Numbers of the classes.
    weight : Tensor of shape (n,)
        Sample weights.
    index : Tensor of shape (n,)
        The rows' numbers in the training data.
    subject : Tensor of shape (n,)
        Numbers of the subjects; every row its own where they are unknown.
    partner : Tensor of shape (n,) or None
        Under mixup, the row of this batch that is mixed into each row.
    share : Tensor of shape (n,) or None
        Under mixup, the share of the row itself; its partner has the rest.
    """

    x: Tensor
    target: Tensor
    weight: Tensor
    index: Tensor
    subject: Tensor
    partner: Tensor | None = None
    share: Tensor | None = None

    def __len__(self):
        return len(self.x)

    def take(self, rows):
        """Return the batch of some rows, before any mixup."""
        return Batch(
            self.x[rows], self.target[rows], self.weight[rows], self.index[rows], self.subject[rows]
        )


class Augmentation(BaseEstimator):
    """Base class of the on-line augmentations.

    A subclass implements ``__call__(batch, generator)`` and returns a new batch; `generator`
    is the only source of randomness. Amplitudes are in units of each channel's standard
    deviation within the batch, so that they suit decibels and cepstral coefficients alike.
    """

    def __call__(self, batch, generator):
        """Return the changed copy of `batch`."""
        raise NotImplementedError


def channel_deviation(x):
    """Return the standard deviation of each channel over the batch, shape (1, n_channels, 1)."""
    return x.std(dim=(0, 2), keepdim=True, correction=0)


def uniform(generator, *shape, like):
    """Draw from [0, 1) on the device and in the precision of `like`."""
    return torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)


def normal(generator, *shape, like):
    """Draw standard normal numbers on the device and in the precision of `like`."""
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)
