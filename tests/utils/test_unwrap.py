import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd.utils._unwrap import final_estimator, unwrap

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
