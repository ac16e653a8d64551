"""The self-supervised start of the network classifiers."""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from pytorch_metric_learning.losses import NTXentLoss
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import (
    ContrastivePretraining,
    DistilledClassifier,
    LogMelSpectrogram,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import Augmentation, GaussianNoise, Mixup, RandomCrop
from sklearn_heartkd.classifiers._pretraining import nt_xent
from sklearn_heartkd.deployment import load_model, save_model
from sklearn_heartkd.utils._group_splits import hold_out
from tests.classifiers.helpers import NETWORKS, student


def make_sequences(n=24, n_channels=4, n_frames=16, dtype=np.float32):
    rng = np.random.default_rng(0)
    target = np.arange(n) % 2
    X = rng.standard_normal((n, n_channels, n_frames)).astype(dtype)
    X[:, 0] += 2 * target[:, None]
    return X, np.array(["murmur", "normal"])[target]


def contrastive(*arguments, **parameters):
    return ContrastivePretraining(
        *arguments, **{"max_epochs": 2, "projection_size": 4} | parameters
    )


class Spy(Augmentation):
    """Remember the rows that pass, and change them a little."""

    def __init__(self, seen):
        self.seen = seen

    def __call__(self, batch, generator):
        self.seen.append(batch)
        return GaussianNoise()(batch, generator)

    def rows(self):
        return torch.cat([batch.x for batch in self.seen]).numpy()


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent_agrees_with_pytorch_metric_learning(temperature):
    projection = torch.randn(14, 5, generator=torch.Generator().manual_seed(0))
    rows = torch.arange(7).repeat(2)
    expected = NTXentLoss(temperature)(projection, rows)
    torch.testing.assert_close(nt_xent(projection, rows, temperature), expected)


def test_nt_xent_has_the_right_gradient():
    projection = torch.randn(
        8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    for subject in (torch.arange(4).repeat(2), torch.tensor([0, 0, 1, 2]).repeat(2)):
        assert torch.autograd.gradcheck(lambda p, s=subject: nt_xent(p, s, 0.5), projection)


def test_equal_views_cost_the_logarithm_of_the_candidates():
    loss = nt_xent(torch.ones(10, 3), torch.arange(5).repeat(2), 0.5)
    assert loss.item() == pytest.approx(np.log(9))


def test_rows_of_one_subject_are_no_negatives():
    projection = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    subject = torch.tensor([0, 0, 1, 2]).repeat(2)
    direction = (projection / projection.norm(dim=1, keepdim=True)).numpy()
    losses = []
    for i in range(8):
        other = (i + 4) % 8
        compared = [j for j in range(8) if j == other or subject[i] != subject[j]]
        weights = np.exp(direction[compared] @ direction[i] / 0.5)
        losses.append(-np.log(weights[compared.index(other)] / weights.sum()))
    assert nt_xent(projection, subject, 0.5).item() == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_body_is_pretrained_and_the_head_is_as_it_was(name, dtype):
    X, y = make_sequences(dtype=dtype)
    X = X if dtype == np.float32 else X[:, :, 0]  # only tables keep float64
    still = {"max_epochs": 1, "learning_rate": 1e-12, "weight_decay": 0.0, "random_state": 0}
    plain = clone(NETWORKS[name]).set_params(**still).fit(X, y)
    pretrained = clone(plain).set_params(pretrain=contrastive()).fit(X, y)
    assert not hasattr(plain, "pretraining_history_")
    assert [epoch["epoch"] for epoch in pretrained.pretraining_history_] == [1, 2]
    for key, weight in pretrained.module_.named_parameters():
        assert weight.dtype == torch.from_numpy(X).dtype
        if X.ndim == 2 and "weight_hh" in key:
            continue  # a table is one step, which has no hidden state before it
        change = (weight - dict(plain.module_.named_parameters())[key]).abs().max()
        assert change < 1e-9 if key.startswith("head") else change > 1e-5, key
    assert_array_equal(pretrained.module_.standardize.mean, plain.module_.standardize.mean)
    assert pretrained.predict_proba(X).dtype == dtype


def test_the_loss_falls_below_that_of_guessing():
    X, y = make_sequences()
    model = student(contrastive(max_epochs=60, learning_rate=0.02), width=8).fit(X, y)
    losses = [epoch["loss"] for epoch in model.pretraining_history_]
    assert losses[0] == pytest.approx(np.log(47), abs=0.5)
    assert np.mean(losses[-5:]) < losses[0] - 0.4


def test_the_string_means_the_default_on_the_training_rows():
    X, y = make_sequences(8)
    expected = student(ContrastivePretraining()).fit(X, y)
    model = student("contrastive").fit(X, y)
    assert len(model.pretraining_history_) == 100
    assert model.pretraining_history_ == expected.pretraining_history_
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_another_fit_forgets_the_pretraining():
    X, y = make_sequences()
    model = student(contrastive()).fit(X, y)
    assert not hasattr(model.set_params(pretrain=None).fit(X, y), "pretraining_history_")


def test_unlabeled_recordings_alone_are_enough():
    X, y = make_sequences()
    extra = 3 + X[:6] / 2
    for use_training, expected in ((True, np.concatenate([X, extra])), (False, extra)):
        spy = Spy([])
        start = contrastive(extra.tolist(), use_training=use_training, augmentation=[spy])
        model = student(start).fit(X, y)
        assert_array_equal(np.unique(spy.rows(), axis=0), np.unique(expected, axis=0))
        mean = model.module_.standardize.mean[:, 0]
        np.testing.assert_allclose(mean, X.mean(axis=(0, 2)), rtol=1e-4)


def test_two_different_views_are_made_of_every_row_of_a_batch():
    X, y = make_sequences()
    first, second = Spy([]), Spy([])
    student(contrastive(augmentation=[first, second], batch_size=12, max_epochs=1)).fit(X, y)
    assert [len(batch) for batch in first.seen] == [12, 12, 12, 12]
    for i in (0, 2):
        assert_array_equal(first.seen[i].index, first.seen[i + 1].index)
        assert not torch.equal(second.seen[i].x, second.seen[i + 1].x)


def test_held_out_rows_and_rows_of_no_weight_are_never_seen():
    X, y = make_sequences(40)
    groups, weight = np.arange(40) // 2, np.ones(40)
    weight[:4] = 0
    spy = Spy([])
    model = student(contrastive(augmentation=[spy]), early_stopping=True)
    model.fit(X, y, sample_weight=weight, groups=groups)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    training, held_out = hold_out(model, (y[4:] == "normal").astype(int), groups[4:], 0.2, seed)
    assert len(held_out) >= 6
    assert {int(i) for batch in spy.seen for i in batch.index} == set(training + 4)


def test_equal_rows_count_once_whatever_their_weight():
    X, y = make_sequences()
    weight = np.arange(24) % 3 + 1
    once, repeated = Spy([]), Spy([])
    student(contrastive(augmentation=[once])).fit(X, y, sample_weight=weight)
    student(contrastive(augmentation=[repeated])).fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert_array_equal(once.rows(), repeated.rows())
    assert len(once.seen[0]) == 24


def test_an_unlabeled_training_row_keeps_its_subject():
    X, y = make_sequences()
    spy = Spy([])
    model = student(contrastive(X[:12], augmentation=[spy]))
    model.fit(X, y, groups=np.arange(24) // 3)
    assert {int(i) for batch in spy.seen for i in batch.subject} == set(range(8))


def test_tables_are_pretrained_too():
    X, y = make_sequences()
    table = pd.DataFrame(X[:, :, 0]).add_prefix("mean")
    for unlabeled in (None, table + 1, X[:, :, :1] + 1):
        model = student(contrastive(unlabeled)).fit(table, y)
        assert np.isfinite([epoch["loss"] for epoch in model.pretraining_history_]).all()
        assert model.predict(table).shape == (24,)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temperature": -0.5}, r"'temperature' .* Got -0.5"),
        ({"batch_size": 1}, r"'batch_size' .* Got 1"),
        (
            {"augmentation": [RandomCrop(), Mixup()]},
            r"contains Mixup\(\), but a mixture is not a view",
        ),
        ({"augmentation": []}, r"augmentation=\[\] makes two equal views"),
        ({"use_training": False}, "unlabeled=None and use_training=False"),
        ({"unlabeled": np.zeros((3, 5, 16))}, r"shape \(5, 16\).* 4 channels and 16 frames"),
        ({"unlabeled": np.zeros((3, 4, 9))}, r"shape \(4, 9\).* 4 channels and 16 frames"),
        ({"unlabeled": np.zeros((3, 4))}, r"shape \(4,\).* 4 channels and 16 frames"),
        (
            {"unlabeled": [np.zeros((4, 16)), np.zeros((4, 9))]},
            "unlabeled holds .* different shapes",
        ),
        ({"unlabeled": np.full((3, 4, 16), np.nan)}, "unlabeled contains NaN"),
        ({"unlabeled": np.zeros((0, 4, 16))}, r"unlabeled is empty .*\(0, 4, 16\)"),
        (
            {"unlabeled": np.zeros((3, 4, 16)), "use_training": False},
            "at least 2 different recordings, of 2 subjects, to tell apart, got 1 of 1",
        ),
    ],
)
def test_errors_name_the_value(parameters, message):
    X, y = make_sequences()
    with pytest.raises(ValueError, match=message):
        student(ContrastivePretraining(**parameters)).fit(X, y)


def test_one_subject_cannot_be_told_apart():
    X, y = make_sequences()
    with pytest.raises(ValueError, match="of 2 subjects, to tell apart, got 24 of 1"):
        student(contrastive()).fit(X, y, groups=np.zeros(24))


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match=r"'pretrain' .* Got 'simclr'"):
        student("simclr").fit(*make_sequences())


@pytest.mark.parametrize(("terminal", "shown"), [(True, True), (False, False)])
def test_the_progress_bar_says_what_goes_on(terminal, shown, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    student(contrastive(), verbose=1).fit(*make_sequences())
    assert ("pretraining:" in capsys.readouterr().err) == shown


def test_a_search_reaches_the_parameters_inside_a_distillation():
    X, y = make_sequences()
    model = DistilledClassifier(
        clone(NETWORKS["conv1d"]).set_params(max_epochs=1, pretrain=contrastive(X + 1)),
        student(contrastive(), random_state=None),
        random_state=0,
    )
    grid = {
        "student__pretrain__temperature": [0.2, 0.7],
        "teacher__pretrain__use_training": [False],
    }
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    best = search.best_estimator_
    assert len(best.student_.pretraining_history_) == 2
    assert len(best.teacher_.pretraining_history_) == 2
    assert (
        best.student_.pretrain.temperature == search.best_params_["student__pretrain__temperature"]
    )
    assert model.student.pretrain.temperature == 0.5
    again = clone(best).fit(X, y)
    assert_array_equal(again.predict_proba(X), best.predict_proba(X))


def test_pretraining_works_on_windows_in_a_pipeline():
    rng = np.random.default_rng(0)
    recordings = [rng.standard_normal(1600 + 50 * i) for i in range(8)]
    unlabeled = LogMelSpectrogram().fit_transform(rng.standard_normal((6, 1000)))
    inner = make_pipeline(LogMelSpectrogram(), student(contrastive(unlabeled)))
    model = WindowedClassifier(inner, window=0.5, hop=0.25).fit(recordings, [0, 1] * 4)
    assert len(model.estimator_[-1].pretraining_history_) == 2
    assert model.predict(recordings).shape == (8,)


def test_only_a_pickle_keeps_the_unlabeled_recordings(tmp_path):
    X, y = make_sequences()
    unlabeled = np.random.default_rng(0).standard_normal((1000, 4, 16)).astype(np.float32)
    start = contrastive(unlabeled, use_training=False, max_epochs=1, batch_size=500)
    model = DistilledClassifier(GaussianNB(), student(start), random_state=0).fit(X, y)
    assert "array" in repr(model)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.get_params()["student__pretrain__unlabeled"], unlabeled)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))

    path = save_model(model, tmp_path / "model")
    assert path.stat().st_size < 100_000 < unlabeled.nbytes
    loaded = load_model(path)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.student_.pretraining_history_ == model.student_.pretraining_history_
    assert loaded.get_params()["student__pretrain__unlabeled"].shape == (0, 4, 16)
    assert model.student_.pretrain.unlabeled.shape == (1000, 4, 16)
    with pytest.raises(ValueError, match=r"empty .* save_model; set"):
        loaded.fit(X, y)
    assert loaded.set_params(student__pretrain__unlabeled=unlabeled).fit(X, y)
    assert len(pickle.dumps(model)) > 2 * unlabeled.nbytes


def test_a_model_pretrained_on_its_training_rows_is_saved_whole(tmp_path):
    X, y = make_sequences()
    model = student(contrastive(augmentation=[RandomCrop(0.5), GaussianNoise()])).fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert repr(loaded) == repr(model)
    assert_array_equal(loaded.fit(X, y).predict_proba(X), model.predict_proba(X))
