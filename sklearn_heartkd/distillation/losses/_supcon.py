"""Supervised contrast between the student's rows and the teacher's."""

import math
from numbers import Integral, Real

import torch
from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn import functional

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss


class SupCon(DistillationLoss):
    r"""Be similar to the teacher's embeddings of the same class, and of no other.

    .. math::
        -\frac{1}{\sum_{p \in P(i)} w_p} \sum_{p \in P(i)} w_p
        \log \frac{\exp(k(s_i, t_p))}{\sum_j w_j \exp(k(s_i, t_j))}
        \Big/ \log \sum_j w_j,
        \qquad k(s, t) = \cos(h_s(s), h_t(t)) / \tau

    averaged over the rows of the batch, where `P(i)` are the teacher's rows of the class of row `i`
    and `j` runs over all of the batch, with sample weights `w`, which count as repetitions of the rows.
    Where they are 1 on average, guessing costs 1, whatever the batch size. After Khosla et al. (2020),
    "Supervised contrastive learning".

    Parameters
    ----------
    dimensions : int, default=64
        Size of the space into which linear heads project both embeddings.
    temperature : float, default=0.1
        Divides the cosine similarities.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, SupCon
    >>> DistilledClassifier(RandomForestClassifier(), losses=SupCon(dimensions=32)).losses
    SupCon(dimensions=32)
    """

    default_weight = 0.5
    counts_weights = True

    _parameter_constraints: dict = {
        "dimensions": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, dimensions=64, temperature=0.1):
        self.dimensions = dimensions
        self.temperature = temperature

    def make_term(self, context):
        """Return the torch module that computes the loss."""
        return _SupConTerm(
            context.student_size, context.teacher_size, self.dimensions, self.temperature
        )


class _SupConTerm(nn.Module):
    def __init__(self, student_size, teacher_size, dimensions, temperature):
        super().__init__()
        self.student_head = nn.Linear(student_size, dimensions)
        self.teacher_head = nn.Linear(teacher_size, dimensions)
        self.temperature = temperature

    def forward(self, student, teacher, batch):
        own = functional.normalize(self.student_head(student.embedding), dim=1)
        other = functional.normalize(self.teacher_head(teacher.embedding), dim=1)
        similarity = own @ other.T / self.temperature
        target = batch.target
        positive = torch.where(target[:, None] == target, batch.weight, 0)
        positive = positive / positive.sum(dim=1, keepdim=True)
        total = (similarity + batch.weight.log()).logsumexp(dim=1)
        guess = batch.weight.sum().log().clamp_min(math.log(2))
        return weighted_mean((total - (positive * similarity).sum(dim=1)) / guess, batch.weight)
