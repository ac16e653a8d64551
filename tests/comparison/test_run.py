from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from sklearn_heartkd.classifiers import SupervisedPretraining
from sklearn_heartkd.comparison import (
    Recipe,
    compare,
    display_name,
    make_deployable,
    render,
    split_by_subject,
    write_figures,
)
from sklearn_heartkd.comparison import _models as models_module
from sklearn_heartkd.comparison import _run as run_module
from sklearn_heartkd.comparison._models import CalibratedSVC
from sklearn_heartkd.comparison._table import costs_of
from sklearn_heartkd.datasets import make_heart_sounds

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=2, n_estimators=3)
MODELS = ["svm", "student", "student_of_conv1d"]
ORDER = ["svm", "conv1d", "student", "student_of_conv1d"]


@pytest.fixture(scope="module")
def data():
    return make_heart_sounds(
        16, classes=("normal", "murmur"), n_subjects=16, duration=1.0, random_state=0
    )


def run(data, **options):
    options = {"folds": 2, "models": MODELS, "recipe": RECIPE, "n_jobs": 1} | options
    return compare(data, **options)


@pytest.fixture(scope="module")
def comparison(data):
    return run(data)


def test_every_model_is_compared_with_and_without_refinement(comparison):
    expected = [name + end for name in ORDER for end in ("", "+kmeans")]
    assert sorted(comparison.table.index) == sorted(expected)
    assert list(comparison.table) == [
        "accuracy",
        "accuracy_sd",
        "balanced_accuracy",
        "balanced_accuracy_sd",
        "macro_f1",
        "macro_f1_sd",
        "parameters",
        "kilobytes",
        "milliseconds",
    ]
    costs = comparison.table[["kilobytes", "milliseconds"]]
    assert (costs > 0).to_numpy().all()


def test_an_average_of_networks_and_others_is_as_large_as_all_of_them(data):
    names = ["forest", "student"]
    members = {n: RECIPE.make(n, 0, {}).fit(data.data, data.target) for n in names}
    frozen = [(name, FrozenEstimator(model)) for name, model in members.items()]
    mixed = VotingClassifier(frozen, voting="soft").fit(data.data, data.target)
    networks = VotingClassifier(frozen[1:], voting="soft").fit(data.data, data.target)
    models = members | {"mixed": mixed, "networks": networks}
    models["refined"] = RECIPE.refine(mixed, 0).fit(data.data, data.target)
    costs = costs_of(models, data, RECIPE)
    size = costs["kilobytes"]
    assert size["mixed"] == pytest.approx(size["forest"] + size["student"], rel=0.01)
    assert size["refined"] == size["mixed"]
    assert np.isnan(costs.loc["mixed", "parameters"])
    assert costs.loc["networks", "parameters"] == costs.loc["student", "parameters"]


def test_predictions_are_complete_and_by_subject(comparison, data):
    predictions = comparison.predictions
    for _, own in predictions.groupby("model"):
        assert sorted(own["recording"]) == list(range(16))
    assert (predictions["y_true"] == data.target[predictions["recording"]]).all()
    assert_allclose(predictions[["p_murmur", "p_normal"]].sum(axis=1), 1, rtol=1e-5)
    subjects = data.groups[predictions["recording"]]
    assert (predictions.groupby(subjects)["fold"].nunique() == 1).all()


def test_scores_are_out_of_fold_with_their_spread_over_the_folds(comparison):
    own = comparison.predictions.query("model == 'svm'")
    row = comparison.table.loc["svm"]
    assert row["accuracy"] == accuracy_score(own["y_true"], own["y_pred"])
    folds = [balanced_accuracy_score(f["y_true"], f["y_pred"]) for _, f in own.groupby("fold")]
    assert row["balanced_accuracy_sd"] == pytest.approx(np.std(folds, ddof=1))


def test_students_have_the_same_size_and_at_most_10_000_parameters(comparison):
    students = comparison.table.loc[["student", "student_of_conv1d"], "parameters"]
    assert students.nunique() == 1
    assert students.max() <= 10_000
    assert np.isnan(comparison.table.loc["svm", "parameters"])


def test_scratch_and_distilled_student_have_the_same_training():
    scratch = RECIPE.make("student", 3, {}).estimator[-1]
    teachers = {"conv1d": RECIPE.make("conv1d", 0, {})}
    teachers["conv1d"].estimator_ = teachers["conv1d"].estimator
    distilled = RECIPE.make("student_of_conv1d", 3, teachers).estimator[-1]
    assert repr(distilled.student.get_params()) == repr(scratch.get_params())
    assert distilled.refine is None


PRETRAINED = replace(RECIPE, n_synthetic=10)


def test_every_network_but_the_student_from_scratch_starts_from_synthetic_recordings():
    teachers = {"conv1d": PRETRAINED.make("conv1d", 3, {})}
    teachers["conv1d"].estimator_ = teachers["conv1d"].estimator
    alone = PRETRAINED.make("student_pretrained", 3, {}).estimator[-1]
    distilled = PRETRAINED.make("student_of_conv1d", 3, teachers).estimator[-1]
    for network in (teachers["conv1d"].estimator[-1], alone, distilled.student):
        assert isinstance(network.pretrain, SupervisedPretraining)
        assert network.pretrain.X.shape[0] == 10
    assert repr(distilled.student) == repr(alone)
    scratch = PRETRAINED.make("student", 3, {}).estimator[-1]
    assert scratch.pretrain is None
    assert repr(alone.set_params(pretrain=None)) == repr(scratch)
    assert repr(RECIPE.make("student_pretrained", 3, {}).estimator[-1]) == repr(scratch)


def test_synthetic_recordings_have_the_windows_and_the_rate_of_the_recipe():
    recipe = Recipe(sampling_rate=4000, window=2.0, hop=1.0, n_synthetic=10, max_epochs=1)
    start = recipe.start()
    expected = recipe.features.fit_transform(np.zeros((1, 8000), dtype=np.float32))
    assert start.X.shape[1:] == expected.shape[1:]
    assert set(start.y) == {"artifact", "extrahls", "extrastole", "murmur", "normal"}


def test_a_pretrained_comparison_learns_synthetic_recordings_once_and_keeps_none(data, tmp_path):
    models = ["student", "student_pretrained", "student_of_conv1d"]
    result = run(data, models=models, recipe=PRETRAINED, out=tmp_path)
    assert set(result.table.index) > {"student", "student_pretrained", "student_of_conv1d"}
    learned = list((tmp_path / "pretraining").rglob("output.pkl"))
    assert len(learned) == 2  # the teacher's and the student's, not one for each fold
    model = joblib.load(tmp_path / "parts" / "student_of_conv1d-seed0-fold1.model")
    distilled = model.estimator_[-1]
    assert distilled.student_.pretrain.X.shape == (0, 32, 30)
    assert [epoch["epoch"] for epoch in distilled.student_.pretraining_history_] == list(
        range(1, 11)
    )
    again = run(data, models=models, recipe=PRETRAINED, out=tmp_path)
    pd.testing.assert_frame_equal(again.predictions, result.predictions)
    with pytest.raises(ValueError, match="other recordings, folds or settings"):
        run(data, models=["student"], out=tmp_path)


def test_without_pretraining_there_is_no_pretrained_student(data, monkeypatch):
    asked = []
    monkeypatch.setattr(run_module, "tasks_of", lambda models, *rest: asked.extend(models) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(data, models=None)
    assert {"student", "conv1d", "mixed"} < set(asked)
    assert "student_pretrained" not in asked
    with pytest.raises(ZeroDivisionError):
        run(data, models=None, recipe=PRETRAINED)
    assert "student_pretrained" in asked
    with pytest.raises(ValueError, match="needs a recipe with n_synthetic above 0"):
        run(data, models=["svm", "student_pretrained"])


def test_the_memory_of_the_recipe_is_used(data, tmp_path):
    recipe = replace(PRETRAINED, memory=str(tmp_path / "mine"))
    run(data, models=["student_pretrained"], recipe=recipe, out=tmp_path / "out")
    assert len(list((tmp_path / "mine").rglob("output.pkl"))) == 1
    assert not (tmp_path / "out" / "pretraining").exists()


def test_classical_models_and_the_student_from_scratch_make_no_synthetic_recordings(monkeypatch):
    monkeypatch.setattr(models_module, "_synthetic", lambda *arguments: 1 / 0)
    for model in ("svm", "forest", "rhythm", "student"):
        assert PRETRAINED.make(model, 0, {})
    with pytest.raises(ZeroDivisionError):
        PRETRAINED.make("conv1d", 0, {})


def test_the_networks_that_are_trained_together_have_a_start_each():
    model = make_deployable("ensemble", n_synthetic=10, random_state=0)
    distilled = model.estimator[-1]
    distilled.set_params(student__pretrain__max_epochs=1)
    assert {network.pretrain.max_epochs for _, network in distilled.teacher} == {10}
    plain = make_deployable("ensemble", n_synthetic=0).estimator[-1]
    assert plain.student.pretrain is None
    assert make_deployable("forest", n_synthetic=10).estimator[-1].student.pretrain.X.shape[0] == 10


def spy_on_fits(monkeypatch, stop_after=None):
    done = []
    original = run_module._fit

    def fit(task, *arguments):
        if len(done) == stop_after:
            raise KeyboardInterrupt
        done.append(task.name)
        return original(task, *arguments)

    monkeypatch.setattr(run_module, "_fit", fit)
    return done


def test_an_interrupted_comparison_goes_on_where_it_was(data, comparison, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        done = spy_on_fits(patch, stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            run(data, out=tmp_path)
    rest = spy_on_fits(monkeypatch)
    result = run(data, out=tmp_path)
    assert len(done) == 5
    assert len(rest) == 3
    assert not set(done) & set(rest)
    pd.testing.assert_frame_equal(result.predictions, comparison.predictions)
    scores = [name for name in result.table if "accuracy" in name or "f1" in name]
    pd.testing.assert_frame_equal(result.table[scores], comparison.table[scores])
    run(data, out=tmp_path)
    assert len(rest) == 3
    more = run(data, out=tmp_path, models=["forest", "student"])
    assert rest[3:] == ["forest-seed0-fold0", "forest-seed0-fold1"]
    assert set(more.predictions["model"].str.removesuffix("+kmeans")) == {"forest", "student"}


def test_a_half_written_result_does_not_count(data, tmp_path, monkeypatch):
    def dump(value, path):
        if str(path).endswith(".unfinished"):
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        joblib_dump(value, path)

    joblib_dump = joblib.dump
    with monkeypatch.context() as patch:
        patch.setattr(joblib, "dump", dump)
        with pytest.raises(KeyboardInterrupt):
            run(data, out=tmp_path, models=["svm"])
    done = spy_on_fits(monkeypatch)
    assert len(run(data, out=tmp_path, models=["svm"]).table) == 2
    assert len(done) == 2


def test_recordings_that_were_moved_are_the_same(data, tmp_path, monkeypatch):
    run(data, out=tmp_path, models=["svm"])
    moved = type(data)(**data)
    moved.filenames = [f"elsewhere/{Path(name).name}" for name in data.filenames]
    done = spy_on_fits(monkeypatch)
    run(moved, out=tmp_path, models=["svm"])
    assert not done


@pytest.mark.parametrize("change", ["folds", "recipe", "labels", "names"])
def test_a_folder_of_another_comparison_is_refused(change, data, tmp_path):
    run(data, out=tmp_path, models=["svm"])
    options = {"folds": 3} if change == "folds" else {}
    if change == "recipe":
        options["recipe"] = Recipe(n_estimators=4)
    if change == "labels":
        data = type(data)(**data)
        data.target = data.target[::-1]
    if change == "names":
        data = type(data)(**data)
        data.filenames = [f"other_{Path(name).name}" for name in data.filenames]
    with pytest.raises(
        ValueError, match="other recordings, folds or settings; choose another folder"
    ):
        run(data, out=tmp_path, models=["svm"], **options)


def test_seeds_fit_anew_on_the_same_folds(data):
    result = run(data, models=["forest"], seeds=(0, 1))
    own = result.predictions.query("model == 'forest'")
    first, second = (part.reset_index(drop=True) for _, part in own.groupby("seed"))
    pd.testing.assert_series_equal(first["recording"], second["recording"])
    assert not first["p_normal"].equals(second["p_normal"])
    accuracies = [accuracy_score(part["y_true"], part["y_pred"]) for part in (first, second)]
    assert result.table.loc["forest", "accuracy"] == pytest.approx(np.mean(accuracies))


def test_splits_of_ones_own_from_one_set_to_another(data):
    a, b = np.arange(8), np.arange(8, 16)
    result = run(data, models=["forest"], splits=[(a, b)])
    own = result.predictions.query("model == 'forest'")
    assert sorted(own["recording"]) == list(b)
    assert np.isnan(result.table.loc["forest", "accuracy_sd"])


@pytest.mark.slow
def test_processes_give_the_same(data, comparison):
    result = run(data, models=["student"], n_jobs=2)
    expected = comparison.predictions.query("model == 'student'").reset_index(drop=True)
    found = result.predictions.query("model == 'student'").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_the_teachers_of_the_chosen_students_are_added(data):
    with pytest.raises(ValueError, match=r"Unknown models \['resnet'\]; known are"):
        run(data, models=["resnet"])
    assert set(run_module.check_models(["student_of_rnn"])) == {"rnn", "student_of_rnn"}
    everything = set(run_module.check_models(None))
    assert {"svm", "forest", "conv1d", "conv2d", "lstm", "rnn", "student"} < everything
    assert {f"student_of_{t}" for t in ("conv1d", "conv2d", "lstm", "rnn")} < everything


@pytest.mark.parametrize(
    ("target", "groups", "message"),
    [
        (["normal"] * 4, [0, 1, 2, 3], r"at least 2 classes, got only \['normal'\]"),
        (["a", "a", "b", "b"], [0, 1, 2, 2], "'b' has recordings of 1 subjects, fewer than the 2"),
    ],
)
def test_data_that_cannot_be_split_say_why(target, groups, message):
    with pytest.raises(ValueError, match=message):
        split_by_subject(target, groups, 2)


def test_splits_cross_no_subject_and_cover_everything(data):
    groups = np.arange(16) // 2
    target = np.repeat(["normal", "murmur"], 8)
    splits = split_by_subject(target, groups, 4)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(16))
    for training, test in splits:
        assert not set(groups[training]) & set(groups[test])


def test_the_table_reads_well(comparison):
    text = render(comparison.table, display_name).to_string()
    assert "student of Conv1D + k-means" in text
    assert "±" in text
    assert "nan" not in text


def test_pictures_are_written(comparison, tmp_path):
    write_figures(comparison, tmp_path)
    names = {path.name for path in tmp_path.glob("*.png")}
    assert "quality_against_size.png" in names
    assert {"confusion_svm.png", "confusion_student_of_conv1d_kmeans.png"} <= names
    assert all(path.stat().st_size > 2000 for path in tmp_path.iterdir())


def test_a_class_of_few_subjects_is_calibrated_on_two_folds():
    X, y = np.random.default_rng(0).standard_normal((8, 3)), np.array(["a"] * 6 + ["b"] * 2)
    svm = CalibratedSVC(random_state=0).fit(X, y, groups=np.arange(8))
    assert svm.predict_proba(X).shape == (8, 2)
    with pytest.raises(ValueError, match="at least 2 subjects of every class"):
        svm.fit(X, y, groups=[0, 1, 2, 3, 4, 5, 6, 6])
