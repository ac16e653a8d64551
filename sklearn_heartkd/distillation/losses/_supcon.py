"""Supervised contrast between the student's rows and the teacher's."""

import math

import torch

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._contrast import ContrastiveLoss, ContrastiveTerm


class _SupConTerm(ContrastiveTerm):
    def forward(self, student, teacher, batch):
        own, other = self.project(student, teacher)
        similarity = own @ other.T / self.temperature
        target = batch.target
        positive = torch.where(target[:, None] == target, batch.weight, 0)
        positive = positive / positive.sum(dim=1, keepdim=True)
        total = (similarity + batch.weight.log()).logsumexp(dim=1)
        guess = batch.weight.sum().log().clamp_min(math.log(2))
        return weighted_mean((total - (positive * similarity).sum(dim=1)) / guess, batch.weight)


class SupCon(ContrastiveLoss):
    r"""Be similar to the teacher's embeddings of the same class, and of no other.

    .. math::
        -\frac{1}{\sum_{p \in P(i)} w_p} \sum_{p \in P(i)} w_p
        \log \frac{\exp(k(s_i, t_p))}{\sum_j w_j \exp(k(s_i, t_j))}
        \Big/ \log \sum_j w_j,
        \qquad k(s, t) = \cos(h_s(s), h_t(t)) / \tau

    averaged over the rows of the batch, where `P(i)` are the teacher's rows of the class of row `i`
    and `j` runs over all of the batch, with sample weights `w`, which count as repetitions of the rows.
    Where they are 1 on average, guessing costs 1, for any batch size. After Khosla et al. (2020),
    "Supervised contrastive learning".

    Parameters
    ----------
    dimensions : int, default=64
        Size of the space into which linear heads project both embeddings.
    temperature : float, default=0.1
        Divides the cosine similarities.

    See Also
    --------
    InfoNCE : Contrast with the teacher's embedding of the same recording only.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, SupCon
    >>> DistilledClassifier(RandomForestClassifier(), losses=SupCon(dimensions=32)).losses
    SupCon(dimensions=32)
    """

    default_weight = 0.5
    _term = _SupConTerm
