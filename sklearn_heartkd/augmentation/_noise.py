"""Additive noise at a given signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from numbers import Real

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.augmentation._base import (
    Augmentation,
    Batch,
    as_range,
    draw_between,
    normal,
    uniform,
)

_TINY = 1e-20


class AdditiveNoise(Augmentation):
    """Add noise at a random signal-to-noise ratio.

    A batch of one channel is treated as waveforms, any other as log-mel bands in decibels, as returned
    by :class:`~sklearn_heartkd.LogMelSpectrogram`: they are converted to powers, to which the powers of
    the noise are added. For MFCC, which cannot be converted to powers, use :class:`GaussianNoise`, or
    add noise to the recordings with :class:`AugmentingOverSampler`.

    Parameters
    ----------
    noise : {"white", "pink"} or array-like, default="white"
        The power of "pink" noise is proportional to one over the frequency. An array is recorded
        ambience: a waveform of shape (n_samples,) at the sampling rate of the recordings, or log-mel
        bands in decibels of shape (n_channels, n_frames), computed like those of the rows. Each row
        gets a random stretch of it, looped if it is too short.
    snr : float or (low, high), default=(5.0, 30.0)
        Signal-to-noise ratio in dB, drawn uniformly for each row: the mean power of the row (over all
        samples, or over all bands and frames) divided by that of its noise.
    probability : float, default=1.0
        Share of the rows that get noise.
    keep_level : bool, default=True
        Whether to scale a noisy row to its mean power before, as if it were normalized after the
        noise, like in ``LogMelSpectrogram(normalize=True)``.
    sampling_rate : float, default=2000.0
        Sampling rate of waveforms in Hz; used by pink noise.
    fmin : float, default=20.0
        Lower edge of the log-mel bands in Hz, as in :class:`~sklearn_heartkd.LogMelSpectrogram`; used
        by pink noise, which has no power below it, in waveforms too.
    fmax : float, default=800.0
        Upper edge of the log-mel bands in Hz; used by pink noise.

    See Also
    --------
    GaussianNoise : Noise in units of the features, also for MFCC.

    Examples
    --------
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.augmentation import AdditiveNoise, Mixup, RandomCrop
    >>> augmentation = [AdditiveNoise("pink", snr=(0, 30)), RandomCrop(), Mixup()]
    >>> StudentClassifier(augmentation=augmentation).augmentation[0]
    AdditiveNoise(noise='pink', snr=(0, 30))
    """

    _parameter_constraints: dict = {
        "noise": [StrOptions({"white", "pink"}), "array-like"],
        "snr": [Real, tuple, list],
        "probability": [Interval(Real, 0, 1, closed="both")],
        "keep_level": ["boolean"],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        noise: str | ArrayLike = "white",
        snr: float | tuple[float, float] = (5.0, 30.0),
        *,
        probability: float = 1.0,
        keep_level: bool = True,
        sampling_rate: float = 2000.0,
        fmin: float = 20.0,
        fmax: float = 800.0,
    ) -> None:
        self.noise = noise
        self.snr = snr
        self.probability = probability
        self.keep_level = keep_level
        self.sampling_rate = sampling_rate
        self.fmin = fmin
        self.fmax = fmax

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with noise added.

        Raises
        ------
        ValueError
            If the ambience is not finite, or its shape does not fit the batch.
        """
        self._validate_params()
        low, high = as_range(self, "snr")
        x = batch.x
        snr = 10 ** (draw_between(low, high, generator, len(x), 1, 1, like=x) / 10)
        noisy = self._mix_waveforms if x.shape[1] == 1 else self._mix_bands
        changed = uniform(generator, len(x), 1, 1, like=x) < self.probability
        return replace(batch, x=torch.where(changed, noisy(x, snr, generator), x))

    def _mix_waveforms(self, x, snr, generator):
        if not isinstance(self.noise, str):
            noise = self._stretches(x, generator)
        else:
            noise = normal(generator, *x.shape, like=x)
            if self.noise == "pink":
                noise = self._pink(noise)
        noise = noise * (_mean(x.square()) / (snr * _mean(noise.square()).clamp_min(_TINY))).sqrt()
        noisy = x + noise
        if not self.keep_level:
            return noisy
        return noisy * (_mean(x.square()) / _mean(noisy.square()).clamp_min(_TINY)).sqrt()

    def _mix_bands(self, x, snr, generator):
        # relative to the loudest value, so that float32 can hold the powers
        loudest = x.amax(dim=(1, 2), keepdim=True)
        power = 10 ** ((x - loudest) / 10)
        if not isinstance(self.noise, str):
            stretches = self._stretches(x, generator)
            noise = 10 ** ((stretches - stretches.amax(dim=(1, 2), keepdim=True)) / 10)
        else:
            # a band averages few bins: its power is nearly chi-square with 3 degrees of freedom
            noise = normal(generator, 3, *x.shape, like=x).square().mean(dim=0)
            if self.noise == "pink":
                frequencies = _mel_frequencies(x.shape[1], self.fmin, self.fmax)
                noise = noise / x.new_tensor(frequencies)[:, None]
        noise = noise * _mean(power) / (snr * _mean(noise))
        noisy = power + noise
        if self.keep_level:
            noisy = noisy * _mean(power) / _mean(noisy)
        return loudest + 10 * noisy.clamp_min(_TINY).log10()

    def _pink(self, white):
        n_samples = white.shape[-1]
        spectrum = torch.fft.rfft(white)
        k = torch.arange(spectrum.shape[-1], device=white.device, dtype=white.dtype)
        heard = (k > 0) & (k * self.sampling_rate >= self.fmin * n_samples)
        return torch.fft.irfft(spectrum * heard / k.clamp_min(1).sqrt(), n=n_samples)

    def _stretches(self, x, generator):
        """Cut a random stretch of the ambience for each row."""
        ambience = torch.from_numpy(np.require(self.noise, requirements=["C", "W"]))
        n, n_channels, length = x.shape
        if ambience.ndim == 1 and n_channels == 1:
            ambience = ambience[None]
        if ambience.ndim != 2 or len(ambience) != n_channels or ambience.shape[1] == 0:
            wanted = "(n_samples,)" if n_channels == 1 else f"({n_channels}, n_frames)"
            raise ValueError(
                f"The ambience has shape {tuple(ambience.shape)}, but the batch needs {wanted}; pass "
                "AdditiveNoise an array like the rows."
            )
        available = ambience.shape[1]
        # a shorter ambience is looped, from anywhere in it
        n_starts = available if available < length else available - length + 1
        start = uniform(generator, n, 1, like=x) * n_starts
        position = (start.long() + torch.arange(length, device=x.device)) % available
        stretches = ambience[:, position.to(ambience.device)].transpose(0, 1)
        if not stretches.isfinite().all():
            raise ValueError(
                "The ambience of AdditiveNoise contains NaN or infinity; remove those samples."
            )
        return stretches.to(dtype=x.dtype, device=x.device)


def _mean(power):
    return power.mean(dim=(1, 2), keepdim=True)


@lru_cache(maxsize=32)
def _mel_frequencies(n_mels, fmin, fmax):
    """Return the centres of the mel bands in Hz."""
    import librosa

    return tuple(librosa.mel_frequencies(n_mels + 2, fmin=fmin, fmax=fmax)[1:-1].tolist())
