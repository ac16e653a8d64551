"""What every public estimator promises, and further tests of the classifiers."""

import importlib
import io
import pickle
import random
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_heartkd
from sklearn_heartkd import (
    MFCC,
    ContrastivePretraining,
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
    WindowedClassifier,
)

# Parameters of every public class with `fit`: those without a default, and none that only save time.
PARAMETERS = {
    "AugmentingOverSampler": {},
    "Autocorrelogram": {},
    "BandPassFilter": {},
    "Conv1DClassifier": {},
    "Conv2DClassifier": {},
    "DenseStudentClassifier": {},
    "DistilledClassifier": {"teacher": LogisticRegression()},
    "DomainDetector": {},
    "FixedLength": {},
    "KMeansRefinedClassifier": {"estimator": LogisticRegression()},
    "LSTMClassifier": {},
    "LogMelSpectrogram": {},
    "MFCC": {},
    "RNNClassifier": {},
    "RejectingClassifier": {"estimator": LogisticRegression()},
    "RhythmFeatures": {},
    "SpikeRemover": {},
    "StudentClassifier": {},
    "ThresholdClassifier": {"estimator": LogisticRegression()},
    "WindowedClassifier": {"estimator": GaussianNB()},
}
SLOW = {
    "Conv1DClassifier",
    "Conv2DClassifier",
    "DistilledClassifier",
    "LSTMClassifier",
    "RNNClassifier",
}
VARIANTS = [
    DistilledClassifier(StudentClassifier()),
    DistilledClassifier(LogisticRegression(), refine="kmeans"),
    DenseStudentClassifier(hidden_layer_sizes=()),
    KMeansRefinedClassifier(StudentClassifier()),
    RNNClassifier(cell="tanh"),
    StudentClassifier(pretrain=ContrastivePretraining(max_epochs=5)),
]
FURTHER_CHECKS = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
]


def public_estimators():
    """Return every public class with `fit` by its name."""
    found = {}
    for package in sklearn_heartkd._SUBPACKAGES:
        module = importlib.import_module(f"sklearn_heartkd.{package}")
        public = {name: getattr(module, name) for name in module.__all__}
        found |= {n: v for n, v in public.items() if isinstance(v, type) and hasattr(v, "fit")}
    return found


ESTIMATORS = {
    name: found(**PARAMETERS[name])
    for name, found in public_estimators().items()
    if name in PARAMETERS
}


def test_every_public_estimator_is_checked():
    assert set(public_estimators()) == set(PARAMETERS)


@parametrize_with_checks(
    [estimator for name, estimator in ESTIMATORS.items() if name not in SLOW], xfail_strict=True
)
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([*map(ESTIMATORS.get, sorted(SLOW)), *VARIANTS], xfail_strict=True)
def test_scikit_learn_slow(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        *(pytest.param(e, marks=[pytest.mark.slow] * (n in SLOW)) for n, e in ESTIMATORS.items()),
        *(pytest.param(estimator, marks=pytest.mark.slow) for estimator in VARIANTS),
    ],
    ids=repr,
)
@pytest.mark.parametrize("check", FURTHER_CHECKS)
def test_further_checks(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("name", PARAMETERS)
def test_threads_leave_the_warnings_filters(name):
    """``warnings.catch_warnings`` in two threads leaves a filter behind for good."""
    X = np.random.default_rng(0).standard_normal((12, 1500)).astype(np.float32)
    y = np.arange(12) % 4 // 3  # of two classes, one rare
    estimator = clone(ESTIMATORS[name])
    if name == "DistilledClassifier":
        estimator.set_params(student=StudentClassifier())
    epochs = {key: 1 for key in estimator.get_params() if key.endswith("max_epochs")}

    def use():
        model = clone(estimator).set_params(**epochs)
        if hasattr(model, "fit_resample"):
            model.fit_resample(X, y)
        else:
            model.fit(X, y)
            getattr(model, "predict", getattr(model, "transform", None))(X)

    use()  # what is imported on first use may add a filter
    before = list(warnings.filters)
    Parallel(n_jobs=4, backend="threading")(delayed(use)() for _ in range(8))
    assert warnings.filters == before


SMALL = {"max_epochs": 2, "random_state": 0}
STUDENT = StudentClassifier(width=2, depth=1, **SMALL)
CLASSIFIERS = {
    "student": STUDENT,
    "dense": DenseStudentClassifier(**SMALL),
    "linear": DenseStudentClassifier(hidden_layer_sizes=(), **SMALL),
    "conv1d": Conv1DClassifier(width=4, depth=1, **SMALL),
    "conv2d": Conv2DClassifier(width=2, depth=1, **SMALL),
    "lstm": LSTMClassifier(hidden_size=4, **SMALL),
    "gru": RNNClassifier(hidden_size=4, **SMALL),
    "tanh": RNNClassifier(cell="tanh", hidden_size=4, **SMALL),
    "pretrained": StudentClassifier(
        width=2, depth=1, pretrain=ContrastivePretraining(max_epochs=2), **SMALL
    ),
    "refined": KMeansRefinedClassifier(STUDENT, random_state=0),
    "distilled": DistilledClassifier(GaussianNB(), STUDENT, random_state=0),
    "distilled and refined": DistilledClassifier(
        GaussianNB(), STUDENT, refine="kmeans", random_state=0
    ),
    "distilled from network": DistilledClassifier(
        Conv1DClassifier(width=4, depth=1, max_epochs=2),
        StudentClassifier(width=2, depth=1, max_epochs=2),
        random_state=0,
    ),
    "windowed": WindowedClassifier(
        make_pipeline(MFCC(), STUDENT), window=0.5, hop=0.25, random_state=0
    ),
}
LABELS = np.array(["artifact", "murmur", "normal"])


def make_data(name):
    """Return recordings for "windowed", else sequences, and their labels, subjects and weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((24, 1500) if name == "windowed" else (24, 4, 16)).astype(np.float32)
    target = np.arange(24) % 3
    X[:, 0] += target.reshape(-1, *[1] * (X.ndim - 2))
    return X, LABELS[target], np.arange(24) // 2, rng.uniform(0.5, 2, 24)


@pytest.fixture(scope="module", params=CLASSIFIERS)
def case(request):
    """Return an unfitted classifier, data for it, and it fitted."""
    estimator, data = CLASSIFIERS[request.param], make_data(request.param)
    X, y, groups, sample_weight = data
    fitted = clone(estimator).fit(X, y, sample_weight=sample_weight, groups=groups)
    return estimator, data, fitted


def test_each_recording_is_judged_by_itself(case):
    X, fitted = case[1][0].copy(), case[2]
    X *= 10.0 ** np.linspace(-2, 2, len(X)).reshape(-1, *[1] * (X.ndim - 1))
    together = fitted.predict_proba(X)
    alone = np.concatenate([fitted.predict_proba(X[i : i + 1]) for i in range(len(X))])
    assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    assert_array_equal(fitted.predict(X), fitted.classes_[together.argmax(axis=1)])


def global_state():
    return (
        pickle.dumps(np.random.mtrand._rand.get_state()),
        random.getstate(),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        list(warnings.filters),
    )


def test_global_state_stays_as_it_was(case):
    estimator, (X, y, groups, _), _ = case
    before = global_state()
    fitted = clone(estimator).fit(X, y, groups=groups)
    assert global_state() == before
    fitted.predict_proba(X)
    pickle.loads(pickle.dumps(fitted))
    assert global_state() == before


def test_fit_inside_inference_mode(case):
    estimator, (X, y, groups, sample_weight), fitted = case
    with torch.inference_mode():
        model = clone(estimator).fit(X, y, sample_weight=sample_weight, groups=groups)
        found = model.predict_proba(X)
    assert_array_equal(found, fitted.predict_proba(X))


def test_the_seed_alone_decides_in_sequence_and_in_threads(case):
    estimator, (X, y, groups, sample_weight), fitted = case
    expected = fitted.predict_proba(X)

    def fit():
        model = clone(estimator).fit(X, y, sample_weight=sample_weight, groups=groups)
        return model.predict_proba(X)

    with torch.random.fork_rng():
        torch.manual_seed(7)
        assert_array_equal(fit(), expected)
    filters = list(warnings.filters)
    for probabilities in Parallel(n_jobs=2, backend="threading")(delayed(fit)() for _ in range(4)):
        assert_array_equal(probabilities, expected)
    assert warnings.filters == filters
    other = clone(estimator)
    nested = {k for k, v in other.get_params().items() if k.endswith("random_state")}
    other.set_params(**dict.fromkeys(nested, 1))
    other.fit(X, y, sample_weight=sample_weight, groups=groups)
    assert not np.array_equal(other.predict_proba(X), expected)


class WithoutTorch(pickle.Unpickler):
    """Refuse everything of torch, whose tensors may need a device that is not there."""

    def find_class(self, module, name):
        assert module.split(".")[0] != "torch", f"the pickle holds {module}.{name}"
        return super().find_class(module, name)


def test_a_pickle_holds_no_tensors_and_predicts_the_same(case, tmp_path):
    (X, *_), fitted = case[1:]
    again = WithoutTorch(io.BytesIO(pickle.dumps(fitted))).load()
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    joblib.dump(fitted, tmp_path / "model")
    again = joblib.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_clone_has_the_parameters_and_nothing_fitted(case):
    fitted = case[2]
    copy = clone(fitted)
    assert repr(copy) == repr(fitted)
    assert not hasattr(copy, "classes_")


def test_one_dimensional_and_nan_input_is_refused_in_words(case):
    estimator, (X, y, *_), fitted = case
    with pytest.raises(ValueError, match=r"1-?D|1 dimension|[Rr]eshape"):
        clone(estimator).fit(X[0].ravel(), y)
    X = X.copy()
    X[3].flat[5] = np.nan
    for method in (lambda: clone(estimator).fit(X, y), lambda: fitted.predict(X)):
        with pytest.raises(ValueError, match=r"NaN"):
            method()


def test_one_class_is_refused_in_words(case):
    estimator, (X, y, *_), _ = case
    with pytest.raises(ValueError, match=r"(class|label)"):
        clone(estimator).fit(X, np.full_like(y, "normal"))


@pytest.mark.parametrize("name", ["refined", "distilled"])
def test_a_data_frame_reaches_what_is_inside_with_its_names(name):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((20, 3)), columns=["mean", "std", "max"])
    y = np.arange(20) % 2
    X["std"] += y
    inner = FrozenEstimator(LogisticRegression().fit(X, y))
    model = clone(CLASSIFIERS[name]).set_params(
        **{"estimator" if name == "refined" else "teacher": inner}
    )
    model.fit(X, y, sample_weight=y + 1.0) if name == "distilled" else model.fit(X, y)
    assert list(model.feature_names_in_) == list(X.columns)
    assert_array_equal(model.predict_proba(X)[:2], model.predict_proba(X[:2]))


HEAVY = {"imblearn", "matplotlib", "onnxruntime", "pytest", "shap"}
FIT = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn_heartkd import Conv1DClassifier, Conv2DClassifier, LSTMClassifier, RNNClassifier
from sklearn_heartkd import DistilledClassifier, KMeansRefinedClassifier, StudentClassifier
from sklearn_heartkd import WindowedClassifier
from sklearn_heartkd.metrics import RejectingClassifier
X, y = np.random.default_rng(0).standard_normal((12, 8)), np.arange(12) % 2
student = StudentClassifier(max_epochs=1)
for model in (
    student,
    Conv1DClassifier(max_epochs=1),
    Conv2DClassifier(max_epochs=1),
    LSTMClassifier(max_epochs=1),
    RNNClassifier(max_epochs=1),
    WindowedClassifier(LogisticRegression()),
    KMeansRefinedClassifier(LogisticRegression()),
    DistilledClassifier(LogisticRegression(), student),
    RejectingClassifier(LogisticRegression()),
):
    model.fit(X, y).predict(X)
"""
COMMAND_LINE = """
from sklearn_heartkd.cli import main
try: main([{}])
except SystemExit: pass
"""


@pytest.mark.parametrize(
    ("code", "also"),
    [
        ("import sklearn_heartkd; dir(sklearn_heartkd)", True),
        (COMMAND_LINE.format("'--help'"), True),
        (COMMAND_LINE.format("'compare', '-h'"), True),
        (FIT, False),
    ],
    ids=["import", "help", "compare", "fit"],
)
def test_lean_imports(code, also):
    heavy = HEAVY | (
        {"librosa", "numpy", "pandas", "sklearn", "skorch", "torch"} if also else set()
    )
    code = f"import sys\n{code}\nsys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_name_can_be_imported():
    assert set(dir(sklearn_heartkd)) == set(sklearn_heartkd.__all__)
    for name in sklearn_heartkd.__all__:
        found = getattr(sklearn_heartkd, name)
        if isinstance(found, type):
            assert found.__name__ == name
            assert found.__module__.startswith("sklearn_heartkd.")
    with pytest.raises(AttributeError, match="no attribute 'Conv3DClassifier'"):
        sklearn_heartkd.Conv3DClassifier  # noqa: B018
