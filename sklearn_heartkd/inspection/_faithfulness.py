"""faithfulness: whether an explanation finds what the model uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._explanation_task import make_task
from sklearn_heartkd.inspection._grid import number_cells


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Scores while cells are deleted and inserted.

    Deletion and insertion follow the explanation, the most important cells first.

    Parameters
    ----------
    fractions : ndarray of shape (n_steps + 1,)
        Share of deleted or inserted cells.
    deletion, insertion : ndarray of shape (n_recordings, n_steps + 1)
        Score of the class, cells in the order of the explanation.
    random_deletion, random_insertion : ndarray of shape (n_recordings, n_steps + 1)
        The same in random order, averaged over the orders.
    unit : str, default="score"
        Unit of the scores.

    See Also
    --------
    faithfulness : Compute these curves.
    FaithfulnessDisplay : Plot them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.inspection import Faithfulness
    >>> up, line = np.array([[0.0, 0.9, 1.0]]), np.array([[0.0, 0.5, 1.0]])
    >>> Faithfulness(np.linspace(0, 1, 3), 1 - up, up, 1 - line, line).insertion_gain
    array([0.2])
    """

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    unit: str = "score"

    @property
    def deletion_gain(self) -> np.ndarray:
        """How much more deletion lowers the score than random deletion, shape (n_recordings,).

        It is the mean over the fractions, in the unit of the score; above 0 is faithful.
        """
        return np.trapezoid(self.random_deletion - self.deletion, self.fractions, axis=1)

    @property
    def insertion_gain(self) -> np.ndarray:
        """How much more insertion raises the score than random insertion, see `deletion_gain`."""
        return np.trapezoid(self.insertion - self.random_insertion, self.fractions, axis=1)

    def to_frame(self) -> pd.DataFrame:
        """Return the curves, averaged over the recordings.

        Returns
        -------
        DataFrame
            One row per fraction.
        """
        names = ("deletion", "random_deletion", "insertion", "random_insertion")
        curves = {name: getattr(self, name).mean(axis=0) for name in names}
        return pd.DataFrame({"fraction": self.fractions, **curves})


def faithfulness(
    model: Any,
    X: Any,
    explanation: Explanation,
    *,
    target: Any = None,
    background: Any = None,
    features: Any = None,
    sampling_rate: float | None = None,
    cell: tuple[int, float] = (4, 0.125),
    n_steps: int = 10,
    n_random: int = 5,
    random_state: int | np.random.RandomState | None = 0,
) -> Faithfulness:
    """Delete and insert the cells of recordings in the order of an explanation [1]_.

    Deletion replaces the cells from the most to the least important one; with a faithful explanation
    the score of the class falls fast. Insertion starts from a recording in which everything is
    replaced and restores the cells; the score should rise fast. Random orders are the baseline.

    Parameters
    ----------
    model, X : classifier and recordings or features
        As passed to :func:`explain`.
    explanation : Explanation
        Explanation of this model and X.
    target : label, default=None
        The class whose score is used; None means the predicted one of each recording.
    background, features, sampling_rate, cell : optional
        As passed to :func:`explain`.
    n_steps : int, default=10
        Number of steps from nothing to everything.
    n_random : int, default=5
        Number of random orders.
    random_state : int, RandomState instance or None, default=0
        Controls the random orders.

    Returns
    -------
    Faithfulness
        The curves of deletion and insertion, in the explanation's order and in random order.

    See Also
    --------
    FaithfulnessDisplay : Plot the curves.

    References
    ----------
    .. [1] V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized input sampling for explanation of
       black-box models", BMVC 2018.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import Conv1DClassifier, LogMelSpectrogram
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.inspection import explain, faithfulness
    >>> sounds = make_heart_sounds(16, classes=("normal", "murmur"), duration=2.0, random_state=0)
    >>> model = make_pipeline(LogMelSpectrogram(), Conv1DClassifier(max_epochs=5, random_state=0))
    >>> model = model.fit(sounds.data, sounds.target)
    >>> result = faithfulness(model, sounds.data[:4], explain(model, sounds.data[:4]))
    >>> bool(result.deletion_gain.mean() > 0)
    True
    """
    task = make_task(model, X, background, features=features, sampling_rate=sampling_rate)
    grids = task.view.grids
    if len(explanation) != len(grids):
        raise ValueError(
            f"The explanation has {len(explanation)} recordings and X has {len(grids)}; pass the X "
            "that was explained."
        )
    values = explanation.feature_values if task.is_table else explanation.values
    if values is None:
        raise ValueError(
            "This explanation has values for the columns of a table, not for bands and frames; use "
            "method='kernel' in explain."
        )
    generator = check_random_state(random_state)
    curves = []
    for row, grid in enumerate(grids):
        index = explanation[row].class_index(target)
        number = number_cells(grid.shape, cell, task.front_end)
        n_cells = number.max() + 1
        value = np.bincount(number.ravel(), weights=values[row][index].ravel(), minlength=n_cells)
        orders = [np.argsort(-value, kind="stable")]
        orders += [generator.permutation(n_cells) for _ in range(n_random)]
        each = [_curves(task.view, row, number, order, n_steps, index) for order in orders]
        curves.append([each[0], np.mean(each[1:], axis=0)])
    found = np.array(curves)  # recordings, explained or random, deletion or insertion, steps
    return Faithfulness(
        np.linspace(0, 1, n_steps + 1),
        deletion=found[:, 0, 0],
        insertion=found[:, 0, 1],
        random_deletion=found[:, 1, 0],
        random_insertion=found[:, 1, 1],
        unit=explanation.unit,
    )


def _curves(view, row, number, order, n_steps, index):
    """Return the scores of one class along deletion and insertion, of shape (2, n_steps + 1)."""
    place = np.argsort(order)[number]  # of each band's and frame's cell in the order
    ends = np.rint(np.linspace(0, len(order), n_steps + 1))
    taken = np.stack([place < end for end in ends])
    scores = view.score(row, np.concatenate([~taken, taken]))[:, index]
    return scores.reshape(2, n_steps + 1)
