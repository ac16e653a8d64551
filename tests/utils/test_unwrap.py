import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import MFCC, BandPassFilter
from sklearn_heartkd.utils._unwrap import (
    allows_nan,
    final_estimator,
    sampling_rates,
    unwrap,
    walk,
)

X, Y = np.arange(20.0).reshape(-1, 1), np.repeat([0, 1], 10)


class Distilled:
    def __init__(self, student):
        self.student_ = student
        self.teacher_ = "not needed to predict"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), model)),
        lambda model: FrozenEstimator(model),
        lambda model: Distilled(make_pipeline(StandardScaler(), model)),
        lambda model: make_pipeline(StandardScaler(), FrozenEstimator(Distilled(model))),
    ],
)
def test_final_estimator_is_the_very_object_inside(wrap):
    model = LogisticRegression().fit(X, Y)
    assert final_estimator(wrap(model)) is model


def test_search_and_meta_estimator_give_their_fitted_part():
    search = GridSearchCV(make_pipeline(LogisticRegression()), {}, cv=2).fit(X, Y)
    assert final_estimator(search) is search.best_estimator_[-1]
    tuned = TunedThresholdClassifierCV(LogisticRegression(), cv=2).fit(X, Y)
    assert final_estimator(tuned) is tuned.estimator_


def test_ensembles_are_final():
    bagging = BaggingClassifier(LogisticRegression(), n_estimators=2).fit(X, Y)
    assert final_estimator(bagging) is bagging
    calibrated = CalibratedClassifierCV(LogisticRegression(), cv=2).fit(X, Y)
    assert final_estimator(calibrated) is calibrated


def test_unwrap_lists_from_outside_in():
    model = make_pipeline(StandardScaler(), FrozenEstimator(LogisticRegression().fit(X, Y)))
    names = [type(part).__name__ for part in unwrap(model)]
    assert names == ["Pipeline", "FrozenEstimator", "LogisticRegression"]


def test_walk_gives_steps_and_prefixes():
    inner = Pipeline([("drop", "passthrough"), ("scale", StandardScaler()), ("last", SVC())])
    model = Pipeline([("first", MinMaxScaler()), ("inner", GridSearchCV(inner, {}))])
    found = [
        (type(part.estimator).__name__, [type(step).__name__ for step in part.before], part.prefix)
        for part in walk(model)
    ]
    assert found == [
        ("Pipeline", [], ""),
        ("GridSearchCV", ["MinMaxScaler"], "inner__"),
        ("Pipeline", [], "inner__"),
        ("SVC", ["StandardScaler"], "inner__last__"),
    ]


def test_a_search_allows_nan_where_its_pipeline_begins_with_an_imputer():
    search = GridSearchCV(make_pipeline(SimpleImputer(), SVC()), {})
    assert allows_nan(search)
    assert not allows_nan(GridSearchCV(SVC(), {}))


def test_sampling_rates_are_found_in_all_parts():
    model = make_pipeline(BandPassFilter(sampling_rate=4000), make_union(MFCC(), MFCC()), SVC())
    assert sampling_rates(model) == {"BandPassFilter": 4000, "MFCC": 2000}
