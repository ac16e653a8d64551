"""Who can teach: forests, pipelines, networks, frozen models, several at once."""

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    Conv1DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)
from sklearn_heartkd.distillation import _teaching

LABELS = np.array(["artifact", "murmur", "normal"])
GROUPS = np.arange(36) // 3


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    target = np.arange(36) % 3
    X = 0.2 * rng.standard_normal((36, 4, 16)).astype(np.float32)
    X[:, 0] += 1.5 * target[:, None]
    return X, LABELS[target]


def student(**parameters):
    return StudentClassifier(**{"width": 2, "depth": 1, "max_epochs": 1} | parameters)


def network(**parameters):
    return Conv1DClassifier(**{"width": 4, "depth": 1, "max_epochs": 1} | parameters)


def distil(teacher, pupil=None, **parameters):
    return DistilledClassifier(teacher, pupil or student(), random_state=0, **parameters)


class Oracle(ClassifierMixin, BaseEstimator):
    """A teacher that knows the class by the first value; it counts and records its fits."""

    fits: list = []

    def __init__(self, classes=tuple(LABELS), certainty=0.9):
        self.classes = classes
        self.certainty = certainty

    def fit(self, X, y, sample_weight=None, groups=None):
        Oracle.fits.append({"X": X, "y": y, "sample_weight": sample_weight, "groups": groups})
        self.classes_ = np.array(self.classes)
        return self

    def predict_proba(self, X):
        n = len(self.classes)
        truth = np.clip(np.rint(np.asarray(X)[:, 0] / 1.5), 0, n - 1).astype(int)
        rest = (1 - self.certainty) / (n - 1)
        return np.where(np.eye(n, dtype=bool)[truth], self.certainty, rest)


@pytest.fixture(autouse=True)
def _no_fits_yet():
    Oracle.fits.clear()


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(5),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(SVC(), cv=2),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=GroupKFold(2)),
        GridSearchCV(network(), {"width": [2, 4]}, cv=GroupKFold(2)),
        make_pipeline(network()),
        make_imblearn_pipeline(RandomOverSampler(random_state=0), GaussianNB()),
        student(),
        network(),
        DistilledClassifier(GaussianNB(), student()),
    ],
    ids=lambda e: repr(e)[:50],
)
@pytest.mark.parametrize("cv", [None, 2])
def test_any_classifier_teaches_on_sequences(teacher, cv, data):
    X, y = data
    model = distil(teacher, cv=cv).fit(X, y, groups=GROUPS)
    assert type(model.teacher_) is type(teacher)
    assert_array_equal(model.classes_, LABELS)
    assert model.predict_proba(X).shape == (36, 3)
    assert isinstance(model.student_, StudentClassifier)
    assert model.embed(X).shape == (36, model.student_.module_.embedding_size)
    assert model.history_ == model.student_.history_


def test_sequences_are_flattened_for_tables_only(data):
    X, y = data
    model = distil(Oracle()).fit(X, y)
    assert Oracle.fits[0]["X"].shape == (36, 64)
    assert model.student_.input_shape_ == (4, 16)


def test_labels_weights_and_subjects_reach_the_teacher(data):
    X, y = data
    weight = np.linspace(0, 2, 36)
    distil(Oracle()).fit(X, y, sample_weight=weight, groups=GROUPS)
    (fit,) = Oracle.fits
    assert_array_equal(fit["y"], y)
    assert_array_equal(fit["sample_weight"], weight)
    assert_array_equal(fit["groups"], GROUPS)


def test_the_student_learns_from_the_teacher_where_labels_are_silent(data):
    X, y = data
    y_noise = np.random.default_rng(1).permutation(y)
    pupil = student(max_epochs=60, width=4, learning_rate=0.02, augmentation=None)
    weights = {"ce": 0.0, "kd": 1.0, "infonce": 0.0}
    model = distil(Oracle(), pupil, weights=weights, refine=None).fit(X, y_noise)
    told = LABELS[Oracle().fit(X, y).predict_proba(X.reshape(36, -1)).argmax(axis=1)]
    assert np.mean(model.predict(X) == told) > 0.8
    alone = clone(model).set_params(weights={"ce": 1.0, "kd": 0.0, "infonce": 0.0})
    assert np.mean(alone.fit(X, y_noise).predict(X) == told) < 0.7


def test_a_teacher_without_probabilities_is_refused(data):
    with pytest.raises(TypeError, match=r"Pipeline has no predict_proba.*CalibratedClassifierCV"):
        distil(make_pipeline(StandardScaler(), SVC())).fit(*data)
    with pytest.raises(TypeError, match=r"'b', SVC has no predict_proba.*CalibratedClassifierCV"):
        distil([("a", GaussianNB()), ("b", SVC())]).fit(*data)


def test_a_teacher_that_ignores_weights_is_refused(data):
    with pytest.raises(TypeError, match="KNeighborsClassifier takes none"):
        distil(KNeighborsClassifier()).fit(*data, sample_weight=np.ones(36))


def test_a_student_that_is_no_network_is_refused(data):
    with pytest.raises(TypeError, match=r"networks of sklearn_heartkd.*got GaussianNB"):
        distil(GaussianNB(), GaussianNB()).fit(*data)
    sampling = make_imblearn_pipeline(RandomOverSampler(), student())
    with pytest.raises(TypeError, match="sampler before the DistilledClassifier"):
        distil(GaussianNB(), sampling).fit(data[0][:, :, 0], data[1])


# Frozen teachers


def test_a_frozen_teacher_is_not_fitted_again_nor_changed(data):
    X, y = data
    fitted = network(random_state=0).fit(X, y)
    before = {name: value.clone() for name, value in fitted.module_.state_dict().items()}
    frozen = FrozenEstimator(fitted)
    model = distil(frozen).fit(X[:20].astype(np.float64), y[:20])
    assert model.teacher_.estimator is fitted
    for name, value in fitted.module_.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])
    distil(FrozenEstimator(Oracle().fit(X, y))).fit(X, y)
    assert len(Oracle.fits) == 1


def test_surplus_classes_of_a_frozen_teacher_are_dropped_and_the_rest_renormalised(data):
    X, y = data
    oracle = Oracle(classes=("artifact", "murmur", "normal", "zebra"), certainty=0.7).fit(X, y)
    lesson = _teaching.prepare_lesson(
        None, "t", FrozenEstimator(oracle), X[:, :, 0], y, None, None, None
    )
    assert lesson.probabilities.shape == (36, 3)
    assert_allclose(lesson.probabilities.sum(axis=1), 1)
    assert_allclose(lesson.probabilities.max(axis=1), 0.7 / 0.9)
    model = distil(FrozenEstimator(oracle)).fit(X, y)
    assert_array_equal(model.classes_, LABELS)
    assert model.predict_proba(X).shape == (36, 3)


def test_the_order_of_a_teachers_classes_does_not_matter(data):
    X, y = data
    backwards = Oracle(classes=tuple(LABELS[::-1])).fit(X, y)
    lesson = _teaching.prepare_lesson(
        None, "t", FrozenEstimator(backwards), X[:, :, 0], y, None, None, None
    )
    assert_array_equal(lesson.probabilities, backwards.predict_proba(X[:, :, 0])[:, ::-1])


def test_a_frozen_teacher_that_misses_a_class_is_refused(data):
    X, y = data
    known = y != "normal"
    fitted = GaussianNB().fit(X[known, :, 0], y[known])
    with pytest.raises(ValueError, match=r"'teacher' does not know \['normal'\], only \['artifact"):
        distil(FrozenEstimator(fitted)).fit(X[:, :, 0], y)


def test_a_frozen_teacher_with_cv_is_refused(data):
    X, y = data
    fitted = GaussianNB().fit(X[:, :, 0], y)
    with pytest.raises(ValueError, match="frozen and cannot be fitted out of fold; leave cv=None"):
        distil(FrozenEstimator(fitted), cv=3).fit(X[:, :, 0], y, groups=GROUPS)


# Several teachers


def test_several_teachers_have_nested_parameters():
    model = distil([("forest", RandomForestClassifier(5)), ("network", network())])
    parameters = model.get_params()
    assert parameters["teacher__forest__n_estimators"] == 5
    assert isinstance(parameters["teacher__network"], Conv1DClassifier)
    model.set_params(teacher__forest__n_estimators=7, teacher__network=GaussianNB())
    assert model.teacher[0][1].n_estimators == 7
    assert isinstance(model.teacher[1][1], GaussianNB)
    assert clone(model).get_params()["teacher__forest__n_estimators"] == 7
    with pytest.raises(ValueError, match=r"holds no 'tree'; its names are \['forest', 'network'\]"):
        model.set_params(teacher__tree__depth=1)


def test_several_teachers_are_averaged_with_their_weights(data, monkeypatch):
    from sklearn_heartkd.distillation import _distilled

    cached = []

    def spy(*arguments):
        cached.append(_teaching.cached_outputs(*arguments))
        return cached[-1]

    monkeypatch.setattr(_distilled, "cached_outputs", spy)
    X, y = data[0][:, :, 0], data[1]
    teachers = [("sure", Oracle(certainty=0.9)), ("unsure", Oracle(certainty=0.5))]
    model = distil(teachers).fit(X, y)
    assert set(model.teacher_) == {"sure", "unsure"}
    assert model.teacher_.sure.certainty == 0.9
    distil(teachers, teacher_weights=[3, 1]).fit(X, y)
    tops = [output.log_probabilities.exp().max().item() for output in cached]
    assert tops == pytest.approx([0.7, 0.8])
    assert cached[0].embedding.shape == (36, 6)


@pytest.mark.parametrize(
    ("teacher", "parameters", "message"),
    [
        ([], {}, "at least one"),
        ([GaussianNB()], {}, r"list of at least one \(name, classifier\)"),
        ([("a", GaussianNB()), ("a", GaussianNB())], {}, r"\['a'\] more than once"),
        ([("a", GaussianNB())], {"teacher_weights": [1, 2]}, "2 values for 1 teachers"),
        (network(), {"teacher_outputs": "x"}, "teacher_outputs"),
        (GaussianNB(), {"teacher_outputs": "augmented"}, "use teacher_outputs='cached'"),
    ],
)
def test_wrong_teachers_are_refused_in_words(teacher, parameters, message, data):
    with pytest.raises(ValueError, match=message):
        distil(teacher, **parameters).fit(*data)


# Out of fold


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
    inside = _teaching.prepare_lesson(None, "t", Memorizer(), X, y, None, GROUPS, None)
    assert_array_equal(inside.probabilities.max(axis=1), np.ones(36))
    outside = _teaching.prepare_lesson(None, "t", Memorizer(), X, y, None, GROUPS, 3)
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
        ([(np.arange(30), np.arange(30, 36))], "leaves some recordings out"),
    ],
)
def test_splits_that_cannot_work_say_why(cv, message, data):
    with pytest.raises(ValueError, match=message):
        distil(GaussianNB(), cv=cv).fit(*data, groups=GROUPS)


# Pipelines


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
