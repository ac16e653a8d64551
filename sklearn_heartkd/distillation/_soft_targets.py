"""Cross-entropy with the labels, and the teacher's soft targets."""

from numbers import Real

from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn import functional

from sklearn_heartkd.classifiers._training import Objective, weighted_mean
from sklearn_heartkd.distillation._base import DistillationLoss


class CrossEntropy(DistillationLoss):
    """Cross-entropy with the labels, under mixup with both.

    Parameters
    ----------
    label_smoothing : float, default=0.05
        Share of the target probability that is spread over all classes.
    """

    default_weight = 0.3
    has_labels = True

    _parameter_constraints: dict = {"label_smoothing": [Interval(Real, 0, 1, closed="left")]}

    def __init__(self, label_smoothing=0.05):
        self.label_smoothing = label_smoothing

    def make_term(self, setting):
        """Return the torch module that computes the loss."""
        return _CrossEntropyTerm(self.label_smoothing)


class _CrossEntropyTerm(nn.Module):
    def __init__(self, label_smoothing):
        super().__init__()
        self.objective = Objective(label_smoothing)

    def forward(self, student, teacher, batch):
        return self.objective(student, batch)


class SoftTargets(DistillationLoss):
    r"""The teacher's softened probabilities as targets.

    :math:`T^2 \, \mathrm{KL}(\mathrm{softmax}(t / T) \,\|\, \mathrm{softmax}(s / T))`, averaged over
    the rows, for logits `t` of the teacher and `s` of the student. After Hinton, Vinyals and Dean
    (2015), "Distilling the knowledge in a neural network".

    Parameters
    ----------
    temperature : float, default=1.0
        The higher, the more the small probabilities count.
    """

    default_weight = 0.7

    _parameter_constraints: dict = {"temperature": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, temperature=1.0):
        self.temperature = temperature

    def make_term(self, setting):
        """Return the torch module that computes the loss."""
        return _SoftTargetsTerm(self.temperature)


class _SoftTargetsTerm(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher, batch):
        divergence = functional.kl_div(
            functional.log_softmax(student.logits / self.temperature, dim=1),
            functional.log_softmax(teacher.log_probabilities / self.temperature, dim=1),
            reduction="none",
            log_target=True,
        ).sum(dim=1)
        return self.temperature**2 * weighted_mean(divergence, batch.weight)
