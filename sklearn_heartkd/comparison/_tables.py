"""Models of tables of a recording's statistics, for a comparison with few labels."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from joblib import Memory
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.augmentation import Mixup
from sklearn_heartkd.classifiers import DenseStudentClassifier
from sklearn_heartkd.comparison._calibrated_svc import CalibratedSVC
from sklearn_heartkd.features import MFCC, Autocorrelogram, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.utils._metadata import fit_parameters

GROUPS = ("mfcc", "mel", "rhythm")  # of columns
_N_STEPS = 600  # of the dense student: more do not help it
_BATCH = 32


_MEMORY: ContextVar[str | None] = ContextVar("_MEMORY", default=None)


@contextmanager
def remembered(folder):
    """While it lasts, the columns of a set of recordings are computed once and kept in a folder."""
    token = _MEMORY.set(folder)
    try:
        yield
    finally:
        _MEMORY.reset(token)


class RecordingTable(TransformerMixin, BaseEstimator):
    """Statistics of recordings, in groups of columns."""

    def __init__(self, *, sampling_rate=2000, groups=GROUPS):
        self.sampling_rate = sampling_rate
        self.groups = groups

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        compute = Memory(_MEMORY.get(), verbose=0).cache(_columns)
        return np.hstack([compute(X, group, self.sampling_rate) for group in self.groups])

    def __sklearn_is_fitted__(self):
        return True


def _columns(X, group, sampling_rate):
    options = {"sampling_rate": sampling_rate}
    features = {
        "mfcc": MFCC(**options, output="summary"),
        "mel": LogMelSpectrogram(**options, output="summary"),
        "rhythm": RhythmFeatures(**options),
        "acf": Autocorrelogram(**options, n_mels=8, n_lags=23, output="flat"),
    }[group]
    return np.asarray(features.fit_transform(X), dtype=np.float32)


class MeanOfTables(ClassifierMixin, BaseEstimator):
    """The mean of three classifiers of each group of columns, which hear what a small network cannot."""

    __metadata_request__fit = {"groups": True}

    def __init__(self, sampling_rate=2000, n_estimators=200, random_state=None):
        self.sampling_rate = sampling_rate
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        self.members_ = {}
        for group in GROUPS:
            kinds = {
                "svm": (StandardScaler(), CalibratedSVC(random_state=self.random_state)),
                "forest": (balanced_forest(self.n_estimators, self.random_state),),
                "logistic": (StandardScaler(), LogisticRegression(max_iter=2000)),
            }
            for kind, steps in kinds.items():
                table = RecordingTable(sampling_rate=self.sampling_rate, groups=(group,))
                member = make_pipeline(table, *steps)
                member.fit(X, y, **fit_parameters(member, groups=groups))
                self.members_[f"{kind}_{group}"] = member
        return self

    def predict_proba(self, X):
        return np.mean([member.predict_proba(X) for member in self.members_.values()], axis=0)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def balanced_forest(n_estimators, seed):
    """Return an unfitted random forest with balanced classes."""
    return RandomForestClassifier(
        n_estimators, class_weight="balanced_subsample", random_state=seed
    )


def dense_student(n_rows, seed, max_epochs="auto"):
    """Return the unfitted small network of tables, which is trained until it no longer improves.

    The number of steps, not of epochs, is what counts, so it is the same for few and many rows.
    """
    if max_epochs == "auto":
        max_epochs = max(1, round(_N_STEPS * _BATCH / max(n_rows, _BATCH)))
    return DenseStudentClassifier(
        hidden_layer_sizes=(8,),
        augmentation=[Mixup(alpha=0.3)],
        batch_size=_BATCH,
        max_epochs=max_epochs,
        random_state=seed,
    )


class Rebalanced(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probabilities are divided by their mean over unlabeled recordings.

    Without unlabeled recordings, it takes those of `fit`. It is a control: distillation on unlabeled
    recordings balances the classes too.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, X_unlabeled=None):
        X = X if X_unlabeled is None else X_unlabeled
        self.estimator_ = self.estimator  # under the name that says it is fitted
        self.prior_ = self.estimator.predict_proba(X).mean(axis=0)
        self.classes_ = self.estimator.classes_
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        proba = self.estimator.predict_proba(X) / self.prior_
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
