"""Hints: regression onto the teacher's embedding."""

import torch
from torch import nn

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss


class _HintTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        self.map = nn.Linear(context.student_size, context.teacher_size)
        embedding = context.teacher.embedding
        share = context.rows.weight / context.rows.weight.sum()
        self.mean = share @ embedding
        variance = share @ (embedding - self.mean).square()
        # what is constant but for rounding stays as it is
        self.scale = torch.where(
            variance > 1e-12 * (share @ embedding.square()), variance.sqrt(), 1
        )

    def forward(self, student, teacher, batch):
        target = (teacher.embedding - self.mean) / self.scale
        error = (self.map(student.embedding) - target).square().mean(dim=1)
        return weighted_mean(error, batch.weight)


class Hint(DistillationLoss):
    r"""Predict the teacher's embedding by a linear map of the student's.

    :math:`\| W s + b - z(t) \|^2 / D`, averaged over the rows, where `z` gives each of the teacher's `D`
    dimensions zero mean and unit variance over the training data: predicting the mean costs 1. After
    Romero et al. (2015), "FitNets: hints for thin deep nets".

    See Also
    --------
    InfoNCE : Recognize the teacher's embedding instead of predicting it.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, Hint
    >>> DistilledClassifier(RandomForestClassifier(), losses=Hint()).losses
    Hint()
    """

    _term = _HintTerm
