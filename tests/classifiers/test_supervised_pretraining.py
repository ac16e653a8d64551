"""The supervised start of the network classifiers."""

import pickle

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import check_random_state

from sklearn_heartkd import (
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
    SupervisedPretraining,
)
from sklearn_heartkd.augmentation import Mixup
from sklearn_heartkd.classifiers import _pretraining_steps
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import load_model, save_model
from tests.classifiers.helpers import NETWORKS, student

STILL = {"max_epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0, "random_state": 0}


def make_sequences(n=24, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    target = np.arange(n) % 3
    X = rng.standard_normal((n, 4, 16)).astype(dtype)
    X[:, 0] += 2 * target[:, None]
    return X, np.array(["artifact", "murmur", "normal"])[target]


def supervised(X=None, y=None, **parameters):
    if X is None:
        X, y = make_sequences(30, seed=1)
    return SupervisedPretraining(X, y, **{"max_epochs": 2} | parameters)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_body_is_pretrained_and_the_rest_is_as_it_was(name, dtype):
    X, y = make_sequences(dtype=dtype)
    other, labels = make_sequences(30, seed=1)
    if dtype == np.float64:  # only tables keep it
        X, other = X[:, :, 0], other[:, :, 0]
    plain = clone(NETWORKS[name]).set_params(**STILL).fit(X, y)
    pretrained = clone(plain).set_params(pretrain=supervised(other, np.char.upper(labels)))
    pretrained.fit(X, y)
    assert not hasattr(plain, "pretraining_history_")
    assert [epoch["epoch"] for epoch in pretrained.pretraining_history_] == [1, 2]
    before = dict(plain.module_.named_parameters())
    for key, weight in pretrained.module_.named_parameters():
        assert weight.dtype == torch.from_numpy(X).dtype
        change = (weight - before[key]).abs().max()
        if key.startswith("head"):
            assert change < 1e-9
        elif key.endswith("weight"):
            assert change > 1e-4
    for name in ("mean", "scale"):
        assert_array_equal(
            getattr(pretrained.module_.standardize, name), getattr(plain.module_.standardize, name)
        )


def test_it_learns_what_the_fit_can_use():
    X, y = make_sequences(300, seed=2)
    few = dict(max_epochs=1, batch_size=24, learning_rate=1e-3, random_state=0)
    training, test = slice(0, 24), slice(24, None)
    scores = []
    for pretrain in (None, supervised(*make_sequences(300, seed=3), max_epochs=10)):
        model = student(pretrain, **few).fit(X[training], y[training])
        features = model.embed(X)
        centres = np.array([features[training][y[training] == c].mean(0) for c in model.classes_])
        nearest = ((features[test][:, None] - centres) ** 2).sum(2).argmin(1)
        scores.append(np.mean(model.classes_[nearest] == y[test]))
    assert scores[1] > scores[0] + 0.1


def test_level_and_spectral_balance_make_no_difference():
    X, y = make_sequences()
    other, labels = make_sequences(30, seed=1)
    louder = other * np.float32(4) + np.arange(4, dtype=np.float32)[:, None]
    first = student(supervised(other, labels)).fit(X, y).predict_proba(X)
    second = student(supervised(louder, labels)).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(first, second, atol=2e-3)


def test_classes_known_to_both_start_from_the_pretraining():
    X, y = make_sequences()
    other = make_sequences(300, seed=1)[0]
    same = {"artifact": "normal", "murmur": "extrahls", "normal": "artifact"}
    labels = np.array([same[label] for label in make_sequences(300)[1]])
    plain = student(None, **STILL).fit(X, y)
    model = student(supervised(other, labels, max_epochs=20), **STILL).fit(X, y)
    assert model.classes_.tolist() == ["artifact", "murmur", "normal"]
    before, after = plain.module_.head.weight, model.module_.head.weight
    assert (after - before).abs().amax(dim=1).gt(1e-2).tolist() == [True, False, True]
    # what was called artifact in the pretraining is called normal here
    found = model.decision_function(X)
    assert found[y == "normal", 0].mean() > found[y == "artifact", 0].mean()
    assert found[y == "artifact", 2].mean() > found[y == "normal", 2].mean()


def test_tables_too():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 5)), np.arange(40) % 2
    X[:, 0] += 2 * y
    model = student(supervised(X + 1, y)).fit(X, y)
    assert [epoch["epoch"] for epoch in model.pretraining_history_] == [1, 2]


def test_same_seed_same_model_and_the_global_state_is_untouched():
    X, y = make_sequences()
    state, torch_state = check_random_state(None).get_state()[1].copy(), torch.get_rng_state()
    first = student(supervised()).fit(X, y).predict_proba(X)
    assert_array_equal(first, student(supervised()).fit(X, y).predict_proba(X))
    assert (first != student(supervised(), random_state=1).fit(X, y).predict_proba(X)).any()
    assert_array_equal(state, check_random_state(None).get_state()[1])
    assert torch.equal(torch_state, torch.get_rng_state())


def test_memory_learns_once_for_all_folds_and_changes_nothing(tmp_path, monkeypatch):
    runs = []
    real = _pretraining_steps.train
    monkeypatch.setattr(
        _pretraining_steps, "train", lambda *a, **k: runs.append(1) or real(*a, **k)
    )
    X, y = make_sequences(48)
    for memory in (str(tmp_path / "a"), joblib.Memory(tmp_path / "b", verbose=0)):
        runs.clear()
        for rows in (slice(0, 24), slice(24, 48), slice(0, 24)):
            kept = student(supervised(memory=memory)).fit(X[rows], y[rows])
            plain = student(supervised()).fit(X[rows], y[rows])
            assert_array_equal(kept.predict_proba(X), plain.predict_proba(X))
            assert kept.pretraining_history_ == plain.pretraining_history_
        assert len(runs) == 3 + 1
        student(supervised(memory=memory), random_state=1).fit(X, y)
        student(supervised(memory=memory), width=3).fit(X, y)
        dropped = student(supervised(memory=memory), dropout=0.6).fit(X, y)
        plain = student(supervised(), dropout=0.6).fit(X, y)
        assert dropped.pretraining_history_ == plain.pretraining_history_
        student(supervised(memory=memory, max_epochs=1)).fit(X, y)
        student(supervised(*make_sequences(33, seed=1), memory=memory)).fit(X, y)
        student(supervised(memory=memory, augmentation=[Mixup(0.5)])).fit(X, y)
        assert len(runs) == 3 + 1 + 5 + 2


def test_a_distilled_student_and_its_teacher_can_start_so():
    X, y = make_sequences()
    teacher = clone(NETWORKS["conv1d"]).set_params(max_epochs=1, pretrain=supervised())
    model = DistilledClassifier(teacher, student(supervised()), random_state=0).fit(X, y)
    assert len(model.student_.pretraining_history_) == 2
    assert len(model.teacher_.pretraining_history_) == 2
    model.set_params(student__pretrain__max_epochs=1).fit(X, y)
    assert len(model.student_.pretraining_history_) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"X": np.zeros((30, 4, 15))},
            r"shape \(4, 15\), but the training data has 4 channels and 16",
        ),
        ({"X": np.full((30, 4, 16), np.nan)}, "X of SupervisedPretraining contains NaN"),
        ({"X": [np.zeros((4, 16)), np.zeros((4, 17))], "y": [0, 1]}, "of different shapes"),
        ({"y": np.zeros(30, dtype=int)}, r"at least 2 classes, got 1 class: \[0\]"),
        ({"y": np.arange(29) % 2}, "y of SupervisedPretraining: .*inconsistent numbers"),
        ({"y": np.linspace(0, 1, 30)}, "y of SupervisedPretraining: Unknown label type"),
        ({"X": np.zeros((0, 4, 16)), "y": []}, "is empty .* set pretrain__X and pretrain__y"),
        ({"max_epochs": 0}, "The 'max_epochs' parameter of SupervisedPretraining"),
        ({"batch_size": 1}, "The 'batch_size' parameter of SupervisedPretraining"),
        ({"learning_rate": 0.0}, "The 'learning_rate' parameter of SupervisedPretraining"),
    ],
)
def test_bad_input_is_named(change, message):
    X, y = make_sequences()
    with pytest.raises(ValueError, match=message):
        student(supervised().set_params(**change)).fit(X, y)


def test_augmentations_are_checked_and_must_be_storable(tmp_path):
    X, y = make_sequences()
    for wrong in (Mixup, "mixup"):
        with pytest.raises(TypeError, match=r"list of Augmentation objects, such as \[Mixup\(\)\]"):
            student(supervised(augmentation=[wrong])).fit(X, y)
    here = [lambda batch, generator: batch]
    assert student(supervised(augmentation=here)).fit(X, y)
    with pytest.raises(ValueError, match=r"cannot recognize the augmentations .* memory=None"):
        student(supervised(augmentation=here, memory=str(tmp_path))).fit(X, y)


def test_a_table_of_another_width_is_named():
    X, y = np.random.default_rng(0).standard_normal((40, 5)), np.arange(40) % 2
    with pytest.raises(ValueError, match="but the training data has 5 features"):
        student(supervised(X[:, :4], y)).fit(X, y)


def test_a_pickle_keeps_the_recordings_and_a_model_file_does_not(tmp_path):
    X, y = make_sequences()
    other, labels = make_sequences(1000, seed=1)
    memory = joblib.Memory(tmp_path / "cache", verbose=0)
    start = supervised(other, labels, max_epochs=1, batch_size=500, memory=memory)
    model = DistilledClassifier(GaussianNB(), student(start), random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.get_params()["student__pretrain__X"], other)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert (tmp_path / "model").stat().st_size < 100_000 < other.nbytes
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.get_params()["student__pretrain__X"].shape == (0, 4, 16)
    assert loaded.get_params()["student__pretrain__y"].shape == (0,)
    assert loaded.get_params()["student__pretrain__memory"] is None
    with pytest.raises(ValueError, match=r"empty .* save_model; set"):
        loaded.fit(X, y)
    loaded.set_params(student__pretrain__X=other, student__pretrain__y=labels).fit(X, y)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.slow
def test_synthetic_hearts_teach_what_a_murmur_is():
    """After one epoch with a dozen recordings, a network knows what it started with."""
    features = LogMelSpectrogram()
    made = make_heart_sounds(
        300, n_subjects=300, duration=3.0, domain_randomization=True, random_state=0
    )
    start = SupervisedPretraining(features.fit_transform(made.data), made.target, max_epochs=10)
    scores = {"none": [], "synthetic": []}
    for seed in (1, 2, 3):
        sounds = make_heart_sounds(
            132, classes=("normal", "murmur"), n_subjects=132, duration=3.0, random_state=seed
        )
        X, y = features.transform(sounds.data), sounds.target
        for name, pretrain in (("none", None), ("synthetic", start)):
            student = StudentClassifier(pretrain=pretrain, max_epochs=1, random_state=0)
            scores[name].append(student.fit(X[:12], y[:12]).score(X[12:], y[12:]))
    # 0.64 to 0.70 with the random states 0 to 2, and chance
    assert np.mean(scores["synthetic"]) > np.mean(scores["none"]) + 0.08
