"""Models of tables as ONNX files."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_heartkd import (
    Conv2DClassifier,
    DenseStudentClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
)
from sklearn_heartkd.deployment import ExportError, export_c, export_onnx
from sklearn_heartkd.deployment.runtime import HeartSoundModel, import_onnxruntime
from sklearn_heartkd.metrics import ThresholdClassifier

X, Y = load_wine(return_X_y=True)


def student():
    return DenseStudentClassifier(hidden_layer_sizes=(6,), max_epochs=5, random_state=0)


def distilled(student, **options):
    forest = RandomForestClassifier(10)
    return DistilledClassifier(forest, student, losses="kd", random_state=0, **options)


MODELS = {
    "alone": student,
    "scaled": lambda: make_pipeline(StandardScaler(with_mean=False), student()),
    "scaled twice": lambda: make_pipeline(StandardScaler(), StandardScaler(), student()),
    "distilled": lambda: distilled(student()),
    "pipeline as student, refined": lambda: distilled(
        make_pipeline(StandardScaler(), student()), refine="kmeans"
    ),
    "refined": lambda: KMeansRefinedClassifier(student(), n_clusters=5, weight=0.4),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models_agree(tmp_path, make):
    model = make().fit(X, Y)
    report = export_onnx(model, tmp_path / "table.onnx", X)
    assert report.max_difference <= 1e-5
    assert report.n_bytes == (tmp_path / "table.onnx").stat().st_size < 5000
    session = import_onnxruntime().InferenceSession(tmp_path / "table.onnx")
    (found,) = session.run(None, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == ["0", "1", "2"]


def test_columns_with_names(tmp_path):
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    report = export_onnx(student().fit(table, Y), tmp_path / "table.onnx", table)
    assert report.max_difference <= 1e-5


def test_threshold_and_scope_are_in_the_metadata(tmp_path):
    model = ThresholdClassifier(student(), threshold=0.3, pos_label=1, neg_label=0).fit(X, Y)
    export_onnx(model, tmp_path / "table.onnx", X, scope="Wine only.")
    session = import_onnxruntime().InferenceSession(tmp_path / "table.onnx")
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["decision"]) == ["1", "0", 0.3]
    assert metadata["scope"] == "Wine only."


def test_what_cannot_be_exported_is_named(tmp_path):
    path = tmp_path / "table.onnx"
    with pytest.raises(ExportError, match=r"MinMaxScaler cannot be exported.*StandardScaler"):
        export_onnx(make_pipeline(MinMaxScaler(), student()).fit(X, Y), path, X)
    with pytest.raises(ExportError, match="RandomForestClassifier cannot be exported; a network"):
        export_onnx(RandomForestClassifier(2).fit(X, Y), path, X)
    sequences = X[:, :, np.newaxis].repeat(16, axis=2)
    network = Conv2DClassifier(width=2, depth=1, max_epochs=1).fit(sequences, Y)
    with pytest.raises(ExportError, match="takes features, but a device has waveforms"):
        export_onnx(network, path, sequences)
    with pytest.raises(ExportError, match=r"model of a table .* can be exported to ONNX only"):
        export_c(student().fit(X, Y), tmp_path / "table.c")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(tmp_path):
    model, path = student().fit(X, Y), tmp_path / "table.onnx"
    for rows in (None, X[0], X[:0]):
        with pytest.raises(ValueError, match="recordings must be rows of the table"):
            export_onnx(model, path, rows)
    for options in ({"quantize": "int8"}, {"stand_alone": True}, {"channel": "left"}):
        with pytest.raises(ValueError, match="leave them out for a model of a table"):
            export_onnx(model, path, X, **options)


def test_the_runtime_for_recordings_refuses_the_file(tmp_path):
    export_onnx(student().fit(X, Y), tmp_path / "table.onnx", X)
    with pytest.raises(ValueError, match=r"table\.onnx"):
        HeartSoundModel.load(tmp_path / "table.onnx")
