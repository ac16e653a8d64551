"""The settings of `where_distillation_pays`: what is labeled, what is not, and who teaches."""

from typing import NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.leave_one_device_out import load
from sklearn_heartkd import (
    MFCC,
    LogMelSpectrogram,
    RhythmFeatures,
    StudentClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds

RATE = 2000  # Hz
WINDOW = 5.0  # s


class Draw(NamedTuple):
    """One draw of a setting: rows of X, with and without labels, and those that are tested.

    Parameters
    ----------
    X : ndarray
        Waveforms, as an array of objects, or a table.
    y, groups : ndarray
        Classes and subjects.
    labeled, unlabeled, test : list of ndarray
        Rows; a list has an item for each test part, with the same labeled rows.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    labeled: np.ndarray
    unlabeled: list
    test: list


def svm(seed):
    """Return a support vector machine with probabilities."""
    balanced = SVC(class_weight="balanced", random_state=seed)
    return make_pipeline(StandardScaler(), CalibratedClassifierCV(balanced, cv=3, ensemble=False))


def forest(seed):
    """Return a random forest."""
    return RandomForestClassifier(200, class_weight="balanced", random_state=seed)


def rhythm_teacher(seed):
    """Return the mean of a support vector machine and a forest that hear the rhythm alone."""
    members = [("svm", svm(seed)), ("forest", forest(seed))]
    rhythm = RhythmFeatures(sampling_rate=RATE)
    return make_pipeline(rhythm, VotingClassifier(members, voting="soft"))


def table_teacher(columns, seed):
    """Return the mean of three models on each group of columns."""
    members = []
    for name, chosen in columns.items():
        logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        for kind, model in (("svm", svm(seed)), ("forest", forest(seed)), ("logistic", logistic)):
            only = ColumnTransformer([("only", "passthrough", chosen)])
            members.append((f"{name}_{kind}", make_pipeline(only, model)))
    return VotingClassifier(members, voting="soft")


def log_mel_student(seed, *, cmvn, **options):
    """Return a student that hears log-mel spectrograms of waveforms."""
    front_end = LogMelSpectrogram(sampling_rate=RATE, cmvn=cmvn)
    return make_pipeline(front_end, StudentClassifier(random_state=seed, **options))


def from_device_to_device(path, source, target, seed):
    """Label one device; of the other, half of the subjects have no labels, half are tested."""
    data = load(path)
    data.X = np.array([*data.data, None], dtype=object)[:-1]
    labeled, other = np.flatnonzero(data.device == source), np.flatnonzero(data.device == target)
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    parts = list(folds.split(other, data.target[other], data.groups[other]))
    rest = [other[part] for part, _ in parts], [other[part] for _, part in parts]
    return Draw(data.X, data.target, data.groups, labeled, *rest)


def few_subjects(path, n_subjects, seed):
    """Label some subjects of PASCAL B; a third of the subjects is tested."""
    data = load(path)
    own = np.flatnonzero(data.device == "PASCAL B")
    X = np.array([*data.data, None], dtype=object)[:-1]
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    train, test = next(folds.split(own, data.target[own], data.groups[own]))
    labeled = own[train][
        drawn_subjects(data.groups[own[train]], data.target[own[train]], n_subjects, seed)
    ]
    rest = np.setdiff1d(own[train], labeled)
    return Draw(X, data.target, data.groups, labeled, [rest], [own[test]])


def drawn_subjects(groups, y, n_subjects, seed):
    """Return the rows of some subjects, of which each class has its share."""
    rng = np.random.default_rng(seed)
    subjects, first = np.unique(groups, return_index=True)
    chosen = []
    for label in np.unique(y):
        own = subjects[y[first] == label]
        n_own = max(2, round(n_subjects * len(own) / len(subjects)))
        chosen.extend(rng.permutation(own)[:n_own])
    return np.flatnonzero(np.isin(groups, chosen))


def synthetic(seed, *, as_table, flipped=0.0, n_labeled=20):
    """Make recordings of 100 subjects, some of them labeled, and of 100 others to test on."""
    sounds = make_heart_sounds(1000, n_subjects=200, random_state=seed)
    rng = np.random.default_rng(seed)
    y, groups = np.array(sounds.target), np.array(sounds.groups)
    test = drawn_subjects(groups, y, 100, seed)
    rest = np.setdiff1d(np.arange(len(y)), test)
    labeled = rest[drawn_subjects(groups[rest], y[rest], n_labeled, seed)]
    unlabeled = np.setdiff1d(rest, labeled)
    wrong = labeled[rng.random(len(labeled)) < flipped]
    y[wrong] = rng.choice(np.unique(y), len(wrong))
    X = np.asarray(sounds.data)
    if as_table:
        X, columns = table_of(X)
        return Draw(X, y, groups, labeled, [unlabeled], [test]), columns
    return Draw(X, y, groups, labeled, [unlabeled], [test]), None


def table_of(recordings):
    """Return the summaries and the rhythm of recordings, and which columns are which."""
    options = {"sampling_rate": RATE, "output": "summary"}
    parts = {
        "mfcc": MFCC(**options),
        "mel": LogMelSpectrogram(**options),
        "rhythm": RhythmFeatures(sampling_rate=RATE),
    }
    blocks = {name: part.fit_transform(recordings) for name, part in parts.items()}
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    starts = [0, *ends[:-1]]
    columns = {n: slice(int(a), int(b)) for n, a, b in zip(blocks, starts, ends, strict=True)}
    return np.hstack(list(blocks.values())), columns
