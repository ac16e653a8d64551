"""The interface of the distillation losses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.networks import NetworkOutput


@dataclass(frozen=True)
class TeacherOutput:
    """Outputs of the teacher for the rows of a batch, or for all rows of the training data.

    The outputs of several teachers are joined: probabilities averaged, embeddings side by side.

    Parameters
    ----------
    log_probabilities : Tensor of shape (n, n_classes)
        They serve as logits: a softmax of log p / T is that of the logits / T.
    embedding : Tensor of shape (n, n_dimensions)
        Log-probabilities where the teacher has no embeddings.
    sequence : Tensor of shape (n, n_maps, n_steps) or None
        The teacher's last feature map, where it is a single network of this package and a loss needs it.

    See Also
    --------
    LossContext : What a loss knows before training.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.distillation import TeacherOutput
    >>> output = TeacherOutput(torch.zeros(4, 2), torch.zeros(4, 8))
    >>> output.take(slice(3)).embedding.shape
    torch.Size([3, 8])
    """

    log_probabilities: Tensor
    embedding: Tensor
    sequence: Tensor | None = None

    def take(self, rows: Any) -> "TeacherOutput":
        """Return the outputs for some rows.

        Parameters
        ----------
        rows : Tensor of int or bool, or slice
            Chosen rows.

        Returns
        -------
        TeacherOutput
            Outputs for these rows.
        """
        return TeacherOutput(
            self.log_probabilities[rows],
            self.embedding[rows],
            None if self.sequence is None else self.sequence[rows],
        )


@dataclass(frozen=True)
class LossContext:
    """What a loss may need to know before training starts.

    `DistilledClassifier` hands it to `DistillationLoss.make_term`.

    Parameters
    ----------
    student_size : int
        Dimensions of the student's embedding.
    teacher_size : int
        Dimensions of the teacher's embedding.
    n_classes : int
        Number of classes.
    teacher : TeacherOutput
        Outputs for all rows of the training data, unaugmented.
    rows : Batch
        All rows of the training data; `rows.index` numbers are those of the batches.
    label_smoothing : float
        Parameter of the student.
    ask_student : callable
        Returns the student's `NetworkOutput` for a `Batch`.
    ask_teacher : callable
        Returns the `TeacherOutput` for a `Batch`. Where the teacher's outputs are cached, all views of
        a recording have the outputs of the recording.

    See Also
    --------
    DistillationLoss : Uses it.

    Examples
    --------
    >>> from sklearn_heartkd.distillation import DistillationLoss
    >>> class Mine(DistillationLoss):
    ...     def make_term(self, context):
    ...         return MyTerm(context.student_size, context.teacher_size)
    """

    student_size: int
    teacher_size: int
    n_classes: int
    teacher: TeacherOutput
    rows: Batch
    label_smoothing: float
    ask_student: Callable[[Batch], NetworkOutput]
    ask_teacher: Callable[[Batch], TeacherOutput]

    def sample(self, limit: int) -> tuple[TeacherOutput, Tensor]:
        """Choose rows of the training data, evenly spread.

        Parameters
        ----------
        limit : int
            Largest number of rows.

        Returns
        -------
        teacher : TeacherOutput
            The teacher's outputs for these rows.
        weight : Tensor of shape (n,)
            Their sample weights.
        """
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
    loss has labels: then the batch says what was mixed. Rows without a label come with the class that the
    teacher finds most probable, and count as of this class where a loss compares classes; a loss that has
    labels must leave out those that `batch.labeled` marks as without. Parameters of the module, such as
    projection heads, are trained along and thrown away after `fit`.

    Attributes
    ----------
    default_weight : float
        Weight of the loss where none is given.
    min_classes : int
        Fewest classes for which the loss is defined.
    has_labels : bool
        Whether it holds a cross-entropy with the labels, so that none is added, and mixed rows keep
        both of theirs.
    needs_sequence : bool
        Whether it needs the teacher's feature map.
    counts_weights : bool
        Whether sample weights count as repetitions, so that their size matters, not only their ratios.

    See Also
    --------
    LossContext : The argument of `make_term`.
    sklearn_heartkd.DistilledClassifier : Takes losses by name or as objects.

    Examples
    --------
    >>> import torch
    >>> from sklearn_heartkd.distillation import DistillationLoss
    >>> class Distance(torch.nn.Module):
    ...     def forward(self, student, teacher, batch):
    ...         own = student.logits.log_softmax(dim=1)
    ...         return (own - teacher.log_probabilities).square().mean()
    >>> class LogDistance(DistillationLoss):
    ...     def make_term(self, context):
    ...         return Distance()
    >>> LogDistance()
    LogDistance()
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
        labeled=None if batch.labeled is None else batch.labeled[larger],
    )
