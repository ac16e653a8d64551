"""Subjects and weights behind the samplers of imbalanced-learn pipelines inside meta-estimators."""

import warnings

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, GroupKFold
from sklearn.multiclass import OneVsOneClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline as make_plain_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_heartkd import (
    ContrastivePretraining,
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import AugmentingOverSampler, Gain
from sklearn_heartkd.utils._nested import as_taken
from sklearn_heartkd.utils._unwrap import takes_sequences

Y = np.array([0] * 10 + [1] * 5)
GROUPS = np.arange(15) // 2
X = np.random.default_rng(0).standard_normal((15, 12)) + Y[:, None]
X[:, 0] = 10.0 * GROUPS
BRIEF = ContrastivePretraining(max_epochs=1)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keep the first column and the groups; all probabilities are equal."""

    __metadata_request__fit = {"groups": True}

    def fit(self, X, y, sample_weight=None, groups=None):
        self.column_, self.y_, self.groups_ = np.asarray(X)[:, 0], y, groups
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def student(**parameters):
    return StudentClassifier(**{"width": 2, "depth": 1, "max_epochs": 1} | parameters)


def windowed(*steps):
    return WindowedClassifier(
        make_pipeline(*steps), window=6, hop=6, sampling_rate=1, random_state=0
    )


def refined(*steps):
    return KMeansRefinedClassifier(make_pipeline(*steps), random_state=0)


def refined_by_folds(*steps):
    return refined(*steps).set_params(weight="auto", cv=2)


def distilled(*steps):
    return DistilledClassifier(make_pipeline(*steps), student(), random_state=0)


def distilled_out_of_fold(*steps):
    return distilled(*steps).set_params(cv=2)


META = [windowed, refined, refined_by_folds, distilled, distilled_out_of_fold]


def last_of(model):
    return getattr(model, "estimator_", getattr(model, "teacher_", None))[-1]


@pytest.mark.parametrize("meta", META)
def test_a_network_behind_a_sampler_is_fitted_by_subject(meta):
    network = student(early_stopping=True, validation_fraction=0.5, pretrain=BRIEF)
    model = meta(AugmentingOverSampler(), network).fit(X, Y, groups=GROUPS)
    assert model.predict(X).shape == (15,)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(
    "samplers",
    [
        [AugmentingOverSampler(augmentation=[Gain(decibels=0.0)])],
        [RandomOverSampler(), FunctionTransformer()],
        [RandomUnderSampler()],
        ["passthrough", RandomUnderSampler(sampling_strategy={0: 7}), RandomOverSampler()],
    ],
    ids=["augmenting", "over", "under", "both"],
)
@pytest.mark.parametrize("meta", [refined, distilled])
def test_each_row_has_the_group_of_the_one_it_was_copied_from(meta, samplers, routing):
    with config_context(enable_metadata_routing=routing):
        last = last_of(meta(*samplers, Recorder()).fit(X, Y, groups=GROUPS))
    assert len(set(np.bincount(last.y_))) == 1
    assert_array_equal(last.groups_, last.column_ / 10)


def test_each_window_has_the_group_of_its_recording():
    constant = np.repeat(10.0 * GROUPS[:, None], 12, axis=1)
    last = last_of(windowed(RandomOverSampler(), Recorder()).fit(constant, Y, groups=GROUPS))
    assert_array_equal(np.bincount(last.y_), [20, 20])
    assert_array_equal(last.groups_, last.column_ / 10)


def test_pipelines_and_searches_behind_a_sampler():
    inner = make_plain_pipeline(FunctionTransformer(), Recorder())
    last = last_of(refined(RandomOverSampler(), inner).fit(X, Y, groups=GROUPS))[-1]
    assert_array_equal(last.groups_, last.column_ / 10)
    sampling = make_pipeline(RandomOverSampler(), Recorder())
    outer = make_plain_pipeline(FunctionTransformer(), sampling)
    last = KMeansRefinedClassifier(outer).fit(X, Y, groups=GROUPS).estimator_[-1][-1]
    assert_array_equal(last.groups_, last.column_ / 10)
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=GroupKFold(2))
    refined(RandomOverSampler(), search).fit(X, Y, groups=GROUPS)


def test_the_pipeline_keeps_its_memory_and_steps(tmp_path):
    pipeline = make_pipeline(PCA(3), RandomOverSampler(), student(), memory=str(tmp_path))
    model = KMeansRefinedClassifier(pipeline).fit(X, Y, groups=GROUPS)
    assert [type(step) for step in model.estimator_] == [PCA, RandomOverSampler, StudentClassifier]
    assert model.estimator_[0].components_.shape == (3, 12)
    assert any(tmp_path.rglob("*.pkl"))


def test_what_routing_asks_for_before_and_behind_the_sampler():
    class Asking(StandardScaler):
        __metadata_request__fit = {"groups": True}

        def fit(self, X, y=None, sample_weight=None, groups=None):
            self.groups_ = groups
            return super().fit(X, y)

    with config_context(enable_metadata_routing=True):
        unasked = Recorder().set_fit_request(groups=False)
        model = refined(Asking(), RandomOverSampler(), unasked).fit(X, Y, groups=GROUPS)
    assert_array_equal(model.estimator_[0].groups_, GROUPS)
    assert last_of(model).groups_ is None


@pytest.mark.parametrize("meta", [windowed, refined, distilled])
@pytest.mark.parametrize(
    "used",
    [{"early_stopping": True, "validation_fraction": 0.5}, {"pretrain": BRIEF}],
    ids=["early stopping", "pretraining"],
)
def test_a_sampler_that_hides_the_origin_is_named_where_it_matters(meta, used):
    steps = SMOTE(k_neighbors=2), student(**used)
    message = "SMOTE does not record .* StudentClassifier treats each .* AugmentingOverSampler"
    with pytest.warns(UserWarning, match=message) as caught:
        meta(*steps).fit(X, Y, groups=GROUPS)
    assert len(caught) == 1


def test_a_contrastive_student_behind_such_a_sampler_is_warned_too():
    with pytest.warns(UserWarning, match="SMOTE does not record .* DistilledClassifier"):
        windowed(SMOTE(k_neighbors=2), distilled(GaussianNB())).fit(X, Y, groups=GROUPS)


@pytest.mark.parametrize("meta", [windowed, refined, distilled])
def test_a_sampler_that_hides_the_origin_is_silent_where_it_does_not_matter(meta):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for last in (student(), GaussianNB()):
            meta(SMOTE(k_neighbors=2), last).fit(X, Y, groups=GROUPS)


@pytest.mark.parametrize("meta", [windowed, refined, distilled])
def test_weights_cannot_pass_a_sampler(meta):
    with pytest.raises(TypeError, match=r"RandomOverSampler in the Pipeline .* leave out"):
        meta(RandomOverSampler(), student()).fit(X, Y, sample_weight=np.ones(15))


def test_an_array_among_the_parameters_has_no_truth():
    pretrain = ContrastivePretraining(np.zeros((4, 12)), max_epochs=1)
    with pytest.warns(UserWarning, match="SMOTE does not record"):
        refined(SMOTE(k_neighbors=2), student(pretrain=pretrain)).fit(X, Y, groups=GROUPS)


def voting(*members, **parameters):
    named = [(f"m{i}", member) for i, member in enumerate(members)]
    return VotingClassifier(named, voting="soft", **parameters)


@pytest.mark.parametrize(
    "meta",
    [
        CalibratedClassifierCV(student(), cv=2),
        CalibratedClassifierCV(make_plain_pipeline("passthrough", student()), cv=2),
        voting(student(), CalibratedClassifierCV(student(), cv=2), "drop"),
        StackingClassifier([("one", student())], cv=2),
        FixedThresholdClassifier(student()),
        GridSearchCV(voting(student()), {"m0__width": [2, 3]}, cv=2),
        KMeansRefinedClassifier(student()),
    ],
    ids=lambda meta: type(meta).__name__,
)
def test_sequences_pass_through_what_hands_them_on(meta):
    sequences = X.reshape(15, 3, 4)
    assert takes_sequences(meta)
    meta.fit(sequences, Y)
    assert takes_sequences(FrozenEstimator(meta))
    assert meta.predict_proba(as_taken(meta, sequences)).shape == (15, 2)


@pytest.mark.parametrize(
    "meta",
    [
        BaggingClassifier(student(), 2),
        OneVsOneClassifier(student()),
        voting(student(), GaussianNB()),
        StackingClassifier([("one", student())], cv=2, passthrough=True),
        CalibratedClassifierCV(),
        CalibratedClassifierCV(make_plain_pipeline(StandardScaler(), student()), cv=2),
        AdaBoostClassifier(),
    ],
    ids=lambda meta: type(meta).__name__,
)
def test_sequences_are_flattened_for_what_needs_tables(meta):
    assert not takes_sequences(meta)
    assert as_taken(meta, X.reshape(15, 3, 4)).shape == (15, 12)
    meta.fit(as_taken(meta, X.reshape(15, 3, 4)), Y)
