"""Rows without labels: the teacher's answers about them, and their way into the student's training."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.utils import _safe_indexing

from sklearn_heartkd.classifiers._batches import UnlabeledRows
from sklearn_heartkd.distillation._prior import reweigh
from sklearn_heartkd.distillation._teaching import cached_outputs, feature_maps
from sklearn_heartkd.distillation.losses._base import TeacherOutput
from sklearn_heartkd.utils._nested import transform
from sklearn_heartkd.utils._unlabeled import rows_of_others
from sklearn_heartkd.utils._unwrap import walk


class GivenRows:
    """The rows of `X_unlabeled`.

    Parameters
    ----------
    X : array-like
        What the student's network takes.
    outputs : TeacherOutput
        The teacher's for all rows.
    weight : float
        Of each row, relative to a row that has a label.
    groups, groups_unlabeled : ndarray or None
        Subjects of the rows that have labels, and of these.
    """

    def __init__(self, X, outputs, weight, groups, groups_unlabeled):
        self.X = X
        self.outputs = outputs
        self.weight = weight
        self.groups = groups
        self.groups_unlabeled = groups_unlabeled

    def __call__(self, training, held_out):
        """Return the rows, without those of held-out subjects, and the teacher's outputs for them."""
        rows, subjects = np.arange(len(self.outputs.embedding)), self.groups_unlabeled
        if self.groups is not None and subjects is not None:
            rows = rows_of_others(self.groups, subjects, held_out)
        outputs = self.outputs.take(torch.from_numpy(rows))
        found = UnlabeledRows(
            _safe_indexing(self.X, rows),
            outputs.log_probabilities.argmax(dim=1).numpy(),
            np.full(len(rows), self.weight),
            None if subjects is None else subjects[rows],
        )
        return found, outputs


class FurtherRows:
    """All rows without labels that a student learns from, of several sources.

    A source is called with the rows of X that the student's network is trained on and those that early
    stopping holds out, after this split, and returns `UnlabeledRows` and the `TeacherOutput` for them.

    Attributes
    ----------
    sources : list of callable
    outputs : list of TeacherOutput
        Of each source, for the rows of the last call.
    """

    def __init__(self):
        self.sources = []
        self.outputs = []

    def __call__(self, training, held_out):
        """Return the `UnlabeledRows` of each source that has some."""
        found = [source(training, held_out) for source in self.sources]
        found = [(rows, outputs) for rows, outputs in found if len(rows.target)]
        self.outputs = [outputs for _, outputs in found]
        return [rows for rows, _ in found]

    def behind(self, outputs):
        """Return the teacher's outputs for the rows of X, and behind them those for the further rows."""
        if not self.outputs:
            return outputs
        parts = [outputs, *self.outputs]
        sequences = [part.sequence for part in parts]
        return TeacherOutput(
            torch.cat([part.log_probabilities for part in parts]),
            torch.cat([part.embedding for part in parts]),
            None if outputs.sequence is None else torch.cat(sequences),
        )


def given_rows(owner, predictions, shares, student, params, *, needs_maps):
    """Return `X_unlabeled` in `params` as a source, with the answers in the teachers' `predictions`."""
    X = params["X_unlabeled"]
    maps = feature_maps(predictions, X) if needs_maps else None
    outputs = cached_outputs([one.unlabeled for one in predictions], shares, maps)
    if owner.unlabeled_prior is not None:
        answers = outputs.log_probabilities.exp().numpy()
        answers = torch.from_numpy(reweigh(answers, owner.unlabeled_prior, owner.classes_))
        outputs = replace(outputs, log_probabilities=answers.clamp_min(1e-12).log())
    head = [step for part in walk(student) for step in part.before]
    groups, groups_unlabeled = params["groups"], params.get("groups_unlabeled")
    return GivenRows(transform(head, X), outputs, owner.unlabeled_weight, groups, groups_unlabeled)
