"""faithfulness: does an explanation name what the model listens to?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from sklearn_heartkd.inspection._explain import cells_of
from sklearn_heartkd.inspection._explanation_task import make_task
from sklearn_heartkd.inspection._views import TableView


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Scores along the deletion and the insertion of cells, see :func:`faithfulness`.

    Attributes
    ----------
    fractions : ndarray of shape (n_steps + 1,)
        Which share of the cells is deleted or inserted.
    deletion, insertion : ndarray of shape (n_recordings, n_steps + 1)
        Score of the class, cells in the order of the explanation.
    random_deletion, random_insertion : ndarray of shape (n_recordings, n_steps + 1)
        The same in random order, averaged over the orders.
    """

    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray

    @property
    def deletion_gain(self):
        """By how much deletion lowers the score more than random, mean over the fractions.

        Shape (n_recordings,), in the unit of the score; above 0 is faithful.
        """
        return np.trapezoid(self.random_deletion - self.deletion, self.fractions, axis=1)

    @property
    def insertion_gain(self):
        """By how much insertion raises the score more than random; like `deletion_gain`."""
        return np.trapezoid(self.insertion - self.random_insertion, self.fractions, axis=1)

    def to_frame(self):
        """Return the curves, averaged over the recordings, one row a fraction."""
        names = ("deletion", "random_deletion", "insertion", "random_insertion")
        curves = {name: getattr(self, name).mean(axis=0) for name in names}
        return pd.DataFrame({"fraction": self.fractions, **curves})


def faithfulness(
    model,
    X,
    explanation,
    *,
    target=None,
    background=None,
    features=None,
    sampling_rate=None,
    cell=(4, 0.125),
    n_steps=10,
    n_random=5,
    random_state=0,
):
    """Delete and insert the cells of recordings in the order of an explanation [1]_.

    Deletion replaces the cells from the most to the least important one; a faithful explanation
    makes the score of the class fall fast. Insertion starts from a recording in which everything is
    replaced and puts them back; the score should rise fast. Random orders are the measure of "fast".

    Parameters
    ----------
    model, X, background, features, sampling_rate
        As they were given to :func:`explain`.
    explanation : Explanation
        Of the same model and X.
    target : label, default=None
        The class whose score is followed; None is the predicted one of each recording.
    cell : tuple (int, float), default=(4, 0.125)
        Into how many bands the frequencies are divided, and seconds of a cell.
    n_steps : int, default=10
        Number of steps from nothing to everything.
    n_random : int, default=5
        Number of random orders.
    random_state : int, RandomState instance or None, default=0
        Draws the random orders.

    Returns
    -------
    Faithfulness

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
    table = isinstance(task.view, TableView)
    n_recordings = len(task.view.table if table else task.view.grids)
    if len(explanation) != n_recordings:
        raise ValueError(
            f"The explanation is of {len(explanation)} recordings and X holds {n_recordings}; pass the X "
            "that was explained."
        )
    values = explanation.feature_values if table else explanation.values
    if values is None:
        raise ValueError(
            "This explanation has values for the columns of a table, not for bands and frames; use "
            "method='kernel' in explain."
        )
    random_state = check_random_state(random_state)
    curves = []
    for row in range(n_recordings):
        index = explanation[row].class_index(target)
        number = np.arange(len(task.view.reference)) if table else cells_of(task, row, cell)
        n_cells = number.max() + 1
        value = np.bincount(number.ravel(), weights=values[row][index].ravel(), minlength=n_cells)
        orders = [np.argsort(-value, kind="stable")]
        orders += [random_state.permutation(n_cells) for _ in range(n_random)]
        each = [_curves(task.view, row, number, order, n_steps, index) for order in orders]
        curves.append([each[0], np.mean(each[1:], axis=0)])
    found = np.array(curves)  # recordings, explained or random, deletion or insertion, steps
    return Faithfulness(
        fractions=np.linspace(0, 1, n_steps + 1),
        deletion=found[:, 0, 0],
        insertion=found[:, 0, 1],
        random_deletion=found[:, 1, 0],
        random_insertion=found[:, 1, 1],
    )


def _curves(view, row, number, order, n_steps, index):
    """Return the scores of one class along deletion and insertion, of shape (2, n_steps + 1)."""
    place = np.argsort(order)[number]  # of the cell of each band and frame in the order
    ends = np.rint(np.linspace(0, len(order), n_steps + 1))
    taken = np.stack([place < end for end in ends])
    scores = view.score(row, np.concatenate([~taken, taken]))[:, index]
    return scores.reshape(2, n_steps + 1)
