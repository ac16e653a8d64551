"""On-line augmentation of the networks' training batches, and over-sampling by the same means."""

from sklearn_heartkd.augmentation._base import Augmentation, Batch
from sklearn_heartkd.augmentation._noise import AdditiveNoise
from sklearn_heartkd.augmentation._over_sampler import AugmentingOverSampler
from sklearn_heartkd.augmentation._sequence import (
    BandMasking,
    Gain,
    GaussianNoise,
    Mixup,
    RandomCrop,
    TimeMasking,
    TimeShift,
)
from sklearn_heartkd.augmentation._time_stretch import TimeStretch

__all__ = [
    "AdditiveNoise",
    "Augmentation",
    "AugmentingOverSampler",
    "BandMasking",
    "Batch",
    "Gain",
    "GaussianNoise",
    "Mixup",
    "RandomCrop",
    "TimeMasking",
    "TimeShift",
    "TimeStretch",
]
