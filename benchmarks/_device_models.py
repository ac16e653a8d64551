"""The models of `leave_one_device_out`: what they hear, and which recordings teach them."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    RhythmFeatures,
    StudentClassifier,
    WindowedClassifier,
)

RATE = 2000  # Hz
WINDOW = 5.0  # s
TABLES = ("summary and rhythm", "ACF table", "ACF table, 8 × 23")
NETWORKS = {"conv2d": Conv2DClassifier, "student": StudentClassifier}


class Model(NamedTuple):
    """One row of the table.

    Parameters
    ----------
    kind : str
        "always normal", "svm", "forest", "linear", "conv2d", "student" or "distilled".
    front_end : str
        One of `TABLES`, or "log-mel", "CMVN" (of log-mel), "ACF" for networks.
    taught_by : str, default="murmur"
        "murmur": the devices whose label means a murmur, in equal shares of device and class;
        "all devices", as they are; "oracle": as "murmur", and other subjects of the same device.
    teacher : str or None, default=None
        The model that teaches a distilled one.
    n_seeds : int, default=3
        Number of fits for each device left out; 1 for what draws nothing.
    """

    kind: str
    front_end: str = ""
    taught_by: str = "murmur"
    teacher: str | None = None
    n_seeds: int = 3

    @property
    def title(self):
        """Name in the tables."""
        taught_by = "murmur devices" if self.taught_by == "murmur" else self.taught_by
        return ", ".join(part for part in (self.kind, self.front_end, taught_by) if part)


MODELS = {
    "normal": Model("always normal", taught_by="", n_seeds=1),
    "svm": Model("svm", "summary and rhythm", "all devices", n_seeds=1),
    "forest": Model("forest", "summary and rhythm", "all devices"),
    "student": Model("student", "log-mel", "all devices"),
    "conv2d": Model("conv2d", "log-mel", "all devices", n_seeds=1),
    "distilled": Model("distilled", "log-mel", "all devices", "conv2d", n_seeds=1),
    "svm_murmur": Model("svm", "summary and rhythm", n_seeds=1),
    "forest_murmur": Model("forest", "summary and rhythm"),
    "student_murmur": Model("student", "log-mel"),
    "linear_acf": Model("linear", "ACF table, 8 × 23", n_seeds=1),
    "svm_acf": Model("svm", "ACF table", n_seeds=1),
    "forest_acf": Model("forest", "ACF table"),
    "student_acf": Model("student", "ACF", n_seeds=10),
    "conv2d_acf": Model("conv2d", "ACF", n_seeds=1),
    "distilled_acf": Model("distilled", "ACF", teacher="conv2d_acf", n_seeds=1),
    "student_cmvn": Model("student", "CMVN"),
    "conv2d_cmvn": Model("conv2d", "CMVN", n_seeds=1),
    "distilled_cmvn": Model("distilled", "CMVN", teacher="conv2d_cmvn", n_seeds=1),
    "ten": Model("mean of ten students", "ACF and CMVN", n_seeds=1),
    "distilled_ten": Model("distilled from ten students", "ACF", teacher="ten", n_seeds=10),
    "student_acf_all": Model("student", "ACF", "all devices", n_seeds=1),
    "student_cmvn_all": Model("student", "CMVN", "all devices", n_seeds=1),
    "student_acf_oracle": Model("student", "ACF", "oracle", n_seeds=1),
}


def make(name, seed, teacher=None):
    """Return an unfitted model of what `hear` returns; a student has the fitted `teacher`."""
    model = MODELS[name]
    if name == "ten":
        # seeds that no other model has
        kinds = [(kind, 100 + k) for kind in ("student_acf", "student_cmvn") for k in range(5)]
        members = [(f"{kind}_{k}", make(kind, k)) for kind, k in kinds]
        return VotingClassifier(members, voting="soft")
    balanced = "balanced" if model.taught_by == "all devices" else None  # else by weights
    if model.kind == "always normal":
        return DummyClassifier(strategy="constant", constant="normal")
    if model.kind == "forest":
        return RandomForestClassifier(500, class_weight=balanced, random_state=seed)
    if model.kind == "svm":
        return make_pipeline(StandardScaler(), SVC(class_weight=balanced, random_state=seed))
    options = {"balance": model.taught_by != "all devices", "random_state": seed}
    if model.kind == "linear":
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        choices = {"logisticregression__C": np.logspace(-3, 0, 7)}
        # the strength that does best on devices of the training that are left out in turn
        return GridSearchCV(linear, choices, cv=LeaveOneGroupOut(), scoring="roc_auc")
    if model.kind in NETWORKS:
        network = NETWORKS[model.kind](**options)
    elif model.kind == "distilled":
        frozen = FrozenEstimator(teacher.estimator_[-1])
        student = StudentClassifier(balance=options["balance"])
        network = DistilledClassifier(frozen, student, random_state=seed)
    if name == "distilled_ten":
        members = zip(teacher.named_estimators_, teacher.estimators_, strict=True)
        frozen = [(key, FrozenEstimator(member.estimator.estimator_)) for key, member in members]
        student = make_pipeline(
            Autocorrelogram(sampling_rate=RATE), StudentClassifier(balance=True)
        )
        distilled = DistilledClassifier(frozen, student, random_state=seed)
        return WindowedClassifier(distilled, window=WINDOW, hop=WINDOW / 2, sampling_rate=RATE)
    if model.front_end == "ACF":
        front_end = Autocorrelogram(sampling_rate=RATE)
    else:
        front_end = LogMelSpectrogram(sampling_rate=RATE, cmvn=model.front_end == "CMVN")
    # with fewer recordings, windows that overlap
    hop = WINDOW if model.taught_by == "all devices" else WINDOW / 2
    pipeline = make_pipeline(front_end, network)
    return WindowedClassifier(pipeline, window=WINDOW, hop=hop, sampling_rate=RATE)


@lru_cache
def table_front_ends():
    """Return the transformers that make a table of recordings; they learn nothing."""
    options = {"sampling_rate": RATE, "output": "summary"}
    summary = (MFCC(**options), LogMelSpectrogram(**options), RhythmFeatures(sampling_rate=RATE))
    acf = {"sampling_rate": RATE, "output": "flat"}
    small = Autocorrelogram(n_mels=8, n_lags=23, **acf)
    return dict(zip(TABLES, (make_union(*summary), Autocorrelogram(**acf), small), strict=True))


def hear(recordings, names):
    """Return what each front end of the named models makes of the recordings, by its name."""
    waveforms = np.array([*recordings, None], dtype=object)[:-1]
    front_ends = {MODELS[name].front_end for name in names}
    return {
        front_end: table_front_ends()[front_end].fit_transform(recordings)
        if front_end in TABLES
        else waveforms
        for front_end in front_ends
    }


def fit(name, model, X, y, groups, devices):
    """Fit a model, with what it takes of subjects, devices and weights."""
    taught_by, kind = MODELS[name].taught_by, MODELS[name].kind
    if kind == "always normal":
        return model.fit(np.zeros((len(y), 1)), y)
    if name == "ten":
        members = [
            (key, FrozenEstimator(fit("student_acf", member, X, y, groups, devices)))
            for key, member in model.estimators
        ]
        return model.set_params(estimators=members).fit(X, y)
    known = {} if taught_by == "all devices" else {"devices": devices}
    if isinstance(model, WindowedClassifier):
        return model.fit(X, y, groups=groups, **known)
    weight = {"sample_weight": equal_shares(devices, y)} if known else {}
    if kind == "svm":
        weight = {f"svc__{key}": value for key, value in weight.items()}
    if kind == "linear":
        weight = {f"logisticregression__{key}": value for key, value in weight.items()}
        weight["groups"] = devices
    return model.fit(X, y, **weight)


def equal_shares(devices, y):
    """Return weights under which each class of each device has the same share."""
    cells, number, counts = np.unique(
        np.char.add(devices, y), return_inverse=True, return_counts=True
    )
    return len(y) / len(cells) / counts[number]


def score(model, X):
    """Return the murmur score of each row and the predicted labels."""
    if hasattr(model, "predict_proba"):
        column = list(model.classes_).index("murmur")
        return model.predict_proba(X)[:, column], model.predict(X)
    sign = 1 if model.classes_[1] == "murmur" else -1
    return sign * model.decision_function(X), model.predict(X)
