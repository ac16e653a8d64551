"""The models of `leave_one_device_out`: what they hear, and which recordings teach them."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    RhythmFeatures,
    StudentClassifier,
    WindowedClassifier,
)

RATE = 2000  # Hz
WINDOW = 5.0  # s


class Model(NamedTuple):
    """One row of the table.

    Parameters
    ----------
    kind : str
        "normal" (always), "svm", "forest", "conv2d", "student" or "distilled".
    front_end : str
        "summary" and "rhythm" for tables, "log-mel" for networks.
    """

    kind: str
    front_end: str

    @property
    def title(self):
        """Name in the tables."""
        return f"{self.kind}, {self.front_end}" if self.front_end else self.kind


MODELS = {
    "normal": Model("always normal", ""),
    "svm": Model("svm", "summary and rhythm"),
    "forest": Model("forest", "summary and rhythm"),
    "student": Model("student", "log-mel"),
    "conv2d": Model("conv2d", "log-mel"),
    "distilled": Model("distilled", "log-mel"),
}


def make(name, seed, teacher=None):
    """Return an unfitted model of what `hear` returns; a student has the fitted `teacher`."""
    kind = MODELS[name].kind
    if kind == "always normal":
        return DummyClassifier(strategy="constant", constant="normal")
    if kind == "forest":
        return RandomForestClassifier(500, class_weight="balanced", random_state=seed)
    if kind == "svm":
        return make_pipeline(StandardScaler(), SVC(class_weight="balanced", random_state=seed))
    network = {"conv2d": Conv2DClassifier, "student": StudentClassifier}.get(kind)
    if network is not None:
        network = network(random_state=seed)
    else:
        frozen = FrozenEstimator(teacher.estimator_[-1])
        network = DistilledClassifier(frozen, StudentClassifier(), random_state=seed)
    pipeline = make_pipeline(LogMelSpectrogram(sampling_rate=RATE), network)
    return WindowedClassifier(pipeline, window=WINDOW, hop=WINDOW, sampling_rate=RATE)


@lru_cache
def tables():
    """Return the transformers that make a table of recordings; they learn nothing."""
    options = {"sampling_rate": RATE, "output": "summary"}
    summary = (MFCC(**options), LogMelSpectrogram(**options), RhythmFeatures(sampling_rate=RATE))
    return {"summary and rhythm": make_union(*summary)}


def hear(recordings, names):
    """Return what each front end of the named models makes of the recordings, by its name."""
    front_ends = {MODELS[name].front_end for name in names}
    return {
        front_end: tables()[front_end].fit_transform(recordings)
        if front_end in tables()
        else np.array([*recordings, None], dtype=object)[:-1]
        for front_end in front_ends
    }


def fit(model, X, y, groups):
    """Fit a model; subjects go to those that split by them."""
    if isinstance(model, WindowedClassifier):
        return model.fit(X, y, groups=groups)
    return model.fit(np.zeros((len(y), 1)) if X.dtype == object else X, y)


def score(model, X):
    """Return the murmur score of each row and the predicted labels."""
    if hasattr(model, "predict_proba"):
        column = list(model.classes_).index("murmur")
        return model.predict_proba(X)[:, column], model.predict(X)
    sign = 1 if model.classes_[1] == "murmur" else -1
    return sign * model.decision_function(X), model.predict(X)
