"""Where the study fits: recordings, splits, and the folders of the fits."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from sklearn_heartkd.comparison import Recipe, split_by_subject

PARTS = ("ab", "a", "b")
CHOSEN_ON = "ab"


class Ground(NamedTuple):
    """Recordings with splits.

    Attributes
    ----------
    name : str
        Of the part, with "inner_" before it where the splits are those inside the training folds.
    data : Bunch
    splits : list of (training rows, test rows)
    recipe : Recipe
    comparison, folder : Path
        Of the comparison's fits and of the study's own.
    """

    name: str
    data: object
    splits: list
    recipe: Recipe
    comparison: Path
    folder: Path


class Grounds:
    """The grounds of a study, loaded when they are first asked for.

    Parameters
    ----------
    load : callable
        `load(subset=…)` returns the recordings of a part.
    work : Path
    folds : int
    max_epochs : int or "auto"
    """

    def __init__(self, load, work, *, folds=5, max_epochs="auto"):
        self.load, self.work, self.folds, self.max_epochs = load, Path(work), folds, max_epochs
        self.loaded = {}

    def outer(self, part):
        """Return a part with the folds of the comparison."""
        data = self._load(part)
        splits = split_by_subject(data.target, data.groups, self.folds)
        return self._ground(part, data, splits, f"pascal_{part}")

    @cached_property
    def inner(self):
        """The part on which everything is chosen, split inside its training folds."""
        data = self._load(CHOSEN_ON)
        outer = split_by_subject(data.target, data.groups, self.folds)
        splits = [
            split_inside(training, data.target, data.groups, fold)
            for fold, (training, _) in enumerate(outer)
        ]
        return self._ground(f"inner_{CHOSEN_ON}", data, splits, f"inner_{CHOSEN_ON}")

    def _load(self, part):
        if part not in self.loaded:
            self.loaded[part] = self.load(subset=part)
        return self.loaded[part]

    def _ground(self, name, data, splits, comparison):
        recipe = Recipe(
            sampling_rate=data.sampling_rate,
            max_epochs=self.max_epochs,
            memory=str(self.work / "pretraining"),
        )
        return Ground(
            name, data, splits, recipe, self.work / comparison, self.work / f"study_{name}"
        )


def split_inside(training, target, groups, fold):
    """Split a training part by subject, three quarters to one.

    Parameters
    ----------
    training : ndarray of int
        Rows of the data.
    target, groups : array-like of shape (n_recordings,)
        Of all data.
    fold : int
        The number of the outer fold, which seeds the split.

    Returns
    -------
    inner_training, inner_validation : ndarray of int
        Rows of the data.
    """
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=fold)
    y, subjects = np.asarray(target)[training], np.asarray(groups)[training]
    first, second = next(splitter.split(np.zeros((len(y), 1)), y, subjects))
    return training[first], training[second]
