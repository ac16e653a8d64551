"""How each model of a comparison is made for one training part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd.classifiers import StudentClassifier, SupervisedPretraining, WindowedClassifier
from sklearn_heartkd.comparison._calibrated_svc import CalibratedSVC
from sklearn_heartkd.comparison._models import PRETRAINED, SECOND, TEACHERS, display_name
from sklearn_heartkd.comparison._tables import (
    MeanOfTables,
    Rebalanced,
    RecordingTable,
    balanced_forest,
    dense_student,
)
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.features import MFCC, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.refinement import KMeansRefinedClassifier

N_SYNTHETIC = 2000
QUICK: dict[str, Any] = {"max_epochs": 2, "n_synthetic": 0}


@dataclass(frozen=True)
class Recipe:
    """The settings that all models of a comparison share.

    Its methods make the unfitted models.

    Parameters
    ----------
    sampling_rate : float, default=2000
        In Hz.
    window : float, default=5.0
        Length of the windows that the networks are trained on, in seconds.
    hop : float, default=2.5
        Distance between the starts of two windows, in seconds.
    max_epochs : int or "auto", default="auto"
        Number of epochs of every network.
    n_estimators : int, default=500
        Number of trees of the forest.
    n_synthetic : int, default=0
        Number of synthetic recordings on which every network except the student from scratch is
        pretrained.
    balance : bool, default=False
        Whether the batches of networks are balanced over devices and classes.
    memory : str or None, default=None
        Folder in which the pretrained weights are kept.

    See Also
    --------
    compare : The comparison.
    make_deployable : The model of ``heartkd train``.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import Recipe
    >>> Recipe(window=3.0).make("student", seed=0, sources={}).window
    3.0
    """

    sampling_rate: float = 2000
    window: float = 5.0
    hop: float = 2.5
    max_epochs: int | str = "auto"
    n_estimators: int = 500
    n_synthetic: int = 0
    balance: bool = False
    memory: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def default(
        cls,
        sampling_rate: float = 2000,
        *,
        synthetic: bool = False,
        quick: bool = False,
        balance: bool = False,
    ) -> Recipe:
        """Return the recipe of ``heartkd compare``.

        Parameters
        ----------
        sampling_rate : float, default=2000
            In Hz.
        synthetic, quick : bool, default=False
            For synthetic recordings; with a small budget, to try the comparison out.
        balance : bool, default=False
            Whether batches are balanced over devices and classes.

        Returns
        -------
        Recipe
            With pretraining only for real recordings and the full budget.
        """
        if synthetic:
            # pretraining on synthetic recordings would give an unfair advantage on synthetic ones
            return cls(sampling_rate, max_epochs=2 if quick else "auto", n_estimators=200)
        if quick:
            return cls(sampling_rate, n_estimators=50, balance=balance, **QUICK)
        return cls(sampling_rate, n_synthetic=N_SYNTHETIC, balance=balance)

    @property
    def description(self) -> str:
        """What the models share, in sentences."""
        text = (
            f"Networks of sequences take windows of {self.window:g} s; forests have "
            f"{self.n_estimators} trees."
        )
        if self.max_epochs != "auto":
            text += f" Networks were trained for only {self.max_epochs} epochs."
        if self.n_synthetic:
            text += (
                f" All networks except the {display_name('student')} are pretrained on "
                f"{self.n_synthetic:,} synthetic recordings."
            )
        return text

    def windowed(self, network: Any) -> WindowedClassifier:
        """Return a classifier of recordings around a classifier of log-mel sequences.

        Parameters
        ----------
        network : classifier
            Takes log-mel sequences.

        Returns
        -------
        WindowedClassifier
            Not fitted.
        """
        return WindowedClassifier(
            Pipeline([("features", _features(self.sampling_rate)), ("network", network)]),
            window=self.window,
            hop=self.hop,
            sampling_rate=self.sampling_rate,
        )

    def limits(self, seed: int | None) -> dict[str, Any]:
        """Return the parameters that all networks share.

        Parameters
        ----------
        seed : int or None
            Their `random_state`.

        Returns
        -------
        dict
            Number of epochs, seed and, if there is one, the pretraining.
        """
        limits = {"max_epochs": self.max_epochs, "random_state": seed, "balance": self.balance}
        if not self.n_synthetic:
            return limits
        X, y = _synthetic(self.n_synthetic, self.window, self.sampling_rate)
        return limits | {"pretrain": SupervisedPretraining(X, y, memory=self.memory)}

    def distil(
        self, sources: dict[str, Any], seed: int, *, student: Any = None, **settings: Any
    ) -> WindowedClassifier:
        """Return an unfitted student of fitted teachers, which are not fitted again.

        Parameters
        ----------
        sources : dict of str to WindowedClassifier
            The teachers.
        seed : int
            The `random_state`.
        student, **settings : optional
            Parameters of `DistilledClassifier`; None is the default student.

        Returns
        -------
        WindowedClassifier
            Around the distilled student.
        """
        teachers = [
            (name, FrozenEstimator(source.estimator_[-1])) for name, source in sources.items()
        ]
        student = StudentClassifier(**self.limits(seed)) if student is None else student
        return self.windowed(DistilledClassifier(teachers, student, random_state=seed, **settings))

    def make(self, model: str, seed: int, sources: dict[str, Any], *, n_rows: int = 200) -> Any:
        """Return an unfitted model of the comparison.

        Parameters
        ----------
        model, seed : str, int
            Its name and `random_state`.
        sources : dict of str to classifier
            The fitted models that it is made from: teachers, or the members of an average.
        n_rows : int, default=200
            Number of recordings to train on, for the dense student.

        Returns
        -------
        classifier
            Takes recordings.
        """
        if model == "dummy":
            return DummyClassifier(strategy="prior")
        if model in TEACHERS or model == PRETRAINED:
            network = TEACHERS.get(model, StudentClassifier)
            return self.windowed(network(**self.limits(seed)))
        if model == "student":
            return self.windowed(StudentClassifier(**replace(self, n_synthetic=0).limits(seed)))
        if model in ("ensemble", "mixed"):
            frozen = [(name, FrozenEstimator(source)) for name, source in sources.items()]
            return VotingClassifier(frozen, voting="soft")
        table = RecordingTable(sampling_rate=self.sampling_rate)
        dense = make_pipeline(table, dense_student(n_rows, seed, self.max_epochs))
        if model == "dense":
            return dense
        if model == "dense_rebalanced":
            return Rebalanced(FrozenEstimator(sources["dense"]))
        if model == "student_of_tables":
            teacher = FrozenEstimator(sources["tables"])
            return DistilledClassifier(teacher, dense, losses="kd", random_state=seed)
        if model == "tables":
            return MeanOfTables(self.sampling_rate, self.n_estimators, seed)
        if model == "linear":
            table = clone(table).set_params(groups=("acf",))
            return make_pipeline(table, StandardScaler(), LogisticRegression(max_iter=2000))
        if model in SECOND:
            return self.distil(sources, seed)
        if model == "rhythm":
            features = RhythmFeatures(sampling_rate=self.sampling_rate)
            return make_pipeline(features, StandardScaler(), CalibratedSVC(random_state=seed))
        options: dict[str, Any] = {"sampling_rate": self.sampling_rate, "output": "summary"}
        statistics = make_union(MFCC(**options), LogMelSpectrogram(**options))
        if model == "forest":
            return make_pipeline(statistics, balanced_forest(self.n_estimators, seed))
        return make_pipeline(statistics, StandardScaler(), CalibratedSVC(random_state=seed))

    def refine(self, fitted: Any, seed: int, **settings: Any) -> Any:
        """Return the unfitted k-means refinement of a fitted model, which is not fitted again.

        Parameters
        ----------
        fitted : classifier
            Takes recordings.
        seed : int
            The `random_state`.
        **settings
            Parameters of `KMeansRefinedClassifier`.

        Returns
        -------
        classifier
            Takes recordings.
        """

        def refined(model):
            return KMeansRefinedClassifier(FrozenEstimator(model), random_state=seed, **settings)

        if not isinstance(fitted, WindowedClassifier):
            return refined(fitted)
        # windows, not recordings, are clustered: the refinement goes around the network inside
        if isinstance(fitted.estimator_, Pipeline):
            return self.windowed(refined(fitted.estimator_[-1]))
        return clone(fitted).set_params(estimator=refined(fitted.estimator_))


@lru_cache(maxsize=2)
def _synthetic(n_recordings, duration, sampling_rate):
    """Return features and classes of synthetic recordings of great variety, each of a new subject."""
    sounds = make_heart_sounds(
        n_recordings,
        n_subjects=n_recordings,
        duration=duration,
        sampling_rate=sampling_rate,
        domain_randomization=True,
        random_state=0,
    )
    return _features(sampling_rate).fit_transform(sounds.data), sounds.target


def _features(sampling_rate):
    return LogMelSpectrogram(sampling_rate=sampling_rate)
