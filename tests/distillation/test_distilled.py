"""DistilledClassifier in pipelines, searches and cross-validation."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline as ImblearnPipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    Conv2DClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
)
from sklearn_heartkd.distillation import SoftTargets
from sklearn_heartkd.utils._random import clone_seeded


def student(**parameters):
    return StudentClassifier(**{"width": 2, "depth": 1, "max_epochs": 2} | parameters)


def teacher(**parameters):
    return Conv2DClassifier(**{"width": 2, "depth": 1, "max_epochs": 2} | parameters)


class Splits(ClassifierMixin, BaseEstimator):
    """A teacher that remembers the subjects of every fit."""

    __metadata_request__fit = {"groups": True}
    seen: list = []

    def fit(self, X, y, groups=None):
        Splits.seen.append(groups)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


# A pipeline as in the README


def pipeline(**parameters):
    distilled = DistilledClassifier(teacher(), student(), random_state=0, **parameters)
    return Pipeline([("mfcc", MFCC(sampling_rate=2000)), ("student", distilled)])


def test_a_pipeline_of_features_and_distilled_student(sounds):
    model = pipeline().fit(sounds.data, sounds.target, student__groups=sounds.groups)
    assert set(model.predict(sounds.data)) <= {"normal", "murmur"}
    assert_allclose(model.predict_proba(sounds.data).sum(axis=1), 1, rtol=1e-5)
    assert repr(clone(model)) == repr(model)


def test_a_search_over_temperature_and_width(sounds):
    X, y, groups = sounds.data, sounds.target, sounds.groups
    grid = {"student__temperature": [1, 2], "student__student__width": [2, 3]}
    search = GridSearchCV(pipeline(), grid, cv=StratifiedGroupKFold(2), error_score="raise")
    search.fit(X, y, groups=groups)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_[-1]
    assert best.student_.width == search.best_params_["student__student__width"]
    assert best.temperature == search.best_params_["student__temperature"]


def test_temperature_and_width_change_the_student(sequences, sounds):
    def fit(**parameters):
        model = pipeline()[-1].set_params(**parameters).fit(sequences, sounds.target)
        return model.predict_proba(sequences)

    expected = fit()
    assert_array_equal(fit(temperature=2), expected)
    assert not np.array_equal(fit(temperature=4), expected)
    assert not np.array_equal(fit(student__width=3), expected)
    assert not np.array_equal(fit(weights={"kd": 0.1}), expected)
    assert not np.array_equal(fit(teacher__width=3), expected)


@pytest.mark.parametrize("routing", [False, True])
def test_cross_validation_hands_the_subjects_to_inner_splits(routing, sounds):
    X, y, groups = sounds.data, sounds.target, sounds.groups
    model = make_pipeline(MFCC(), DistilledClassifier(Splits(), student(), cv=2, random_state=0))
    outer = StratifiedGroupKFold(2)
    Splits.seen.clear()
    with config_context(enable_metadata_routing=routing):
        if routing:
            scores = cross_val_score(model, X, y, cv=outer, params={"groups": groups})
        else:
            params = {"distilledclassifier__groups": groups}
            scores = cross_val_score(model, X, y, groups=groups, cv=outer, params=params)
    assert np.isfinite(scores).all()
    assert len(Splits.seen) == 2 * 3
    for start in (0, 3):
        whole, first, second = map(set, Splits.seen[start : start + 3])
        assert len(whole) == 6
        assert first | second == whole
        assert not first & second
    assert not set(Splits.seen[0]) & set(Splits.seen[3])


def test_the_same_features_feed_classical_models(sounds):
    for model in (SVC(), RandomForestClassifier(10, random_state=0)):
        classical = make_pipeline(MFCC(output="summary"), StandardScaler(), model)
        assert classical.fit(sounds.data, sounds.target).score(sounds.data, sounds.target) > 0.6


@pytest.mark.parametrize(
    ("sampler", "output"),
    [(RandomOverSampler(random_state=0), "summary"), (SMOTE(k_neighbors=2), "summary")],
)
def test_imbalanced_learn_pipelines(sampler, output, sounds):
    kept = np.flatnonzero((sounds.target == "normal") | (np.arange(24) < 12))
    X, y = sounds.data[kept], sounds.target[kept]
    counted = []

    class Counting(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            counted.append(np.unique(y, return_counts=True)[1].tolist())
            return super().fit(X, y, sample_weight)

    distilled = DistilledClassifier(Counting(), student(), random_state=0)
    steps = [("mfcc", MFCC(output=output)), ("sampler", sampler), ("student", distilled)]
    model = ImblearnPipeline(steps).fit(X, y)
    assert counted == [[max(np.sum(y == "normal"), np.sum(y == "murmur"))] * 2]
    assert model.predict(X).shape == (len(X),)


def test_random_over_sampling_of_waveforms_before_the_features(sounds):
    kept = np.flatnonzero((sounds.target == "normal") | (np.arange(24) < 12))
    steps = [
        ("sampler", RandomOverSampler(random_state=0)),
        ("mfcc", MFCC()),
        ("student", DistilledClassifier(teacher(), student(), random_state=0)),
    ]
    model = ImblearnPipeline(steps).fit(sounds.data[kept], sounds.target[kept])
    assert model.predict(sounds.data).shape == (24,)


# Defaults and parameters


def test_student_none_is_the_default_student(sequences, sounds):
    model = DistilledClassifier(GaussianNB(), random_state=0)
    assert model.student is None
    explicit = clone(model).set_params(student=StudentClassifier(max_epochs=2))
    assert explicit.get_params()["student__width"] == StudentClassifier().width
    small, y = sequences[:8, :, :8], sounds.target[:8]
    model.fit(small, y)
    assert model.student is None
    assert type(model.student_) is StudentClassifier
    explicit.set_params(student=StudentClassifier())
    assert_array_equal(explicit.fit(small, y).predict_proba(small), model.predict_proba(small))


@pytest.mark.parametrize("smoothing", [0.05, 0.2])
def test_with_labels_alone_it_is_the_student_from_scratch(smoothing, sequences, sounds):
    own = student(random_state=0).set_params(label_smoothing=smoothing)
    scratch = clone(own).fit(sequences, sounds.target)
    model = DistilledClassifier(GaussianNB(), own, losses="ce", weights={"ce": 1.0}).fit(
        sequences, sounds.target
    )
    assert_array_equal(model.predict_proba(sequences), scratch.predict_proba(sequences))
    assert_array_equal(model.decision_function(sequences), scratch.decision_function(sequences))


def test_a_loss_of_weight_0_is_left_out(sequences, sounds):
    y = sounds.target
    model = DistilledClassifier(GaussianNB(), student(), random_state=0)
    without = clone(model).set_params(losses="kd", weights={"ce": 0.5, "kd": 0.5})
    zero = clone(model).set_params(weights={"ce": 0.5, "kd": 0.5, "infonce": 0})
    expected = without.fit(sequences, y).predict_proba(sequences)
    assert_array_equal(zero.fit(sequences, y).predict_proba(sequences), expected)
    nothing = clone(model).set_params(weights={"kd": 0.0, "infonce": 0.0, "ce": 0.0})
    with pytest.raises(ValueError, match="weight"):
        nothing.fit(sequences, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"losses": "kd+magic"}, "Unknown loss 'magic'; known are"),
        ({"losses": SoftTargets(), "temperature": 3.0}, r"temperature=3.0 .*SoftTargets"),
        ({"losses": [("kd", "kd", 1)], "weights": {"kd": 1}}, r"weights=.* in the list"),
        ({"weights": {"crd": 1}}, r"weights has \['crd'\]"),
        ({"weights": {"kd": -1}}, "at least 0, got -1"),
        ({"temperature": 0}, "'temperature' parameter"),
        (
            {"losses": "hint", "temperature": 2.0},
            "temperature=2.0 .* losses='hint' does not use any",
        ),
        (
            {"losses": "hint", "teacher_weights": [1.0]},
            r"the losses \['ce', 'hint'\] do not use",
        ),
        ({"teacher_weights": [0.0]}, r"teacher_weights must be .* got \[0.0\]"),
        ({"teacher_weights": [-1.0]}, r"teacher_weights must be .* got \[-1.0\]"),
        ({"teacher_weights": [float("nan")]}, r"teacher_weights must be .* got \[nan\]"),
        ({"refine": "gmm"}, "'refine' parameter"),
        ({"losses": [("kd", SoftTargets())]}, r"list of \(name, loss, weight\)"),
    ],
)
def test_wrong_parameters_are_refused_in_words(parameters, message, sequences, sounds):
    model = DistilledClassifier(GaussianNB(), student(), random_state=0).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(sequences, sounds.target)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"early_stopping": "no"}, "early_stopping"),
        ({"dropout": 1.0}, "dropout"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"class_weight": "balance"}, "class_weight"),
        ({"pretrain": "contrastiv"}, "pretrain"),
    ],
)
@pytest.mark.parametrize(
    "wrap", [student, lambda **p: make_pipeline(student(**p))], ids=["", "pipe"]
)
def test_wrong_parameters_of_the_student_are_refused_first(
    wrap, parameters, name, sequences, sounds
):
    teacher = Splits()
    Splits.seen.clear()
    with pytest.raises(ValueError, match=f"The '{name}' parameter of StudentClassifier"):
        DistilledClassifier(teacher, wrap(**parameters)).fit(sequences, sounds.target)
    assert not Splits.seen


def test_routed_weights_reach_the_steps_before_the_student(data_with_weights):
    X, y, weight = data_with_weights
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), student())
        pipeline[-1].set_fit_request(sample_weight=True)
        teacher = GaussianNB().set_fit_request(sample_weight=True)
        model = DistilledClassifier(teacher, pipeline, random_state=0)
        model.fit(X, y, sample_weight=weight)
        alone = clone(pipeline).fit(X, y, sample_weight=weight)
    assert_allclose(model.student_[0].mean_, alone[0].mean_)
    assert not np.allclose(alone[0].mean_, X.mean(axis=0))


@pytest.fixture
def data_with_weights():
    rng = np.random.default_rng(0)
    return rng.standard_normal((30, 3)), np.arange(30) % 2, rng.integers(1, 4, 30).astype(float)


def test_rows_of_weight_0_are_absent(sounds):
    X, y = MFCC(output="summary").fit_transform(sounds.data), sounds.target
    pupil = make_pipeline(StandardScaler(), student())
    model = DistilledClassifier(
        make_pipeline(StandardScaler(), GaussianNB()), pupil, refine="kmeans", random_state=0
    )
    expected = clone(model).fit(X, y, groups=sounds.groups).predict_proba(X)
    more, labels = np.r_[X, np.full_like(X[:3], 1e4)], np.r_[y, ["surprise"] * 3]
    weight = np.r_[np.ones(len(y)), np.zeros(3)]
    model.fit(more, labels, sample_weight=weight, groups=np.r_[sounds.groups, ["x"] * 3])
    assert model.classes_.tolist() == ["murmur", "normal"]
    assert_array_equal(model.predict_proba(X), expected)
    with pytest.raises(ValueError, match="non-zero"):
        model.fit(more, labels, sample_weight=0 * weight)


def test_the_refinement_is_that_of_the_refined_student(sequences, sounds):
    y = sounds.target
    plain = DistilledClassifier(GaussianNB(), student(), random_state=0)
    plain.fit(sequences, y)
    refined = clone(plain).set_params(refine="kmeans", refine_weight=0.3, n_clusters=4)
    refined.fit(sequences, y)
    assert plain.refiner_ is None
    assert refined.refiner_.centers.shape == (4, plain.embed(sequences).shape[1])
    assert_array_equal(refined.embed(sequences), plain.embed(sequences))
    around = KMeansRefinedClassifier(FrozenEstimator(plain.student_), n_clusters=4, weight=0.3)
    expected = around.fit(sequences, y).predict_proba(sequences)
    assert_allclose(refined.predict_proba(sequences), expected, rtol=1e-6)
    logits = refined.decision_function(sequences)
    assert_allclose(1 / (1 + np.exp(-logits)), expected[:, 1], rtol=1e-5)


@pytest.mark.parametrize("refine", [None, "kmeans"])
def test_what_predicts_is_the_student_alone(refine, sequences, sounds):
    model = DistilledClassifier(GaussianNB(), student(), refine=refine, random_state=0)
    expected = model.fit(sequences, sounds.target).predict_proba(sequences)
    del model.teacher_
    assert_array_equal(model.predict_proba(sequences), expected)
    assert len(model.history_) == 2
    assert set(model.history_[0]) == {"epoch", "train_loss"}


@pytest.mark.parametrize("outputs", ["cached", "augmented"])
def test_asking_the_teacher_about_the_augmented_batch(outputs, sequences, sounds, monkeypatch):
    from sklearn_heartkd.distillation._objective import DistillationObjective

    asked = []
    original = DistillationObjective._ask_networks

    def spy(self, networks, batch):
        asked.append(batch.x.shape)
        return original(self, networks, batch)

    monkeypatch.setattr(DistillationObjective, "_ask_networks", spy)
    model = DistilledClassifier(teacher(), student(), random_state=0, teacher_outputs=outputs)
    model.fit(sequences, sounds.target)
    assert len(asked) == (4 if outputs == "augmented" else 0)
    if asked:
        assert asked[0][2] < sequences.shape[2]
    asked.clear()
    model.set_params(teacher_outputs="auto").fit(sequences, sounds.target)
    assert len(asked) == 4
    model.set_params(cv=2).fit(sequences, sounds.target, groups=sounds.groups)
    assert len(asked) == 4


# Random states


def test_random_state_seeds_what_has_none_of_its_own(sequences, sounds):
    forest = RandomForestClassifier(3)
    model = DistilledClassifier([("a", forest), ("b", clone(forest))], student(), random_state=0)
    model.fit(sequences, sounds.target)
    seeds = [model.teacher_.a.random_state, model.teacher_.b.random_state]
    assert all(isinstance(seed, int) for seed in [*seeds, model.student_.random_state])
    assert seeds[0] != seeds[1]
    assert forest.random_state is None
    own = DistilledClassifier(RandomForestClassifier(3, random_state=42), student(random_state=7))
    own.set_params(random_state=0).fit(sequences, sounds.target)
    assert (own.teacher_.random_state, own.student_.random_state) == (42, 7)


def test_seeding_reaches_nested_steps_and_spares_frozen_ones():
    rng = np.random.RandomState(0)
    nested = make_pipeline(StandardScaler(), KMeansRefinedClassifier(RandomForestClassifier()))
    seeded = clone_seeded(nested, rng)
    found = {k: v for k, v in seeded.get_params().items() if k.endswith("random_state")}
    assert len(found) == len(set(found.values())) == 2
    frozen = FrozenEstimator(RandomForestClassifier())
    assert clone_seeded(frozen, rng) is frozen


# Memory
