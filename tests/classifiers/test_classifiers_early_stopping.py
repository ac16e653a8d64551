import numpy as np
import pytest
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback

from sklearn_heartkd import DistilledClassifier, StudentClassifier
from sklearn_heartkd._splits import hold_out
from sklearn_heartkd.classifiers import _base
from sklearn_heartkd.distillation import CRD


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


def test_rows_without_weight_take_no_part_in_the_split(splits):
    X, y, groups = make_subjects()
    student(max_epochs=1).fit(X, y, sample_weight=groups < 10, groups=groups)
    assert sum(map(len, splits[0])) == 30


def test_the_default_makes_no_split(splits):
    X, y, _ = make_subjects()
    model = student(early_stopping=False, max_epochs=1).fit(X, y)
    assert splits == []
    assert "valid_loss" not in model.history_[0]


def test_without_groups_there_is_a_warning_that_says_how_to_give_them():
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
    assert model.n_iter_ == min(best + 1 + patience, 40)
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


def test_a_class_of_one_recording_cannot_be_held_out_without_groups():
    with (
        pytest.warns(UserWarning, match="without groups"),
        pytest.raises(ValueError, match="Cannot hold out 20% of 11 recordings"),
    ):
        hold_out(StudentClassifier(), np.array([0] * 10 + [1]), None, 0.2, 0)
