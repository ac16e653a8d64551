"""The interface of the distillation losses."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.networks import NetworkOutput


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
        The teacher's last feature map, where it is a single network of ours and a loss asks for it.
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
class LossContext:
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
    label_smoothing : float
        The student's own.
    ask_student, ask_teacher : callable
        Return the student's `NetworkOutput` and the `TeacherOutput` for a `Batch`. A teacher whose
        outputs are cached says about every view of a recording what it says about the recording.
    """

    student_size: int
    teacher_size: int
    n_classes: int
    teacher: TeacherOutput
    rows: Batch
    label_smoothing: float
    ask_student: Callable[[Batch], NetworkOutput]
    ask_teacher: Callable[[Batch], TeacherOutput]

    def sample(self, limit):
        """Return the teacher's outputs and the weights of at most `limit` rows, evenly spread."""
        n = len(self.rows)
        chosen = torch.linspace(0, n - 1, min(n, limit)).round().long().to(self.rows.weight.device)
        return self.teacher.take(chosen), self.rows.weight[chosen]


class DistillationLoss(BaseEstimator):
    """Base class of the losses: parameters, and a recipe for the torch module that computes it.

    A subclass implements ``make_term(context)``, which returns a torch module called as
    ``term(student, teacher, batch)`` with the student's
    :class:`~sklearn_heartkd.networks.NetworkOutput`, the `TeacherOutput` for the same rows and the
    :class:`~sklearn_heartkd.augmentation.Batch`, and returns the loss as a scalar. Rows that were mixed
    come with the class, subject and index of their larger part and the mean weight of both, unless the
    loss has labels: then the batch says what was mixed. Parameters of the module, such as projection
    heads, are trained along and thrown away after `fit`.

    Attributes
    ----------
    default_weight : float
        Weight of the loss where none is given.
    min_classes : int
        Fewest classes with which the loss says anything.
    has_labels : bool
        Whether it holds a cross-entropy with the labels, so that none is added, and mixed rows keep
        both of theirs.
    needs_sequence : bool
        Whether it needs the teacher's feature map.
    counts_weights : bool
        Whether sample weights count as repetitions, so that their size matters, and not their ratios
        alone.
    """

    default_weight = 1.0
    min_classes = 2
    has_labels = False
    needs_sequence = False
    counts_weights = False
    _term: Callable[..., torch.nn.Module] | None = None  # of the losses of this package
    _parameter_constraints: dict = {}

    def make_term(self, context: LossContext) -> torch.nn.Module:
        """Make the torch module that computes the loss.

        Parameters
        ----------
        context : LossContext
            What is known before training starts.

        Returns
        -------
        Module
            Called as ``term(student, teacher, batch)``.
        """
        if self._term is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no method make_term(context) that returns the torch module "
                "which computes the loss."
            )
        return self._term(self, context)


def settle(batch):
    """Return a batch whose mixed rows are one recording each, as far as they can be.

    They have the class, subject and index of the part with the larger share, and the mean weight of
    both parts.
    """
    if batch.partner is None:
        return batch
    share, partner = batch.share, batch.partner
    larger = torch.where(share >= 0.5, torch.arange(len(share), device=share.device), partner)
    return replace(
        batch,
        target=batch.target[larger],
        subject=batch.subject[larger],
        index=batch.index[larger],
        weight=share * batch.weight + (1 - share) * batch.weight[partner],
        partner=None,
        share=None,
    )
