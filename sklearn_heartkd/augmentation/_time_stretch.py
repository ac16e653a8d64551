"""Faster and slower recordings."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval

from sklearn_heartkd.augmentation._base import Augmentation, Batch, as_range, draw_between, uniform


class TimeStretch(Augmentation):
    """Play each row faster or slower, at the same number of frames.

    The ends of a slower row are cut off, a faster one is looped. Values between two frames are
    interpolated linearly. The pitch of features stays the same, that of waveforms changes.

    Parameters
    ----------
    rate : float or (low, high), default=(0.9, 1.1)
        Speed, drawn uniformly for each row; above 1 is faster.

    See Also
    --------
    TimeShift : Shifts without changing the speed.

    Examples
    --------
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.augmentation import RandomCrop, TimeStretch
    >>> StudentClassifier(augmentation=[TimeStretch((0.8, 1.2)), RandomCrop()]).augmentation
    [TimeStretch(rate=(0.8, 1.2)), RandomCrop()]
    """

    moves_time = True
    _parameter_constraints: dict = {
        "rate": [Interval(Real, 0, None, closed="neither"), tuple, list]
    }

    def __init__(self, rate: float | tuple[float, float] = (0.9, 1.1)) -> None:
        self.rate = rate

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with every row stretched.

        Raises
        ------
        ValueError
            If a rate is not positive.
        """
        self._validate_params()
        low, high = as_range(self, "rate")
        if low <= 0:
            raise ValueError(f"The rate of TimeStretch must be above 0, got {self.rate!r}.")
        x = batch.x
        n, n_channels, n_frames = x.shape
        rate = draw_between(low, high, generator, n, 1, like=x)
        spare = ((n_frames - 1) * (1 - rate)).clamp_min(0)
        start = uniform(generator, n, 1, like=x) * spare
        time = start + rate * torch.arange(n_frames, device=x.device)
        before = time.floor()
        fraction = (time - before)[:, None]
        before = (before.long() % n_frames)[:, None].expand(-1, n_channels, -1)
        after = (before + 1) % n_frames
        return replace(
            batch, x=(1 - fraction) * x.gather(2, before) + fraction * x.gather(2, after)
        )
