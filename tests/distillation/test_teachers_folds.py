"""Teachers out of fold never judge a subject that they have seen."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB

from sklearn_heartkd import KMeansRefinedClassifier
from sklearn_heartkd.distillation import _teaching
from tests.distillation.helpers import GROUPS, Oracle, distil, network


@pytest.mark.parametrize(
    "cv", [3, StratifiedKFold(3, shuffle=True, random_state=0), GroupKFold(3)], ids=str
)
def test_out_of_fold_teachers_never_see_the_subject_they_judge(cv, data):
    X, y = data
    distil(Oracle(), cv=cv).fit(X, y, groups=GROUPS)
    whole, *folds = Oracle.fits
    assert len(whole["X"]) == 36
    assert len(folds) == 3
    for fold in folds:
        rows = [int(np.flatnonzero((X.reshape(36, -1) == x).all(axis=1))[0]) for x in fold["X"]]
        assert_array_equal(fold["groups"], GROUPS[rows])
        assert_array_equal(fold["y"], y[rows])
        for subject in set(GROUPS):
            assert np.sum(fold["groups"] == subject) in (0, 3)


def test_a_shuffled_splitter_stays_shuffled_by_subject(data):
    X, y = data
    seen = set()
    for seed in range(4):
        Oracle.fits.clear()
        cv = StratifiedKFold(3, shuffle=True, random_state=seed)
        distil(Oracle(), cv=cv).fit(X, y, groups=GROUPS)
        seen.add(tuple(Oracle.fits[1]["groups"]))
    assert len(seen) > 1


class Memorizer(ClassifierMixin, BaseEstimator):
    """Certain about recordings of fit, ignorant of all others."""

    def fit(self, X, y):
        self.known_ = {x.tobytes(): label for x, label in zip(X, y, strict=True)}
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        n = len(self.classes_)
        known = [self.known_.get(np.asarray(x).tobytes()) for x in X]
        return np.array(
            [np.full(n, 1 / n) if k is None else 1.0 * (self.classes_ == k) for k in known]
        )


def test_soft_targets_are_those_of_the_fold(data):
    X, y = data[0][:, :, 0], data[1]
    inside = _teaching.predict_teacher(None, "t", Memorizer(), X, y, {}, GROUPS, None)
    assert_array_equal(inside.probabilities.max(axis=1), np.ones(36))
    outside = _teaching.predict_teacher(None, "t", Memorizer(), X, y, {}, GROUPS, 3)
    assert_allclose(outside.probabilities, 1 / 3)
    assert_allclose(outside.embedding, np.log(outside.probabilities))


def test_out_of_fold_without_groups_warns_once(data):
    with pytest.warns(UserWarning, match="DistilledClassifier splits its training data") as caught:
        distil(GaussianNB(), cv=3).fit(*data)
    assert len(caught) == 1


def test_no_warning_without_inner_splits(data):
    distil(GaussianNB()).fit(*data)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (20, "20 folds by subject need at least as many subjects, got 12; use cv=12"),
        (3, "3 folds by subject need at least as many subjects, got 1; do without cv"),
        ([(np.arange(30), np.arange(30, 36))], "leaves some recordings out"),
    ],
)
def test_splits_that_cannot_work_say_why(cv, message, data):
    with pytest.raises(ValueError, match=message):
        distil(GaussianNB(), cv=cv).fit(*data, groups=np.zeros(36) if cv == 3 else GROUPS)


def test_labels_of_repeated_folds_are_averaged(data):
    X, y = data[0][:, :, 0], data[1]
    splits = [split for seed in range(3) for split in _splits_of(y, seed)]
    forest = RandomForestClassifier(5, random_state=0)
    found = _teaching.predict_teacher(None, "t", forest, X, y, {}, None, splits)
    once = [
        _teaching.predict_teacher(None, "t", forest, X, y, {}, None, _splits_of(y, seed))
        for seed in range(3)
    ]
    assert not np.array_equal(once[0].probabilities, once[1].probabilities)
    mean = np.mean([prediction.probabilities for prediction in once], axis=0)
    assert_allclose(found.probabilities, mean)


def _splits_of(y, seed):
    return list(StratifiedKFold(3, shuffle=True, random_state=seed).split(y, y))


@pytest.mark.parametrize(
    "cv",
    [RepeatedStratifiedKFold(n_splits=3, n_repeats=1, random_state=0), LeaveOneOut()],
    ids=["repeated", "leave one out"],
)
def test_a_splitter_that_ignores_the_subjects_is_named(cv, data):
    with pytest.warns(UserWarning, match=f"with {type(cv).__name__}, which puts rows of one"):
        distil(GaussianNB(), cv=cv).fit(*data, groups=GROUPS)


def test_answers_out_of_fold_cannot_be_those_about_augmented_rows(data):
    model = distil(network(), cv=3, teacher_outputs="augmented")
    with pytest.raises(ValueError, match=r"cv=3 wants its outputs out of fold; use .*'cached'"):
        model.fit(*data, groups=GROUPS)


def test_splits_that_come_only_once_serve_every_teacher(data):
    X, y = data
    teachers = [("a", GaussianNB()), ("b", Oracle())]
    found = distil(teachers, cv=iter(_splits_of(y, 0))).fit(X, y, groups=np.arange(36))
    expected = distil(teachers, cv=_splits_of(y, 0)).fit(X, y, groups=np.arange(36))
    assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("refined", [False, True])
def test_a_class_of_one_subject_cannot_be_taught_out_of_fold(refined, data):
    X, y = data[0], data[1].copy()
    y[:3] = "rare"
    if refined:
        model = KMeansRefinedClassifier(network(), weight="auto", cv=3, random_state=0)
    else:
        model = distil(network(), cv=3)
    with pytest.raises(ValueError, match=r"know \['rare'\].* too few subjects .* use fewer folds"):
        model.fit(X, y, groups=GROUPS)
