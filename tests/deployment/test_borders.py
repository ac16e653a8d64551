"""Recordings on the border between two k-means clusters, where rounding chooses the nearest."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import (
    MFCC,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.deployment import ExportError, export_c, export_onnx
from sklearn_heartkd.deployment import _onnx as onnx_module
from sklearn_heartkd.deployment._borders import predict_with_borders
from sklearn_heartkd.deployment._description import describe

TABLE = np.array([[0.9, 0.06, 0.04], [0.1, 0.7, 0.2]])
ON_BORDER, WITHIN, BEYOND = 4, 3e-6, 1e-4


def student():
    return StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)


def put_on_border(model, embedding, side=WITHIN):
    """Move two centres so that the embedding is nearer to the first by `side` of its length."""
    direction = np.random.default_rng(0).standard_normal(len(embedding))
    direction /= np.linalg.norm(direction)
    length = np.linalg.norm(embedding)
    middle = embedding.astype(np.float64) - side * length * direction
    step = 0.1 * length * direction
    model.refiner_.centers = np.array([middle + step, middle - step])
    model.refiner_.table = TABLE
    return model


@pytest.fixture(scope="module")
def refined(sounds):
    model = KMeansRefinedClassifier(make_pipeline(MFCC(), student()), random_state=0)
    return model.fit(sounds.data, sounds.target)


@pytest.fixture
def model(sounds, refined):
    """A refined student, for which the fifth recording is on the border."""
    return put_on_border(deepcopy(refined), refined.embed(sounds.data)[ON_BORDER])


def wrong_graph(monkeypatch, change):
    """Let the graph be that of a changed description."""
    build = onnx_module.build
    monkeypatch.setattr(onnx_module, "build", lambda d, metadata: build(change(d), metadata))


def move_centers(model, embedding, distance):
    """Return a change that brings the border as far beyond the embedding."""

    def change(description):
        centers = model.refiner_.centers
        across = centers[0] - centers[1]
        across *= distance * np.linalg.norm(embedding) / np.linalg.norm(across)
        return replace(
            description, clusters=[replace(description.clusters[0], centers=centers + across)]
        )

    return change


def test_the_other_cluster_is_reported(tmp_path, sounds, model, monkeypatch):
    embedding = model.embed(sounds.data)[ON_BORDER]
    wrong_graph(monkeypatch, move_centers(model, embedding, 2 * WITHIN))
    message = r"Recordings \[4\] are equally near to two k-means clusters"
    with pytest.warns(UserWarning, match=message):
        report = export_onnx(model, tmp_path / "m.onnx", sounds.data)
    assert report.on_border == (ON_BORDER,)
    assert report.max_difference <= 1e-5
    assert report.path.exists()


def test_a_file_that_takes_the_same_cluster_needs_no_report(tmp_path, sounds, model):
    assert export_onnx(model, tmp_path / "m.onnx", sounds.data).on_border == ()


def wrong_border(sounds, model):
    return move_centers(model, model.embed(sounds.data)[ON_BORDER], BEYOND)


def wrong_table(sounds, model):
    return lambda d: replace(d, clusters=[replace(d.clusters[0], table=TABLE[::-1])])


def wrong_weight(sounds, model):
    return lambda d: replace(d, clusters=[replace(d.clusters[0], weight=0.24)])


@pytest.mark.parametrize("change", [wrong_border, wrong_table, wrong_weight])
def test_a_wrong_graph_is_refused(tmp_path, sounds, model, monkeypatch, change):
    far = put_on_border(model, model.embed(sounds.data)[ON_BORDER], side=BEYOND / 2)
    wrong_graph(monkeypatch, change(sounds, far))
    with pytest.raises(ExportError, match=r"differs from predict_proba by .*no file was written"):
        export_onnx(far, tmp_path / "m.onnx", sounds.data)
    assert not list(tmp_path.iterdir())


def borders(model, recordings):
    return np.flatnonzero(predict_with_borders(model, describe(model), recordings)[1]).tolist()


def test_the_border_is_found(sounds, model):
    assert borders(model, list(sounds.data)) == [ON_BORDER]
    expected, _ = predict_with_borders(model, describe(model), sounds.data)
    np.testing.assert_array_equal(expected, model.predict_proba(sounds.data))


def test_one_window_is_enough(sounds):
    inside = KMeansRefinedClassifier(make_pipeline(LogMelSpectrogram(), student()))
    windowed = WindowedClassifier(inside, window=1.0, hop=1.0, random_state=0)
    windowed.fit(sounds.data, sounds.target)
    window = sounds.data[0, :2000].astype(np.float32)
    put_on_border(windowed.estimator_, windowed.estimator_.embed(window[np.newaxis])[0])
    longer = np.concatenate([window, sounds.data[7, :4000]]).astype(np.float32)
    assert borders(windowed, [sounds.data[7], window, longer]) == [1, 2]


def test_a_refinement_around_the_windows_has_borders_too(sounds):
    windowed = WindowedClassifier(make_pipeline(MFCC(), student()), window=2.0, hop=1.0)
    model = KMeansRefinedClassifier(windowed, random_state=0).fit(sounds.data, sounds.target)
    put_on_border(model, model.embed(sounds.data)[ON_BORDER])
    assert borders(model, list(sounds.data)) == [ON_BORDER]


def test_a_search_is_asked_twice(sounds):
    search = GridSearchCV(student(), {"width": [2]}, cv=2)
    model = make_pipeline(MFCC(), KMeansRefinedClassifier(search, random_state=0))
    model.fit(sounds.data, sounds.target)
    put_on_border(model[-1], model[-1].embed(model[0].transform(sounds.data))[ON_BORDER])
    assert borders(model, list(sounds.data)) == [ON_BORDER]


def test_c_is_not_tested_on_the_border(tmp_path, sounds, model):
    samples = np.clip(np.round(sounds.data[:8] * 32768), -32768, 32767)
    put_on_border(model, model.embed((samples / 32768).astype(np.float32))[ON_BORDER])
    written = export_c(model, tmp_path / "model.c", sounds.data[:8])
    assert "#define N_RECORDINGS 7" in written.test.read_text()
    with pytest.raises(ExportError, match="equally near to two k-means clusters"):
        export_c(model, tmp_path / "model.c", sounds.data[[ON_BORDER]])
