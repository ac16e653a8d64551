"""Decoupled knowledge distillation."""

from numbers import Real

import torch
from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn import functional

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._soft_targets import standardized


class _DKDTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        self.alpha = loss.alpha
        self.beta = loss.beta
        self.temperature = loss.temperature
        self.standardize = loss.standardize

    def forward(self, student, teacher, batch):
        target = batch.target
        own, other = student.logits, teacher.log_probabilities
        if self.standardize:
            own, other = standardized(own), standardized(other)
        own_binary, own_rest = _decouple(own / self.temperature, target)
        binary, rest = _decouple(other / self.temperature, target)
        loss = self.alpha * _divergence(binary, own_binary)
        loss = loss + self.beta * _divergence(rest, own_rest)
        return self.temperature**2 * weighted_mean(loss, batch.weight)


class DKD(DistillationLoss):
    r"""Soft targets, taken apart into the true class against the rest, and the rest among themselves.

    .. math::
        T^2 \big(\alpha \, \mathrm{KL}(b^t \,\|\, b^s) + \beta \, \mathrm{KL}(q^t \,\|\, q^s)\big)

    averaged over the rows, where `b` are the softened probabilities of the true class and of all
    others together, and `q` those of the others given that the true class is not meant. In
    :class:`SoftTargets` the second part counts the less, the surer the teacher is. After Zhao et
    al. (2022), "Decoupled knowledge distillation". Their warm-up is left to the learning rate's.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the true class.
    beta : float, default=2.0
        Weight of the others.
    temperature : float, default=2.0
        The higher, the more the small probabilities count.
    standardize : bool, default=False
        Whether to standardize the logits of each row first, as in :class:`SoftTargets`.

    See Also
    --------
    SoftTargets : The same divergence as one term.

    Notes
    -----
    With two classes nothing is left besides the true class and one other; `DistilledClassifier.fit`
    raises ValueError.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DKD, DistilledClassifier
    >>> DistilledClassifier(RandomForestClassifier(), losses=DKD(beta=4.0)).losses
    DKD(beta=4.0)
    """

    min_classes = 3
    _term = _DKDTerm

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "standardize": ["boolean"],
    }

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 2.0,
        temperature: float = 2.0,
        *,
        standardize: bool = False,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.standardize = standardize


def _decouple(logits, target):
    """Return log-probabilities of target and rest, (n, 2), and within the rest, (n, n_classes - 1)."""
    others = torch.ones_like(logits, dtype=torch.bool).scatter(1, target[:, None], False)
    rest = logits[others].reshape(len(logits), -1)
    binary = torch.cat([logits.gather(1, target[:, None]), rest.logsumexp(1, keepdim=True)], dim=1)
    return binary.log_softmax(dim=1), rest.log_softmax(dim=1)


def _divergence(target, own):
    return functional.kl_div(own, target, reduction="none", log_target=True).sum(dim=1)
