import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedGroupKFold
from skorch.callbacks import Callback, EpochScoring

from sklearn_heartkd import DistilledClassifier, StudentClassifier
from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.classifiers import _base
from sklearn_heartkd.classifiers._training import with_shares_of
from sklearn_heartkd.distillation import CRD
from sklearn_heartkd.utils._group_splits import hold_out


def make_subjects(n_subjects=20, seed=0):
    """Two noisy classes; three recordings a subject."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_subjects), 3)
    y = groups % 2
    X = rng.standard_normal((len(y), 4, 16)).astype(np.float32)
    X[:, 0] += 0.5 * y[:, None]
    return X, y, groups


def student(**parameters):
    return StudentClassifier(
        **{"width": 2, "depth": 1, "random_state": 0, "early_stopping": True} | parameters
    )


@pytest.fixture
def splits(monkeypatch):
    """Record what `hold_out` returns."""
    found = []

    def spy(*arguments):
        found.append(hold_out(*arguments))
        return found[-1]

    monkeypatch.setattr(_base, "hold_out", spy)
    return found


def test_no_subject_is_on_both_sides(splits):
    X, y, groups = make_subjects()
    for seed in range(5):
        student(max_epochs=1, random_state=seed).fit(X, y, groups=groups)
    for training, held_out in splits:
        assert not set(groups[training]) & set(groups[held_out])
        assert sorted([*training, *held_out]) == list(range(60))
        assert 0.1 < len(held_out) / 60 < 0.3
    assert len({tuple(held_out) for _, held_out in splits}) > 1


@pytest.mark.parametrize("few", ["two of one class", "three of each", "one of one class"])
def test_a_class_of_few_subjects_ends_no_training_early(few):
    X, y = load_iris(return_X_y=True)
    groups = {
        "two of one class": np.r_[np.arange(100) // 5, np.full(25, 98), np.full(25, 99)],
        "three of each": np.arange(150) // 17,
        "one of one class": np.r_[np.arange(100) // 5, np.full(50, 98)],
    }[few]
    for seed in range(4):
        model = StudentClassifier(early_stopping=True, random_state=seed)
        assert model.fit(X, y, groups=groups).score(X, y) > 0.85


def test_of_the_splits_by_subject_the_most_alike_is_taken():
    y = np.repeat([0, 0, 0, 0, 1, 1, 1, 2, 2], 5)
    groups = np.arange(45) // 5
    for seed in range(8):
        splitter = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            splits = list(splitter.split(y, y, groups))
        apart = [
            np.abs(
                np.subtract(*(np.bincount(y[rows], minlength=3) / len(rows) for rows in split))
            ).sum()
            + abs(len(split[1]) / 45 - 0.3) / 0.3
            for split in splits
            if len(np.unique(y[split[0]])) == 3
        ]
        training, held_out = hold_out(None, y, groups, 0.3, seed)
        found = (
            np.abs(
                np.bincount(y[training], minlength=3) / len(training)
                - np.bincount(y[held_out], minlength=3) / len(held_out)
            ).sum()
            + abs(len(held_out) / 45 - 0.3) / 0.3
        )
        assert found == pytest.approx(min(apart))


@pytest.mark.parametrize(
    ("sizes", "fraction", "held"),
    [([60, *[4] * 10], 0.2, (4, 16)), ([2, *[10] * 11], 0.15, (10, 30))],
    ids=["one large subject", "one small subject"],
)
def test_the_held_out_part_is_about_as_large_as_wanted(sizes, fraction, held):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    y = np.arange(len(groups)) % 2
    for seed in range(6):
        _, held_out = hold_out(None, y, groups, fraction, seed)
        assert held[0] <= len(held_out) <= held[1]


def test_the_held_out_part_of_a_fit_is_weighed(monkeypatch):
    weighed = []

    def spy(training, validation):
        weighed.append(with_shares_of(training, validation))
        return weighed[-1]

    monkeypatch.setattr(_base, "with_shares_of", spy)
    validations = []
    original = _base.train

    def train(*arguments, validation, **options):
        validations.append(validation)
        return original(*arguments, validation=validation, **options)

    monkeypatch.setattr(_base, "train", train)
    X, y, groups = make_subjects()
    student(max_epochs=1).fit(X, y, groups=groups)
    assert validations == weighed


def test_held_out_classes_weigh_as_in_the_training_part():
    target = torch.tensor([0, 0, 0, 1, 2])
    weight = torch.tensor([1.0, 1.0, 2.0, 2.0, 1.0])
    rows = Batch(torch.zeros(5, 1, 1), target, weight, target, target)
    held_out = rows.take(torch.tensor([0, 2, 3, 3]))
    found = with_shares_of(rows, held_out).weight
    torch.testing.assert_close(found, torch.tensor([4 / 3, 8 / 3, 1.0, 1.0]))


class Noting(Callback):
    """Note what is a number, and what is none."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("of_the_best", 3)
        net.history.record("weights", torch.ones(2))
        net.history.record("sizes", [1, 2])


def test_callbacks_score_a_classifier():
    X, y, groups = make_subjects()
    callbacks = [
        EpochScoring("balanced_accuracy", name="held_out", lower_is_better=False),
        EpochScoring("neg_log_loss", name="seen", lower_is_better=False, on_train=True),
        EpochScoring(lambda net, X, y: 7.0, name="own", on_train=True),
        Noting(),
    ]
    model = student(max_epochs=3, callbacks=callbacks).fit(X, y, groups=groups)
    told = {"epoch", "train_loss", "valid_loss", "held_out", "seen", "own", "of_the_best"}
    assert all(set(epoch) == told for epoch in model.history_)
    assert all(0 <= epoch["held_out"] <= 1 for epoch in model.history_)
    assert all(-2 < epoch["seen"] < 0 for epoch in model.history_)
    assert all(epoch["own"] == 7 for epoch in model.history_)


def test_rows_without_weight_take_no_part_in_the_split(splits):
    X, y, groups = make_subjects()
    student(max_epochs=1).fit(X, y, sample_weight=groups < 10, groups=groups)
    assert sum(map(len, splits[0])) == 30


def test_the_default_makes_no_split(splits):
    X, y, _ = make_subjects()
    model = student(early_stopping=False, max_epochs=1).fit(X, y)
    assert splits == []
    assert "valid_loss" not in model.history_[0]


def test_a_split_without_groups_warns_how_to_pass_them():
    X, y, _ = make_subjects()
    with pytest.warns(UserWarning, match=r"without groups.*fit\(X, y, groups=groups\)") as caught:
        student(max_epochs=1).fit(X, y)
    assert len(caught) == 1
    assert "params={'<step>__groups': groups}" in str(caught[0].message)


class Remember(Callback):
    def on_train_begin(self, net, **kwargs):
        self.weights = []

    def on_epoch_end(self, net, **kwargs):
        self.weights.append({k: v.clone() for k, v in net.module_.state_dict().items()})


@pytest.mark.parametrize("patience", [3, 100])
def test_the_best_epoch_is_restored(patience):
    X, y, groups = make_subjects()
    remember = Remember()
    model = student(
        width=8,
        max_epochs=40,
        n_iter_no_change=patience,
        learning_rate=0.1,
        augmentation=None,
        callbacks=[remember],
    ).fit(X, y, groups=groups)
    losses = [epoch["valid_loss"] for epoch in model.history_]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    peak = 12  # of the learning rate, from which patience is counted
    assert model.n_iter_ == min(max(best + 1, peak) + patience, 40)
    assert (model.n_iter_ < 40) == (patience == 3)
    for name, value in model.module_.state_dict().items():
        assert_array_equal(value, remember.weights[best][name])


def test_the_student_of_a_teacher_stops_early_too(splits):
    X, y, groups = make_subjects()
    teacher = StudentClassifier(width=2, depth=1, max_epochs=1)
    model = DistilledClassifier(teacher, student(max_epochs=3), random_state=0)
    model.fit(X, y, groups=groups)
    assert len(splits) == 1
    assert "valid_loss" in model.history_[0]


def test_held_out_rows_are_no_counterexamples_of_the_student(splits):
    X, y, groups = make_subjects()
    memory = []

    class Spy(CRD):
        def make_term(self, setting):
            memory.append(setting.rows.index.tolist())
            return super().make_term(setting)

    teacher = StudentClassifier(width=2, depth=1, max_epochs=1)
    losses = [("spy", Spy(), 1.0)]
    model = DistilledClassifier(teacher, student(max_epochs=2), losses=losses, random_state=0)
    model.fit(X, y, groups=groups)
    assert memory == [splits[0][0].tolist()]
    assert np.isfinite(model.history_[0]["valid_loss"])


def test_every_class_stays_in_the_training_part():
    y = np.array([0] * 18 + [1] * 6)
    groups = np.array([*range(18), *[20] * 3, *[21] * 3])
    for seed in range(20):
        training, _ = hold_out(None, y, groups, 0.2, seed)
        assert set(y[training]) == {0, 1}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(24), "at least 5 of them, got 1"),
        (np.r_[np.arange(18), np.full(6, 20)], "None"),
    ],
)
def test_splits_that_cannot_be_made_say_why(groups, message):
    y = np.array([0] * 18 + [1] * 6)
    if message == "None":
        # the single subject of class 1 must stay in the training part
        assert 20 not in groups[hold_out(None, y, groups, 0.2, 0)[1]]
    else:
        with pytest.raises(ValueError, match=message):
            hold_out(None, y, groups, 0.2, 0)


def test_a_class_of_one_recording_cannot_be_held_out():
    with (
        pytest.warns(UserWarning, match="without groups"),
        pytest.raises(ValueError, match="Cannot hold out 20% of 11 recordings"),
    ):
        hold_out(StudentClassifier(), np.array([0] * 10 + [1]), None, 0.2, 0)
