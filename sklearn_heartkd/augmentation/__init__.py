"""On-line augmentation of the networks' training batches."""

from sklearn_heartkd.augmentation._base import Augmentation, Batch
from sklearn_heartkd.augmentation._sequence import (
    BandMasking,
    Gain,
    GaussianNoise,
    Mixup,
    RandomCrop,
    TimeMasking,
    TimeShift,
)

__all__ = [
    "Augmentation",
    "BandMasking",
    "Batch",
    "Gain",
    "GaussianNoise",
    "Mixup",
    "RandomCrop",
    "TimeMasking",
    "TimeShift",
]
