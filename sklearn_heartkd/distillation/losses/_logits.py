"""Regression onto the teacher's logits."""

import math

from torch import nn

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss


class _LogitsTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        weight = context.rows.weight
        # the n of the teacher's training: rows without labels are none of its
        labeled = context.rows.labeled
        n = (weight if labeled is None else weight[labeled]).sum().item()
        self.floor = math.log(0.5 / n)
        size = weighted_mean(self._target(context.teacher).square().mean(dim=1), weight)
        self.size = size.item() if size > 1e-12 else 1.0

    def forward(self, student, teacher, batch):
        error = (_centered(student.logits) - self._target(teacher)).square().mean(dim=1)
        return weighted_mean(error, batch.weight) / self.size

    def _target(self, teacher):
        return _centered(teacher.log_probabilities.clamp_min(self.floor))


class Logits(DistillationLoss):
    r"""Predict the teacher's logits, a regression.

    :math:`\| c(s) - c(\log \max(p^t, 1 / 2n)) \|^2`, where `c` subtracts the mean over the classes,
    averaged over the rows and divided by its value for a student that knows nothing: equal logits cost
    1. The floor, for `n` training rows, keeps a teacher that is sure, such as a tree of pure leaves,
    from setting the scale. After Ba and Caruana (2014), "Do deep nets really need to be deep?".

    See Also
    --------
    SoftTargets : Match the probabilities instead of their logarithms.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, Logits
    >>> DistilledClassifier(RandomForestClassifier(), losses=Logits()).losses
    Logits()
    """

    counts_weights = True
    _term = _LogitsTerm


def _centered(logits):
    return logits - logits.mean(dim=1, keepdim=True)
