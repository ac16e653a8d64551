"""The models that are compared, and how each is made for one training part."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd.classifiers import (
    Conv1DClassifier,
    Conv2DClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
    SupervisedPretraining,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.features import MFCC, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.refinement import KMeansRefinedClassifier

TEACHERS = {
    "conv1d": Conv1DClassifier,
    "conv2d": Conv2DClassifier,
    "lstm": LSTMClassifier,
    "rnn": RNNClassifier,
}
NAMES = {
    "svm": "SVM",
    "forest": "random forest",
    "rhythm": "SVM on rhythm",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "lstm": "LSTM",
    "rnn": "RNN (GRU)",
    "ensemble": "four networks averaged",
    "mixed": "networks and SVMs averaged",
    "student": "student from scratch",
    "student_pretrained": "student, pretrained",
    "student_of_conv1d": "student of Conv1D",
    "student_of_conv2d": "student of Conv2D",
    "student_of_lstm": "student of LSTM",
    "student_of_rnn": "student of RNN (GRU)",
    "student_of_ensemble": "student of all four",
}
# the longest first, so that the processes end together
FIRST = (
    "conv2d",
    "student_pretrained",
    "student",
    "forest",
    "rnn",
    "lstm",
    "conv1d",
    "svm",
    "rhythm",
)
PRETRAINED = "student_pretrained"  # where there is no pretraining, it is the student from scratch
SECOND = (
    "student_of_ensemble",
    *(f"student_of_{teacher}" for teacher in TEACHERS),
    "ensemble",
    "mixed",
)
REFINED = "+kmeans"
N_SYNTHETIC = 2000  # of the recipe for real recordings


def sources_of(model):
    """Return the models that must be fitted before `model`."""
    if model not in SECOND:
        return ()
    if model == "mixed":
        return (*TEACHERS, "svm", "rhythm")
    source = model.removeprefix("student_of_")
    return tuple(TEACHERS) if source == "ensemble" else (source,)


def display_name(model):
    """Return how a model is called in tables and pictures."""
    base = model.removesuffix(REFINED)
    return NAMES[base] + (" + k-means" if model != base else "")


@dataclass(frozen=True)
class Recipe:
    """What all models of a comparison share.

    Attributes
    ----------
    sampling_rate : float
        In Hz.
    window, hop : float
        Of the networks' windows, in seconds.
    max_epochs : int or "auto"
        Budget of every network.
    n_estimators : int
        Trees of the forest.
    n_synthetic : int
        Synthetic recordings that every network is pretrained on, but the student from scratch.
    memory : str or None
        Folder that keeps what was learned from them.
    """

    sampling_rate: float = 2000
    window: float = 5.0
    hop: float = 2.5
    max_epochs: int | str = "auto"
    n_estimators: int = 500
    n_synthetic: int = 0
    memory: str | None = field(default=None, repr=False, compare=False)

    @property
    def features(self):
        """What the networks hear."""
        return LogMelSpectrogram(sampling_rate=self.sampling_rate)

    def windowed(self, network):
        """Return a classifier of recordings around a classifier of log-mel sequences."""
        return WindowedClassifier(
            Pipeline([("features", self.features), ("network", network)]),
            window=self.window,
            hop=self.hop,
            sampling_rate=self.sampling_rate,
        )

    def limits(self, seed):
        """Return the parameters that all networks share."""
        limits = {"max_epochs": self.max_epochs, "random_state": seed}
        return limits | {"pretrain": self.start()} if self.n_synthetic else limits

    def start(self):
        """Return the pretraining on synthetic recordings."""
        X, y = _synthetic(self.n_synthetic, self.window, self.sampling_rate)
        return SupervisedPretraining(X, y, memory=self.memory)

    def distil(self, sources, seed, *, student=None, **settings):
        """Return an unfitted student of fitted teachers, which are not fitted again.

        Parameters
        ----------
        sources : dict of str to WindowedClassifier
            The teachers.
        seed : int
        student : network classifier, default=None
            None is the default student.
        **settings
            Parameters of `DistilledClassifier`.
        """
        teachers = [
            (name, FrozenEstimator(source.estimator_[-1])) for name, source in sources.items()
        ]
        student = StudentClassifier(**self.limits(seed)) if student is None else student
        return self.windowed(DistilledClassifier(teachers, student, random_state=seed, **settings))

    def make(self, model, seed, sources):
        """Return the unfitted model `model`.

        Parameters
        ----------
        model : str
        seed : int
        sources : dict of str to WindowedClassifier
            The fitted models named by `sources_of`.
        """
        if model in TEACHERS:
            return self.windowed(TEACHERS[model](**self.limits(seed)))
        if model == "student":
            return self.windowed(StudentClassifier(**replace(self, n_synthetic=0).limits(seed)))
        if model == PRETRAINED:
            return self.windowed(StudentClassifier(**self.limits(seed)))
        if model in ("ensemble", "mixed"):
            frozen = [(name, FrozenEstimator(source)) for name, source in sources.items()]
            return VotingClassifier(frozen, voting="soft")
        if model in SECOND:
            return self.distil(sources, seed)
        if model == "rhythm":
            features = RhythmFeatures(sampling_rate=self.sampling_rate)
            return make_pipeline(features, StandardScaler(), CalibratedSVC(random_state=seed))
        statistics = [
            make_union(
                MFCC(sampling_rate=self.sampling_rate, output="summary"),
                LogMelSpectrogram(sampling_rate=self.sampling_rate, output="summary"),
            )
        ]
        if model == "forest":
            forest = RandomForestClassifier(
                self.n_estimators, class_weight="balanced_subsample", random_state=seed
            )
            return make_pipeline(*statistics, forest)
        return make_pipeline(*statistics, StandardScaler(), CalibratedSVC(random_state=seed))

    def refine(self, fitted, seed, **settings):
        """Return the unfitted k-means refinement of a fitted model, which is not fitted again.

        Parameters
        ----------
        fitted : classifier
        seed : int
        **settings
            Parameters of `KMeansRefinedClassifier`.
        """

        def refined(model):
            return KMeansRefinedClassifier(FrozenEstimator(model), random_state=seed, **settings)

        if not isinstance(fitted, WindowedClassifier):
            return refined(fitted)
        if isinstance(fitted.estimator_, Pipeline):
            return self.windowed(refined(fitted.estimator_[-1]))
        return clone(fitted).set_params(estimator=refined(fitted.estimator_))


@lru_cache(maxsize=2)
def _synthetic(n_recordings, duration, sampling_rate):
    """Return features and classes of synthetic recordings of great variety, a subject each."""
    sounds = make_heart_sounds(
        n_recordings,
        n_subjects=n_recordings,
        duration=duration,
        sampling_rate=sampling_rate,
        domain_randomization=True,
        random_state=0,
    )
    features = Recipe(sampling_rate=sampling_rate).features
    return features.fit_transform(sounds.data), sounds.target


def make_deployable(
    teacher="conv2d",
    *,
    sampling_rate=2000,
    max_epochs="auto",
    n_synthetic=N_SYNTHETIC,
    random_state=None,
    verbose=0,
):
    """Return the unfitted model that `heartkd train` fits: windows, features, distilled student.

    Parameters
    ----------
    teacher : {"conv1d", "conv2d", "lstm", "rnn", "forest", "ensemble"}, default="conv2d"
        "ensemble" averages the four networks.
    sampling_rate : float, default=2000
        In Hz.
    max_epochs : int or "auto", default="auto"
        Budget of every network.
    n_synthetic : int, default=2000
        Synthetic recordings that every network is pretrained on; 0 is none.
    random_state : int, RandomState instance or None, default=None
    verbose : int, default=0
        1 shows a progress bar for each network.

    Returns
    -------
    WindowedClassifier
    """
    recipe = Recipe(sampling_rate=sampling_rate, max_epochs=max_epochs, n_synthetic=n_synthetic)

    def make(network):
        return network(**recipe.limits(None), verbose=verbose)

    if teacher == "ensemble":
        chosen = [(name, make(kind)) for name, kind in TEACHERS.items()]
    elif teacher == "forest":
        chosen = RandomForestClassifier(500, class_weight="balanced_subsample")
    else:
        chosen = make(TEACHERS[teacher])
    model = recipe.windowed(DistilledClassifier(chosen, make(StudentClassifier)))
    return model.set_params(random_state=random_state)


class CalibratedSVC(ClassifierMixin, BaseEstimator):
    """Support vector machine with balanced classes whose probabilities are calibrated by subject.

    The calibration has three folds, or two where a class has only two subjects.

    Parameters
    ----------
    random_state : int or None
        Of the inner splits.
    """

    __metadata_request__fit = {"groups": True}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, groups=None):
        """Fit on a table X and labels y; `groups` are the subjects."""
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        fewest = min(len(np.unique(groups[y == label])) for label in np.unique(y))
        if fewest < 2:
            raise ValueError(
                "The SVM is calibrated by subject, which takes recordings of at least 2 subjects of every "
                "class in the training part; use fewer classes or more recordings."
            )
        folds = StratifiedGroupKFold(min(3, fewest), shuffle=True, random_state=self.random_state)
        self.model_ = CalibratedClassifierCV(
            SVC(class_weight="balanced"), cv=list(folds.split(X, y, groups)), ensemble=False
        ).fit(X, y)
        self.svc_ = self.model_.calibrated_classifiers_[0].estimator
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        """Return the calibrated probabilities."""
        return self.model_.predict_proba(X)

    def predict(self, X):
        """Return the machine's own decisions, which weigh the classes equally."""
        return self.svc_.predict(X)
