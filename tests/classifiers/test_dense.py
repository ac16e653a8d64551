"""What only the fully connected student promises."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, StudentClassifier
from sklearn_heartkd.metrics._torch_cost import count_parameters
from sklearn_heartkd.networks._dense import affordable_layers


def fit(X, n_classes=2, **parameters):
    y = np.arange(len(X)) % n_classes
    return DenseStudentClassifier(**{"max_epochs": 1, "random_state": 0} | parameters).fit(X, y)


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(
    ("n_columns", "n_classes", "width"), [(64, 10, 64), (1100, 2, 8), (4, 3, 88), (3000, 2, 3)]
)
def test_auto_is_as_wide_as_the_budget(n_columns, n_classes, width):
    assert affordable_layers(n_columns, n_classes) == (width, width)
    module = fit(noise(20, n_columns), n_classes).module_
    assert count_parameters(module) <= 10_000
    wider = fit(noise(20, n_columns), n_classes, hidden_layer_sizes=[width + 8] * 2)
    assert count_parameters(wider.module_) > 10_000


def test_without_hidden_layers_the_model_is_linear():
    X = noise(30, 5) * 10 + 3
    model = fit(X, 3, hidden_layer_sizes=())
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert_allclose(model.embed(X), Z)
    head = [
        value.detach().numpy() for value in (model.module_.head.weight, model.module_.head.bias)
    ]
    assert_allclose(model.predict_proba(X), softmax(Z @ head[0].T + head[1], axis=1))
    assert count_parameters(model.module_) == 3 * (5 + 1)


def test_the_embedding_is_the_last_hidden_layer():
    model = fit(noise(30, 5), hidden_layer_sizes=(4, 3))
    embedding = model.embed(noise(30, 5))
    assert embedding.shape == (30, 3)
    assert embedding.min() >= 0
    module = model.module_
    with torch.no_grad():
        logits = module.head(torch.from_numpy(embedding)).numpy()
    assert_allclose(model.decision_function(noise(30, 5)), logits[:, 1] - logits[:, 0])


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_norms_are_used_only_if_asked_for(norm):
    kinds = torch.nn.BatchNorm1d | torch.nn.GroupNorm
    found = [
        sum(isinstance(layer, kinds) for layer in fit(noise(30, 5), norm=kind).module_.modules())
        for kind in ("auto", norm)
    ]
    assert found == [0, 2]


def test_sequences_are_flattened():
    X = noise(30, 4, 6).astype(np.float32)
    model, flat = fit(X), fit(X.reshape(30, -1))
    assert model.input_shape_ == flat.input_shape_ == (24, 1)
    assert_array_equal(model.predict_proba(X), flat.predict_proba(X.reshape(30, -1)))
    with pytest.raises(ValueError, match="X has recordings of shape"):
        model.predict(X[:, :, :5])


@pytest.mark.parametrize("as_frame", [False, True])
def test_nan_is_refused_with_the_pipeline_that_helps(as_frame):
    X, y = noise(20, 3), np.arange(20) % 2
    whole = fit(X)
    X[3, 1] = np.nan
    X = pd.DataFrame(X) if as_frame else X
    advice = r"X contains NaN.* make_pipeline\(SimpleImputer\(\), DenseStudentClassifier\(\)\)\."
    with pytest.raises(ValueError, match=advice):
        DenseStudentClassifier().fit(X, y)
    with pytest.raises(ValueError, match=advice):
        whole.predict(np.asarray(X))
    model = make_pipeline(SimpleImputer(), DenseStudentClassifier(max_epochs=1)).fit(X, y)
    assert model.predict(X).shape == (20,)


def test_a_whole_number_is_one_hidden_layer():
    X = noise(20, 3)
    one, other = (fit(X, hidden_layer_sizes=sizes, max_epochs="auto") for sizes in (4, (4,)))
    assert one.embed(X).shape == (20, 4)
    assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    with pytest.raises(ValueError, match=r"'hidden_layer_sizes' .* must be .* an int in the range"):
        fit(X, hidden_layer_sizes=0)


@pytest.mark.parametrize("sizes", [[3, 0], (2.5,), ("4",)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be 'auto' or whole numbers"):
        fit(noise(20, 3), hidden_layer_sizes=sizes)


def test_the_order_of_the_columns_does_not_matter():
    X, y = make_classification(300, 12, n_informative=6, n_classes=3, random_state=0)
    X, new_X = X[:200].astype(np.float32), X[200:].astype(np.float32)
    scores = [
        [
            DenseStudentClassifier(max_epochs=20, random_state=seed)
            .fit(X[:, order], y[:200])
            .score(new_X[:, order], y[200:])
            for seed in range(4)
        ]
        for order in (np.arange(12), np.random.default_rng(1).permutation(12))
    ]
    assert abs(np.subtract(*np.mean(scores, axis=1))) <= max(np.ptp(scores, axis=1))


@pytest.mark.parametrize(
    ("sizes", "batch_size", "n_epochs"), [((2,), 1, 50), ((2,), 24, 100), ((), 24, 1200)]
)
def test_epochs(sizes, batch_size, n_epochs):
    options = {"hidden_layer_sizes": sizes, "batch_size": batch_size}
    assert fit(noise(24, 3), max_epochs="auto", **options).n_iter_ == n_epochs


def test_a_linear_model_is_near_logistic_regression():
    X = noise(60, 3)
    y = (X[:, 0] + 0.5 * noise(60, 4)[:, 3] > 0).astype(int)
    model = DenseStudentClassifier(
        hidden_layer_sizes=(), label_smoothing=0.0, weight_decay=0.0, random_state=0
    )
    expected = LogisticRegression(C=1e6).fit(X, y).predict_proba(X)
    assert_allclose(model.fit(X, y).predict_proba(X), expected, atol=0.1)


def test_digits():
    X, y = load_digits(return_X_y=True)
    model = DenseStudentClassifier(max_epochs=15, random_state=0)
    assert (
        model.fit(X[:1300].astype(np.float32), y[:1300]).score(
            X[1300:].astype(np.float32), y[1300:]
        )
        > 0.9
    )


@pytest.mark.parametrize(
    ("shape", "kind"), [((20, 6), DenseStudentClassifier), ((20, 6, 4), StudentClassifier)]
)
def test_it_is_the_default_student_of_tables(shape, kind):
    X, y = noise(*shape), np.arange(20) % 2
    teacher = DenseStudentClassifier(max_epochs=1)
    model = DistilledClassifier(teacher, losses="kd", random_state=0).fit(X, y)
    assert type(model.student_) is kind
    assert clone(model).student is None


@pytest.mark.parametrize(
    ("teacher", "student"),
    [(StudentClassifier, DenseStudentClassifier), (DenseStudentClassifier, StudentClassifier)],
)
def test_teacher_and_student_may_differ_in_the_shape_of_their_input(teacher, student):
    X, y = noise(20, 4, 6), np.arange(20) % 2
    model = DistilledClassifier(teacher(max_epochs=1), student(max_epochs=1), random_state=0)
    assert model.fit(X, y).predict_proba(X).shape == (20, 2)
    with pytest.raises(ValueError, match="teacher_outputs='augmented' needs"):
        model.set_params(teacher_outputs="augmented").fit(X, y)
