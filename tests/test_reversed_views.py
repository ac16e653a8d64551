"""Views with negative strides, which torch does not take, are arrays like others."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.naive_bayes import GaussianNB

from sklearn_heartkd import (
    ContrastivePretraining,
    Conv1DClassifier,
    DistilledClassifier,
    StudentClassifier,
    SupervisedPretraining,
)
from sklearn_heartkd.augmentation import AdditiveNoise, AugmentingOverSampler, GaussianNoise


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    X = rng.standard_normal((20, 4, 16)).astype(np.float32)
    X[:, 0] += y[:, None]
    return X, y


def student(**parameters):
    return StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0, **parameters)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_networks(axis, sequences):
    X, y = sequences
    model = student().fit(np.flip(X, axis), y)
    expected = student().fit(np.flip(X, axis).copy(), y)
    for method in ("predict_proba", "embed", "decision_function"):
        found = getattr(model, method)(np.flip(X, axis))
        assert_array_equal(found, getattr(expected, method)(np.flip(X, axis).copy()))


@pytest.mark.parametrize("losses", ["kd+infonce", "at"])
def test_teachers(losses, sequences):
    X, y = sequences
    teacher = Conv1DClassifier(width=2, depth=1, max_epochs=1)
    model = DistilledClassifier(teacher, student(), losses=losses, random_state=0)
    views = model.fit(X[::-1], y[::-1]).predict_proba(X[::-1])
    copies = model.fit(X[::-1].copy(), y[::-1].copy()).predict_proba(X[::-1].copy())
    assert_array_equal(views, copies)
    DistilledClassifier(GaussianNB(), student()).fit(X[:, :, 0][::-1], y[::-1])


@pytest.mark.parametrize(
    "make",
    [
        lambda X, y: SupervisedPretraining(X, y, max_epochs=1),
        lambda X, y: ContrastivePretraining(X, max_epochs=1),
    ],
    ids=["supervised", "contrastive"],
)
def test_pretraining(make, sequences):
    X, y = sequences
    views, copies = make(X[::-1], y[::-1]), make(X[::-1].copy(), y[::-1].copy())
    found, expected = (
        student(pretrain=start).fit(X, y).predict_proba(X) for start in (views, copies)
    )
    assert_array_equal(found, expected)


def test_augmentation(sequences):
    X, y = sequences
    y = (np.arange(20) > 14).astype(int)
    sampler = AugmentingOverSampler(augmentation=[GaussianNoise()], random_state=0)
    found, expected = (
        sampler.fit_resample(X[::-1], y)[0],
        sampler.fit_resample(X[::-1].copy(), y)[0],
    )
    assert_array_equal(found, expected)
    ambience = np.linspace(-30, 0, 40, dtype=np.float32).reshape(4, 10)[:, ::-1]
    student(augmentation=[AdditiveNoise(ambience)]).fit(X, y)
