"""Teachers and students in pipelines and searches, with features of their own."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_heartkd import (
    MFCC,
    DistilledClassifier,
    LogMelSpectrogram,
)
from tests.distillation.helpers import GROUPS, Oracle, distil, student


@pytest.mark.parametrize("ragged", [False, True])
def test_teacher_and_student_on_features_of_their_own(ragged):
    rng = np.random.default_rng(0)
    y = np.arange(12) % 2
    X = rng.standard_normal((12, 1500))
    if ragged:
        X = [row[: 1200 + 20 * i] for i, row in enumerate(X)]
    teacher = make_pipeline(MFCC(output="summary"), RandomForestClassifier(5))
    features = LogMelSpectrogram(output="summary" if ragged else "sequence")
    model = distil(teacher, make_pipeline(features, student())).fit(X, y)
    assert model.predict(X).shape == (12,)
    assert [name for name, _ in model.student_.steps] == ["logmelspectrogram", "studentclassifier"]
    assert model.embed(X).shape[0] == 12
    assert model.decision_function(X).shape == (12,)
    assert model.student_[-1].input_shape_[0] != model.teacher_[-1].n_features_in_


def test_columns_can_be_chosen_by_name(data):
    X = pd.DataFrame(data[0][:, :, 0], columns=["mean", "std", "max", "min"])
    choose = make_column_transformer((StandardScaler(), ["mean", "max"]))
    choose.set_output(transform="pandas")
    teacher = make_pipeline(choose, LogisticRegression())
    pupil = make_pipeline(clone(choose), student())
    model = distil(teacher, pupil, cv=3).fit(X, data[1], groups=GROUPS)
    assert model.teacher_[-1].n_features_in_ == 2
    assert model.predict(X).shape == (36,)


def test_samplers_balance_the_recordings_of_a_teacher(data):
    X, y = data[0][:, :, 0], data[1]
    kept = np.flatnonzero((y != "murmur") | (np.arange(36) < 20))
    teacher = make_imblearn_pipeline(
        StandardScaler(), SMOTE(k_neighbors=2, random_state=0), GaussianNB()
    )
    model = distil(teacher).fit(X[kept], y[kept])
    assert_array_equal(model.teacher_[-1].class_count_, [12, 12, 12])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    "teacher",
    [
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=GroupKFold(2)),
        make_pipeline(
            StandardScaler(),
            GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=GroupKFold(2)),
        ),
        make_pipeline(StandardScaler(), Oracle()),
    ],
    ids=["search", "search in a pipeline", "pipeline"],
)
def test_subjects_reach_searches_in_both_kinds_of_routing(teacher, routing, data):
    X, y = data
    with config_context(enable_metadata_routing=routing):
        if routing and "oracle" in dict(getattr(teacher, "steps", [])):
            teacher = make_pipeline(StandardScaler(), Oracle().set_fit_request(groups=True))
        distil(teacher).fit(X, y, groups=GROUPS)
    if Oracle.fits:
        assert_array_equal(Oracle.fits[0]["groups"], GROUPS)


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_that_ignores_the_subjects_is_told_how_not_to(routing, data):
    X, y = data
    teacher = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2)
    with (
        config_context(enable_metadata_routing=routing),
        pytest.warns(
            UserWarning, match=r"GridSearchCV splits .* cv=StratifiedGroupKFold"
        ) as caught,
    ):
        distil(teacher).fit(X, y, groups=GROUPS)
    assert len(caught) == 1


def mean_over_time(X):
    return X.mean(axis=2)


@pytest.mark.parametrize(
    "functions",
    [
        FunctionTransformer(mean_over_time),
        make_union(FunctionTransformer(mean_over_time), FunctionTransformer(mean_over_time)),
        make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(mean_over_time)),
    ],
    ids=["function", "union", "two functions"],
)
def test_functions_of_sequences_may_start_a_teacher(functions, data):
    X, y = data
    steps = functions if isinstance(functions, Pipeline) else make_pipeline(functions)
    teacher = Pipeline([*steps.steps, ("classifier", GaussianNB())])
    model = DistilledClassifier(teacher, student(), random_state=0).fit(X, y)
    assert_array_equal(model.teacher_.predict(X), clone(teacher).fit(X, y).predict(X))
    search = GridSearchCV(teacher, {"classifier__var_smoothing": [1e-9, 1e-3]}, cv=2)
    DistilledClassifier(search, student(), random_state=0).fit(X, y)


@pytest.mark.parametrize("function", [np.abs, lambda X: X[:, :10], lambda X: np.sort(X, axis=1)])
def test_functions_of_tables_still_get_tables(function, data):
    X, y = data
    teacher = make_pipeline(FunctionTransformer(function), GaussianNB())
    model = DistilledClassifier(teacher, student(), random_state=0).fit(X, y)
    expected = clone(teacher).fit(X.reshape(len(X), -1), y)
    flat = X.reshape(len(X), -1)
    assert_array_equal(model.teacher_.predict(flat), expected.predict(flat))


def test_functions_may_stand_in_pipelines_and_unions(data):
    X, y = data
    inner = make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(mean_over_time))
    union = FeatureUnion([("a", FunctionTransformer(mean_over_time)), ("b", "drop")])
    for first in (inner, union):
        teacher = make_pipeline(first, GaussianNB())
        model = DistilledClassifier(teacher, student(), random_state=0).fit(X, y)
        assert_array_equal(model.teacher_.predict(X), clone(teacher).fit(X, y).predict(X))


def first_two(X):
    return X.reshape(len(X), -1)[:, :2] if X.ndim == 2 else X[:, :2].mean(axis=2) + 100


def test_a_frozen_teacher_of_tables_gets_tables(data):
    X, y = data
    flat = X.reshape(len(X), -1)
    fitted = make_pipeline(FunctionTransformer(first_two), GaussianNB()).fit(flat, y)
    model = DistilledClassifier(FrozenEstimator(fitted), student(), losses="kd", random_state=0)
    found = model.fit(X, y).predict_proba(X)
    known = DistilledClassifier(
        Table(FrozenEstimator(fitted)), student(), losses="kd", random_state=0
    )
    assert_array_equal(found, known.fit(X, y).predict_proba(X))


class Table(ClassifierMixin, BaseEstimator):
    """Ask a fitted classifier of tables about flattened sequences."""

    def __init__(self, fitted):
        self.fitted = fitted

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return self.fitted.predict_proba(X.reshape(len(X), -1))
