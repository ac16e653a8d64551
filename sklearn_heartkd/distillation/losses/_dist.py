"""Distillation from a stronger teacher, by correlations."""

from numbers import Real

from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_heartkd.classifiers._training import weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._pairwise import directions


class _DISTTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        self.beta = loss.beta
        self.gamma = loss.gamma
        self.temperature = loss.temperature

    def forward(self, student, teacher, batch):
        own = (student.logits / self.temperature).softmax(dim=1)
        other = (teacher.log_probabilities / self.temperature).softmax(dim=1)
        between = (_between_classes(own) * _between_classes(other)).sum(dim=1)
        share = batch.weight[:, None] / batch.weight.sum()
        within = (_within_class(own, share) * _within_class(other, share)).sum(dim=0)
        return self.beta * weighted_mean(1 - between, batch.weight) + self.gamma * (
            1 - within.mean()
        )


class DIST(DistillationLoss):
    r"""Correlate with the teacher's probabilities instead of matching them.

    .. math::
        \beta \, \big(1 - \rho(p^s_{i \cdot}, p^t_{i \cdot})\big)
        + \gamma \, \big(1 - \rho(p^s_{\cdot c}, p^t_{\cdot c})\big)

    averaged over rows `i` and classes `c`, where :math:`\rho` is Pearson's correlation (within a class
    over the rows of the batch, weighted by the sample weights) and `p` are softened probabilities. No
    correlation costs 1 each; so does a constant, such as the only row of a batch. After Huang et
    al. (2022), "Knowledge distillation from a stronger teacher".

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the correlation between the classes of a row.
    gamma : float, default=1.0
        Weight of the correlation between the rows within a class.
    temperature : float, default=1.0
        Softmax temperature of the probabilities.

    See Also
    --------
    SoftTargets : Match the probabilities themselves.

    Notes
    -----
    With two classes the correlation between them is always 1 or -1 and teaches nothing;
    `DistilledClassifier.fit` raises ValueError.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DIST, DistilledClassifier
    >>> DistilledClassifier(RandomForestClassifier(), losses=DIST(gamma=2.0)).losses
    DIST(gamma=2.0)
    """

    min_classes = 3
    _term = _DISTTerm

    _parameter_constraints: dict = {
        "beta": [Interval(Real, 0, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, beta: float = 1.0, gamma: float = 1.0, temperature: float = 1.0) -> None:
        self.beta = beta
        self.gamma = gamma
        self.temperature = temperature


def _between_classes(p):
    return directions(p - p.mean(dim=1, keepdim=True))


def _within_class(p, share):
    return directions(share.sqrt() * (p - (share * p).sum(dim=0)), dim=0)
