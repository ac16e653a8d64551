"""Similarity-preserving distillation."""

from torch import nn

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._pairwise import unit


class _SimilarityTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        teacher, weight = context.sample(1000)
        alike = _mean_square(_similarities(teacher.embedding, weight) - 1, weight)
        self.unit = unit(alike, floor=1e-2)

    def forward(self, student, teacher, batch):
        own = _similarities(student.embedding, batch.weight)
        other = _similarities(teacher.embedding, batch.weight)
        return _mean_square(own - other, batch.weight) / self.unit


class SimilarityPreserving(DistillationLoss):
    r"""Find those recordings similar that the teacher finds similar.

    .. math::
        \frac{1}{u} \sum_i w_i \sum_j w_j
        \Big(\frac{s_i \cdot s_j}{\sqrt{\sum_k w_k (s_i \cdot s_k)^2}}
        - \frac{t_i \cdot t_j}{\sqrt{\sum_k w_k (t_i \cdot t_k)^2}}\Big)^2 \Big/ \sum_i w_i

    for sample weights `w`. Tung and Mori (2019), "Similarity-preserving knowledge distillation",
    divide by the square of the batch size, although the rows have length 1; without that the loss
    does not shrink as the batch grows. The unit `u` is what a student costs that finds all recordings
    equally similar; below 0.01 the teacher hardly tells them apart, and the loss falls to 0 with what
    is left.

    See Also
    --------
    PKT : Match the neighbors that the similarities give.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, SimilarityPreserving
    >>> DistilledClassifier(RandomForestClassifier(), losses=SimilarityPreserving()).losses
    SimilarityPreserving()
    """

    _term = _SimilarityTerm


def _similarities(x, weight):
    x = x / (weighted_mean(x.square().sum(dim=1), weight) + 1e-12).sqrt()
    gram = x @ x.T
    share = weight / weight.sum()
    return gram / ((share * gram.square()).sum(dim=1, keepdim=True) + 1e-10).sqrt()


def _mean_square(difference, weight):
    return weighted_mean(difference.square() @ (weight / weight.sum()), weight)
