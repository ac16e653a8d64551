"""The losses as parameters of DistilledClassifier."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import (
    MFCC,
    Conv1DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)
from sklearn_heartkd.augmentation import Gain, Mixup, RandomCrop, TimeShift, TimeStretch
from sklearn_heartkd.distillation import (
    CRD,
    DKD,
    RKD,
    SSD,
    AttentionTransfer,
    SoftTargets,
    TeacherOutput,
)
from sklearn_heartkd.distillation._objective import DistillationObjective
from sklearn_heartkd.distillation._teaching import feature_maps, predict_teacher
from sklearn_heartkd.distillation.losses._registry import LOSSES, resolve_losses


@pytest.fixture(scope="module")
def sequences():
    rng = np.random.default_rng(0)
    y = np.arange(24) % 3
    X = rng.standard_normal((24, 4, 16)).astype(np.float32)
    X[:, 0] += y[:, None]
    return X, np.array(["artifact", "murmur", "normal"])[y]


def student():
    return StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)


@pytest.fixture(scope="module")
def teacher(sequences):
    model = Conv1DClassifier(width=4, depth=1, max_epochs=2, random_state=0)
    return FrozenEstimator(model.fit(*sequences))


def make_model(teacher, losses, **parameters):
    return DistilledClassifier(teacher, student(), losses=losses, random_state=0, **parameters)


@pytest.mark.parametrize("outputs", ["augmented", "cached"])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_by_name(name, outputs, teacher, sequences):
    weights = {"ce": 0.0, name: 1.0} if name != "ce" else {"ce": 1.0}
    model = make_model(teacher, name, weights=weights, teacher_outputs=outputs)
    if name == "at" and outputs == "cached":
        model.set_params(student__augmentation=[Gain(), Mixup()])
    model.fit(*sequences)
    assert model.predict_proba(sequences[0]).shape == (24, 3)
    assert 0.05 < model.history_[0]["train_loss"] < 5


def test_the_same_seed_gives_the_same_student_with_views(teacher, sequences):
    first, second = (
        make_model(teacher, "ssd").fit(*sequences).predict_proba(sequences[0]) for _ in range(2)
    )
    assert_allclose(first, second, rtol=0, atol=0)


def test_the_views_of_ssd_leave_the_global_generator_alone(teacher, sequences):
    before = torch.get_rng_state()
    make_model(teacher, "ssd").fit(*sequences)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "grid",
    [
        {"losses": ["kd+crd", RKD(), [("kd", SoftTargets(), 0.7), ("relations", "rkd", 1.0)]]},
        {"losses": ["kd+crd"], "weights": [{"crd": 0.1}, {"crd": 0.9, "ce": 0.0}]},
    ],
)
def test_grid_search_over_losses(grid, teacher, sequences):
    search = GridSearchCV(make_model(teacher, "kd"), grid, cv=2, error_score="raise")
    search.fit(*sequences)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    expected = make_model(teacher, "kd").set_params(**search.best_params_).fit(*sequences)
    assert_array_equal(search.predict_proba(sequences[0]), expected.predict_proba(sequences[0]))
    others = [
        make_model(teacher, "kd").set_params(**parameters).fit(*sequences).history_
        for parameters in search.cv_results_["params"]
    ]
    assert all(first != second for first, second in pairwise(others))


def test_grid_search_over_parameters_of_one_loss(teacher, sequences):
    model = make_model(teacher, CRD())
    search = GridSearchCV(model, {"losses__temperature": [0.1, 1.0]}, cv=2, error_score="raise")
    best = search.fit(*sequences).best_estimator_
    assert best.losses.temperature == search.best_params_["losses__temperature"]
    assert model.losses.temperature == 0.07


def test_grid_search_over_parameters_of_a_loss_in_a_list(teacher, sequences):
    model = make_model(teacher, [("kd", SoftTargets(), 0.7), ("rkd", RKD(), 1.0)])
    grid = {"losses__rkd__angle": [0.0, 2.0], "losses__rkd__weight": [0.5], "losses__kd": ["dkd"]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(*sequences)
    (_, kd, _), (_, rkd, weight) = search.best_estimator_.losses
    assert (kd, rkd.angle, weight) == ("dkd", search.best_params_["losses__rkd__angle"], 0.5)


def test_a_parameter_of_a_loss_changes_the_student(teacher, sequences):
    model = make_model(teacher, [("rkd", RKD(), 1.0)])
    other = clone(model).set_params(losses__rkd__angle=0.0)
    assert model.fit(*sequences).history_ != other.fit(*sequences).history_


class NeverFitted(DummyClassifier):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("the teacher was fitted before the losses were checked")


@pytest.mark.parametrize("name", ["dkd", "dist"])
def test_two_classes_are_refused_before_training(name, sequences):
    X, y = sequences[0][:, :, 0], sequences[1]
    with pytest.raises(ValueError, match=f"'{name}' .* at least 3 classes, got 2"):
        make_model(NeverFitted(), f"kd+{name}").fit(X, y == "normal")


@pytest.mark.parametrize("loss", [SoftTargets(standardize=True), DKD(standardize=True)], ids=str)
def test_standardized_logits_of_two_classes_are_refused(loss, sequences):
    X, y = sequences[0][:, :, 0], sequences[1]
    model = make_model(NeverFitted(), loss)
    with pytest.raises(ValueError, match=r"needs at least 3 classes, got 2; .* or 'logits'"):
        model.fit(X, y == "normal")
    model = make_model(GaussianNB(), loss)
    assert model.fit(X, y).predict_proba(X).shape == (len(X), 3)


@pytest.mark.parametrize(
    ("losses", "weights", "message"),
    [
        (CRD(temperature=-1), None, "temperature"),
        ([("crd", CRD(dimensions=0), 1.0)], None, "dimensions"),
        ([("crd", CRD(), float("nan"))], None, "at least 0, got nan"),
        ("kd", {"ce": 0, "kd": 0}, "All losses have weight 0"),
        ("kd", {"kd": float("inf")}, "at least 0, got inf"),
        ("kd+kd", None, r"\['kd'\] more than once"),
        ([("a__b", "kd", 1.0)], None, r"losses has the names \['a__b'\]"),
        ("kd+crf", None, "Unknown loss 'crf'"),
        ([], None, r"losses=\[\] is empty"),
    ],
)
def test_bad_losses_are_refused_before_training(losses, weights, message, sequences):
    with pytest.raises(ValueError, match=message):
        make_model(NeverFitted(), losses, weights=weights).fit(sequences[0][:, :, 0], sequences[1])


def test_cross_entropy_is_added_where_no_loss_sees_the_labels():
    assert [name for name, _, _ in resolve_losses("kd+crd", None, None, 3)] == ["ce", "kd", "crd"]
    assert [name for name, _, _ in resolve_losses("ssd", None, None, 3)] == ["ssd"]
    named = resolve_losses("ssd", {"ce": 0.2}, None, 3)
    assert [(name, weight) for name, _, weight in named] == [("ce", 0.2), ("ssd", 1.0)]
    assert [name for name, _, _ in resolve_losses(SSD(), None, None, 3)] == ["ssd"]


def test_temperature_reaches_the_losses_that_match_probabilities():
    terms = resolve_losses("kd+dkd+dist+ssd+crd", None, 5.0, 3)
    assert [loss.temperature for _, loss, _ in terms] == [5.0, 5.0, 5.0, 5.0, 0.07]
    with pytest.raises(
        ValueError, match=r"temperature=5\.0 softens probabilities, but losses='crd'"
    ):
        resolve_losses("crd", None, 5.0, 3)
    with pytest.raises(ValueError, match=r"temperature=5\.0 goes with losses given by name"):
        resolve_losses(SoftTargets(), None, 5.0, 3)


def test_attention_of_a_teacher_on_other_features(sequences):
    y = sequences[1]
    X = np.random.default_rng(0).standard_normal((24, 2000))
    piped = make_pipeline(LogMelSpectrogram(), Conv1DClassifier(width=4, depth=1, max_epochs=1))
    prediction = predict_teacher(None, "teacher", piped, X, y, {}, None, None)
    features = torch.from_numpy(piped[0].transform(X)).float()
    with torch.no_grad():
        expected = piped[1].module_(features).sequence
    torch.testing.assert_close(feature_maps([prediction], X, batch_size=5), expected)
    model = DistilledClassifier(
        FrozenEstimator(piped), make_pipeline(MFCC(), student()), losses=AttentionTransfer()
    )
    with pytest.warns(UserWarning, match=r"\['RandomCrop'\] show it other stretches") as caught:
        model.fit(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    still = model.set_params(student__studentclassifier__augmentation=[Gain()])
    assert 0.05 < still.fit(X, y).history_[0]["train_loss"] < 5


@pytest.mark.parametrize("moving", [RandomCrop(), TimeShift(), TimeStretch()], ids=str)
def test_every_augmentation_that_moves_time_is_warned_of(moving, teacher, sequences):
    model = make_model(teacher, "at", teacher_outputs="cached")
    model.set_params(student__augmentation=[Gain(), moving])
    message = rf"\['{type(moving).__name__}'\] show .*, or take teacher_outputs='auto'"
    with pytest.warns(UserWarning, match=message) as caught:
        cross_val_score(make_pipeline("passthrough", model), *sequences, cv=2)
    assert {warning.filename for warning in caught} == {__file__}


def test_attention_of_a_student_of_one_moment_is_refused(teacher, sequences):
    model = make_model(teacher, "at").set_params(student__depth=4)
    with pytest.raises(ValueError, match=r"the student's feature map has 1 step.* less depth"):
        model.fit(*sequences)


@pytest.mark.parametrize("case", ["no network", "two networks", "out of fold"])
def test_attention_transfer_refuses_teachers_without_feature_map(case, teacher, sequences):
    teachers = {
        "no network": DummyClassifier(),
        "two networks": [("a", teacher), ("b", teacher)],
        "out of fold": clone(teacher.estimator),
    }
    model = make_model(teachers[case], "at", cv=2 if case == "out of fold" else None)
    with pytest.raises(ValueError, match="single network of sklearn_heartkd"):
        model.fit(*sequences, groups=np.arange(24))


def test_cached_outputs_are_mixed_as_the_rows_are(make_scene):
    scene = make_scene(6)
    cached = scene.teacher
    module = torch.nn.Module()
    module.embedding_size = 6
    objective = DistillationObjective([], module, scene.batch, cached, None, [1.0], 0.05)
    partner, share = torch.arange(6).flip(0), torch.full((6,), 0.25, dtype=torch.float64)
    answer = objective.ask_teacher(replace(scene.batch, partner=partner, share=share))
    probabilities = cached.log_probabilities.exp()
    expected = TeacherOutput(
        (0.25 * probabilities + 0.75 * probabilities.flip(0)).log(),
        0.25 * cached.embedding + 0.75 * cached.embedding.flip(0),
        0.25 * cached.sequence + 0.75 * cached.sequence.flip(0),
    )
    torch.testing.assert_close(answer.log_probabilities, expected.log_probabilities)
    torch.testing.assert_close(answer.embedding, expected.embedding)
    torch.testing.assert_close(answer.sequence, expected.sequence)


def test_a_loss_named_in_a_list_has_parameters_too(teacher, sequences):
    model = make_model(teacher, [("soft", "kd", 0.7)])
    assert model.get_params()["losses__soft__temperature"] == 2.0
    model.set_params(losses__soft__temperature=4.0, losses__soft__weight=0.5)
    assert model.losses[0][1].temperature == 4.0
    assert model.losses[0][2] == 0.5
    found = model.fit(*sequences).predict_proba(sequences[0])
    same = make_model(teacher, [("soft", SoftTargets(4.0), 0.5)]).fit(*sequences)
    assert_array_equal(found, same.predict_proba(sequences[0]))
    model.set_params(losses=[("soft", "kdd", 0.7)])
    with pytest.raises(
        ValueError, match=r"'kdd' under the name 'soft', .* no parameter 'temperature'"
    ):
        model.set_params(losses__soft__temperature=4.0)
    with pytest.raises(ValueError, match="Unknown loss 'kdd'"):
        model.fit(*sequences)


@pytest.mark.parametrize("name", ["infonce", "crd", "supcon", "kd", "rkd"])
def test_weights_that_leave_nothing_to_contrast_are_warned_about(name, teacher, sequences):
    X, y = sequences
    weight = np.full(len(y), 1 / len(y))
    model = make_model(teacher, name)
    if name in ("kd", "rkd"):
        found = model.fit(X, y, sample_weight=weight).predict_proba(X)
        assert_allclose(found, model.fit(X, y).predict_proba(X), atol=1e-4)
        return
    with pytest.warns(UserWarning, match=rf"the losses \['{name}'\] count weights as repetitions"):
        model.fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"at"}))
@pytest.mark.parametrize("augmentation", ["auto", None])
def test_a_class_of_weight_0_is_not_learned(name, augmentation, teacher, sequences):
    X, y = sequences
    first = np.unique(y)[0]
    weights = {label: float(label != first) for label in np.unique(y)}
    model = make_model(teacher, name)
    model.set_params(student__class_weight=weights, student__augmentation=augmentation)
    model.set_params(student__max_epochs=15).fit(X, y)
    probabilities = model.predict_proba(X)
    assert np.isfinite(probabilities).all()
    assert (model.predict(X) != first).all()


@pytest.mark.parametrize("losses", ["rkd", "sp", "pkt", "ssd"])
def test_a_teacher_that_knows_nothing_does_no_harm(losses):
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)
    model = DistilledClassifier(DummyClassifier(), losses=losses, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.85


@pytest.mark.parametrize("first", ["losses__kd", "losses__kd__temperature"])
def test_an_object_in_a_list_is_set_before_its_parameters(first):
    model = DistilledClassifier(GaussianNB(), losses=[("kd", SoftTargets(), 0.7)])
    values = {"losses__kd": SoftTargets(3.0), "losses__kd__temperature": 4.0}
    model.set_params(**{first: values.pop(first)}, **values)
    assert model.losses[0][1].temperature == 4.0
