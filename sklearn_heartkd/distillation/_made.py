"""Rows made from those that a student is trained on, and the teachers' answers about them."""

import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_heartkd.classifiers._batches import UnlabeledRows
from sklearn_heartkd.distillation._teaching import ask, cached_outputs
from sklearn_heartkd.utils._nested import transform
from sklearn_heartkd.utils._unwrap import walk


class MadeRows:
    """A source of `FurtherRows` that makes rows after the split of early stopping.

    So nothing of a row that is held out is in a made one.

    Parameters
    ----------
    owner : DistilledClassifier
    predictions : list of TeacherPredictions
        The fitted teachers, which answer about the made rows.
    shares : list of float
        Of the teachers.
    student : estimator
        Its steps before the network are fitted.
    X : array-like
        The table.
    seed : int
    """

    def __init__(self, owner, predictions, shares, student, X, seed):
        self.owner = owner
        self.predictions = predictions
        self.shares = shares
        self.head = [step for part in walk(student) for step in part.before]
        self.X = X
        self.seed = seed

    def __call__(self, training, held_out):
        """Return the rows, of which each is of a separate subject, and the teacher's outputs for them."""
        made = self.owner.transfer.make(_safe_indexing(self.X, training), self.seed)
        answers = [
            ask(
                one.teacher,
                made,
                self.owner.classes_,
                f"The teacher {one.name!r}",
                embeds=self.owner.cv is None,
            )
            for one in self.predictions
        ]
        outputs = cached_outputs(answers, self.shares)
        target = outputs.log_probabilities.argmax(dim=1).numpy()
        return UnlabeledRows(transform(self.head, made), target, np.ones(len(target))), outputs


def keep_labels(terms, transfer):
    """Return the losses with a cross-entropy that counts as much as without made rows.

    A row without label counts as 0 in its mean.
    """
    factor = 1 + transfer.n_copies
    return [
        (name, loss, weight * factor if loss.has_labels else weight) for name, loss, weight in terms
    ]
