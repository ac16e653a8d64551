import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from sklearn_heartkd.classifiers import (
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
)
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.metrics import efficiency_profile, efficiency_ratio

NETWORK_ENTRIES = ["parameters", "macs", "float32_bytes", "int8_bytes"]
TIMES = ["latency_ms", "front_end_ms", "network_ms"]


class Network(ClassifierMixin, BaseEstimator):
    """A network classifier reduced to what the profile looks at."""

    def __init__(self, module):
        self.module = module

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.input_shape_ = X.shape[1:]
        self.module_ = self.module
        return self

    def predict(self, X):
        with torch.no_grad():
            logits = self.module_(torch.as_tensor(X, dtype=torch.float32))
        return self.classes_[logits.argmax(dim=1).numpy() % len(self.classes_)]


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.recurrent = kind(20, 16, batch_first=True, **options)

    def forward(self, x):
        return self.recurrent(x.transpose(1, 2))[0][:, -1]


class Hungry(TransformerMixin, BaseEstimator):
    """Takes 8 MB for a moment."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X + np.ones(1_000_000)[0]


def fitted(module, shape):
    X = np.random.default_rng(0).normal(size=(6, *shape))
    return Network(module).fit(X, [0, 1] * 3), X


def profile_of(module, shape):
    return efficiency_profile(*fitted(module, shape), n_calls=2, n_warmup=0)


def test_convolution_by_hand():
    module = nn.Sequential(
        nn.Conv1d(4, 8, 5), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 26, 3)
    ).eval()
    profile = profile_of(module, (4, 30))
    assert profile["macs"] == 26 * 8 * 4 * 5 + 8 * 26 * 3
    assert profile["parameters"] == (8 * 4 * 5 + 8) + (8 + 8) + (3 * 208 + 3)
    buffers = 8 + 8  # running mean and variance
    assert profile["float32_bytes"] == 4 * (profile["parameters"] + buffers)
    weights, scales, rest = 8 * 4 * 5 + 3 * 208, 8 + 3, 8 + 16 + 3 + buffers
    assert profile["int8_bytes"] == weights + 4 * scales + 4 * rest


def test_depthwise_convolution_by_hand():
    module = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, padding=1), nn.Flatten())
    assert profile_of(module, (8, 10, 10))["macs"] == 10 * 10 * 8 * 9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "n_gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_recurrent_nets_by_hand(kind, n_gates, bidirectional, num_layers, dtype):
    from sklearn_heartkd.metrics._torch_cost import count_macs

    module = Recurrent(kind, num_layers=num_layers, bidirectional=bidirectional).to(dtype)
    directions = 1 + bidirectional
    inputs = [20] + [16 * directions] * (num_layers - 1)
    per_step = sum(directions * n_gates * 16 * (size + 16) for size in inputs)
    assert count_macs(module, (1, 20, 50)) == 50 * per_step
    assert count_macs(module, (3, 20, 50)) == 3 * 50 * per_step


def layer_macs(module, x):
    """Count from the shapes that go through each layer."""
    total = 0

    def count(layer, args, output):
        nonlocal total
        if isinstance(layer, nn.modules.conv._ConvNd):
            total += output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features
        elif isinstance(layer, nn.RNNBase):
            rows = args[0].shape[0] * args[0].shape[1]
            total += rows * sum(p.numel() for n, p in layer.named_parameters() if "weight" in n)

    handles = [layer.register_forward_hook(count) for layer in module.modules()]
    with torch.no_grad():
        module(x)
    for handle in handles:
        handle.remove()
    return total


@pytest.mark.parametrize(
    "classifier",
    [
        Conv1DClassifier(),
        Conv2DClassifier(),
        LSTMClassifier(),
        RNNClassifier(cell="tanh"),
        RNNClassifier(cell="gru"),
        StudentClassifier(),
    ],
    ids=str,
)
def test_our_classifiers(classifier):
    X = np.random.default_rng(0).normal(size=(6, 20, 48)).astype(np.float32)
    model = classifier.set_params(max_epochs=1, random_state=0).fit(X, ["a", "b", "c"] * 2)
    profile = efficiency_profile(model, X, n_calls=2)
    module = model.module_
    assert profile.name == type(classifier).__name__
    assert profile["parameters"] == sum(p.numel() for p in module.parameters())
    assert profile["macs"] == layer_macs(module, torch.zeros(1, 20, 48)) > 0
    assert profile["float32_bytes"] >= 4 * profile["parameters"]
    assert profile["int8_bytes"] < 0.5 * profile["float32_bytes"]
    assert profile["final_pickle_bytes"] == len(pickle.dumps(model))
    assert 0 < profile["network_ms"] <= profile["latency_ms"]
    assert profile["front_end_ms"] == 0


class Windowed(ClassifierMixin, BaseEstimator):
    """Averages over three windows, as a meta-estimator around a pipeline."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = self.estimator.fit(X, y)
        return self

    def predict(self, X):
        return self.estimator_.predict(np.concatenate([X, X, X]))[: len(X)]


def test_every_window_of_a_recording_counts():
    model, X = fitted(nn.Sequential(nn.Flatten(), nn.Linear(40, 5)), (4, 10))
    windowed = Windowed(Pipeline([("scale", Identity()), ("net", model)])).fit(X, [0, 1] * 3)
    profile = efficiency_profile(windowed, X, n_calls=3)
    assert profile["macs"] == 3 * 40 * 5
    assert profile["parameters"] == 40 * 5 + 5
    assert profile["front_end_ms"] > 0


class Identity(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def test_a_voting_ensemble_counts_all_its_networks():
    X = np.random.default_rng(0).normal(size=(6, 40))
    votes = VotingClassifier(
        [(str(n), Network(nn.Linear(40, n))) for n in (2, 3)], voting="hard"
    ).fit(X, [0, 1] * 3)
    profile = efficiency_profile(votes, X, n_calls=2)
    assert profile["macs"] == 40 * 5
    assert profile["parameters"] == 40 * 5 + 5
    assert profile["network_ms"] > 0


def test_the_size_is_that_of_the_student_without_its_teacher():
    X, y = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 2
    student = DenseStudentClassifier(max_epochs=1, random_state=0)
    model = DistilledClassifier(RandomForestClassifier(200), student, refine="kmeans").fit(X, y)
    profile = efficiency_profile(make_pipeline(StandardScaler(), model).fit(X, y), X, n_calls=1)
    assert profile.name == "DenseStudentClassifier"
    assert profile["final_pickle_bytes"] == len(pickle.dumps(model.student_))
    assert profile["final_pickle_bytes"] < 0.5 * len(pickle.dumps(model))


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(5, n_jobs=2, random_state=0), SVC(), LogisticRegression()]
)
def test_models_that_are_no_networks(model):
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    profile = efficiency_profile(FrozenEstimator(pipeline), X, n_calls=5)
    assert profile[NETWORK_ENTRIES].isna().all()
    assert profile["final_pickle_bytes"] == len(pickle.dumps(pipeline[-1]))
    assert profile["peak_memory_bytes"] > 0
    assert (profile[TIMES] > 0).all()
    assert profile["front_end_ms"] + profile["network_ms"] <= 2 * profile["latency_ms"]


def test_peak_memory_sees_arrays_of_the_front_end():
    X, y = np.zeros((4, 10)), [0, 1, 0, 1]
    model = make_pipeline(Hungry(), LogisticRegression()).fit(X, y)
    peak = efficiency_profile(model, X, n_calls=1)["peak_memory_bytes"]
    assert 8_000_000 <= peak < 8_500_000


def test_peak_memory_sees_tensors_of_the_network():
    # the input of ReLU and its output: 2 x 4 bytes x 500,000
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 500_000), nn.ReLU(), nn.Linear(500_000, 2))
    peak = profile_of(module, (1, 2))["peak_memory_bytes"]
    assert 4_000_000 <= peak < 4_300_000


THREADS = []


def note_threads(*_):
    THREADS.append(torch.get_num_threads())


def test_one_thread_while_measuring_and_the_users_state_afterwards():
    model, X = fitted(nn.Sequential(nn.Flatten(), nn.Linear(40, 5)), (4, 10))
    model.module_[0].register_forward_hook(note_threads)
    THREADS.clear()
    attributes = set(vars(model)), set(vars(model.module_))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        efficiency_profile(model, X, n_calls=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(THREADS) == {1}
    assert (set(vars(model)), set(vars(model.module_))) == attributes
    assert not tracemalloc.is_tracing()


def test_a_running_memory_trace_goes_on():
    model, X = fitted(nn.Sequential(nn.Flatten(), nn.Linear(40, 5)), (4, 10))
    tracemalloc.start()
    try:
        efficiency_profile(model, X, n_calls=1)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_ratio_of_teacher_to_student():
    teacher, X = fitted(nn.Sequential(nn.Flatten(), nn.Linear(40, 50), nn.Linear(50, 2)), (4, 10))
    student, _ = fitted(nn.Sequential(nn.Flatten(), nn.Linear(40, 2)), (4, 10))
    table = efficiency_ratio(teacher, student, X, n_calls=2)
    assert table.columns.tolist() == ["teacher", "student", "ratio"]
    assert table.loc["macs"].tolist() == [2100, 80, 2100 / 80]
    assert table.loc["parameters", "ratio"] == 2152 / 82
    assert np.isnan(table.loc["front_end_ms", "ratio"])
    rows = pd.DataFrame([efficiency_profile(m, X, n_calls=1) for m in (teacher, student)])
    assert rows["macs"].tolist() == [2100, 80]


def test_ragged_recordings():
    class Length(Identity):
        def transform(self, X):
            return np.array([[len(row)] for row in X], dtype=float)

    X = [np.zeros(n) for n in (5, 8, 13)]
    model = make_pipeline(Length(), LogisticRegression()).fit(X, [0, 1, 1])
    assert efficiency_profile(model, X, n_calls=4)["latency_ms"] > 0


def test_wrong_input():
    model, X = fitted(nn.Flatten(), (4, 10))
    with pytest.raises(ValueError, match="n_calls=0 must be at least 1"):
        efficiency_profile(model, X, n_calls=0)
    with pytest.raises(NotFittedError):
        efficiency_profile(LogisticRegression(), X)


def test_importing_the_metrics_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, sklearn_heartkd.metrics as m; "
        "sys.exit(bool({'torch', 'librosa', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
