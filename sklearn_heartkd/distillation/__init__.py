"""Distillation of any scikit-learn classifier into a small network.

The losses and their names in ``DistilledClassifier(losses="kd+crd")``, with their default weights. Those
on embeddings cost about 1 while the student knows nothing, for any batch size; those on probabilities
grow with the teacher's confidence, the number of classes and the temperature. What each name stands for and
needs, and how the teacher is queried, is in docs/guide/distillation.md.

=========  =======================  ======  ===========================================================
name       class                    weight  what the student matches
=========  =======================  ======  ===========================================================
"ce"       `CrossEntropy`           0.3     the labels
"kd"       `SoftTargets`            0.7     the teacher's probabilities
"dkd"      `DKD`                    1       those, the true class apart from the others
"dist"     `DIST`                   1       their order, by correlations
"logits"   `Logits`                 1       their logarithms, by regression
"infonce"  `InfoNCE`                0.2     embeddings, against the other recordings of the batch
"crd"      `CRD`                    0.5     embeddings, against all other recordings
"supcon"   `SupCon`                 0.5     embeddings of the same class, against the others
"hint"     `Hint`                   1       embeddings, by regression
"rkd"      `RKD`                    1       distances and angles between recordings
"sp"       `SimilarityPreserving`   1       similarities of recordings
"pkt"      `PKT`                    1       neighbors of recordings
"at"       `AttentionTransfer`      0.1     the moments that matter
"ssd"      `SSD`                    1       labels, probabilities, relations, also on transformed views
=========  =======================  ======  ===========================================================
"""

from sklearn_heartkd.distillation._distilled import DistilledClassifier
from sklearn_heartkd.distillation._munge import Munge
from sklearn_heartkd.distillation.losses._attention_transfer import AttentionTransfer
from sklearn_heartkd.distillation.losses._base import DistillationLoss, LossContext, TeacherOutput
from sklearn_heartkd.distillation.losses._crd import CRD
from sklearn_heartkd.distillation.losses._dist import DIST
from sklearn_heartkd.distillation.losses._dkd import DKD
from sklearn_heartkd.distillation.losses._hint import Hint
from sklearn_heartkd.distillation.losses._infonce import InfoNCE
from sklearn_heartkd.distillation.losses._logits import Logits
from sklearn_heartkd.distillation.losses._pkt import PKT
from sklearn_heartkd.distillation.losses._rkd import RKD
from sklearn_heartkd.distillation.losses._similarity_preserving import SimilarityPreserving
from sklearn_heartkd.distillation.losses._soft_targets import CrossEntropy, SoftTargets
from sklearn_heartkd.distillation.losses._ssd import SSD
from sklearn_heartkd.distillation.losses._supcon import SupCon

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
    "Logits",
    "LossContext",
    "Munge",
    "SimilarityPreserving",
    "SoftTargets",
    "SupCon",
    "TeacherOutput",
]
