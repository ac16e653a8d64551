"""Input, weights, callbacks, progress and device of the network classifiers."""

import pickle
import sys
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_circles
from skorch.callbacks import Callback

from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
    SupervisedPretraining,
)
from sklearn_heartkd.augmentation import Augmentation, Batch, Mixup
from sklearn_heartkd.classifiers import _base
from sklearn_heartkd.classifiers._training import Objective
from sklearn_heartkd.networks import NetworkOutput
from sklearn_heartkd.networks._common import SeededDropout

NETWORKS = [Conv1DClassifier, Conv2DClassifier, LSTMClassifier, RNNClassifier, StudentClassifier]
LABELS = np.array(["artifact", "murmur", "normal"])


def make_sequences(n=30, n_channels=4, n_frames=16, n_classes=3, shift=2.0, dtype=np.float32):
    rng = np.random.default_rng(0)
    target = np.arange(n) % n_classes
    X = rng.standard_normal((n, n_channels, n_frames)).astype(dtype)
    X[:, 0] += shift * target[:, None]
    return X, LABELS[target]


def student(**parameters):
    return StudentClassifier(
        **{"width": 2, "depth": 1, "max_epochs": 2, "random_state": 0} | parameters
    )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(4, 16), (1, 7), (5, 1), (6,)])
def test_every_shape_is_inferred(network, shape):
    X, y = make_sequences()
    X = np.resize(X, (30, *shape))
    model = network(max_epochs=1, random_state=0).fit(X, y)
    assert model.input_shape_ == (shape if len(shape) == 2 else (*shape, 1))
    assert model.n_features_in_ == shape[0]
    assert_array_equal(model.classes_, LABELS)
    assert model.predict_proba(X).shape == (30, 3)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    assert model.decision_function(X).shape == (30, 3)
    assert model.embed(X).shape == (30, model.module_.embedding_size)
    assert len(model.history_) == model.n_iter_ == 1


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_learns_what_is_easy(network):
    X, y = make_sequences(60, shift=3.0)
    model = network(max_epochs=25, random_state=0, batch_size=20).fit(X[:45], y[:45])
    assert model.score(X[45:], y[45:]) > 0.8
    losses = [epoch["train_loss"] for epoch in model.history_]
    assert np.mean(losses[-3:]) < losses[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_table_keeps_its_precision(dtype):
    X, y = make_sequences(dtype=dtype)
    model = student().fit(X[:, :, 0], y)
    assert model.predict_proba(X[:, :, 0]).dtype == dtype
    assert model.embed(X[:, :, 0]).dtype == dtype
    assert next(model.module_.parameters()).dtype == torch.from_numpy(X).dtype


def test_sequences_are_converted_to_float32():
    X, y = make_sequences(dtype=np.float64)
    model = student().fit(X, y)
    single = X.astype(np.float32)
    assert_array_equal(model.predict_proba(X), student().fit(single, y).predict_proba(single))
    assert model.embed(X).dtype == np.float32
    X[2, 3, 1] = 1e300
    with pytest.raises(ValueError, match="too large for dtype"):
        student().fit(X, y)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_fit_inside_inference_mode(network, mode):
    X, y = make_sequences()
    pretrain = SupervisedPretraining(X, y, max_epochs=1)
    model = network(max_epochs=1, random_state=0, pretrain=pretrain)
    expected = model.fit(X, y).predict_proba(X)
    with mode():
        found = model.fit(X, y).predict_proba(X)
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
        assert not torch.is_grad_enabled()
    assert_array_equal(found, expected)
    assert not any(p.is_inference() for p in model.module_.parameters())


def test_whole_numbers_and_nested_lists_are_taken():
    X, y = make_sequences()
    X = np.rint(10 * X).astype(np.int16)
    expected = student().fit(X.astype(np.float64), y).predict_proba(X)
    assert_array_equal(student().fit(X, y).predict_proba(X), expected)
    assert_array_equal(student().fit(X.tolist(), list(y)).predict_proba(X.tolist()), expected)


def test_logits_of_two_classes_are_one_number():
    X, y = make_sequences(n_classes=2)
    model = student().fit(X, y)
    logits = model.decision_function(X)
    assert logits.shape == (30,)
    assert_allclose(1 / (1 + np.exp(-logits)), model.predict_proba(X)[:, 1], rtol=1e-4)


def test_the_embedding_is_what_the_last_layer_sees():
    X, y = make_sequences()
    model = student().fit(X, y)
    head = model.module_.head
    logits = model.embed(X) @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    assert_allclose(logits, model.decision_function(X), rtol=1e-4, atol=1e-5)


def test_channels_are_standardised_with_the_training_data():
    X, y = make_sequences()
    model = student().fit(1e3 * X + 7, y)
    standardize = model.module_.standardize
    assert_allclose(standardize.mean[:, 0], (1e3 * X + 7).mean(axis=(0, 2)), rtol=1e-4)
    assert_allclose(standardize.scale[:, 0], (1e3 * X + 7).std(axis=(0, 2)), rtol=1e-4)
    assert {"standardize.mean", "standardize.scale"} <= set(model.module_.state_dict())
    assert_allclose(
        model.predict_proba(1e3 * X + 7), student().fit(X, y).predict_proba(X), atol=1e-3
    )


def test_a_constant_channel_does_no_harm():
    X, y = make_sequences()
    X[:, 1] = 5.0
    assert np.isfinite(student().fit(X, y).predict_proba(X)).all()


def test_the_student_has_at_most_10_000_parameters():
    X, y = np.zeros((5, 32, 247), dtype=np.float32), ["a", "b", "c", "d", "e"]
    model = StudentClassifier(max_epochs=1).fit(X, y)
    assert 1000 < sum(p.numel() for p in model.module_.parameters()) <= 10_000


def minority_share(**parameters):
    """Return how probable a sixth of the recordings is, when nothing tells them from the others."""
    X = np.zeros((60, 4, 2), dtype=np.float32)
    y = np.where(np.arange(60) % 6 == 0, "murmur", "normal")
    options = {"max_epochs": 40, "learning_rate": 0.1, "augmentation": None}
    model = student(**options, **parameters).fit(X, y)
    return model.predict_proba(X)[0, 0]


def test_class_weights_change_what_is_predicted():
    root = minority_share(class_weight=0.5)
    assert minority_share(class_weight=None) == pytest.approx(1 / 6, abs=0.05)
    assert root == pytest.approx(np.sqrt(5) / (5 + np.sqrt(5)), abs=0.05)
    assert minority_share(class_weight="balanced") == pytest.approx(1 / 2, abs=0.05)
    assert minority_share(class_weight={"murmur": 50.0}) > 0.8
    assert minority_share(class_weight="auto") == minority_share(class_weight=0.3)
    assert minority_share(class_weight=1) == minority_share(class_weight="balanced")


def test_a_class_of_weight_0_is_known_but_not_learned():
    assert minority_share(class_weight={"murmur": 0.0}) < 0.05
    with pytest.raises(
        ValueError, match=r"'normal': 0.0\} leaves no recording with a weight above 0"
    ):
        minority_share(class_weight={"murmur": 0.0, "normal": 0.0})


def test_class_weights_balance_the_classes_under_mixup_too():
    target = torch.tensor([0, 0, 0, 0, 1])
    weight = torch.tensor([1.0, 1.0, 1.0, 1.0, 4.0])
    row = torch.arange(5)
    batch = Batch(
        torch.zeros(5, 1, 1), target, weight, row, row, (row + 1) % 5, torch.full((5,), 0.3)
    )
    logits = torch.zeros(5, 2, requires_grad=True)
    Objective()(NetworkOutput(logits, logits, None), batch).backward()
    assert_allclose(logits.grad.sum(dim=0), 0, atol=1e-7)


def test_only_sequences_are_weighted_and_augmented_by_default(monkeypatch):
    used = []

    class Spy(Augmentation):
        def __call__(self, batch, generator):
            used.append(batch.x.shape)
            return batch

    monkeypatch.setattr(_base, "default_augmentation", lambda: [Spy()])
    X, y = make_sequences()
    student().fit(X[:, :, 0], y)
    assert used == []
    student(augmentation=None).fit(X, y)
    assert used == []
    student().fit(X, y)
    assert used == [(15, 4, 16)] * 4
    student(augmentation=[Spy()], max_epochs=1).fit(X[:, :, 0], y)
    assert used[4:] == [(30, 4, 1)]


def test_default_augmentation_is_crop_masks_gain_and_mixup():
    names = [type(a).__name__ for a in _base.default_augmentation()]
    assert {"RandomCrop", "BandMasking", "TimeMasking", "Mixup"} <= set(names)


def test_norm_and_dropout_suit_the_kind_of_input():
    X, y = make_sequences()

    def layers(X, **parameters):
        module = student(max_epochs=1, **parameters).fit(X, y).module_
        dropout = [layer.p for layer in module.modules() if isinstance(layer, SeededDropout)]
        return any(isinstance(m, torch.nn.BatchNorm2d) for m in module.modules()), dropout

    assert layers(X) == (True, [0.3])
    assert layers(X[:, :, 0]) == (False, [0.0])
    assert layers(X, norm="group", dropout=0.1) == (False, [0.1])


def test_sample_weights_count_as_repetitions_and_zero_as_absence():
    X, y = make_sequences(dtype=np.float64)
    X = X[:, :, 0]
    times = np.arange(30) % 3
    weighted = student(max_epochs=5).fit(X, y, sample_weight=times)
    repeated = student(max_epochs=5).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)
    y = np.where(times == 0, "noise", y)
    assert "noise" not in student().fit(X, y, sample_weight=times).classes_
    with pytest.raises(ValueError, match="Negative"):
        student().fit(X, y, sample_weight=-times)


def test_epochs_of_sequences_make_900_batches_between_10_and_100():
    assert student(max_epochs="auto").fit(*make_sequences(30)).n_iter_ == 100
    assert student(max_epochs="auto").fit(*make_sequences(480)).n_iter_ == 30
    X, y = make_sequences(30)
    assert student(max_epochs="auto").fit(X[:, :, 0], y).n_iter_ == 100
    assert student(max_epochs="long").fit(*make_sequences(480)).n_iter_ == 90


@pytest.mark.parametrize("n", [33, 65])
def test_no_batch_holds_a_single_row(n):
    sizes = []

    class Spy(Augmentation):
        def __call__(self, batch, generator):
            sizes.append(len(batch))
            return batch

    X, y = make_sequences(n)
    student(augmentation=[Spy()], max_epochs=1).fit(X, y)
    assert sum(sizes) == n
    assert min(sizes) > 8


def test_blocks_of_neighboring_rows_are_drawn_together():
    drawn = []

    class Spy(Augmentation):
        def __call__(self, batch, generator):
            drawn.extend(batch.index.tolist())
            return batch

    X, y = make_sequences(40)
    options = {"augmentation": [Spy()], "max_epochs": 2, "shuffle_block": 8}
    model = student(**options).fit(X, y)
    epochs = np.reshape(drawn, (2, 5, 8))
    assert_array_equal(np.sort(epochs, axis=2) % 8, np.broadcast_to(np.arange(8), (2, 5, 8)))
    assert len({tuple(epoch[:, 0] // 8) for epoch in epochs}) == 2
    assert not np.array_equal(epochs, np.sort(epochs, axis=2))
    assert_array_equal(np.sort(epochs.reshape(2, -1)), np.tile(np.arange(40), (2, 1)))
    whole = student(max_epochs=2, shuffle_block=40).fit(X, y)
    assert_array_equal(whole.predict_proba(X), student(max_epochs=2).fit(X, y).predict_proba(X))
    assert not np.array_equal(model.predict_proba(X), whole.predict_proba(X))


def test_callbacks_are_called_and_can_end_the_training():
    seen = []

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.history[-1]["train_loss"])
            if len(seen) == 3:
                raise KeyboardInterrupt

    model = student(max_epochs=9, callbacks=[Stop()]).fit(*make_sequences())
    assert model.n_iter_ == 3
    assert seen == [epoch["train_loss"] for epoch in model.history_]
    assert not model.module_.training


def test_an_interrupted_training_is_no_trained_network():
    class Interrupted(Callback):
        def on_batch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    model = student(callbacks=[Interrupted()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*make_sequences())
    assert not hasattr(model, "module_")


@pytest.mark.parametrize(
    ("verbose", "terminal", "shown"), [(1, True, True), (1, False, False), (0, True, False)]
)
def test_a_progress_bar_is_shown_in_a_terminal_only(verbose, terminal, shown, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    student(verbose=verbose).fit(*make_sequences())
    captured = capsys.readouterr()
    assert ("epoch" in captured.err) == shown
    assert captured.out == ""


def test_the_device_is_the_one_asked_for():
    model = student(device="cpu").fit(*make_sequences())
    assert {p.device.type for p in model.module_.parameters()} == {"cpu"}
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert _base.resolve_device("auto").type == expected
    for device in ("gpu", "cuda:99"):
        with pytest.raises(ValueError, match=f"cannot use device='{device}'"):
            student(device=device).fit(*make_sequences())


def test_ragged_input_names_the_way_out():
    rows = [np.zeros((4, 10 + i)) for i in range(4)]
    as_objects = np.empty(4, dtype=object)
    as_objects[:] = rows
    for X in (rows, tuple(rows), as_objects):
        with pytest.raises(
            ValueError, match=r"4 different shapes.*FixedLength.*WindowedClassifier"
        ):
            student().fit(X, [0, 1, 0, 1])


def test_four_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"X has 4 dimensions; give \(n_recordings, n_channels"):
        student().fit(np.zeros((4, 3, 2, 2)), [0, 1, 0, 1])


def test_one_class_is_named():
    X, _ = make_sequences()
    with pytest.raises(ValueError, match=r"at least 2 classes .* got 1 class: \['normal'\]"):
        student().fit(X, np.full(30, "normal"))


def test_new_recordings_must_have_the_shape_of_the_old_ones():
    X, y = make_sequences()
    model = student().fit(X, y)
    with pytest.raises(ValueError, match="fitted on recordings of 4 channels and 16 frames"):
        model.predict(X[:, :, :9])
    with pytest.raises(ValueError, match="fitted on recordings of 4 channels and 16 frames"):
        model.predict(X[:, :, 0])
    with pytest.raises(ValueError, match="3 features, but StudentClassifier is expecting 4"):
        model.predict(X[:, :3])
    table = student().fit(X[:, :, 0], y)
    with pytest.raises(ValueError, match="fitted on recordings of 4 channels and 1 frames"):
        table.predict(X)


def test_another_fit_forgets_the_first_one():
    X, y = make_sequences()
    frame = pd.DataFrame(X[:, :, 0]).add_prefix("mean")
    model = student().fit(frame, y)
    model.fit(X[:, :2], y)
    assert not hasattr(model, "feature_names_in_")
    assert model.input_shape_ == (2, 16)
    assert model.predict(X[:, :2]).shape == (30,)


@pytest.mark.parametrize("norm", ["auto", "batch"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_size_of_a_row_of_a_table_matters(network, norm):
    X, y = make_circles(100, noise=0.05, factor=0.3, random_state=0)
    model = network(norm=norm, random_state=0)
    assert model.fit(X.astype(np.float32), y).score(X, y) > 0.95


@pytest.mark.parametrize("network", [Conv2DClassifier, StudentClassifier])
def test_the_size_of_batches_in_prediction_changes_nothing(network, monkeypatch):
    X, y = make_sequences(300)
    model = network(max_epochs=1, batch_size=100, random_state=0).fit(X, y)
    expected = model.decision_function(X)
    for size in (64, 256):
        monkeypatch.setattr(network, "_inference_batch", size)
        assert_allclose(model.decision_function(X), expected, rtol=1e-5, atol=1e-6)


def test_a_network_outlives_changed_parameters():
    X, y = make_sequences()
    model = student().fit(X, y)
    expected = model.predict_proba(X)
    model.set_params(width=5, depth=2, norm="group", dropout=0.1)
    for copied in (pickle.loads(pickle.dumps(model)), deepcopy(model)):
        assert_array_equal(copied.predict_proba(X), expected)
        assert copied.get_params()["width"] == 5
        again = pickle.loads(pickle.dumps(copied))
        assert_array_equal(again.predict_proba(X), expected)


def test_what_is_no_augmentation_is_named():
    X, y = make_sequences()
    for wrong in ("mixup", Mixup):
        with pytest.raises(TypeError, match=r"such as \[Mixup\(\)\], got .*ixup"):
            student(augmentation=[wrong]).fit(X, y)


def test_an_even_kernel_is_named():
    X, y = make_sequences()
    with pytest.raises(ValueError, match=r"kernel_size must be odd, .* got 4"):
        Conv1DClassifier(kernel_size=4, max_epochs=1).fit(X, y)


def test_features_beyond_all_bounds_are_named():
    X, y = make_sequences(dtype=np.float64)
    X = X[:, :, 0]
    model = student(max_epochs=1).fit(X, y)
    huge = X.copy()
    huge[3] *= 1e300
    for method in ("predict", "predict_proba", "embed", "decision_function"):
        with pytest.raises(ValueError, match=r"not finite for row 3 of X, .*e\+300"):
            getattr(model, method)(huge)
