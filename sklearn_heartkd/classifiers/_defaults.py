"""What "auto" stands for in the augmentation of networks."""

from sklearn_heartkd.augmentation import (
    BandMasking,
    Gain,
    GaussianNoise,
    Mixup,
    RandomCrop,
    TimeMasking,
)


def default_augmentation():
    """Return the augmentation of sequences in supervised training."""
    return [RandomCrop(), Gain(), BandMasking(), TimeMasking(), Mixup()]


def default_views():
    """Return the augmentation of sequences in contrastive pretraining."""
    return [
        RandomCrop(0.5),
        Gain(0.5),
        BandMasking(0.3),
        TimeMasking(0.25),
        GaussianNoise(0.3),
    ]
