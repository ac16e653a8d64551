"""Rows without labels in DistilledClassifier."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_heartkd import (
    ContrastivePretraining,
    DenseStudentClassifier,
    DistilledClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    RhythmFeatures,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import Augmentation
from sklearn_heartkd.classifiers._training import Objective
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import Logits, _teaching, _unlabeled
from sklearn_heartkd.distillation._prior import reweigh
from sklearn_heartkd.metrics import RejectingClassifier
from sklearn_heartkd.utils._metadata import fit_parameters
from tests.distillation.helpers import GROUPS, LABELS, Oracle, distil, network, student

N_UNLABELED = 21


class Spy(Augmentation):
    """Keep the batches."""

    seen: list = []

    def __call__(self, batch, generator):
        Spy.seen.append(batch)
        return batch


@pytest.fixture(autouse=True)
def nothing_seen():
    Spy.seen.clear()


@pytest.fixture(scope="module")
def unlabeled(data):
    rng = np.random.default_rng(1)
    X = 0.2 * rng.standard_normal((N_UNLABELED, 4, 16)).astype(np.float32)
    X[:, 0] += 1.5 * (np.arange(N_UNLABELED) % 3)[:, None]
    return X


def spying(**parameters):
    return student(augmentation=[Spy()], **parameters)


def seen(name):
    return torch.cat([getattr(batch, name) for batch in Spy.seen]).numpy()


def weights_of(model):
    return [values.numpy() for values in model.student_.module_.state_dict().values()]


def are_equal(model, other):
    return all(map(np.array_equal, weights_of(model), weights_of(other)))


def test_weight_0_and_no_rows_change_nothing(data, unlabeled):
    X, y = data
    plain = distil(Oracle()).fit(X, y, groups=GROUPS)
    told = distil(Oracle(), unlabeled_weight=0.0)
    told.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    empty = distil(Oracle()).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled[:0])
    other = distil(Oracle()).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    assert are_equal(plain, told)
    assert are_equal(plain, empty)
    assert not are_equal(plain, other)


def test_the_teacher_is_fitted_on_the_labeled_rows(data, unlabeled):
    X, y = data
    distil(Oracle()).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    assert [len(fit["X"]) for fit in Oracle.fits] == [36]


def test_the_student_gets_rows_without_labels_and_the_teachers_classes(data, unlabeled):
    X, y = data
    distil(Oracle(), spying(), unlabeled_weight=0.5).fit(X, y, X_unlabeled=unlabeled)
    index, labeled = seen("index"), seen("labeled")
    assert sorted(index) == list(range(36 + N_UNLABELED))
    assert_array_equal(labeled, index < 36)
    assert_array_equal(seen("target")[~labeled], (index[~labeled] - 36) % 3)
    weight = seen("weight")
    assert_allclose(weight[~labeled], 0.5 * weight[labeled].mean(), rtol=1e-6)
    assert len(np.unique(seen("subject"))) == 36 + N_UNLABELED


def test_the_cross_entropy_of_what_has_no_label_is_left_out(make_scene):
    scene = make_scene(8)
    labeled = torch.arange(8) < 5
    generator = torch.Generator().manual_seed(0)
    share = torch.rand(8, generator=generator, dtype=torch.float64)
    partner = torch.randperm(8, generator=generator)
    weight = torch.rand(8, generator=generator, dtype=torch.float64)
    plain = replace(scene.batch, weight=weight, labeled=labeled)
    mixed = replace(plain, partner=partner, share=share)
    objective = Objective(0.05)
    logp = scene.student.logits.log_softmax(dim=1)
    smooth = 0.95 * torch.nn.functional.one_hot(plain.target, 3) + 0.05 / 3
    cost = lambda i, label: -(smooth[label] * logp[i]).sum()  # noqa: E731
    expected = sum(weight[i] * cost(i, i) for i in range(5)) / weight.sum()
    torch.testing.assert_close(objective(scene.student, plain), expected)
    total, norm = 0.0, 0.0
    for i in range(8):
        for j, part in ((i, share[i]), (int(partner[i]), 1 - share[i])):
            norm += part * weight[j]
            total += part * weight[j] * cost(i, j) if labeled[j] else 0
    torch.testing.assert_close(objective(scene.student, mixed), total / norm)
    changed = replace(mixed, target=torch.where(labeled, plain.target, (plain.target + 1) % 3))
    assert objective(scene.student, changed) == objective(scene.student, mixed)


def test_logits_are_floored_by_the_number_of_labels(make_scene):
    scene = make_scene(12)
    scene.batch = replace(scene.batch, labeled=torch.arange(12) < 5)
    assert scene.term(Logits()).floor == pytest.approx(np.log(1 / 10))


def test_a_student_learns_a_function_where_no_label_lies():
    """Labels say that the class is the sign of x; the teacher knows that it turns above 3."""

    class Known(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            return self

        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            high = ((X[:, 0] > 0) ^ (X[:, 0] > 3)).astype(float)
            return np.stack([1 - high, high], axis=1) * 0.96 + 0.02

    rng = np.random.default_rng(0)
    X, further = rng.uniform(-2, 2, (60, 2)), rng.uniform(4, 6, (60, 2))
    y = (X[:, 0] > 0).astype(int)
    model = DistilledClassifier(
        FrozenEstimator(Known()), DenseStudentClassifier(max_epochs=60), random_state=0
    )
    groups = np.arange(60)
    model.fit(X, y, groups=groups)
    assert model.predict(further).mean() == 1
    model.fit(X, y, groups=groups, X_unlabeled=further)
    assert model.predict(further).mean() == 0
    assert model.score(X, y) > 0.9


def test_held_out_are_labeled_rows_and_no_unlabeled_row_of_their_subjects(data, unlabeled):
    X, y = data
    shared = np.arange(N_UNLABELED) % 14  # of the 12 labeled subjects, and 2 others
    pupil = spying(early_stopping=True, max_epochs=2, validation_fraction=0.25)
    model = distil(Oracle(), pupil)
    model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled, groups_unlabeled=shared)
    assert "valid_loss" in model.history_[0]
    index = np.unique(seen("index"))
    held_out = np.setdiff1d(np.arange(36), index)
    assert 6 <= len(held_out) <= 12
    kept = ~np.isin(shared, GROUPS[held_out])
    assert kept.sum() < N_UNLABELED
    known, names = np.concatenate([X, unlabeled[kept]]), np.concatenate([GROUPS, shared[kept]])
    assert_array_equal(seen("x"), known[seen("index")])
    assert len(known) - len(held_out) == len(index)
    pairs = set(zip(names[seen("index")], seen("subject"), strict=True))
    assert len(pairs) == len({name for name, _ in pairs}) == len({subject for _, subject in pairs})


def test_out_of_fold_answers_are_for_labeled_rows_only(data, unlabeled):
    X, y = data
    forest = RandomForestClassifier(5, random_state=0)
    arguments = (None, "t", forest, X[:, :, 0], y, {}, GROUPS)
    inside = _teaching.predict_teacher(*arguments, None, X_unlabeled=unlabeled[:, :, 0])
    outside = _teaching.predict_teacher(*arguments, 3, X_unlabeled=unlabeled[:, :, 0])
    assert not np.array_equal(inside.probabilities, outside.probabilities)
    assert_array_equal(inside.unlabeled[0], outside.unlabeled[0])
    assert_array_equal(outside.unlabeled[0], inside.teacher.predict_proba(unlabeled[:, :, 0]))
    distil(forest, cv=3).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)


def test_a_memory_keeps_the_answers(data, unlabeled, tmp_path):
    X, y = data
    model = distil(Oracle(), memory=str(tmp_path))
    first = weights_of(model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled))
    again = weights_of(model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled))
    assert len(Oracle.fits) == 1
    assert all(map(np.array_equal, first, again))
    model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled[1:])
    assert len(Oracle.fits) == 2


@pytest.mark.parametrize(
    "losses",
    ["kd+infonce", "logits", "crd", "supcon", "rkd", "sp", "pkt", "hint", "dkd", "dist", "ssd"],
)
def test_every_loss_takes_rows_without_labels(losses, data, unlabeled):
    X, y = data
    pupil = student(augmentation="auto")
    plain = distil(Oracle(), pupil, losses=losses).fit(X, y, groups=GROUPS)
    model = distil(Oracle(), pupil, losses=losses)
    model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    assert np.isfinite(model.history_[-1]["train_loss"])
    assert not are_equal(plain, model)


@pytest.mark.parametrize("outputs", ["cached", "augmented"])
def test_network_teachers_with_feature_maps(outputs, data, unlabeled):
    X, y = data
    pupil = student(augmentation=[])
    model = distil(network(), pupil, losses="kd+at", teacher_outputs=outputs)
    model.fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    assert np.isfinite(model.history_[-1]["train_loss"])


@pytest.mark.parametrize("prior", ["balanced", [0.2, 0.5, 0.3], [2, 5, 3]])
def test_a_prior_is_the_mean_of_the_answers(prior, data, unlabeled, monkeypatch):
    found = []
    monkeypatch.setattr(
        _unlabeled, "reweigh", lambda *given: found.append(reweigh(*given)) or found[-1]
    )
    X, y = data
    teachers = [("forest", RandomForestClassifier(5)), ("logistic", LogisticRegression())]
    distil(teachers, unlabeled_prior=prior).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled[:15])
    expected = np.full(3, 1 / 3) if prior == "balanced" else np.array([0.2, 0.5, 0.3])
    assert_allclose(found[0].mean(axis=0), expected, atol=1e-6)


def test_one_weight_for_each_class_makes_the_prior():
    p = np.random.default_rng(0).dirichlet([4, 1, 0.5], 300)
    found = reweigh(p, [0.2, 0.2, 0.6], np.arange(3))
    assert_allclose(found.mean(axis=0), [0.2, 0.2, 0.6], atol=1e-6)
    odds = (found[:, 1:] / found[:, :1]) / (p[:, 1:] / p[:, :1])
    assert_allclose(odds, np.broadcast_to(odds[0], odds.shape), rtol=1e-6)


@pytest.mark.parametrize(
    ("prior", "message"),
    [([0.5, 0.5], "shares of the 3 classes"), ([1, -1, 1], "at least 0"), ([0, 0, 0], "got")],
)
def test_wrong_priors_are_refused(prior, message, data, unlabeled):
    with pytest.raises(ValueError, match=f"unlabeled_prior.*{message}"):
        distil(Oracle(), unlabeled_prior=prior).fit(*data, X_unlabeled=unlabeled)


def test_a_prior_needs_cached_outputs(data, unlabeled):
    model = distil(network(), teacher_outputs="augmented", unlabeled_prior="balanced")
    with pytest.raises(ValueError, match="use teacher_outputs='cached'"):
        model.fit(*data, X_unlabeled=unlabeled)


def test_a_prior_that_cannot_be_reached_is_refused():
    sure = np.tile([1.0, 0.0], (6, 1))
    with pytest.raises(ValueError, match="no weights of the classes"):
        reweigh(sure, "balanced", np.array(["murmur", "normal"]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_unlabeled": np.zeros((5, 3, 16))}, "X_unlabeled does not fit to X.*3 features"),
        ({"X_unlabeled": np.full((5, 4, 16), np.nan)}, "X_unlabeled does not fit to X.*NaN"),
        ({"groups_unlabeled": [1]}, "goes with X_unlabeled"),
        ({"X_unlabeled": np.zeros((5, 4, 16)), "groups_unlabeled": [1]}, "1 values for 5"),
        ({"X_unlabeled": np.zeros((2, 4, 16)), "groups_unlabeled": ["a", "b"]}, "both as texts"),
    ],
)
def test_wrong_rows_are_refused(given, message, data):
    with pytest.raises(ValueError, match=message):
        distil(Oracle()).fit(*data, groups=GROUPS, **given)


def test_other_column_names_are_refused(data):
    X, y = data
    table = pd.DataFrame(X[:, :, 0], columns=list("abcd"))
    with pytest.raises(ValueError, match=r"X_unlabeled does not fit to X.*feature names"):
        distil(LogisticRegression()).fit(
            table, y, groups=GROUPS, X_unlabeled=table.rename(columns={"d": "e"})
        )


@pytest.fixture(scope="module")
def heart():
    return make_heart_sounds(
        24, classes=("normal", "murmur"), n_subjects=12, duration=2.0, random_state=0
    )


def rhythm_to_log_mel(**parameters):
    teacher = make_pipeline(RhythmFeatures(), StandardScaler(), LogisticRegression())
    pupil = make_pipeline(LogMelSpectrogram(), spying(**parameters))
    return DistilledClassifier(teacher, pupil, random_state=0)


def parts_of(sounds, n_labeled=14, *, ragged=False):
    X = [row[: len(row) - 60 * i] for i, row in enumerate(sounds.data)] if ragged else sounds.data
    groups = np.array(sounds.groups)
    return (
        (X[:n_labeled], sounds.target[:n_labeled], groups[:n_labeled]),
        {"X_unlabeled": X[n_labeled:], "groups_unlabeled": groups[n_labeled:]},
    )


def test_pipelines_inside_transform_the_rows(heart):
    (X, y, groups), further = parts_of(heart)
    rhythm_to_log_mel().fit(X, y, groups=groups, **further)
    features = LogMelSpectrogram().fit_transform(heart.data)
    for batch in Spy.seen:
        assert_allclose(batch.x, features[batch.index], rtol=1e-5, atol=1e-4)
    assert sorted(seen("index")) == list(range(24))


def test_recordings_of_different_length_without_windows(heart):
    (X, y, groups), further = parts_of(heart, ragged=True)
    model = rhythm_to_log_mel()
    model.student.steps.insert(0, ("fixed", FixedLength(duration=1.0)))
    model.fit(X, y, groups=groups, **further)
    features = model.student_[:-1].transform([*X, *further["X_unlabeled"]])
    assert sorted(seen("index")) == list(range(24))
    for batch in Spy.seen:
        assert_allclose(batch.x, features[batch.index], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("inside", [True, False], ids=["pipelines inside", "pipeline outside"])
@pytest.mark.parametrize("known", [True, False])
def test_windows_of_unlabeled_recordings(inside, known, routing, heart):
    (X, y, groups), further = parts_of(heart, ragged=True)
    if not known:
        del further["groups_unlabeled"]
    with config_context(enable_metadata_routing=routing):
        model = rhythm_to_log_mel()
        if not inside:
            model = make_pipeline(LogMelSpectrogram(), distil(LogisticRegression(), spying()))
        windowed = WindowedClassifier(model, window=1.0, hop=0.5, random_state=0)
        windowed.fit(X, y, groups=groups, **further)
    n_windows = [len(windowed._cut([row])[0]) for row in [*X, *further["X_unlabeled"]]]
    source = np.repeat(np.arange(24), n_windows)
    assert sorted(seen("index")) == list(range(len(source)))
    subject = dict(zip(source[seen("index")], seen("subject"), strict=True))
    names = np.array(heart.groups) if known else np.array([*groups, *map(str, range(10))])
    for row in range(24):
        same = [subject[other] == subject[row] for other in range(24)]
        assert_array_equal(same, names == names[row])


def test_a_pipeline_outside_is_noticed(heart):
    (X, y, groups), further = parts_of(heart)
    model = Pipeline([("mel", LogMelSpectrogram()), ("model", distil(LogisticRegression()))])
    with pytest.raises(ValueError, match=r"X_unlabeled does not fit to X; put pipelines inside"):
        model.fit(X, y, model__groups=groups, model__X_unlabeled=further["X_unlabeled"])


def test_a_pipeline_outside_transforms_with_routing(heart):
    (X, y, groups), further = parts_of(heart)
    steps = [("mel", LogMelSpectrogram()), ("model", distil(LogisticRegression(), spying()))]
    with config_context(enable_metadata_routing=True):
        model = Pipeline(steps, transform_input=["X_unlabeled"])
        model.fit(X, y, groups=groups, **further)
    assert sorted(seen("index")) == list(range(24))


class Inner(ClassifierMixin, BaseEstimator):
    """Keep what fit gets."""

    fits: list = []

    def fit(self, X, y, groups=None, X_unlabeled=None, groups_unlabeled=None):
        Inner.fits.append((X, groups, X_unlabeled, groups_unlabeled))
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture
def inner_fits():
    Inner.fits.clear()
    return Inner.fits


AROUND = {
    "refined": lambda inner: KMeansRefinedClassifier(inner, weight="auto", cv=3, random_state=0),
    "rejecting": lambda inner: RejectingClassifier(inner, error_rate=0.5, cv=3),
    "teacher": lambda inner: distil(inner, cv=3),
}


@pytest.mark.parametrize("n_unlabeled", [20, 24, 36])
@pytest.mark.parametrize("make", AROUND.values(), ids=AROUND)
def test_inner_splits_cut_no_unlabeled_rows(make, n_unlabeled, data, inner_fits):
    """Neither if there are as many as rows of X (36), nor as in the training parts (24)."""
    X, y = data
    table = X[:, :, 0]
    rows = np.random.default_rng(0).choice(table.ravel(), (n_unlabeled, 4))
    others = 100 + np.arange(n_unlabeled)
    make(Inner()).fit(table, y, groups=GROUPS, X_unlabeled=rows, groups_unlabeled=others)
    assert len(inner_fits) == 4
    for X_fit, groups, given, subjects in inner_fits:
        assert len(X_fit) == len(groups)
        n_kept = n_unlabeled - (n_unlabeled == len(X_fit))
        assert_array_equal(given, rows[:n_kept])
        assert_array_equal(subjects, others[:n_kept])


@pytest.mark.parametrize("make", AROUND.values(), ids=AROUND)
def test_inner_splits_leave_out_held_out_subjects(make, data, inner_fits):
    X, y = data
    planted = np.arange(30) % 15  # 12 of them are subjects of X
    make(Inner()).fit(
        X[:, :, 0], y, groups=GROUPS, X_unlabeled=np.zeros((30, 4)), groups_unlabeled=planted
    )
    folds = [fit for fit in inner_fits if len(fit[0]) < 36]
    assert len(folds) == 3
    for _, groups, rows, subjects in folds:
        kept = np.isin(planted, [*groups, 12, 13, 14])
        assert_array_equal(subjects, planted[kept])
        assert len(rows) == len(subjects)


def test_weightless_rows_take_no_unlabeled_rows_with_them(data):
    X, y = data
    weight = np.where(np.arange(36) < 3, 0.0, 1.0)
    distil(Oracle(), spying()).fit(X, y, weight, GROUPS, X_unlabeled=X)
    assert sorted(seen("index")) == list(range(33 + 36))


def test_a_search_inside_does_not_cut_the_rows(data):
    """scikit-learn takes an array of the length of X for metadata of its rows."""
    X, y = data
    search = GridSearchCV(distil(Oracle(), spying()), {"unlabeled_weight": [1.0]}, cv=2)
    RejectingClassifier(search).fit(X, y, X_unlabeled=X)
    assert {int((batch >= 18).sum()) for batch in [seen("index")[: 18 + 35]]} == {35}


def test_cross_validate_hands_all_rows_to_every_fold(data, unlabeled):
    X, y = data
    model = distil(Oracle(), spying())
    cross_validate(model, X, y, params={"X_unlabeled": unlabeled}, cv=2, error_score="raise")
    assert len(Spy.seen[0].index) > 0
    assert len(seen("index")) == 2 * (18 + N_UNLABELED)


def test_what_does_not_learn_from_them_refuses_the_rows(data, unlabeled):
    X, y = data
    for make in (KMeansRefinedClassifier, RejectingClassifier):
        with pytest.raises(TypeError, match="learns from rows without labels"):
            make(student()).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)


def test_models_that_do_not_learn_from_them_get_none():
    """A comparison hands every model what it takes."""
    given = {"groups": 0, "X_unlabeled": 1, "groups_unlabeled": 2}
    forest = WindowedClassifier(make_pipeline(LogMelSpectrogram(), RandomForestClassifier()))
    distilled = make_pipeline(LogMelSpectrogram(), distil(Oracle()))
    assert fit_parameters(RejectingClassifier(forest), **given) == {"groups": 0}
    assert fit_parameters(WindowedClassifier(distilled), **given) == given
    expected = {f"distilledclassifier__{name}": value for name, value in given.items()}
    assert fit_parameters(distilled, **given) == expected


def test_a_data_frame_of_rows(data, unlabeled):
    both, y = (data[0], unlabeled), data[1]
    table, further = (
        pd.DataFrame(rows[:, :, 0], columns=list("abcd")).assign(kind="x") for rows in both
    )
    only = make_column_transformer(("passthrough", ["a", "c"]))
    teacher = make_pipeline(only, LogisticRegression())
    pupil = make_pipeline(only, StandardScaler(), spying())
    distil(teacher, pupil).fit(table, y, groups=GROUPS, X_unlabeled=further)
    assert sorted(seen("index")) == list(range(36 + N_UNLABELED))


def test_devices_balance_the_labeled_rows_among_unlabeled_ones(data, unlabeled):
    X, y = data
    devices = np.arange(36) % 2
    pupil = spying(balance=True, batch_size=19)
    distil(Oracle(), pupil).fit(X, y, None, GROUPS, devices, X_unlabeled=unlabeled)
    for batch in Spy.seen:
        rows = batch.index[batch.labeled].numpy()
        assert len(rows) == 12
        cells = np.unique(
            np.stack([devices[rows], batch.target[batch.labeled]]), axis=1, return_counts=True
        )
        assert set(cells[1]) == {2}


def test_pretraining_uses_them(data, unlabeled):
    pupil = student(pretrain=ContrastivePretraining(max_epochs=1))
    model = distil(Oracle(), pupil).fit(*data, groups=GROUPS, X_unlabeled=unlabeled)
    assert len(model.student_.pretraining_history_) == 1


def test_the_default_student_of_tables(data, unlabeled):
    X, y = data[0][:, :, 0], data[1]
    model = DistilledClassifier(Oracle(), DenseStudentClassifier(max_epochs=2), random_state=0)
    model.set_params(refine="kmeans").fit(X, y, groups=GROUPS, X_unlabeled=unlabeled[:, :, 0])
    assert model.refiner_.table.shape == (3, 3)
    assert_array_equal(model.classes_, LABELS)


def test_functions_in_pipelines(data, unlabeled):
    X, y = data
    pupil = make_pipeline(FunctionTransformer(lambda x: 2 * x), spying())
    distil(Oracle(), pupil).fit(X, y, groups=GROUPS, X_unlabeled=unlabeled)
    both = np.concatenate([X, unlabeled])
    for batch in Spy.seen:
        assert_array_equal(batch.x, 2 * both[batch.index])
