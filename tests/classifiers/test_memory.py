"""Networks copy no more of X than a batch, and take X that gives rows by index."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import (
    ContrastivePretraining,
    Conv2DClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.utils._rows import Rows

STUDENT = StudentClassifier(max_epochs=1, random_state=0)
DISTILLED = DistilledClassifier(Conv2DClassifier(max_epochs=1), STUDENT, random_state=0)


class OnDisk:
    """As demanding as a data set of h5py: rows are sorted, without repetition, or a slice."""

    def __init__(self, values):
        self._values = values
        self.shape, self.dtype = values.shape, values.dtype
        self.most = 0

    def __getitem__(self, key):
        if not isinstance(key, slice):
            assert key.dtype.kind == "i"
            assert (np.diff(key) > 0).all()
        part = self._values[key]
        self.most = max(self.most, len(part))
        return part


def make_X(n=40, channels=16, frames=24, dtype=np.float32):
    X = np.random.default_rng(0).standard_normal((n, channels, frames)).astype(dtype)
    return X, np.arange(n) % 2, np.arange(n) // 2


def mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


@pytest.mark.parametrize(
    "model",
    [
        STUDENT,
        clone(STUDENT).set_params(early_stopping=True),
        clone(STUDENT).set_params(pretrain=ContrastivePretraining(max_epochs=1)),
        LSTMClassifier(max_epochs=1, random_state=0),
        DISTILLED,
        clone(DISTILLED).set_params(losses="at", refine="kmeans"),
        clone(DISTILLED).set_params(cv=2),
        KMeansRefinedClassifier(STUDENT, random_state=0),
    ],
    ids=["student", "early", "pretrained", "lstm", "distilled", "at", "cv", "kmeans"],
)
@pytest.mark.parametrize(("weighted", "dtype"), [(False, np.float32), (True, np.float64)])
def test_same_model_from_disk(model, weighted, dtype, tmp_path):
    X, y, groups = make_X(dtype=dtype)
    weight = np.where(np.arange(len(y)) % 5, 1.0, 0.0) if weighted else None
    expected = clone(model).fit(X, y, sample_weight=weight, groups=groups).predict_proba(X)
    for other in (mapped(X, tmp_path), OnDisk(X)):
        fitted = clone(model).fit(other, y, sample_weight=weight, groups=groups)
        np.testing.assert_array_equal(fitted.predict_proba(other), expected)


def test_same_model_of_a_table_on_disk():
    X, y, _ = make_X(frames=1)
    table = X[:, :, 0].astype(np.float64)
    expected = clone(STUDENT).fit(table, y).predict_proba(table)
    found = clone(STUDENT).fit(OnDisk(table), y).predict_proba(OnDisk(table))
    np.testing.assert_array_equal(found, expected)


def test_same_model_of_recordings_on_disk():
    X, y = np.random.default_rng(0).standard_normal((20, 6000)), np.arange(20) % 2
    for model in (make_pipeline(LogMelSpectrogram(), STUDENT), WindowedClassifier(STUDENT)):
        if isinstance(model, WindowedClassifier):
            model.set_params(estimator=make_pipeline(LogMelSpectrogram(), STUDENT))
        expected = clone(model).fit(X, y).predict_proba(X)
        found = clone(model).fit(OnDisk(X), y).predict_proba(OnDisk(X))
        np.testing.assert_array_equal(found, expected)


def test_reads_blocks_only():
    X, y, groups = make_X(2000, 4, 6)
    source = OnDisk(X)
    clone(STUDENT).fit(source, y, groups=groups).predict(source)
    assert source.most <= 256


def test_folds_of_cross_validation_stay_on_disk():
    X, y, _ = make_X()
    source = OnDisk(X)
    expected = cross_val_predict(STUDENT, X, y, cv=2, method="predict_proba")
    found = cross_val_predict(STUDENT, Rows(source), y, cv=2, method="predict_proba")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("model", "share"),
    [
        (clone(STUDENT).set_params(batch_size=16), 0.1),
        (clone(STUDENT).set_params(batch_size=16, early_stopping=True), 0.15),
        (
            DistilledClassifier(
                Conv2DClassifier(max_epochs=1, batch_size=16),
                clone(STUDENT).set_params(batch_size=16),
                random_state=0,
            ),
            0.15,
        ),
    ],
    ids=["student", "early", "distilled"],
)
def test_fit_copies_little_of_X(model, share):
    X, y, groups = make_X(3000, 32, 64)  # statistics are learned from 256 rows at a time
    small = make_X(40, 32, 64)
    clone(model).fit(small[0], small[1], groups=small[2])  # loads what is imported late
    tracemalloc.start()
    try:
        clone(model).fit(X, y, sample_weight=np.ones(len(y)), groups=groups)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < share * X.nbytes


def test_nan_on_disk_is_found():
    X, y, _ = make_X(300, 2, 3)
    X[290, 1, 1] = np.nan
    for model in (STUDENT, DISTILLED):
        with pytest.raises(ValueError, match="NaN"):
            clone(model).fit(OnDisk(X), y)


def test_rows_index_as_arrays_do():
    X = np.arange(24.0).reshape(6, 4)
    rows = Rows(OnDisk(X))
    for key in (slice(1, 5, 2), [3, 1, 1], np.arange(6) > 2, np.array([5, 0]), slice(0, 0)):
        np.testing.assert_array_equal(np.asarray(rows[key]), X[key])
        np.testing.assert_array_equal(np.asarray(rows[::-1][key]), X[::-1][key])
    np.testing.assert_array_equal(rows[-1], X[-1])
    np.testing.assert_array_equal(np.stack(list(rows)), X)
    with pytest.raises(TypeError, match="Index the rows only"):
        rows[0, 1]
