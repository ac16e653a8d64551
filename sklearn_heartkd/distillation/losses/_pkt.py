"""Probabilistic knowledge transfer."""

from torch import nn

from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._pairwise import (
    FIXED,
    cosines,
    prior,
    row_divergence,
    unit,
)


class _PKTTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        teacher, weight = context.sample(1000)
        target = _neighbors(teacher.embedding, weight, FIXED)
        alike = row_divergence(target, prior(weight).expand_as(target), weight)
        self.unit = unit(alike, floor=1e-4)

    def forward(self, student, teacher, batch):
        own = _neighbors(student.embedding, batch.weight)
        other = _neighbors(teacher.embedding, batch.weight, FIXED)
        return row_divergence(other, own, batch.weight) / self.unit


class PKT(DistillationLoss):
    r"""Choose neighbors with the probabilities with which the teacher chooses them.

    .. math::
        \frac{1}{u} \sum_i w_i \mathrm{KL}(p^t_i \,\|\, p^s_i) \Big/ \sum_i w_i,
        \qquad p^s_{ij} \propto w_j (1 + \cos(s_i, s_j))

    for sample weights `w`, and :math:`p^t` likewise. Passalis and Tefas (2018), "Learning deep
    representations with probabilistic knowledge transfer", average over all pairs, so that the loss
    shrinks as the batch grows. The unit `u` is what a student costs for which all recordings are equally
    near, with the training data, at most 1000 rows, as one batch. In the batches of training, where a row
    is a larger part of its neighborhood, such a student costs more or less, the more so the less
    the teacher's rows have to do with one another. Where `u` is below 0.0001, the teacher hardly tells
    the recordings apart, and the loss falls to 0 with what is left.

    See Also
    --------
    SimilarityPreserving : Match the similarities themselves.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import PKT, DistilledClassifier
    >>> DistilledClassifier(RandomForestClassifier(), losses=PKT()).losses
    PKT()
    """

    _term = _PKTTerm


def _neighbors(x, weight, epsilon=1e-8):
    """Return the logarithms of the probabilities."""
    kernel = (1 + cosines(x, x, epsilon)).clamp_min(1e-6).log() + weight.log()
    return kernel.log_softmax(dim=1)
