"""What estimators do to the process: modules that they load, and filters of warnings."""

import subprocess
import sys
import warnings

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_heartkd import DistilledClassifier, KMeansRefinedClassifier, StudentClassifier

X, Y = np.random.default_rng(0).normal(size=(24, 4, 8)), np.arange(24) % 2


def flat(X):
    return X.reshape(len(X), -1)


def distilled(seed=0, **parameters):
    teacher = make_pipeline(FunctionTransformer(flat), GaussianNB())
    student = StudentClassifier(width=2, depth=1, max_epochs=1)
    return DistilledClassifier(teacher, student, random_state=seed, **parameters)


def test_fits_in_threads_leave_the_filters_of_warnings():
    def fit(seed):
        model = distilled(seed, refine="kmeans", cv=2)
        return model.fit(X, Y, groups=np.arange(24) // 2).predict(X)

    fit(0)
    before = list(warnings.filters)
    Parallel(n_jobs=4, backend="threading")(delayed(fit)(seed) for seed in range(16))
    assert warnings.filters == before


def test_our_code_filters_no_warnings(monkeypatch):
    original, callers = warnings.simplefilter, set()

    def spy(*arguments, **keywords):
        callers.add(sys._getframe(1).f_globals["__name__"].partition(".")[0])
        return original(*arguments, **keywords)

    groups = np.arange(24) // 2
    refined = KMeansRefinedClassifier(GaussianNB(), weight="auto", cv=2)
    with monkeypatch.context() as patch:
        patch.setattr(warnings, "simplefilter", spy)
        distilled(refine="kmeans", cv=2).fit(X, Y, groups=groups).predict(X)
        refined.fit(flat(X), Y, groups=groups).predict(flat(X))
    assert "sklearn_heartkd" not in callers


def test_fit_in_inference_mode():
    expected = distilled(refine="kmeans").fit(X, Y).predict_proba(X)
    with torch.inference_mode():
        found = distilled(refine="kmeans").fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


def test_fit_loads_neither_pytest_nor_what_explains_or_deploys():
    script = """
import sys, numpy as np
from sklearn.naive_bayes import GaussianNB
from sklearn_heartkd import DistilledClassifier, KMeansRefinedClassifier, StudentClassifier
X, y = np.random.default_rng(0).normal(size=(24, 4, 8)), np.arange(24) % 2
student = StudentClassifier(width=2, depth=1, max_epochs=1)
model = DistilledClassifier(GaussianNB(), student, refine="kmeans", random_state=0)
KMeansRefinedClassifier(model).fit(X, y).predict(X)
heavy = {"pytest", "imblearn", "shap", "matplotlib", "onnxruntime"} & sys.modules.keys()
sys.exit(str(heavy) if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
