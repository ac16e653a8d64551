"""The batch that an augmentation changes, and the interface of the augmentations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from sklearn.base import BaseEstimator
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Rows of the training data that pass through a network together.

    Augmentations return a changed copy and leave the batch as it is.

    Parameters
    ----------
    x : Tensor of shape (n, n_channels, n_frames)
        Features or waveforms.
    target : Tensor of shape (n,)
        Numbers of the classes.
    weight : Tensor of shape (n,)
        Sample weights.
    index : Tensor of shape (n,)
        Numbers of the rows in the training data.
    subject : Tensor of shape (n,)
        Numbers of the subjects; if they are unknown, each row has a different one.
    partner : Tensor of shape (n,), default=None
        With mixup, the row of this batch that is mixed into each row.
    share : Tensor of shape (n,), default=None
        With mixup, the share of the row itself; the rest is its partner's.
    labeled : Tensor of bool of shape (n,), default=None
        False for rows without a label, whose `target` is the class that a teacher finds most probable.
        None means that all rows have one.

    See Also
    --------
    Augmentation : Takes and returns batches.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch
    >>> rows = torch.arange(3)
    >>> batch = Batch(torch.zeros(3, 4, 10), rows, torch.ones(3), index=rows, subject=rows)
    >>> len(batch.take([0, 2]))
    2
    """

    x: Tensor
    target: Tensor
    weight: Tensor
    index: Tensor
    subject: Tensor
    partner: Tensor | None = None
    share: Tensor | None = None
    labeled: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor | Sequence[int]) -> Batch:
        """Return some rows of a batch that is not mixed.

        Parameters
        ----------
        rows : Tensor or list of int
            Positions in this batch.

        Returns
        -------
        Batch
            These rows.
        """
        return Batch(
            self.x[rows],
            self.target[rows],
            self.weight[rows],
            self.index[rows],
            self.subject[rows],
            labeled=None if self.labeled is None else self.labeled[rows],
        )

    def label_weights(self, n_classes: int) -> Tensor:
        """Return the total weight of each class, of the rows that have a label.

        Parameters
        ----------
        n_classes : int
            Number of classes.

        Returns
        -------
        Tensor of shape (n_classes,)
            The weights.
        """
        weight = self.weight if self.labeled is None else self.weight * self.labeled
        return weight.new_zeros(n_classes).index_add(0, self.target, weight)


class Augmentation(BaseEstimator):
    """Base class of the on-line augmentations.

    A subclass implements ``__call__(batch, generator)`` and returns a new batch; all random numbers
    come from `generator`. Parameters are checked at each call, by scikit-learn's
    `_parameter_constraints`. Amplitudes without a unit in their name are in units of each channel's
    standard deviation within the batch, so they suit decibels as well as cepstral coefficients.
    Waveforms are batches of one channel.

    Attributes
    ----------
    moves_time : bool
        Whether a frame of a changed row shows another moment of the recording.

    See Also
    --------
    Batch : What an augmentation changes.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn_heartkd.augmentation import Augmentation
    >>> class Invert(Augmentation):
    ...     def __call__(self, batch, generator):
    ...         return replace(batch, x=-batch.x)
    """

    moves_time: bool = False
    _parameter_constraints: dict = {}

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
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


def as_range(augmentation, name):
    """Return a parameter that is a number or a pair as (low, high)."""
    value = getattr(augmentation, name)
    pair = (value, value) if isinstance(value, Real) else tuple(value)
    finite = all(isinstance(v, Real) and math.isfinite(v) for v in pair)
    if len(pair) != 2 or not finite or not pair[0] <= pair[1]:
        raise ValueError(
            f"The parameter {name!r} of {type(augmentation).__name__} must be a finite number or a pair "
            f"(low, high), got {value!r}."
        )
    return pair


def draw_between(low, high, generator, *shape, like):
    """Draw uniformly between two numbers."""
    return low + (high - low) * uniform(generator, *shape, like=like)
