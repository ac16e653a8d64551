"""Augmentations of sequences, drawn anew for every batch."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval

from sklearn_heartkd.augmentation._base import (
    Augmentation,
    Batch,
    channel_deviation,
    normal,
    uniform,
)


class RandomCrop(Augmentation):
    """Keep a random stretch of the frames.

    Each row is cut at a different position, to the same length.

    Parameters
    ----------
    fraction : float, default=0.6
        Length of the stretch as a share of the sequence.

    See Also
    --------
    TimeShift : Keeps all frames.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, RandomCrop
    >>> rows = torch.arange(2)
    >>> x = torch.arange(10.0).expand(2, 4, 10)
    >>> batch = Batch(x, target=rows, weight=torch.ones(2), index=rows, subject=rows)
    >>> RandomCrop(0.6)(batch, torch.Generator().manual_seed(0)).x.shape
    torch.Size([2, 4, 6])
    """

    moves_time = True
    _parameter_constraints: dict = {"fraction": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, fraction: float = 0.6) -> None:
        self.fraction = fraction

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with ``round(fraction * n_frames)`` frames, at least one."""
        self._validate_params()
        n, _, n_frames = batch.x.shape
        length = max(1, round(self.fraction * n_frames))
        start = (uniform(generator, n, like=batch.x) * (n_frames - length + 1)).long()
        frames = start[:, None] + torch.arange(length, device=batch.x.device)
        frames = frames[:, None, :].expand(-1, batch.x.shape[1], -1)
        return replace(batch, x=batch.x.gather(2, frames))


class TimeShift(Augmentation):
    """Shift each row by a random number of frames.

    Frames shifted out at the start are appended at the end.

    Parameters
    ----------
    fraction : float, default=1.0
        Largest shift as a share of the sequence.

    See Also
    --------
    RandomCrop : Keeps some of the frames.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, TimeShift
    >>> rows = torch.arange(2)
    >>> x = torch.arange(6.0).expand(2, 1, 6)
    >>> batch = Batch(x, target=rows, weight=torch.ones(2), index=rows, subject=rows)
    >>> TimeShift()(batch, torch.Generator().manual_seed(0)).x[:, 0]
    tensor([[2., 3., 4., 5., 0., 1.],
            [4., 5., 0., 1., 2., 3.]])
    """

    moves_time = True
    _parameter_constraints: dict = {"fraction": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, fraction: float = 1.0) -> None:
        self.fraction = fraction

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with every row rolled."""
        self._validate_params()
        n, n_channels, n_frames = batch.x.shape
        shift = (uniform(generator, n, like=batch.x) * self.fraction * n_frames).long()
        frames = (torch.arange(n_frames, device=batch.x.device) + shift[:, None]) % n_frames
        return replace(batch, x=batch.x.gather(2, frames[:, None, :].expand(-1, n_channels, -1)))


class _Masking(Augmentation):
    _dim: int

    _parameter_constraints: dict = {"fraction": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, fraction: float) -> None:
        self.fraction = fraction

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with one stretch a row set to the channels' means."""
        self._validate_params()
        x = batch.x
        n, size = len(x), x.shape[self._dim]
        width = uniform(generator, n, like=x) * self.fraction * size
        start = uniform(generator, n, like=x) * (size - width)
        position = torch.arange(size, device=x.device)
        masked = (position >= start[:, None]) & (position < (start + width)[:, None])
        masked = masked[:, :, None] if self._dim == 1 else masked[:, None, :]
        return replace(batch, x=torch.where(masked, x.mean(dim=(0, 2), keepdim=True), x))


class BandMasking(_Masking):
    """Hide one random band of adjacent channels in each row.

    The band is set to the channels' means, after SpecAugment (Park et al. 2019).

    Parameters
    ----------
    fraction : float, default=0.17
        Largest width as a share of the channels.

    See Also
    --------
    TimeMasking : Hides frames.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, BandMasking
    >>> rows = torch.arange(1)
    >>> x = torch.arange(16.0).reshape(1, 8, 2)
    >>> batch = Batch(x, target=rows, weight=torch.ones(1), index=rows, subject=rows)
    >>> hidden = BandMasking(0.5)(batch, torch.Generator().manual_seed(1)).x != x
    >>> hidden.all(dim=2)
    tensor([[False, False,  True,  True,  True, False, False, False]])
    """

    _dim = 1

    def __init__(self, fraction: float = 0.17) -> None:
        super().__init__(fraction)


class TimeMasking(_Masking):
    """Hide one random stretch of frames in each row.

    The stretch is set to the channels' means, after SpecAugment (Park et al. 2019).

    Parameters
    ----------
    fraction : float, default=0.13
        Largest length as a share of the frames.

    See Also
    --------
    BandMasking : Hides channels.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, TimeMasking
    >>> rows = torch.arange(1)
    >>> x = torch.arange(8.0).reshape(1, 1, 8)
    >>> batch = Batch(x, target=rows, weight=torch.ones(1), index=rows, subject=rows)
    >>> TimeMasking(0.5)(batch, torch.Generator().manual_seed(1)).x[0]
    tensor([[0.0000, 1.0000, 3.5000, 3.5000, 3.5000, 5.0000, 6.0000, 7.0000]])
    """

    _dim = 2

    def __init__(self, fraction: float = 0.13) -> None:
        super().__init__(fraction)


class Gain(Augmentation):
    """Make each row louder or softer by a random amount.

    Without `decibels`, a constant is added to each channel of a row, in units of the channel's standard
    deviation. In log units, such as log-mel bands or MFCC, a constant is a gain. Channels of different
    deviation change by different amounts, so the spectrum tilts a little. Waveforms need `decibels`: a
    constant would only move their zero line.

    Parameters
    ----------
    deviation : float, default=0.2
        Standard deviation of the constant, in units of each channel's standard deviation within the
        batch; ignored if `decibels` is given.
    decibels : float, default=None
        Standard deviation of the gain in dB, instead of `deviation`. It is added to log-mel bands in
        dB, the same for all channels; waveforms, which are batches of one channel, are multiplied.

    See Also
    --------
    GaussianNoise : Changes every value by a different amount.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, Gain
    >>> rows = torch.arange(2)
    >>> x = torch.sin(torch.arange(800.0)).reshape(2, 1, 400)
    >>> batch = Batch(x, target=rows, weight=torch.ones(2), index=rows, subject=rows)
    >>> changed = Gain(decibels=6.0)(batch, torch.Generator().manual_seed(0))
    >>> changed.x.std(dim=2) / x.std(dim=2)
    tensor([[2.8993],
            [0.8165]])
    """

    _parameter_constraints: dict = {
        "deviation": [Interval(Real, 0, None, closed="left")],
        "decibels": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(self, deviation: float = 0.2, decibels: float | None = None) -> None:
        self.deviation = deviation
        self.decibels = decibels

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with the gains applied."""
        self._validate_params()
        x = batch.x
        gain = normal(generator, len(batch), 1, 1, like=x)
        if self.decibels is None:
            return replace(batch, x=x + gain * self.deviation * channel_deviation(x))
        gain = gain * self.decibels
        return replace(batch, x=x * 10 ** (gain / 20) if x.shape[1] == 1 else x + gain)


class GaussianNoise(Augmentation):
    """Add independent Gaussian noise to every value.

    Its level depends on the batch, not on the row; :class:`AdditiveNoise` has a level for each row.

    Parameters
    ----------
    deviation : float, default=0.1
        Standard deviation, in units of each channel's standard deviation.

    See Also
    --------
    AdditiveNoise : Noise at a signal-to-noise ratio.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, GaussianNoise
    >>> rows = torch.arange(2)
    >>> x = torch.sin(torch.arange(800.0)).reshape(2, 1, 400)
    >>> batch = Batch(x, target=rows, weight=torch.ones(2), index=rows, subject=rows)
    >>> noisy = GaussianNoise(0.1)(batch, torch.Generator().manual_seed(0))
    >>> round(float((noisy.x - x).std() / x.std()), 2)
    0.1
    """

    _parameter_constraints: dict = {"deviation": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, deviation: float = 0.1) -> None:
        self.deviation = deviation

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with the noise added."""
        self._validate_params()
        noise = normal(generator, *batch.x.shape, like=batch.x) * self.deviation
        return replace(batch, x=batch.x + noise * channel_deviation(batch.x))


class Mixup(Augmentation):
    """Mix each row with another one, and their labels in the same shares.

    In the cross-entropy, each of the two labels keeps the sample weight of its row. After Zhang et al.
    (2018), "mixup: beyond empirical risk minimization".

    Parameters
    ----------
    alpha : float, default=0.3
        Both parameters of the Beta distribution from which the share of a row is drawn.

    See Also
    --------
    sklearn_heartkd.ContrastivePretraining : Takes all augmentations but this one.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.augmentation import Batch, Mixup
    >>> rows = torch.arange(3)
    >>> x = torch.tensor([0.0, 1.0, 2.0]).reshape(3, 1, 1)
    >>> batch = Batch(x, target=rows, weight=torch.ones(3), index=rows, subject=rows)
    >>> mixed = Mixup()(batch, torch.Generator().manual_seed(0))
    >>> mixed.partner
    tensor([1, 2, 0])
    >>> mixed.share
    tensor([0.0007, 0.3790, 0.5588])
    >>> mixed.x.flatten()
    tensor([0.9993, 1.6210, 1.1175])
    """

    _parameter_constraints: dict = {"alpha": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, alpha: float = 0.3) -> None:
        self.alpha = alpha

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the mixed batch, with `partner` and `share` set.

        Raises
        ------
        ValueError
            If the batch is already mixed.
        """
        self._validate_params()
        if batch.partner is not None:
            raise ValueError(
                f"The augmentation contains {self!r} after another Mixup, whose labels would be lost; "
                "remove one of the two."
            )
        x = batch.x
        share = _draw_shares(self.alpha, len(x), _on_cpu(generator)).to(x)
        partner = torch.randperm(len(x), generator=generator, device=x.device)
        mixed = share[:, None, None] * x + (1 - share)[:, None, None] * x[partner]
        return replace(batch, x=mixed, partner=partner, share=share)


def _draw_shares(alpha, n, generator):
    """Draw from a Beta distribution whose parameters are both `alpha`."""
    parameters = torch.full((n, 2), alpha, dtype=torch.float64)
    # torch.distributions.Beta takes no generator; a Beta variable is a ratio of two gamma variables
    if alpha >= 0.2:
        gamma = torch._standard_gamma(parameters, generator=generator).clamp_min(1e-12)
        return gamma[:, 0] / gamma.sum(dim=1)
    # For small alpha both gamma variables underflow to 0. Gamma(alpha) is distributed as
    # Gamma(alpha + 1) * U ** (1 / alpha), whose logarithm does not underflow.
    larger = torch._standard_gamma(parameters + 1, generator=generator).log()
    power = torch.rand(n, 2, generator=generator, dtype=torch.float64).log() / alpha
    return (larger + power).diff(dim=1)[:, 0].neg().sigmoid()


def _on_cpu(generator):
    if generator.device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    return torch.Generator().manual_seed(seed)
