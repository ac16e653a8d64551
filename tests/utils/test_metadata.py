"""Weights and subjects reach whatever takes them inside meta-estimators, with and without routing."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import (
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
    WindowedClassifier,
)

Y = np.array([0, 1] * 12)
GROUPS = np.arange(24) // 2
X = np.random.default_rng(0).standard_normal((24, 6)) + 0.5 * Y[:, None]
WEIGHT = np.linspace(0.5, 2, 24)
GRID = {"gaussiannb__var_smoothing": [1e-9, 1e-3]}


class Witness(ClassifierMixin, BaseEstimator):
    """Record what each fit gets."""

    __metadata_request__fit = {"groups": True, "sample_weight": True}
    fits: list = []

    def fit(self, X, y, sample_weight=None, groups=None):
        Witness.fits.append({"sample_weight": sample_weight, "groups": groups})
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture(autouse=True)
def no_fits():
    Witness.fits.clear()


def refined(estimator):
    return KMeansRefinedClassifier(estimator, random_state=0)


def distilled(estimator):
    student = StudentClassifier(width=2, depth=1, max_epochs=1)
    if get_config()["enable_metadata_routing"]:
        student.set_fit_request(sample_weight=True)
    return DistilledClassifier(estimator, student, random_state=0)


def naive_bayes(routing):
    if not routing:
        return GaussianNB()
    return GaussianNB().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


both = pytest.mark.parametrize("meta", [refined, distilled])
routings = pytest.mark.parametrize("routing", [False, True])


@both
@routings
@pytest.mark.parametrize("ensemble", ["voting", "stacking", "bagging"])
def test_weights_reach_the_members_of_an_ensemble(ensemble, routing, meta):
    with config_context(enable_metadata_routing=routing):
        members = [("a", naive_bayes(routing))]
        teacher = {
            "voting": VotingClassifier(members, voting="soft"),
            "stacking": StackingClassifier(members, LogisticRegression(), cv=2),
            "bagging": BaggingClassifier(naive_bayes(routing), 2, random_state=0),
        }[ensemble]
        weighted = meta(teacher).fit(X, Y, sample_weight=WEIGHT)
        plain = meta(teacher).fit(X, Y)
    fitted = [getattr(m, "estimator_", getattr(m, "teacher_", None)) for m in (weighted, plain)]
    means = [getattr(m.estimators_[0], "theta_", None) for m in fitted]
    assert not np.allclose(*means)


@both
@routings
def test_weights_reach_a_pipeline_in_a_search(routing, meta):
    with config_context(enable_metadata_routing=routing):
        pipeline = make_pipeline(StandardScaler(), naive_bayes(routing))
        if routing:
            pipeline[0].set_fit_request(sample_weight=False)
        search = GridSearchCV(pipeline, GRID, cv=StratifiedGroupKFold(2))
        model = meta(search).fit(X, Y, sample_weight=WEIGHT, groups=GROUPS)
    found = getattr(model, "estimator_", getattr(model, "teacher_", None)).best_estimator_[-1]
    expected = [WEIGHT[label == Y].sum() for label in (0, 1)]
    np.testing.assert_allclose(found.class_count_, expected)


@both
def test_an_estimator_without_weights_is_named(meta):
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, cv=2)
    with pytest.raises(TypeError, match="KNeighborsClassifier takes no sample weights"):
        meta(search).fit(X, Y, sample_weight=WEIGHT)


@both
@pytest.mark.parametrize("wrapped", [False, True])
def test_subjects_reach_a_calibrated_classifier(wrapped, meta):
    witness = make_pipeline(StandardScaler(), Witness()) if wrapped else Witness()
    meta(CalibratedClassifierCV(witness, cv=GroupKFoldOf(GROUPS))).fit(X, Y, groups=GROUPS)
    seen = [fit["groups"] for fit in Witness.fits]
    assert len(seen) == 3
    for groups in seen:
        assert 0 < len(groups) < 24
        assert_array_equal(np.unique(groups, return_counts=True)[1], 2)


def GroupKFoldOf(groups):
    return list(GroupKFold(3).split(X, Y, groups))


@both
@pytest.mark.parametrize("ensemble", ["voting", "bagging", "calibrated"])
def test_routing_takes_subjects_to_the_members_of_an_ensemble(ensemble, meta):
    with config_context(enable_metadata_routing=True):
        teacher = {
            "voting": VotingClassifier([("a", Witness()), ("b", Witness())], voting="soft"),
            "bagging": BaggingClassifier(Witness(), 2, random_state=0),
            "calibrated": CalibratedClassifierCV(Witness(), cv=GroupKFoldOf(GROUPS)),
        }[ensemble]
        meta(teacher).fit(X, Y, groups=GROUPS)
    assert Witness.fits
    assert all(set(fit["groups"]) <= set(GROUPS) for fit in Witness.fits)


@both
@pytest.mark.parametrize("cv", [2, 0.5])
def test_a_threshold_that_is_tuned_is_no_search(cv, meta):
    teacher = TunedThresholdClassifierCV(GaussianNB(), cv=cv, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = meta(teacher).fit(X, Y, groups=GROUPS)
    assert model.predict(X).shape == (24,)


def test_routing_takes_subjects_to_the_splits_of_a_threshold():
    with config_context(enable_metadata_routing=True):
        teacher = TunedThresholdClassifierCV(GaussianNB(), cv=StratifiedGroupKFold(2))
        model = distilled(teacher).fit(X, Y, groups=GROUPS)
    assert 0 <= model.teacher_.best_threshold_ <= 1


@both
def test_a_regressor_is_no_classifier(meta):
    with pytest.raises(TypeError, match=r"Ridge is a regressor .* give a classifier"):
        meta(Ridge()).fit(X, Y)


WITH_GROUPS = {
    "network": StudentClassifier(max_epochs=1),
    "windowed": WindowedClassifier(GaussianNB(), window=3, hop=3, sampling_rate=1),
    "refined": refined(GaussianNB()),
    "distilled": distilled(GaussianNB()),
}


@pytest.mark.parametrize("model", WITH_GROUPS.values(), ids=WITH_GROUPS)
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([*"abc", None, *"abcd" * 5], "groups has no subject in row 3"),
        ([1.0, np.nan, *range(22)], "groups has no subject in row 1"),
        (np.zeros((24, 2)), r"groups has shape \(24, 2\); give one subject"),
        (["a"], "groups has 1 values for 24 recordings"),
    ],
    ids=["none", "nan", "two columns", "too few"],
)
def test_a_recording_of_nobody_is_named(groups, message, model):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, groups=groups)
