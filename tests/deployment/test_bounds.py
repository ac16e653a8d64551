"""Saved models of strangers: sizes, trust, and what is dropped."""

import hashlib
import io
import json
import os
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_heartkd import MFCC, DistilledClassifier, StudentClassifier
from sklearn_heartkd.deployment import (
    ModelFileError,
    _persistence,
    load_model,
    runtime_model,
    save_model,
)
from sklearn_heartkd.deployment._files import load_any

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    model = make_pipeline(LogisticRegression(max_iter=1000)).fit(X, y)
    return save_model(model, tmp_path_factory.mktemp("linear") / "model")


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def archive(members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


def forged(source, target, change):
    """Write a file whose checksum is right after `change` of the members of the inner archive."""
    members = members_of(source.read_bytes())
    inner = members_of(members["model.skops"])
    change(inner)
    content = archive(inner)
    manifest = json.loads(members["manifest.json"])
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    target.write_bytes(archive({"manifest.json": json.dumps(manifest), "model.skops": content}))
    return target


def array_in(inner):
    return max((name for name in inner if name.endswith(".npy")), key=lambda name: len(inner[name]))


def bomb(inner):
    target = io.BytesIO()
    np.save(target, np.zeros(2**28, dtype=np.uint8))
    inner[array_in(inner)] = target.getvalue()


def many_readers(inner):
    target = io.BytesIO()
    np.save(target, np.zeros(2**25, dtype=np.uint8))
    inner[name := array_in(inner)] = target.getvalue()
    node = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode"}
    nodes = [node | {"type": "numpy", "file": name, "__id__": i} for i in range(9)]
    schema = json.loads(inner["schema.json"])
    schema["content"]["content"]["verbose"] = {
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "content": nodes,
    }
    inner["schema.json"] = json.dumps(schema)


def wide_schema(inner):
    inner["schema.json"] = b"[" + b"[]," * 2**23 + b"0]"


def large_header(inner):
    name = array_in(inner)
    inner[name] = inner[name].replace(b"(3, 4), }", b"(3" + b"0" * 9 + b", 4), }")


def deep(inner):
    inner["schema.json"] = b"[" * 10**6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (bomb, "unpack to more than"),
        (many_readers, "unpack to more than"),
        (wide_schema, "unpack to more than"),
        (large_header, "another number of bytes"),
        (deep, "damaged"),
    ],
)
def test_a_small_file_cannot_take_much_memory(tmp_path, linear, change, message):
    path = forged(linear, tmp_path / "model", change)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=message):
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < 2**28 + 2**25
    finally:
        tracemalloc.stop()


def test_the_largest_size_is_a_parameter(linear):
    with pytest.raises(ModelFileError, match="the 100 of the largest model"):
        load_model(linear, max_size=100)
    with pytest.raises(ModelFileError, match="unpack to more than 8000 bytes"):
        load_model(linear, max_size=8000)
    load_model(linear, max_size=2**20)
    load_model(linear, max_size=2**60)  # memory is taken for what is there only


def test_a_model_too_large_to_load_is_not_saved(tmp_path, linear, monkeypatch):
    monkeypatch.setattr(_persistence, "_MAX_SIZE", 8000)
    with pytest.raises(ModelFileError, match=r"cannot be saved.*unpack to more than 8000"):
        save_model(load_model(linear, max_size=2**20), tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(2),
        GradientBoostingClassifier(n_estimators=1),
        HistGradientBoostingClassifier(max_iter=1),
        KNeighborsClassifier(),
        KNeighborsClassifier(algorithm="brute"),
        SVC(),
    ],
    ids=str,
)
def test_compiled_code_needs_trust(tmp_path, estimator):
    model = make_pipeline(estimator.fit(X, y))
    path = save_model(model, tmp_path / "model")
    name = type(estimator).__name__
    with pytest.raises(ModelFileError, match=rf"refused.*{name}.*trust=True"):
        load_model(path)
    np.testing.assert_array_equal(load_model(path, trust=True).predict(X), model.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [
        SGDClassifier(),
        RidgeClassifier(),
        LinearDiscriminantAnalysis(),
        GaussianNB(),
        CalibratedClassifierCV(LinearSVC()),
        CalibratedClassifierCV(LinearSVC(), method="isotonic"),
        VotingClassifier([("ridge", RidgeClassifier())]),
    ],
    ids=str,
)
def test_linear_models_need_no_trust(tmp_path, estimator):
    model = make_pipeline(StandardScaler(), PCA(2), estimator).fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_student_of_a_forest_needs_no_trust(tmp_path, sounds):
    teacher = make_pipeline(MFCC(output="summary"), RandomForestClassifier(2, random_state=0))
    student = make_pipeline(MFCC(), StudentClassifier(width=2, depth=1, max_epochs=1))
    model = DistilledClassifier(teacher, student, random_state=0).fit(sounds.data, sounds.target)
    load_model(save_model(model, tmp_path / "model"))
    with_teacher = save_model(model, tmp_path / "whole", keep_teachers=True)
    with pytest.raises(ModelFileError, match="trust=True"):
        load_model(with_teacher)
    with pytest.raises(ModelFileError, match="trust=True"):
        load_any(with_teacher)
    assert load_any(with_teacher, trust=True).classes == list(model.classes_)


def test_memory_callbacks_and_processes_are_dropped(tmp_path):
    network = StudentClassifier(max_epochs=1, random_state=0).fit(X, y)
    network.callbacks = [("stop", "never")]
    model = make_pipeline(
        LogisticRegression(max_iter=1000).fit(X, y), memory=str(tmp_path / "memory")
    )
    model[-1].n_jobs = 7
    content = skops.io.dumps(model)
    path = save_model(model, tmp_path / "model")
    assert b"memory" in content
    for loaded in (load_model(path), load_model(put(path, content))):
        assert loaded.memory is None
        assert loaded[-1].n_jobs is None
    assert load_model(save_model(network, path)).callbacks is None
    assert not (tmp_path / "memory").exists()


def put(path, content):
    """Replace the content of a saved model as its author could."""
    manifest = json.loads(members_of(path.read_bytes())["manifest.json"])
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_bytes(archive({"manifest.json": json.dumps(manifest), "model.skops": content}))
    return path


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(MFCC(), StudentClassifier()),
        make_pipeline(MFCC(), "passthrough").fit(np.ones((2, 500))),
        LinearRegression().fit(X, y),
        [1, 2],
        "normal",
    ],
    ids=["not fitted", "transformer", "regressor", "list", "text"],
)
def test_only_fitted_classifiers_are_loaded(tmp_path, linear, model):
    path = tmp_path / "model"
    path.write_bytes(linear.read_bytes())
    with pytest.raises(ModelFileError, match="cannot be loaded"):
        load_model(put(path, skops.io.dumps(model)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("depth", 10**9, "depth=1e"),
        ("width", -1, "cannot be loaded"),
        ("n_fft", 10**9, "n_fft=1e"),
        ("sampling_rate", "2000", "sampling_rate"),
    ],
)
def test_wrong_parameters_are_refused(tmp_path, student_pipeline, name, value, message):
    def change(inner):
        schema, rest = json.loads(inner["schema.json"]), []
        rest.append(schema)
        while rest:
            node = rest.pop()
            if isinstance(node, dict):
                if isinstance(node.get(name), dict) and node[name].get("is_json"):
                    node[name]["content"] = json.dumps(value)
                rest += node.values()
            elif isinstance(node, list):
                rest += node
        inner["schema.json"] = json.dumps(schema)

    path = save_model(student_pipeline, tmp_path / "whole")
    with pytest.raises(ModelFileError, match=message):
        load_model(forged(path, tmp_path / "model", change))


@pytest.mark.parametrize("suffix", [".onnx", ".skops"])
def test_pipes_and_devices_are_refused_at_once(tmp_path, suffix):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(ValueError, match="is not a regular file"):
            load_any(tmp_path / f"{name}{suffix}")


@pytest.mark.parametrize("channel", ["left", 1, "mean"])
def test_the_channel_is_kept(tmp_path, student_pipeline, channel):
    path = save_model(student_pipeline, tmp_path / "model", channel=channel)
    assert load_any(path).channel == channel


@pytest.mark.parametrize("channel", ["middle", -1, True, None, 1.5])
def test_a_wrong_channel_is_refused(tmp_path, student_pipeline, channel):
    with pytest.raises(ValueError, match="channel="):
        save_model(student_pipeline, tmp_path / "model", channel=channel)
    with pytest.raises(ValueError, match="channel="):
        runtime_model(student_pipeline, channel=channel)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".onnx", ".skops"])
def test_escapes_in_the_name_of_a_file_are_shown_as_escapes(tmp_path, suffix):
    path = tmp_path / f"a\x1b[2J{suffix}"
    path.write_text("a text")
    with pytest.raises(ValueError, match=r"a\\x1b\[2J") as caught:
        load_any(path)
    assert "\x1b" not in str(caught.value)


def test_escapes_in_a_file_are_shown_as_escapes(tmp_path, linear):
    members = members_of(linear.read_bytes())
    manifest = json.loads(members["manifest.json"])
    manifest["versions"]["sklearn_heartkd"] = "\x1b[2J\n"
    path = tmp_path / "model"
    path.write_bytes(archive(members | {"manifest.json": json.dumps(manifest)}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(path)
    assert "\\x1b" in str(caught[0].message)
    assert "\x1b" not in str(caught[0].message)
