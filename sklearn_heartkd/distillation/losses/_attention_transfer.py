"""Attention transfer over time."""

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool1d

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._pairwise import directions, unit


class _AttentionTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        sequence = context.teacher.sequence
        if sequence is None:
            raise ValueError(
                "AttentionTransfer needs the feature map of a teacher that is a single network of "
                "sklearn_heartkd, with cv=None; choose such a teacher or another loss."
            )
        if sequence.shape[2] == 1:
            raise ValueError(
                "AttentionTransfer compares moments, but the teacher's feature map has 1 step; give "
                "sequences of more frames or choose another loss."
            )
        self.teacher = _energy(sequence)
        self.weight = context.rows.weight
        self.units = {}

    def forward(self, student, teacher, batch):
        own, other = _energy(student.sequence), _energy(teacher.sequence)
        n_steps = min(own.shape[1], other.shape[1])
        scale = self._unit(round(self.teacher.shape[1] * n_steps / other.shape[1]))
        own = directions(adaptive_avg_pool1d(own, n_steps))
        other = directions(adaptive_avg_pool1d(other, n_steps))
        return weighted_mean((own - other).square().sum(dim=1), batch.weight) / scale

    def _unit(self, n_steps):
        # of whole recordings, which a batch may hold cropped, at the resolution of the comparison
        if n_steps not in self.units:
            attention = directions(adaptive_avg_pool1d(self.teacher, n_steps))
            error = (attention - n_steps**-0.5).square().sum(dim=1)
            self.units[n_steps] = unit(weighted_mean(error, self.weight))
        return self.units[n_steps]


class AttentionTransfer(DistillationLoss):
    r"""Match the moments to which the teacher pays attention.

    The attention :math:`a` of a network to each step of time is the mean square of its last feature
    map over the channels, scaled to length 1 over time. The loss is :math:`\|a_s - a_t\|^2 / u`, averaged
    over the rows; the longer attention is first averaged down to the steps of the shorter. The unit `u`
    is what a student costs that pays the same attention to every moment. After Zagoruyko and
    Komodakis (2017), "Paying more attention to attention".

    The teacher must be a single network of sklearn_heartkd, and `cv` None. Cached outputs belong to
    whole recordings: with a student that sees them cropped or shifted in time, let the teacher see the
    same, with ``teacher_outputs="augmented"``; otherwise `fit` warns. A student whose own feature map has
    a single step is refused there.

    See Also
    --------
    Hint : Match embeddings instead of moments.

    Examples
    --------
    >>> from sklearn_heartkd import Conv1DClassifier
    >>> from sklearn_heartkd.distillation import AttentionTransfer, DistilledClassifier
    >>> DistilledClassifier(Conv1DClassifier(), losses=AttentionTransfer()).losses
    AttentionTransfer()
    """

    needs_sequence = True
    default_weight = 0.1  # at 1 it drowned the labels: attention is harder to learn than classes

    _term = _AttentionTerm


def _energy(sequence):
    loudest = sequence.detach().abs().amax(dim=(1, 2), keepdim=True)
    return (sequence / torch.where(loudest > 0, loudest, 1)).square().mean(dim=1)
