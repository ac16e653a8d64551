"""Cross-entropy with the labels, and the teacher's soft targets."""

from numbers import Real

from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn import functional

from sklearn_heartkd.classifiers._training import Objective, weighted_mean
from sklearn_heartkd.distillation.losses._base import DistillationLoss


class _CrossEntropyTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        own = loss.label_smoothing
        self.objective = Objective(context.label_smoothing if own is None else own)

    def forward(self, student, teacher, batch):
        return self.objective(student, batch)


class CrossEntropy(DistillationLoss):
    r"""Cross-entropy with the labels, under mixup with both.

    :math:`-\sum_c q_c \log \mathrm{softmax}(s)_c`, averaged over the rows, for logits `s` of the student
    and the label as `q`, smoothed after Szegedy et al. (2016), "Rethinking the inception architecture
    for computer vision".

    Parameters
    ----------
    label_smoothing : float, default=None
        Share of the target probability that is spread over all classes; None is the student's own.

    See Also
    --------
    SoftTargets : Match the teacher's probabilities.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import CrossEntropy, DistilledClassifier
    >>> losses = [("ce", CrossEntropy(label_smoothing=0.1), 0.5), ("kd", "kd", 0.5)]
    >>> DistilledClassifier(RandomForestClassifier(), losses=losses).losses[0]
    ('ce', CrossEntropy(label_smoothing=0.1), 0.5)
    """

    default_weight = 0.3
    has_labels = True
    _term = _CrossEntropyTerm

    _parameter_constraints: dict = {"label_smoothing": [Interval(Real, 0, 1, closed="left"), None]}

    def __init__(self, label_smoothing: float | None = None) -> None:
        self.label_smoothing = label_smoothing


class _SoftTargetsTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        self.temperature = loss.temperature
        self.standardize = loss.standardize

    def forward(self, student, teacher, batch):
        own, other = student.logits, teacher.log_probabilities
        if self.standardize:
            own, other = standardized(own), standardized(other)
        divergence = functional.kl_div(
            functional.log_softmax(own / self.temperature, dim=1),
            functional.log_softmax(other / self.temperature, dim=1),
            reduction="none",
            log_target=True,
        ).sum(dim=1)
        return self.temperature**2 * weighted_mean(divergence, batch.weight)


class SoftTargets(DistillationLoss):
    r"""The teacher's softened probabilities as targets.

    :math:`T^2 \, \mathrm{KL}(\mathrm{softmax}(t / T) \,\|\, \mathrm{softmax}(s / T))`, averaged over
    the rows, for logits `t` of the teacher and `s` of the student. After Hinton, Vinyals and Dean
    (2015), "Distilling the knowledge in a neural network".

    Parameters
    ----------
    temperature : float, default=2.0
        The higher, the more the small probabilities count.
    standardize : bool, default=False
        Whether to give the logits of each row, on both sides, zero mean and unit deviation first, so
        that the student learns their order and ratios and not how sure the teacher is. After Sun et al.
        (2024), "Logit standardization in knowledge distillation". Needs three classes: of two, the
        standardized logits are always the same.

    See Also
    --------
    DKD : The true class apart from the others.
    Logits : Match the logits themselves.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import DistilledClassifier, SoftTargets
    >>> DistilledClassifier(RandomForestClassifier(), losses=SoftTargets(temperature=4.0)).losses
    SoftTargets(temperature=4.0)
    """

    default_weight = 0.7
    _term = _SoftTargetsTerm

    _parameter_constraints: dict = {
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "standardize": ["boolean"],
    }

    def __init__(self, temperature: float = 2.0, *, standardize: bool = False) -> None:
        self.temperature = temperature
        self.standardize = standardize


def standardized(logits):
    """Return logits of zero mean and unit deviation in each row."""
    return (logits - logits.mean(dim=1, keepdim=True)) / (logits.std(dim=1, keepdim=True) + 1e-7)
