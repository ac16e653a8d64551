"""What the commands use if nothing else is given: synthetic recordings, and a model to train."""

from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.utils import Bunch

from sklearn_heartkd.classifiers import StudentClassifier, WindowedClassifier
from sklearn_heartkd.comparison._models import TEACHERS
from sklearn_heartkd.comparison._pipelines import N_SYNTHETIC, Recipe
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier


def synthetic_data() -> Bunch:
    """Return the recordings of ``heartkd compare`` without ``--data``."""
    return make_heart_sounds(120, n_subjects=40, random_state=0)


def make_deployable(
    teacher: str = "conv2d",
    *,
    sampling_rate: float = 2000,
    max_epochs: int | str = "auto",
    n_synthetic: int = N_SYNTHETIC,
    random_state: Any = None,
    verbose: int = 0,
) -> WindowedClassifier:
    """Return the unfitted model of ``heartkd train``.

    It cuts recordings into windows and distils a teacher of their log-mel spectrograms.

    Parameters
    ----------
    teacher : {"conv1d", "conv2d", "lstm", "rnn", "forest", "ensemble"}, default="conv2d"
        "ensemble" averages the four networks.
    sampling_rate : float, default=2000
        In Hz.
    max_epochs : int or "auto", default="auto"
        Number of epochs of every network.
    n_synthetic : int, default=2000
        Number of synthetic recordings on which every network is pretrained; 0 means no pretraining.
    random_state : int, RandomState instance or None, default=None
        Seeds teacher and student.
    verbose : int, default=0
        1 shows a progress bar for each network.

    Returns
    -------
    WindowedClassifier
        Takes recordings of any length.

    See Also
    --------
    compare : Compare it with other models.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import make_deployable
    >>> model = make_deployable("forest", max_epochs=1, n_synthetic=0, random_state=0)
    >>> model.estimator[-1].teacher
    RandomForestClassifier(class_weight='balanced_subsample', n_estimators=500)
    """
    recipe = Recipe(sampling_rate=sampling_rate, max_epochs=max_epochs, n_synthetic=n_synthetic)

    def make(network):
        return network(**recipe.limits(None), verbose=verbose)

    chosen: Any
    if teacher == "ensemble":
        chosen = [(name, make(kind)) for name, kind in TEACHERS.items()]
    elif teacher == "forest":
        chosen = RandomForestClassifier(500, class_weight="balanced_subsample")
    else:
        chosen = make(TEACHERS[teacher])
    model = recipe.windowed(DistilledClassifier(chosen, make(StudentClassifier)))
    return model.set_params(random_state=random_state)
