"""In-batch contrastive distillation."""

import math

import torch

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._contrast import ContrastiveLoss, ContrastiveTerm


class _InfoNCETerm(ContrastiveTerm):
    def forward(self, student, teacher, batch):
        own, other = self.project(student, teacher)
        similarity = own @ other.T / self.temperature
        target = batch.target
        related = target[:, None] == target
        related = related | (batch.subject[:, None] == batch.subject)
        # a row is related to itself, but it is the one to be recognized
        itself = torch.eye(len(target), dtype=torch.bool, device=target.device)
        negatives = (similarity + batch.weight.log()).masked_fill(related, -math.inf)
        positive = similarity.diagonal()
        candidates = torch.where(itself, similarity, negatives)
        loss = candidates.logsumexp(dim=1) - positive
        guess = torch.where(related, 0, batch.weight).sum(dim=1).log1p()
        # a row without negatives has nothing to learn here: its loss is 0
        return weighted_mean(loss / guess.clamp_min(math.log(2)), batch.weight)


class InfoNCE(ContrastiveLoss):
    r"""Recognize the teacher's embedding of the same recording among those of the batch.

    The cross-entropy of the similarities :math:`\cos(h_s(e_s), h_t(e_t)) / \tau` with the recording
    itself as target. Other recordings of the same class or the same subject are not used as negatives: with
    few classes they would be wrong ones. Sample weights count as repetitions of the negatives, so that
    weights far below 1 leave few of them. The result is divided by the logarithm of the number of
    candidates, so that guessing costs 1. After van den Oord et al. (2018), "Representation learning with
    contrastive predictive coding", and Tian et al. (2020), "Contrastive representation distillation".

    Parameters
    ----------
    dimensions : int, default=64
        Size of the space into which linear heads project both embeddings.
    temperature : float, default=0.1
        Divides the cosine similarities.

    See Also
    --------
    CRD : Contrast with all recordings.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, InfoNCE
    >>> DistilledClassifier(RandomForestClassifier(), losses=InfoNCE(dimensions=32)).losses
    InfoNCE(dimensions=32)
    """

    default_weight = 0.2
    _term = _InfoNCETerm
