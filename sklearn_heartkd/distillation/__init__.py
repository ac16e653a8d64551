"""Distillation of any scikit-learn classifier into a small network."""

from sklearn_heartkd.distillation._attention import AttentionTransfer
from sklearn_heartkd.distillation._base import DistillationLoss, Setting, TeacherOutput
from sklearn_heartkd.distillation._contrastive import InfoNCE
from sklearn_heartkd.distillation._crd import CRD
from sklearn_heartkd.distillation._dist import DIST
from sklearn_heartkd.distillation._distilled import DistilledClassifier
from sklearn_heartkd.distillation._dkd import DKD
from sklearn_heartkd.distillation._hint import Hint
from sklearn_heartkd.distillation._pkt import PKT
from sklearn_heartkd.distillation._rkd import RKD
from sklearn_heartkd.distillation._similarity_preserving import SimilarityPreserving
from sklearn_heartkd.distillation._soft_targets import CrossEntropy, SoftTargets
from sklearn_heartkd.distillation._ssd import SSD
from sklearn_heartkd.distillation._supcon import SupCon

__all__ = [
    "CRD",
    "DIST",
    "DKD",
    "PKT",
    "RKD",
    "SSD",
    "AttentionTransfer",
    "CrossEntropy",
    "DistillationLoss",
    "DistilledClassifier",
    "Hint",
    "InfoNCE",
    "Setting",
    "SimilarityPreserving",
    "SoftTargets",
    "SupCon",
    "TeacherOutput",
]
