"""The default augmentations of networks, and the check of the user's."""

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


def check_augmentations(augmentations):
    """Return a list of augmentations, empty for None; raise TypeError if an item is something else."""
    for augmentation in augmentations or []:
        if isinstance(augmentation, type) or not callable(augmentation):
            raise TypeError(
                f"augmentation takes a list of Augmentation objects, such as [Mixup()], got "
                f"{augmentation!r} in it."
            )
    return list(augmentations or [])


def check_views(augmentations, owner):
    """Return a list of augmentations that make views of one recording; raise ValueError for mixup."""
    augmentations = check_augmentations(augmentations)
    for augmentation in augmentations:
        if isinstance(augmentation, Mixup):
            raise ValueError(
                f"The augmentation of {type(owner).__name__} contains {augmentation!r}, but a mixture is "
                "not a view of one recording; remove it."
            )
    return augmentations
