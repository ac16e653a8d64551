"""Contrast with the teacher's embeddings of all training data."""

import math

import torch
from torch.nn import functional

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._contrast import ContrastiveLoss, ContrastiveTerm


class _CRDTerm(ContrastiveTerm):
    def __init__(self, loss, context):
        super().__init__(loss, context)
        # of each row as it was last seen in training
        self.memory = context.teacher.embedding.clone()
        self.rows = context.rows
        index = self.rows.index
        self.place = index.new_zeros(int(index.max()) + 1)
        self.place[index] = torch.arange(len(index), device=index.device)

    def forward(self, student, teacher, batch):
        own, same = self.project(student, teacher)
        others = functional.normalize(self.teacher_head(self.memory), dim=1)
        positive = (own * same).sum(dim=1) / self.temperature
        related = batch.target[:, None] == self.rows.target
        related = related | (batch.subject[:, None] == self.rows.subject)
        related = related | (batch.index[:, None] == self.rows.index)
        negatives = own @ others.T / self.temperature + self.rows.weight.log()
        negatives = negatives.masked_fill(related, -math.inf)
        candidates = torch.cat([positive[:, None], negatives], dim=1)
        # the cost of guessing: the logarithm of the number of candidates
        guess = torch.where(related, 0, self.rows.weight).sum(dim=1).log1p()
        if self.training:
            self._remember(self.place[batch.index], teacher.embedding.detach())
        loss = (candidates.logsumexp(dim=1) - positive) / guess.clamp_min(math.log(2))
        return weighted_mean(loss, batch.weight)

    def _remember(self, place, embedding):
        # mixed rows may share their larger part: the last of them counts, on every device
        position = torch.arange(len(place), device=place.device)
        last = place.new_full((len(self.memory),), -1)
        last = last.scatter_reduce(0, place, position, "amax")
        kept = last[place] == position
        self.memory = self.memory.index_put((place[kept],), embedding[kept])


class CRD(ContrastiveLoss):
    r"""Recognize the teacher's embedding of the same recording among those of all recordings.

    .. math::
        -\log \frac{\exp(k(s_i, t_i))}{\exp(k(s_i, t_i)) + \sum_{j \in N(i)} w_j \exp(k(s_i, t_j))}
        \Big/ \log\Big(1 + \sum_{j \in N(i)} w_j\Big),
        \qquad k(s, t) = \cos(h_s(s), h_t(t)) / \tau

    averaged over the rows of the batch, where `N(i)` are all rows of the training data of other
    classes and other subjects, with sample weights `w`, which count as repetitions, so that weights far
    below 1 leave few negatives. Tian, Krishnan and Isola (2020), "Contrastive
    representation distillation", draw thousands of negatives from a memory bank and estimate the
    normalizer; heart-sound collections are small enough for all of them and for the exact softmax,
    so that nothing is estimated. The memory holds the teacher's embedding of each row as it was last
    seen in training, augmented or not, so that augmentation does not give a row away. Guessing
    costs 1, for any number of negatives.

    Parameters
    ----------
    dimensions : int, default=128
        Size of the space into which linear heads project both embeddings.
    temperature : float, default=0.07
        Divides the cosine similarities.

    See Also
    --------
    InfoNCE : Contrast within the batch.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import CRD, DistilledClassifier
    >>> DistilledClassifier(RandomForestClassifier(), losses="kd+crd").losses
    'kd+crd'
    >>> DistilledClassifier(RandomForestClassifier(), losses=CRD(temperature=0.1)).losses
    CRD(temperature=0.1)
    """

    default_weight = 0.5
    _term = _CRDTerm

    def __init__(self, dimensions: int = 128, temperature: float = 0.07) -> None:
        self.dimensions = dimensions
        self.temperature = temperature
