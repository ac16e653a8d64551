"""Batches that are balanced over devices and classes."""

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import (
    MFCC,
    ContrastivePretraining,
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import Augmentation
from sklearn_heartkd.classifiers._balance import BalancedOrder
from sklearn_heartkd.metrics import RejectingClassifier

N = 60
Y = np.array(["murmur", "normal"])[(np.arange(N) % 5 == 0).astype(int)]
DEVICES = np.where(np.arange(N) < 48, "microphone", "phone")
GROUPS = np.arange(N) // 2
CELLS = np.char.add(DEVICES, Y)
X = np.random.default_rng(0).standard_normal((N, 3, 8)).astype(np.float32)
X[:, 0] += (Y == "normal")[:, None]
WAVES = np.random.default_rng(1).standard_normal((N, 900)).astype(np.float32)


class Spy(Augmentation):
    """Keep the batches."""

    seen: list = []

    def __call__(self, batch, generator):
        Spy.seen.append(batch)
        return batch


@pytest.fixture(autouse=True)
def nothing_seen():
    Spy.seen.clear()


def student(**parameters):
    defaults = {"width": 2, "depth": 1, "max_epochs": 2, "random_state": 0, "balance": True}
    return StudentClassifier(**defaults | {"augmentation": [Spy()]} | parameters)


def seen_rows():
    return torch.cat([batch.index for batch in Spy.seen]).numpy()


def count(rows):
    return np.unique(CELLS[rows], return_counts=True)[1]


def weights_of(model):
    return [values.numpy() for values in model.module_.state_dict().values()]


def test_every_batch_holds_as_many_rows_of_every_cell():
    student(batch_size=12).fit(X, Y, groups=GROUPS, devices=DEVICES)
    assert len(Spy.seen) == 2 * 5
    for batch in Spy.seen:
        assert count(batch.index).tolist() == [3, 3, 3, 3]
        assert torch.equal(batch.weight, batch.weight[:1].expand(12))


def test_without_balance_each_row_is_drawn_once_an_epoch():
    student(balance=False).fit(X, Y, groups=GROUPS, devices=DEVICES)
    assert_array_equal(np.bincount(seen_rows()), np.full(N, 2))


def test_rows_of_a_cell_are_drawn_by_their_weights():
    weight = torch.tensor([1.0, 3.0, 5.0, 5.0, 0.5, 0.5, 0.5])
    order = BalancedOrder(np.array([1, 1, 0, 0, 2, 2, 2]), weight)
    generator = torch.Generator().manual_seed(0)
    drawn = np.bincount(torch.cat([order.draw(generator) for _ in range(3000)]), minlength=7)
    expected = np.array([1 / 12, 1 / 4, 1 / 6, 1 / 6, 1 / 9, 1 / 9, 1 / 9])
    assert np.abs(drawn / drawn.sum() - expected).max() < 0.01


def test_what_has_no_weight_is_not_drawn():
    weight = np.where(np.arange(N) % 7 == 0, 0.0, 2.0)
    student(max_epochs=20).fit(X, Y, weight, GROUPS, DEVICES)
    assert set(seen_rows()) <= set(np.flatnonzero(weight))


def test_class_weights_stay_in_the_loss():
    student(class_weight={"murmur": 1.0, "normal": 0.25}).fit(X, Y, devices=DEVICES)
    for batch in Spy.seen:
        torch.testing.assert_close(batch.weight, torch.where(batch.target == 1, 0.25, 1.0))


def test_rows_of_no_cell_come_once_and_evenly():
    order = BalancedOrder(np.arange(40) % 4, torch.ones(60))
    drawn = order.draw(torch.Generator().manual_seed(0))
    assert sorted(drawn[drawn >= 40].tolist()) == list(range(40, 60))
    assert {int((part >= 40).sum()) for part in drawn.split(12)} == {4}


def test_balance_without_devices_raises():
    with pytest.raises(ValueError, match=r"balance=True.*no devices"):
        student().fit(X, Y, groups=GROUPS)


def test_devices_are_one_for_each_recording():
    with pytest.raises(ValueError, match="devices has 59 values for 60 recordings"):
        student().fit(X, Y, devices=DEVICES[1:])


def test_devices_alone_change_nothing():
    plain = student(balance=False).fit(X, Y, groups=GROUPS)
    told = student(balance=False).fit(X, Y, groups=GROUPS, devices=DEVICES)
    assert all(map(np.array_equal, weights_of(plain), weights_of(told)))


def test_the_same_seed_gives_the_same_model_in_threads():
    def fit():
        model = student(augmentation="auto").fit(X, Y, groups=GROUPS, devices=DEVICES)
        return weights_of(model)

    first, *others = Parallel(n_jobs=3, backend="threading")(delayed(fit)() for _ in range(3))
    other_seed = student(augmentation="auto", random_state=1).fit(X, Y, devices=DEVICES)
    assert all(all(map(np.array_equal, first, other)) for other in others)
    assert not all(map(np.array_equal, first, weights_of(other_seed)))


@pytest.mark.parametrize("data", [X, X[:, :, 0].astype(float)], ids=["sequences", "table"])
def test_early_stopping_and_pretraining_go_on_working(data):
    pretrain = ContrastivePretraining(max_epochs=1)
    stopping = {"early_stopping": True, "max_epochs": 60, "n_iter_no_change": 60}
    model = student(pretrain=pretrain, **stopping).fit(data, Y, groups=GROUPS, devices=DEVICES)
    assert "valid_loss" in model.history_[0]
    learned = np.unique(seen_rows())
    held_out = np.setdiff1d(np.arange(N), learned)
    assert 0.1 * N < len(held_out) < 0.3 * N
    assert not set(GROUPS[held_out]) & set(GROUPS[learned])
    assert np.ptp(count(seen_rows())) <= 60


def around(inner):
    return {
        "refined": KMeansRefinedClassifier(inner, weight="auto", cv=2, random_state=0),
        "rejecting": RejectingClassifier(inner, error_rate=0.5, cv=2),
        "distilled": DistilledClassifier(inner, student(balance=False), random_state=0),
        "out of fold": DistilledClassifier(inner, student(balance=False), cv=2, random_state=0),
        "student": DistilledClassifier(student(balance=False), inner, random_state=0),
    }


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", around(None))
def test_devices_reach_what_is_inside(name, routing):
    """Devices and classes are drawn equally, in every fit, although row 0 weighs nothing."""
    weight = np.where(np.arange(N) == 0, 0.0, 1.0)
    with config_context(enable_metadata_routing=routing):
        inner = student()
        model = around(inner)[name]
        if routing:
            for part in (inner, getattr(model, "student", inner)):
                part.set_fit_request(sample_weight=True)
            if name == "student":
                model.teacher.set_fit_request(sample_weight=True)
        model.fit(X, Y, weight, GROUPS, DEVICES)
        with pytest.raises(ValueError, match="no devices"):
            model.fit(X, Y, groups=GROUPS)


@pytest.mark.parametrize("routing", [False, True])
def test_windows_have_the_device_of_their_recording(routing):
    with config_context(enable_metadata_routing=routing):
        inner = make_pipeline(MFCC(), student(batch_size=12))
        model = WindowedClassifier(inner, window=0.3, hop=0.15, random_state=0)
        model.fit(WAVES, Y, groups=GROUPS, devices=DEVICES)
    source = np.repeat(np.arange(N), 2)
    assert len(Spy.seen) == 2 * 10
    assert all(count(source[batch.index]).tolist() == [3, 3, 3, 3] for batch in Spy.seen)


def test_cross_validation_hands_devices_on():
    model = DistilledClassifier(student(), student(), random_state=0)
    params = {"groups": GROUPS, "devices": DEVICES}
    cross_validate(model, X, Y, params=params, cv=2, error_score="raise")
