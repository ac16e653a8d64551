"""Augmentations of sequences, drawn anew for every batch."""

from dataclasses import replace

import torch

from sklearn_heartkd.augmentation._base import Augmentation, channel_deviation, normal, uniform


class RandomCrop(Augmentation):
    """Keep a random stretch of the frames, one position a row.

    Parameters
    ----------
    fraction : float, default=0.6
        Length of the stretch as a share of the sequence.
    """

    def __init__(self, fraction=0.6):
        self.fraction = fraction

    def __call__(self, batch, generator):
        """Return the batch with ``round(fraction * n_frames)`` frames, at least one."""
        n, _, n_frames = batch.x.shape
        length = max(1, round(self.fraction * n_frames))
        start = (uniform(generator, n, like=batch.x) * (n_frames - length + 1)).long()
        frames = start[:, None] + torch.arange(length, device=batch.x.device)
        frames = frames[:, None, :].expand(-1, batch.x.shape[1], -1)
        return replace(batch, x=batch.x.gather(2, frames))


class TimeShift(Augmentation):
    """Roll each row by a random number of frames; what leaves at the end comes in at the start.

    Parameters
    ----------
    fraction : float, default=1.0
        Largest shift as a share of the sequence.
    """

    def __init__(self, fraction=1.0):
        self.fraction = fraction

    def __call__(self, batch, generator):
        """Return the batch with every row rolled."""
        n, n_channels, n_frames = batch.x.shape
        shift = (uniform(generator, n, like=batch.x) * self.fraction * n_frames).long()
        frames = (torch.arange(n_frames, device=batch.x.device) + shift[:, None]) % n_frames
        return replace(batch, x=batch.x.gather(2, frames[:, None, :].expand(-1, n_channels, -1)))


class _Masking(Augmentation):
    _dim: int

    def __init__(self, fraction):
        self.fraction = fraction

    def __call__(self, batch, generator):
        """Return the batch with one stretch a row set to the channels' means."""
        x = batch.x
        n, size = len(x), x.shape[self._dim]
        width = uniform(generator, n, like=x) * self.fraction * size
        start = uniform(generator, n, like=x) * (size - width)
        position = torch.arange(size, device=x.device)
        masked = (position >= start[:, None]) & (position < (start + width)[:, None])
        masked = masked[:, :, None] if self._dim == 1 else masked[:, None, :]
        return replace(batch, x=torch.where(masked, x.mean(dim=(0, 2), keepdim=True), x))


class BandMasking(_Masking):
    """Hide one random band of adjacent channels a row.

    After SpecAugment (Park et al. 2019).

    Parameters
    ----------
    fraction : float, default=0.17
        Largest width as a share of the channels.
    """

    _dim = 1

    def __init__(self, fraction=0.17):
        super().__init__(fraction)


class TimeMasking(_Masking):
    """Hide one random stretch of frames a row.

    After SpecAugment (Park et al. 2019).

    Parameters
    ----------
    fraction : float, default=0.13
        Largest length as a share of the frames.
    """

    _dim = 2

    def __init__(self, fraction=0.13):
        super().__init__(fraction)


class Gain(Augmentation):
    """Add one random offset to all channels of a row: a change of loudness in log-mel.

    Parameters
    ----------
    deviation : float, default=0.2
        Standard deviation of the offset, in units of each channel's standard deviation.
    """

    def __init__(self, deviation=0.2):
        self.deviation = deviation

    def __call__(self, batch, generator):
        """Return the batch with the offsets added."""
        offset = normal(generator, len(batch), 1, 1, like=batch.x) * self.deviation
        return replace(batch, x=batch.x + offset * channel_deviation(batch.x))


class GaussianNoise(Augmentation):
    """Add independent Gaussian noise to every value.

    Parameters
    ----------
    deviation : float, default=0.1
        Standard deviation, in units of each channel's standard deviation.
    """

    def __init__(self, deviation=0.1):
        self.deviation = deviation

    def __call__(self, batch, generator):
        """Return the batch with the noise added."""
        noise = normal(generator, *batch.x.shape, like=batch.x) * self.deviation
        return replace(batch, x=batch.x + noise * channel_deviation(batch.x))


class Mixup(Augmentation):
    """Mix each row with another one, and their labels in the same shares.

    After Zhang et al. (2018), "mixup: beyond empirical risk minimization".

    Parameters
    ----------
    alpha : float, default=0.3
        Both parameters of the Beta distribution from which a row's own share is drawn.
    """

    def __init__(self, alpha=0.3):
        self.alpha = alpha

    def __call__(self, batch, generator):
        """Return the mixed batch, with `partner` and `share` set."""
        x = batch.x
        alpha = torch.full((len(x), 2), self.alpha, dtype=torch.float64)
        gamma = torch._standard_gamma(alpha, generator=_on_cpu(generator)).clamp_min(1e-12)
        share = (gamma[:, 0] / gamma.sum(dim=1)).to(x)
        partner = torch.randperm(len(x), generator=generator, device=x.device)
        mixed = share[:, None, None] * x + (1 - share)[:, None, None] * x[partner]
        return replace(batch, x=mixed, partner=partner, share=share)


def _on_cpu(generator):
    if generator.device.type == "cpu":
        return generator
    seed = torch.randint(2**62, (1,), generator=generator, device=generator.device).item()
    return torch.Generator().manual_seed(seed)
