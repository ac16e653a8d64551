import hashlib
import importlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import warnings
import zipfile
from importlib.resources import files

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from benchmarks._hostile import mutate
from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    DistilledClassifier,
    KMeansRefinedClassifier,
    LSTMClassifier,
    StudentClassifier,
    deployment,
)
from sklearn_heartkd.cli import main
from sklearn_heartkd.deployment import ModelFileError, _torch, load_model, save_model
from sklearn_heartkd.deployment._persistence import load_with_manifest
from sklearn_heartkd.deployment._trusted import trusted_names


def forge(path, content, **changes):
    """Write an archive whose checksum is right, whatever its content."""
    manifest = {
        "format": "sklearn_heartkd model 1",
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": {},
        "metadata": {},
    } | changes
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("model.skops", content)
    return path


def test_round_trip_is_exact(tmp_path, sounds, distilled):
    loaded = load_model(save_model(distilled, tmp_path / "model"))
    np.testing.assert_array_equal(
        loaded.predict_proba(sounds.data), distilled.predict_proba(sounds.data)
    )


def test_tables_of_autocorrelations_need_no_trust(tmp_path, sounds):
    model = make_pipeline(Autocorrelogram(n_mels=8, output="flat"), LogisticRegression())
    model.fit(sounds.data, sounds.target)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert loaded[0].n_mels == 8
    np.testing.assert_array_equal(
        loaded.predict_proba(sounds.data), model.predict_proba(sounds.data)
    )


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(BandPassFilter(), MFCC(), LSTMClassifier(max_epochs=1, random_state=0)),
        make_pipeline(MFCC(output="summary"), RandomForestClassifier(3, random_state=0)),
        KMeansRefinedClassifier(
            make_pipeline(MFCC(output="flat"), RandomForestClassifier(3, random_state=0))
        ),
        make_pipeline(
            MFCC(),
            DistilledClassifier(
                [("forest", RandomForestClassifier(3)), ("again", RandomForestClassifier(2))],
                StudentClassifier(max_epochs=1),
                refine="kmeans",
                random_state=0,
            ),
        ),
    ],
    ids=["recurrent", "forest", "refined", "student of several"],
)
def test_other_models_round_trip(tmp_path, sounds, model):
    model.fit(sounds.data, sounds.target)
    loaded = load_model(save_model(model, tmp_path / "model"), trust=True)
    np.testing.assert_array_equal(
        loaded.predict_proba(sounds.data), model.predict_proba(sounds.data)
    )


@pytest.mark.parametrize("dump", [pickle.dumps, None], ids=["pickle", "joblib"])
def test_pickles_hold_no_tensors(tmp_path, sounds, distilled, dump):
    if dump:
        data = dump(distilled)
        loaded = pickle.loads(data)
    else:
        joblib.dump(distilled, tmp_path / "model")
        data = (tmp_path / "model").read_bytes()
        loaded = joblib.load(tmp_path / "model")
    assert b"torch" not in data
    np.testing.assert_array_equal(
        loaded.predict_proba(sounds.data), distilled.predict_proba(sounds.data)
    )


def test_metadata_and_versions_are_recorded(tmp_path, student_pipeline):
    path = save_model(student_pipeline, tmp_path / "model", metadata={"data": "synthetic"})
    manifest = load_with_manifest(path)[1]
    assert manifest["metadata"] == {"data": "synthetic"}
    assert set(manifest["versions"]) >= {"sklearn_heartkd", "scikit-learn", "numpy", "torch"}


def test_another_version_is_explained(tmp_path, student_pipeline):
    content = skops.io.dumps(student_pipeline)
    path = forge(tmp_path / "model", content, versions={"sklearn_heartkd": "7.3.0"})
    with pytest.warns(UserWarning, match=r"saved with sklearn_heartkd 7\.3\.0 \(here: .*install"):
        load_model(path)


def test_a_foreign_type_is_not_saved(tmp_path, sounds):
    model = make_pipeline(MFCC(output="summary"), StandardScaler(), RandomForestClassifier(2))
    model.fit(sounds.data, sounds.target)
    model.steps.insert(0, ("foreign", FunctionTransformer(forge)))
    with pytest.raises(ModelFileError, match=r"cannot be saved: it contains .*forge.* trusted"):
        save_model(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


FAST = RandomForestClassifier(3, random_state=0)


@pytest.mark.parametrize(
    "teacher",
    [
        CalibratedClassifierCV(LinearSVC()),
        CalibratedClassifierCV(LinearSVC(), method="temperature"),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(),
        KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
        MLPClassifier(max_iter=300, random_state=0),
        MLPClassifier(max_iter=300, solver="sgd", random_state=0),
        GaussianProcessClassifier(1.0 * RBF(2.0)),
        GridSearchCV(FAST, {"max_depth": [2, 3]}),
        GridSearchCV(FAST, {"max_depth": [2, 3]}, cv=StratifiedKFold(3), scoring="roc_auc_ovr"),
        make_pipeline(SimpleImputer(), SelectKBest(k=2), LogisticRegression(max_iter=1000)),
        KMeansRefinedClassifier(CalibratedClassifierCV(LinearSVC()), random_state=0),
        CalibratedClassifierCV(KMeansRefinedClassifier(FAST, random_state=0)),
    ],
    ids=str,
)
def test_teachers_of_scikit_learn_round_trip(tmp_path, teacher):
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        teacher.fit(X, y)
    loaded = load_model(save_model(teacher, tmp_path / "model"), trust=True)
    np.testing.assert_array_equal(loaded.predict_proba(X), teacher.predict_proba(X))


@pytest.mark.parametrize(
    "full_name",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "operator.methodcaller",
        "sklearn.datasets._base.load_files",
        "sklearn.ensemble._hist_gradient_boosting.grower.TreeGrower",
        "sklearn.metrics._dist_metrics.PyFuncDistance64",
        "sklearn.neighbors._quad_tree._QuadTree",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.utils.parallel.Parallel",
    ],
)
def test_what_does_more_than_compute_is_refused(tmp_path, student_pipeline, full_name):
    module, _, name = full_name.rpartition(".")
    node = function_node(tmp_path / "planted") | {"__module__": module, "__class__": name}

    def change(schema):
        schema = json.loads(schema)
        schema["content"]["content"]["verbose"] = node
        return json.dumps(schema).encode()

    path = forge(tmp_path / "model", rewrite_schema(skops.io.dumps(student_pipeline), change))
    with pytest.raises(ModelFileError, match=rf"refused: it contains {re.escape(full_name)}, and"):
        load_model(path)


def test_every_trusted_name_is_a_class_or_a_score_where_it_is_defined():
    for full_name in trusted_names():
        module, _, name = full_name.rpartition(".")
        assert module.split(".")[0] in ("sklearn", "sklearn_heartkd", "numpy")
        found = getattr(importlib.import_module(module), name)
        assert found.__module__ == module
        assert isinstance(found, type) or module.startswith(
            ("sklearn.metrics.", "sklearn.feature_selection.")
        )


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (StudentClassifier(), "StudentClassifier is not fitted"),
        (make_pipeline(MFCC(), StudentClassifier()), "Pipeline is not fitted"),
        (FrozenEstimator(LogisticRegression()), "FrozenEstimator is not fitted"),
        (GridSearchCV(FAST, {"max_depth": [2]}), "GridSearchCV is not fitted"),
    ],
    ids=["network", "pipeline", "frozen", "search"],
)
def test_an_unfitted_model_is_not_saved(tmp_path, model, named):
    with pytest.raises(NotFittedError, match=rf"{named}.*; call fit first"):
        save_model(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("model", [StudentClassifier, {"a": 1}], ids=["class", "dictionary"])
def test_only_estimators_are_saved(tmp_path, model):
    with pytest.raises(TypeError, match="save_model takes a fitted classifier, got"):
        save_model(model, tmp_path / "model")


def test_models_around_a_fitted_part_are_saved(tmp_path):
    X, y = load_iris(return_X_y=True)
    frozen = FrozenEstimator(LogisticRegression(max_iter=1000).fit(X, y))
    search = GridSearchCV(FAST, {"max_depth": [2, 3]}, cv=3).fit(X, y)
    stateless = make_pipeline(FunctionTransformer(np.abs), "passthrough", FAST).fit(X, y)
    for model in (frozen, search, stateless):
        load_model(save_model(model, tmp_path / "model"), trust=True)


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def function_node(path):
    """Describe a call of os.mkdir as skops describes a partial function."""
    arguments = {
        "__class__": "tuple",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "content": [_text(str(path))],
    }
    return {
        "__class__": "mkdir",
        "__module__": "os",
        "__loader__": "ConstructorFromReduceNode",
        "content": arguments,
    }


def method_node(path):
    """Describe a call of `Path.mkdir` as skops describes an operator."""
    return {
        "__class__": "methodcaller",
        "__module__": "operator",
        "__loader__": "OperatorFuncNode",
        "attrs": {
            "__class__": "tuple",
            "__module__": "builtins",
            "__loader__": "TupleNode",
            "content": [_text("mkdir")],
        },
    }


def _text(value):
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
        "is_json": True,
    }


@pytest.mark.parametrize("plant", [function_node, method_node])
def test_planted_payload_does_not_run(tmp_path, student_pipeline, plant):
    target = tmp_path / "planted"

    def change(schema):
        schema = json.loads(schema)
        schema["content"]["content"]["verbose"] = plant(target)
        return json.dumps(schema).encode()

    path = forge(tmp_path / "model", rewrite_schema(skops.io.dumps(student_pipeline), change))
    with pytest.raises(
        ModelFileError, match=r"refused: it contains (os\.mkdir|operator\.methodcaller)"
    ):
        load_model(path)
    assert not target.exists()


def rewrite_schema(content, change):
    """Return a skops archive whose schema went through `change`."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            member = source.read(name)
            copy.writestr(name, change(member) if name == "schema.json" else member)
    return target.getvalue()


def test_a_forger_who_knows_the_checksum_gets_an_error_too(tmp_path, student_pipeline):
    content = skops.io.dumps(student_pipeline)
    schema = zipfile.ZipFile(io.BytesIO(content)).read("schema.json").decode()
    words = sorted(set(re.findall(r'"([A-Za-z_.]{4,})"', schema)))
    versions = load_with_manifest(save_model(student_pipeline, tmp_path / "model"))[1]["versions"]
    n_refused = 0
    for seed in range(60):
        old, new = np.random.default_rng(seed).choice(words, size=2, replace=False)

        def change(schema, old=old, new=new):
            return schema.replace(f'"{old}"'.encode(), f'"{new}"'.encode(), 1)

        path = forge(tmp_path / "model", rewrite_schema(content, change), versions=versions)
        try:
            load_model(path)
        except ModelFileError:
            n_refused += 1
    assert n_refused > 20


def test_planted_pickle_does_not_run(tmp_path):
    target = tmp_path / "planted"
    forge(tmp_path / "inside", pickle.dumps(Payload(str(target))))
    (tmp_path / "bare").write_bytes(pickle.dumps(Payload(str(target))))
    for name in ("inside", "bare"):
        with pytest.raises(ModelFileError, match="damaged"):
            load_model(tmp_path / name)
    assert not target.exists()


def test_damaged_files_are_refused_or_equal(tmp_path, sounds, saved_student):
    data, expected = saved_student
    n_refused = 0
    for seed in range(60):
        (tmp_path / "model").write_bytes(mutate(data, np.random.default_rng(seed)))
        try:
            loaded = load_model(tmp_path / "model")
        except ModelFileError:
            n_refused += 1
        else:
            np.testing.assert_array_equal(loaded.predict_proba(sounds.data[:3]), expected)
    assert n_refused > 50


@pytest.fixture(scope="module")
def saved_student(tmp_path_factory, sounds, student_pipeline):
    path = save_model(student_pipeline, tmp_path_factory.mktemp("saved") / "model")
    return path.read_bytes(), student_pipeline.predict_proba(sounds.data[:3])


def test_damage_to_any_part_of_the_content_is_noticed(tmp_path, saved_student):
    data = bytearray(saved_student[0])
    data[len(data) // 2] ^= 1
    (tmp_path / "model").write_bytes(data)
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("content", [b"", b"a text", b"PK\x05\x06" + bytes(18)])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(ModelFileError, match="not a saved model"):
        load_model(tmp_path / "model")


def test_another_format_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="format is 'another'"):
        load_model(forge(tmp_path / "model", b"", format="another"))


def test_importing_the_package_loads_no_torch():
    code = (
        "import sys, sklearn_heartkd.deployment.runtime; "
        "print([name for name in ('torch', 'sklearn', 'scipy', 'librosa') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_student_is_saved_without_its_teachers(tmp_path, sounds, distilled):
    whole = save_model(distilled, tmp_path / "whole", keep_teachers=True)
    light = save_model(distilled, tmp_path / "light")
    assert light.stat().st_size < whole.stat().st_size - 1000
    model = load_model(light)
    np.testing.assert_array_equal(
        model.predict_proba(sounds.data), distilled.predict_proba(sounds.data)
    )
    assert hasattr(load_model(whole).estimator_[-1], "teacher_")
    assert not hasattr(model.estimator_[-1], "teacher_")
    assert hasattr(distilled.estimator_[-1], "teacher_")
    assert hasattr(pickle.loads(pickle.dumps(distilled)).estimator_[-1], "teacher_")


@pytest.mark.parametrize("as_list", [False, True])
def test_a_frozen_teacher_is_saved_without_its_fit(tmp_path, as_list):
    X, y = load_iris(return_X_y=True)
    frozen = FrozenEstimator(RandomForestClassifier(30, random_state=0).fit(X, y))
    student = StudentClassifier(max_epochs=1, random_state=0)
    model = DistilledClassifier([("forest", frozen)] if as_list else frozen, student, losses="kd")
    model.fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model"))  # a fitted forest needs trust
    teacher = loaded.teacher[0][1] if as_list else loaded.teacher
    assert not hasattr(teacher.estimator, "estimators_")
    assert teacher.estimator.n_estimators == 30
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert hasattr(frozen.estimator, "estimators_")


def test_without_torch_the_error_tells_what_runs_without_it(tmp_path, monkeypatch, capsys):
    bundled = files("sklearn_heartkd.deployment") / "models" / "murmur_student.skops"
    monkeypatch.setattr(_torch, "find_spec", lambda name: None)
    message = r"load_model needs torch.*\.HeartSoundModel, which does not"
    with pytest.raises(ImportError, match=message):
        load_model(bundled)
    with pytest.raises(ImportError, match=message):
        deployment.load_model  # noqa: B018
    assert main(["predict", "r.wav", "--model", str(bundled)]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert deployment.runtime.HeartSoundModel.load(bundled.with_suffix(".onnx")).classes
    code = (
        "import sys; sys.modules['torch'] = None; from sklearn_heartkd.deployment import load_model"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert re.search(message, result.stderr)
