"""On-line augmentation of the networks' training batches, and over-sampling by the same means."""

from typing import TYPE_CHECKING, Any

from sklearn_heartkd.augmentation._base import Augmentation, Batch
from sklearn_heartkd.augmentation._noise import AdditiveNoise
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

if TYPE_CHECKING:
    from sklearn_heartkd.augmentation._over_sampler import AugmentingOverSampler

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


def __getattr__(name: str) -> Any:
    # lazy, because imbalanced-learn loads pytest, and networks need the other names only
    if name == "AugmentingOverSampler":
        from sklearn_heartkd.augmentation._over_sampler import AugmentingOverSampler

        return AugmentingOverSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
