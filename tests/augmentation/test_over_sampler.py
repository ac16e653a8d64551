"""AugmentingOverSampler: imbalanced-learn's checks, the copies, and that it acts in fit only."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_heartkd import MFCC, StudentClassifier
from sklearn_heartkd.augmentation import (
    AdditiveNoise,
    AugmentingOverSampler,
    BandMasking,
    Gain,
    GaussianNoise,
    Mixup,
    RandomCrop,
    TimeMasking,
    TimeShift,
    TimeStretch,
)

EVERY = [
    AdditiveNoise(),
    BandMasking(1.0),
    Gain(),
    Gain(decibels=3.0),
    GaussianNoise(),
    TimeMasking(1.0),
    TimeShift(),
    TimeStretch(),
]


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(AugmentingOverSampler(random_state=0))),
    ids=lambda value: getattr(getattr(value, "func", value), "__name__", ""),
)
def test_imbalanced_learn(estimator, check):
    check(estimator)


@pytest.fixture
def y():
    return np.array(["normal"] * 8 + ["murmur"] * 3 + ["artifact"])


@pytest.fixture(params=[(40,), (4, 20)], ids=["waveforms", "sequences"])
def X(request):
    return np.random.default_rng(0).standard_normal((12, *request.param)).astype(np.float32)


@pytest.mark.parametrize(
    "augmentation", [None, *([augment] for augment in EVERY)], ids=lambda a: repr(a)
)
def test_copies_are_augmented_and_originals_kept(augmentation, X, y):
    sampler = AugmentingOverSampler(augmentation=augmentation, random_state=0)
    new_X, new_y = sampler.fit_resample(X, y)
    assert Counter(new_y) == {"normal": 8, "murmur": 8, "artifact": 8}
    assert new_X.dtype == np.float32
    assert new_X.shape == (24, *X.shape[1:])
    assert_array_equal(new_X[:12], X)
    assert_array_equal(new_y, y[sampler.sample_indices_])
    copied = X[sampler.sample_indices_[12:]]
    changed = (new_X[12:] != copied).reshape(12, -1).any(axis=1)
    if augmentation is None:
        assert changed.all()
        assert len(np.unique(new_X.reshape(24, -1), axis=0)) == 24
    elif X.ndim == 2 and isinstance(augmentation[0], BandMasking):
        assert not changed.any()  # a waveform has no bands
    else:
        assert changed.sum() > 6  # a mask or a shift may be shorter than one frame
    assert np.isfinite(new_X).all()


def test_every_row_of_a_class_is_copied_equally_often(X, y):
    sampler = AugmentingOverSampler(sampling_strategy={"murmur": 9}, random_state=0)
    sampler.fit_resample(X, y)
    assert Counter(sampler.sample_indices_[12:].tolist()) == {8: 2, 9: 2, 10: 2}


def test_a_strategy_that_copies_every_class(X, y):
    def twice_as_many(y):
        classes, counts = np.unique(y, return_counts=True)
        return dict(zip(classes, 2 * counts, strict=True))

    sampler = AugmentingOverSampler(sampling_strategy=twice_as_many, random_state=0)
    new_X, new_y = sampler.fit_resample(X, y)
    assert Counter(new_y) == {"normal": 16, "murmur": 6, "artifact": 2}
    assert_array_equal(np.sort(sampler.sample_indices_[12:]), np.arange(12))
    assert_array_equal(new_X[:12], X)


def as_objects(recordings):
    column = np.empty(len(recordings), dtype=object)
    for i, recording in enumerate(recordings):
        column[i] = recording
    return column


@pytest.fixture
def ragged():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(600 + 50 * i).astype(np.float32) for i in range(12)]


@pytest.mark.parametrize("kind", [list, tuple, as_objects, lambda X: pd.Series(as_objects(X))])
@pytest.mark.parametrize("augmentation", [None, [TimeStretch()]])
def test_recordings_of_different_length(kind, augmentation, ragged, y):
    sampler = AugmentingOverSampler(augmentation=augmentation, random_state=0)
    new_X, new_y = sampler.fit_resample(kind(ragged), y)
    assert isinstance(new_X, np.ndarray if kind is tuple else type(kind(ragged)))
    assert Counter(new_y) == {"normal": 8, "murmur": 8, "artifact": 8}
    for i, (row, source) in enumerate(zip(new_X, sampler.sample_indices_, strict=True)):
        assert row.dtype == np.float32
        assert row.shape == ragged[source].shape
        assert np.array_equal(row, ragged[source]) == (i < 12)
    assert_array_equal(new_y, y[sampler.sample_indices_])
    assert not hasattr(sampler, "n_features_in_")
    again, _ = AugmentingOverSampler(augmentation=augmentation, random_state=0).fit_resample(
        kind(ragged), y
    )
    assert all(map(np.array_equal, new_X, again))


def test_an_object_array_of_equally_long_recordings_stays_one(y):
    X = as_objects(np.random.default_rng(0).standard_normal((12, 40)))
    new_X, _ = AugmentingOverSampler(random_state=0).fit_resample(X, y)
    assert new_X.shape == (24,)
    assert {row.shape for row in new_X} == {(40,)}


def test_recordings_of_different_length_in_a_pipeline(ragged, y):
    network = StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    model = make_pipeline(AugmentingOverSampler(), MFCC(output="summary"), network)
    assert model.fit(ragged, y).predict(ragged).shape == (12,)


def test_ragged_input_that_cannot_be_copied_is_named(ragged, y):
    with pytest.raises(ValueError, match="recording 0 with the value NaN"):
        AugmentingOverSampler().fit_resample([np.full(7, np.nan), *ragged[1:]], y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        AugmentingOverSampler().fit_resample(ragged[:-1], y)
    with pytest.raises(ValueError, match=r"RandomCrop.* changes the length"):
        AugmentingOverSampler(augmentation=[RandomCrop()]).fit_resample(ragged, y)


def test_gain_of_copies(y):
    X = np.random.default_rng(0).standard_normal((12, 40))
    sampler = AugmentingOverSampler(augmentation=[Gain(decibels=6.0)], random_state=0)
    new_X, _ = sampler.fit_resample(X, y)
    factor = new_X[12:] / X[sampler.sample_indices_[12:]]
    assert_allclose(factor, np.repeat(factor[:, :1], 40, axis=1))
    assert len(np.unique(factor[:, 0].round(6))) == 12


def test_same_seed_same_copies(X, y):
    first, again, other = (
        AugmentingOverSampler(random_state=seed).fit_resample(X, y)[0] for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_acts_in_fit_only(y):
    X = np.random.default_rng(0).standard_normal((12, 4, 20))
    student = StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    sampler = AugmentingOverSampler(random_state=0)
    model = make_pipeline(sampler, student).fit(X, y)
    assert model.predict_proba(X).shape == (12, 3)
    new_X, new_y = sampler.fit_resample(X, y)
    by_hand = student.fit(new_X, new_y)
    assert_allclose(model.predict_proba(X), by_hand.predict_proba(X))


def test_balanced_classes_stay_as_they_are():
    X, y = np.zeros((4, 9)), np.array([0, 0, 1, 1])
    new_X, _ = AugmentingOverSampler().fit_resample(X, y)
    assert_array_equal(new_X, X)
    assert new_X is not X


@pytest.mark.parametrize("augment", [Mixup(), RandomCrop()])
def test_what_a_copy_must_not_do_is_refused(augment, y):
    X = np.random.default_rng(0).standard_normal((12, 4, 20))
    with pytest.raises(ValueError, match=f"{type(augment).__name__}.* mixes labels or changes"):
        AugmentingOverSampler(augmentation=[augment]).fit_resample(X, y)


def test_bad_input_is_named(X, y):
    with pytest.raises(TypeError, match="got 'noise' in it"):
        AugmentingOverSampler(augmentation=["noise"]).fit_resample(X, y)
    with pytest.raises(ValueError, match="deviation"):
        AugmentingOverSampler(augmentation=[GaussianNoise(-1)]).fit_resample(X, y)
    with pytest.raises(ValueError, match="X has 4 dimensions"):
        AugmentingOverSampler().fit_resample(np.zeros((12, 2, 2, 2)), y)
    with pytest.raises(ValueError, match="NaN"):
        AugmentingOverSampler().fit_resample(np.full(X.shape, np.nan), y)
