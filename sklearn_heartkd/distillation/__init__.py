"""Distillation of any scikit-learn classifier into a small network."""

from sklearn_heartkd.distillation._base import DistillationLoss, Setting, TeacherOutput
from sklearn_heartkd.distillation._contrastive import InfoNCE
from sklearn_heartkd.distillation._distilled import DistilledClassifier
from sklearn_heartkd.distillation._soft_targets import CrossEntropy, SoftTargets

__all__ = [
    "CrossEntropy",
    "DistillationLoss",
    "DistilledClassifier",
    "InfoNCE",
    "Setting",
    "SoftTargets",
    "TeacherOutput",
]
