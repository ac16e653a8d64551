"""What the contrastive losses share: parameters, projections and similarities."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn import functional

from sklearn_heartkd.distillation.losses._base import DistillationLoss


class ContrastiveLoss(DistillationLoss):
    """Base of the losses that contrast projected embeddings.

    Parameters
    ----------
    dimensions : int, default=64
        Size of the space into which linear heads project both embeddings.
    temperature : float, default=0.1
        Divides the cosine similarities.
    """

    counts_weights = True

    _parameter_constraints: dict = {
        "dimensions": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, dimensions: int = 64, temperature: float = 0.1) -> None:
        self.dimensions = dimensions
        self.temperature = temperature


class ContrastiveTerm(nn.Module):
    """Base of their torch modules."""

    def __init__(self, loss, context):
        super().__init__()
        self.student_head = nn.Linear(context.student_size, loss.dimensions)
        self.teacher_head = nn.Linear(context.teacher_size, loss.dimensions)
        self.temperature = loss.temperature

    def project(self, student, teacher):
        """Return the projections of both outputs' embeddings, of length 1."""
        own = functional.normalize(self.student_head(student.embedding), dim=1)
        return own, functional.normalize(self.teacher_head(teacher.embedding), dim=1)
