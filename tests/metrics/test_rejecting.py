import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedGroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from sklearn_heartkd.metrics import RejectingClassifier, risk_coverage_curve


@parametrize_with_checks([RejectingClassifier(LogisticRegression())], xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check", [check_param_validation, check_dataframe_column_names_consistency]
)
def test_checks_that_check_estimator_leaves_out(check):
    check("RejectingClassifier", RejectingClassifier(LogisticRegression()))


def make_subjects(n_subjects=150, spread=2.0, random_state=0):
    """Two overlapping classes; two recordings per subject, all but equal."""
    X, y = make_blobs(
        n_subjects, centers=[[0, 0], [3, 0]], cluster_std=spread, random_state=random_state
    )
    noise = np.random.default_rng(random_state).normal(scale=1e-3, size=(2 * n_subjects, 2))
    groups = np.repeat(np.arange(n_subjects), 2)
    return np.repeat(X, 2, axis=0) + noise, np.array(["murmur", "normal"])[y][groups], groups


X, Y, GROUPS = make_subjects()


def test_the_answers_given_have_about_the_wanted_error_rate():
    model = RejectingClassifier(LogisticRegression(), error_rate=0.05).fit(X, Y, groups=GROUPS)
    X_new, y_new, _ = make_subjects(3000, random_state=1)
    y_pred = model.predict(X_new)
    answered = y_pred != "unsure"
    assert 0.2 < answered.mean() < 0.8
    assert 0.02 < np.mean(y_pred[answered] != y_new[answered]) < 0.08
    plain = LogisticRegression().fit(X, Y).predict(X_new)
    np.testing.assert_array_equal(y_pred[answered], plain[answered])
    assert np.mean(plain != y_new) > 0.15


def test_the_threshold_is_the_one_of_the_out_of_fold_curve():
    model = RejectingClassifier(LogisticRegression(), error_rate=0.1, cv=4)
    model.fit(X, Y, groups=GROUPS)
    proba = np.empty((len(Y), 2))
    for train, test in StratifiedGroupKFold(4).split(X, Y, GROUPS):
        proba[test] = LogisticRegression().fit(X[train], Y[train]).predict_proba(X[test])
    curve = risk_coverage_curve(Y, proba)
    np.testing.assert_array_equal(model.risk_coverage_, curve)
    assert model.threshold_ == curve["threshold"][curve["risk"] <= 0.1].min()
    np.testing.assert_array_equal(
        model.predict(X) == "unsure", model.predict_proba(X).max(axis=1) < model.threshold_
    )


def test_subjects_do_not_leak_into_the_threshold():
    # the nearest neighbour of a recording is its subject's other one
    order = np.random.default_rng(0).permutation(len(Y))
    memory = RejectingClassifier(KNeighborsClassifier(1), error_rate=0.05, cv=5)
    with pytest.warns(UserWarning, match="without groups"):
        leaking = clone(memory).fit(X[order], Y[order])
    assert leaking.risk_coverage_["risk"].iloc[-1] < 0.15
    honest = clone(memory).fit(X[order], Y[order], groups=GROUPS[order])
    assert honest.risk_coverage_["risk"].iloc[-1] > 0.2
    assert honest.threshold_ == np.inf
    assert set(honest.predict(X)) == {"unsure"}


def test_no_error_rate_rejects_nothing():
    model = RejectingClassifier(LogisticRegression()).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), LogisticRegression().fit(X, Y).predict(X))
    assert model.threshold_ == -np.inf
    assert model.risk_coverage_ is None
    assert not hasattr(RejectingClassifier(LinearSVC()).fit(X, Y), "predict_proba")


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_the_estimator_and_the_errors(routing):
    weight = np.random.default_rng(0).integers(0, 3, len(Y))
    inner = LogisticRegression()
    with config_context(enable_metadata_routing=routing):
        if routing:
            inner.set_fit_request(sample_weight=True)
        splits = list(GroupKFold(3).split(X, Y, GROUPS))
        model = RejectingClassifier(inner, error_rate=0.1, cv=splits)
        model.fit(X, Y, sample_weight=weight)
    expected = LogisticRegression().fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(model.estimator_.coef_, expected.coef_)
    proba = np.empty((len(Y), 2))
    for train, test in splits:
        part = LogisticRegression().fit(X[train], Y[train], sample_weight=weight[train])
        proba[test] = part.predict_proba(X[test])
    np.testing.assert_allclose(
        model.risk_coverage_, risk_coverage_curve(Y, proba, sample_weight=weight)
    )


class GroupsWanted(LogisticRegression):
    __metadata_request__fit = {"groups": True}

    def fit(self, X, y, sample_weight=None, groups=None):
        self.n_seen_ = None if groups is None else len(groups)
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda m: make_pipeline(StandardScaler(), m)]
)
def test_groups_reach_an_estimator_that_takes_them(routing, wrap):
    with config_context(enable_metadata_routing=routing):
        model = RejectingClassifier(wrap(GroupsWanted()), error_rate=0.2).fit(X, Y, groups=GROUPS)
    inner = model.estimator_[-1] if hasattr(model.estimator_, "steps") else model.estimator_
    assert inner.n_seen_ == len(Y)


def test_groups_arrive_through_cross_validation():
    model = RejectingClassifier(LogisticRegression(), error_rate=0.1)
    scores = cross_val_score(
        model, X, Y, groups=GROUPS, cv=GroupKFold(3), params={"groups": GROUPS}
    )
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(model, X, Y, cv=GroupKFold(3), params={"groups": GROUPS})
    np.testing.assert_array_equal(scores, routed)


def test_search_clone_and_pickle():
    grid = {"error_rate": [None, 0.1], "estimator__logisticregression__C": [1, 10]}
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(RejectingClassifier(inner), grid, cv=GroupKFold(2))
    with config_context(enable_metadata_routing=True):
        search.fit(X, Y, groups=GROUPS)
    assert search.best_params_["error_rate"] is None  # rejections count as errors in score
    model = clone(search.best_estimator_).set_params(error_rate=0.1).fit(X, Y, groups=GROUPS)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_numbers_need_a_number():
    y = np.where(Y == "murmur", 1, -1)
    model = RejectingClassifier(LogisticRegression(), error_rate=0.05, reject_label=0)
    assert set(model.fit(X, y, groups=GROUPS).predict(X)) == {-1, 0, 1}
    with pytest.raises(ValueError, match="does not go with classes such as -1"):
        clone(model).set_params(reject_label="unsure").fit(X, y, groups=GROUPS)
    with pytest.raises(ValueError, match="reject_label=1 is one of the classes"):
        clone(model).set_params(reject_label=1).fit(X, y, groups=GROUPS)
