"""The interface of the distillation losses."""

from dataclasses import dataclass

import torch
from sklearn.base import BaseEstimator
from torch import Tensor


@dataclass(frozen=True)
class TeacherOutput:
    """What the teacher says about the rows of a batch, or about all rows of the training data.

    Attributes
    ----------
    log_probabilities : Tensor of shape (n, n_classes)
        They serve as logits: a softmax of log p / T is that of the logits / T.
    embedding : Tensor of shape (n, n_dimensions)
        Log-probabilities where the teacher has no embeddings.
    sequence : Tensor of shape (n, n_maps, n_steps) or None
        The teacher's last feature map, where it is one of our networks.
    """

    log_probabilities: Tensor
    embedding: Tensor
    sequence: Tensor | None = None

    def take(self, rows):
        """Return the outputs for some rows."""
        return TeacherOutput(
            self.log_probabilities[rows],
            self.embedding[rows],
            None if self.sequence is None else self.sequence[rows],
        )


@dataclass(frozen=True)
class Setting:
    """What a loss may need to know before training starts.

    Attributes
    ----------
    student_size, teacher_size : int
        Dimensions of the embeddings.
    n_classes : int
    teacher : TeacherOutput
        Outputs for all rows of the training data, unaugmented.
    rows : Batch
        All rows of the training data; `rows.index` numbers are those of the batches.
    """

    student_size: int
    teacher_size: int
    n_classes: int
    teacher: TeacherOutput
    rows: object


class DistillationLoss(BaseEstimator):
    """Base class of the losses: parameters, and a recipe for the torch module that computes it.

    A subclass implements ``make_term(setting)``, which returns a torch module called as
    ``term(student, teacher, batch)`` with the student's
    :class:`~sklearn_heartkd.networks.NetworkOutput`, the `TeacherOutput` for the same rows and the
    :class:`~sklearn_heartkd.augmentation.Batch`, and returns the loss as a scalar. Parameters of the
    module, such as projection heads, are trained along and thrown away after `fit`.

    Attributes
    ----------
    default_weight : float
        Weight of the loss where none is given.
    """

    default_weight = 1.0

    def make_term(self, setting):
        """Return the torch module that computes the loss."""
        raise NotImplementedError


def dominant_target(batch):
    """Return the class that has the larger share in each row, under mixup too."""
    if batch.partner is None:
        return batch.target
    return torch.where(batch.share >= 0.5, batch.target, batch.target[batch.partner])
