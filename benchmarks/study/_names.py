"""How the models of the study are called in tables and pictures."""

from benchmarks.study._variants import DEFAULT_LOSS
from sklearn_heartkd.comparison._models import NAMES, REFINED

_KNOWN = NAMES | {"student_of_forest": "student of the forest"}
_LABELS = {
    "cached": "cached answers",
    "augmented": "augmented answers",
    "out_of_fold": "out-of-fold answers",
    "pretrained_synthetic": "pretrained with synthetic",
    "1k": "1 k",
    "5k": "5 k",
    "10k": "10 k",
    "50k": "50 k",
}


def base_of(model):
    """Return the model of the comparison that a model of the study is a kind of, and its label."""
    base, _, label = model.removesuffix(REFINED).partition("-")
    return base, label


def teacher_of(model):
    """Return the teacher of a distilled student, or None."""
    base, _ = base_of(model)
    return base.removeprefix("student_of_") if base.startswith("student_of_") else None


def shown(model, default=None):
    """Return how a model is called.

    Parameters
    ----------
    model : str
    default : str, default=None
        The label of a student that has none; None is the default loss of a distilled one.
    """
    base, label = base_of(model)
    if not label and base.startswith("student"):
        label = default or (DEFAULT_LOSS if teacher_of(model) else "")
    name = _KNOWN[base] + (f", {_LABELS.get(label, label)}" if label else "")
    return name + (" + k-means" if model.endswith(REFINED) else "")
