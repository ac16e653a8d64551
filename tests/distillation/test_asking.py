"""Teachers that are asked again about each augmented batch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator

from sklearn_heartkd.distillation import _distilled, _teaching
from tests.distillation.helpers import LABELS, Oracle, distil, network, student


@pytest.fixture
def objectives(monkeypatch):
    """The objectives of the fits in a test, each with the rows that its student learns from."""
    kept = []

    class Kept(_distilled.DistillationObjective):
        def __init__(self, terms, module, rows, *others):
            super().__init__(terms, module, rows, *others)
            kept.append((self, rows))

    monkeypatch.setattr(_distilled, "DistillationObjective", Kept)
    return kept


@pytest.fixture(scope="module")
def frozen_on_surplus(data):
    X, y = data
    more = np.r_[y, np.repeat("zebra", 6)]
    return FrozenEstimator(network(random_state=0).fit(np.r_[X, -X[:6]], more))


def test_networks_say_about_plain_rows_what_is_cached(data, objectives):
    X, y = data
    teachers = [
        ("far", network(random_state=1, max_epochs=8, learning_rate=0.02)),
        ("near", student(random_state=2)),
    ]
    model = distil(teachers, teacher_weights=[3, 1], teacher_outputs="augmented").fit(X, y)
    ((objective, rows),) = objectives
    assert len(objective.networks) == 2
    asked, cached = objective.ask_teacher(rows), objective.cached.take(rows.index)
    far, near = model.teacher_.far, model.teacher_.near
    expected = 0.75 * far.predict_proba(X) + 0.25 * near.predict_proba(X)
    assert np.abs(expected - far.predict_proba(X)).max() > 0.01
    assert_allclose(asked.log_probabilities.exp(), expected, rtol=1e-4)
    assert_allclose(asked.log_probabilities, cached.log_probabilities, rtol=1e-4)
    assert_allclose(asked.embedding, np.hstack([far.embed(X), near.embed(X)]), atol=1e-5)
    assert_allclose(asked.embedding, cached.embedding, atol=1e-5)


@pytest.mark.parametrize(("outputs", "asked"), [("auto", True), ("cached", False)])
def test_auto_asks_a_frozen_network_of_the_same_classes(outputs, asked, data, objectives):
    frozen = FrozenEstimator(network(random_state=0).fit(*data))
    distil(frozen, teacher_outputs=outputs).fit(*data)
    ((objective, _),) = objectives
    assert (objective.networks is not None) == asked


def test_auto_caches_what_a_network_with_surplus_classes_says(data, frozen_on_surplus, objectives):
    X, y = data
    auto, cached = (
        distil(frozen_on_surplus, teacher_outputs=outputs).fit(X, y)
        for outputs in ("auto", "cached")
    )
    for objective, _ in objectives:
        assert objective.networks is None
        probabilities = objective.cached.log_probabilities.exp()
        assert probabilities.shape == (36, 3)
        assert torch.allclose(probabilities.sum(dim=1), torch.ones(36))
    assert_array_equal(auto.predict_proba(X), cached.predict_proba(X))


def test_surplus_classes_are_named_where_the_network_should_be_asked(data, frozen_on_surplus):
    X, y = data

    def owner(outputs):
        options = {"cv": None, "unlabeled_prior": None, "classes_": LABELS}
        return SimpleNamespace(teacher_outputs=outputs, **options)

    prediction = _teaching.predict_teacher(None, "t", frozen_on_surplus, X, y, {}, None, None)
    message = (
        r"needs teachers that know the student's classes \['artifact', .* but one knows .*'zebra'\]"
    )
    with pytest.raises(ValueError, match=message):
        _teaching.networks_of(owner("augmented"), [prediction], X)
    with pytest.raises(ValueError, match=message):
        distil(frozen_on_surplus, teacher_outputs="augmented").fit(X, y)
    assert _teaching.networks_of(owner("auto"), [prediction], X) is None
    with pytest.raises(ValueError, match="needs teachers that are networks of sklearn_heartkd"):
        _teaching.networks_of(owner("augmented"), [prediction], None)


@pytest.mark.parametrize("parameter", ["teacher", "losses"])
def test_names_that_no_parameter_could_reach_are_refused(parameter):
    from sklearn_heartkd.distillation._parameters import check_distinct

    with pytest.raises(ValueError, match=rf"{parameter} has the names \['a__b'\].*without '__'"):
        check_distinct(parameter, ["a__b", "c"])
    check_distinct(parameter, ["a_b", "c"])


def test_a_teacher_with_such_a_name_is_refused(data):
    with pytest.raises(ValueError, match=r"\['a__b'\].*without '__'"):
        distil([("a__b", network())]).fit(*data)


def test_a_cached_teacher_is_asked_once_about_each_recording(data):
    class Asked(Oracle):
        rows = 0

        def predict_proba(self, X):
            Asked.rows += len(X)
            return super().predict_proba(X)

    X, y = data
    distil(Asked(), student(max_epochs=3), teacher_outputs="cached").fit(X, y)
    assert Asked.rows == len(X)
    distil([("a", Asked()), ("b", Asked())], student(max_epochs=3), cv=3).fit(
        X, y, groups=np.arange(36)
    )
    assert Asked.rows == 3 * len(X)
