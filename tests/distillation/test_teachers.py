"""Who can teach: forests, pipelines, networks, frozen models, several at once."""

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from sklearn_heartkd import (
    Conv1DClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
    LSTMClassifier,
    StudentClassifier,
)
from sklearn_heartkd.distillation import _teaching
from tests.distillation.helpers import GROUPS, LABELS, Oracle, distil, network, student


def test_sequences_reach_networks_through_meta_estimators():
    inside = CalibratedClassifierCV(network(), cv=2)
    for outer in (KMeansRefinedClassifier(inside), DistilledClassifier(GaussianNB(), network())):
        assert get_tags(outer).input_tags.three_d_array
    assert not get_tags(KMeansRefinedClassifier(SVC())).input_tags.three_d_array


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(5),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(SVC(), cv=2),
        CalibratedClassifierCV(network(), cv=2),
        KMeansRefinedClassifier(CalibratedClassifierCV(network(), cv=2)),
        VotingClassifier([("network", network()), ("student", student())], voting="soft"),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=GroupKFold(2)),
        GridSearchCV(network(), {"width": [2, 4]}, cv=GroupKFold(2)),
        make_pipeline(network()),
        make_imblearn_pipeline(RandomOverSampler(random_state=0), GaussianNB()),
        student(),
        network(),
        LSTMClassifier(hidden_size=4, max_epochs=1),
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


@pytest.mark.parametrize("wrap", [FrozenEstimator, clone], ids=["frozen", "fitted here"])
def test_sequences_reach_the_networks_of_an_ensemble(wrap, data):
    X, y = data
    ensemble = VotingClassifier([("a", network()), ("b", student())], voting="soft").fit(X, y)
    taught = distil(wrap(ensemble)).fit(X, y).teacher_
    networks = getattr(taught, "estimator", taught).estimators_
    assert [fitted.input_shape_ for fitted in networks] == [(4, 16), (4, 16)]


@pytest.mark.parametrize("outputs", ["cached", "augmented"])
def test_a_recurrent_teacher_of_a_convolutional_student(outputs, data):
    X, y = data
    recurrent = LSTMClassifier(hidden_size=4, max_epochs=1)
    model = distil(recurrent, teacher_outputs=outputs).fit(X, y)
    assert model.teacher_.module_.embedding_size != model.student_.module_.embedding_size
    assert model.predict_proba(X).shape == (36, 3)


def test_labels_weights_and_subjects_reach_the_teacher(data):
    X, y = data
    weight = np.linspace(0.1, 2, 36)
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
    model = distil(Oracle(), pupil, weights=weights).fit(X, y_noise)
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
    with pytest.raises(TypeError, match="KNeighborsClassifier takes no sample weights"):
        distil(KNeighborsClassifier()).fit(*data, sample_weight=np.ones(36))


def test_a_student_that_is_no_network_is_refused(data):
    with pytest.raises(TypeError, match=r"networks of sklearn_heartkd.*got GaussianNB"):
        distil(GaussianNB(), GaussianNB()).fit(*data)
    sampling = make_imblearn_pipeline(RandomOverSampler(), student())
    with pytest.raises(TypeError, match="sampler before the DistilledClassifier"):
        distil(GaussianNB(), sampling).fit(data[0][:, :, 0], data[1])


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
    prediction = _teaching.predict_teacher(
        None, "t", FrozenEstimator(oracle), X[:, :, 0], y, {}, None, None
    )
    assert prediction.probabilities.shape == (36, 3)
    assert_allclose(prediction.probabilities.sum(axis=1), 1)
    assert_allclose(prediction.probabilities.max(axis=1), 0.7 / 0.9)
    model = distil(FrozenEstimator(oracle)).fit(X, y)
    assert_array_equal(model.classes_, LABELS)
    assert model.predict_proba(X).shape == (36, 3)


def test_the_order_of_a_teachers_classes_does_not_matter(data):
    X, y = data
    backwards = Oracle(classes=tuple(LABELS[::-1])).fit(X, y)
    prediction = _teaching.predict_teacher(
        None, "t", FrozenEstimator(backwards), X[:, :, 0], y, {}, None, None
    )
    assert_array_equal(prediction.probabilities, backwards.predict_proba(X[:, :, 0])[:, ::-1])


def test_a_frozen_teacher_that_misses_a_class_is_refused(data):
    X, y = data
    known = y != "normal"
    fitted = GaussianNB().fit(X[known, :, 0], y[known])
    with pytest.raises(ValueError, match=r"'teacher' does not know \['normal'\], only \['artifact"):
        distil(FrozenEstimator(fitted)).fit(X[:, :, 0], y)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda frozen: frozen,
        lambda frozen: make_pipeline(StandardScaler(), frozen),
        lambda frozen: VotingClassifier([("a", frozen)], voting="soft"),
        lambda frozen: KMeansRefinedClassifier(frozen),
    ],
    ids=["bare", "pipeline", "vote", "refined"],
)
def test_a_frozen_teacher_with_cv_is_refused_wherever_it_is(wrap, data):
    X, y = data
    frozen = FrozenEstimator(GaussianNB().fit(X[:, :, 0], y))
    with pytest.raises(ValueError, match="cannot be fitted out of fold; leave cv=None"):
        distil(wrap(frozen), cv=3).fit(X[:, :, 0], y, groups=GROUPS)


def test_frozen_features_before_a_teacher_may_be_asked_out_of_fold(data):
    X, y = data
    scaler = FrozenEstimator(StandardScaler().fit(X[:, :, 0]))
    model = distil(make_pipeline(scaler, Oracle()), cv=3)
    model.fit(X[:, :, 0], y, groups=GROUPS)
    assert len(Oracle.fits) == 4


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("what", ["probabilities", "embeddings"])
def test_a_teacher_that_says_nothing_finite_is_named(what, cv, data):
    class Lost(Oracle):
        def predict_proba(self, X):
            return super().predict_proba(X) + (np.nan if what == "probabilities" else 0)

        def embed(self, X):
            return np.full((len(X), 2), np.nan)

    X, y = data
    model = distil(Lost(), cv=cv)
    if what == "embeddings" and cv is not None:
        model.fit(X[:, :, 0], y, groups=GROUPS)  # they are not asked for
        return
    with pytest.raises(
        ValueError, match=f"The teacher 'teacher'.* gives {what} that are not finite"
    ):
        model.fit(X[:, :, 0], y, groups=GROUPS)


def test_several_teachers_have_nested_parameters():
    model = distil([("forest", RandomForestClassifier(5)), ("network", network())])
    parameters = model.get_params()
    assert parameters["teacher__forest__n_estimators"] == 5
    assert isinstance(parameters["teacher__network"], Conv1DClassifier)
    model.set_params(teacher__forest__n_estimators=7, teacher__network=GaussianNB())
    assert model.teacher[0][1].n_estimators == 7
    assert isinstance(model.teacher[1][1], GaussianNB)
    assert clone(model).get_params()["teacher__forest__n_estimators"] == 7
    with pytest.raises(
        ValueError, match=r"does not have 'tree'; its names are \['forest', 'network'\]"
    ):
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
        ([("a", GaussianNB())], {"teacher_weights": [1, 2]}, "one for each of the 1 teachers"),
        (network(), {"teacher_outputs": "x"}, "teacher_outputs"),
        (GaussianNB(), {"teacher_outputs": "augmented"}, "use teacher_outputs='cached'"),
    ],
)
def test_wrong_teachers_are_refused_in_words(teacher, parameters, message, data):
    with pytest.raises(ValueError, match=message):
        distil(teacher, **parameters).fit(*data)
