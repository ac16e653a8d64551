import os
import signal
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from sklearn_heartkd.comparison import FEW, Recipe, split_by_subject, write_results
from sklearn_heartkd.comparison import _run as run_module
from sklearn_heartkd.comparison._models import check_models
from tests.comparison.helpers import PRETRAINED, run

ORDER = ["svm", "conv1d", "student", "student_of_conv1d"]


def test_every_model_with_and_without_refinement(comparison):
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


def test_predictions_are_complete_and_by_subject(comparison, data):
    predictions = comparison.predictions
    for _, own in predictions.groupby("model"):
        assert sorted(own["recording"]) == list(range(16))
    assert (predictions["y_true"] == data.target[predictions["recording"]]).all()
    assert_allclose(predictions[["p_murmur", "p_normal"]].sum(axis=1), 1, rtol=1e-5)
    subjects = data.groups[predictions["recording"]]
    assert (predictions.groupby(subjects)["fold"].nunique() == 1).all()


def test_scores_and_their_spread_over_the_folds(comparison):
    own = comparison.predictions.query("model == 'svm'")
    row = comparison.table.loc["svm"]
    assert row["accuracy"] == accuracy_score(own["y_true"], own["y_pred"])
    folds = [balanced_accuracy_score(f["y_true"], f["y_pred"]) for _, f in own.groupby("fold")]
    assert row["balanced_accuracy_sd"] == pytest.approx(np.std(folds, ddof=1))


def test_students_have_the_same_small_size(comparison):
    students = comparison.table.loc[["student", "student_of_conv1d"], "parameters"]
    assert students.nunique() == 1
    assert students.max() <= 10_000
    assert np.isnan(comparison.table.loc["svm", "parameters"])


def test_a_model_that_hears_nothing_is_not_refined(data, tmp_path):
    rows = np.arange(16)
    splits = [(rows[4:], rows[:4]), (rows[:12], rows[12:])]
    uneven = type(data)(**data)
    uneven.target = np.where(rows % 4, "normal", "murmur")
    result = run(uneven, models=["dummy"], splits=splits, out=tmp_path)
    assert result.table.index.tolist() == ["dummy"]
    assert set(result.predictions["y_pred"]) == {"normal"}
    assert set(result.predictions["p_murmur"]) == {0.25}
    assert result.table.loc["dummy", "balanced_accuracy"] == 0.5
    again = run(uneven, models=["dummy"], splits=splits, out=tmp_path)
    pd.testing.assert_frame_equal(again.predictions, result.predictions)
    page = write_results(result, uneven, tmp_path, n_jobs=1).read_text("utf-8")
    assert "always the most frequent class" in page
    assert "dummy" in FEW
    assert "dummy" in check_models(None)


def test_no_pretrained_student_without_pretraining(data, monkeypatch):
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


def test_seeds_fit_anew_on_the_same_folds(data):
    result = run(data, models=["forest"], seeds=(0, 1))
    own = result.predictions.query("model == 'forest'")
    first, second = (part.reset_index(drop=True) for _, part in own.groupby("seed"))
    pd.testing.assert_series_equal(first["recording"], second["recording"])
    assert not first["p_normal"].equals(second["p_normal"])
    accuracies = [accuracy_score(part["y_true"], part["y_pred"]) for part in (first, second)]
    assert result.table.loc["forest", "accuracy"] == pytest.approx(np.mean(accuracies))


def test_given_splits(data):
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


def test_teachers_of_chosen_students_are_added(data):
    with pytest.raises(ValueError, match=r"Unknown models \['resnet'\]; known are"):
        run(data, models=["resnet"])
    assert set(check_models(["student_of_rnn"])) == {"rnn", "student_of_rnn"}
    everything = set(check_models(None))
    assert {"svm", "forest", "conv1d", "conv2d", "lstm", "rnn", "student"} < everything
    assert {f"student_of_{t}" for t in ("conv1d", "conv2d", "lstm", "rnn")} < everything


@pytest.mark.parametrize(
    ("target", "groups", "message"),
    [
        (["normal"] * 4, [0, 1, 2, 3], r"at least 2 classes, got only \['normal'\]"),
        (["a", "a", "b", "b"], [0, 1, 2, 2], "'b' has recordings of 1 subjects, fewer than the 2"),
    ],
)
def test_data_that_cannot_be_split(target, groups, message):
    with pytest.raises(ValueError, match=message):
        split_by_subject(target, groups, 2)


def test_splits_cross_no_subject_and_cover_everything(data):
    groups = np.arange(16) // 2
    target = np.repeat(["normal", "murmur"], 8)
    splits = split_by_subject(target, groups, 4)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(16))
    for training, test in splits:
        assert not set(groups[training]) & set(groups[test])


@pytest.fixture
def broken(monkeypatch):
    """Make the fits of Conv1D fail."""
    make = Recipe.make

    def make_or_fail(self, model, seed, sources, **more):
        if model == "conv1d":
            raise RuntimeError("too hot")
        return make(self, model, seed, sources, **more)

    monkeypatch.setattr(Recipe, "make", make_or_fail)


def test_a_model_that_fails_is_named_and_others_stay(data, comparison, broken, tmp_path):
    with pytest.warns(UserWarning, match=r"conv1d \(RuntimeError: too hot\)") as warned:
        result = run(data, out=tmp_path)
    assert "student_of_conv1d (ValueError: its source conv1d was not fitted)" in str(warned[0])
    assert set(result.failures) == {"conv1d", "student_of_conv1d"}
    assert set(result.table.index) == {"svm", "svm+kmeans", "student", "student+kmeans"}
    whole = comparison.predictions.query("model == 'student'").reset_index(drop=True)
    own = result.predictions.query("model == 'student'").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, whole)


def test_a_model_that_failed_is_fitted_later(data, comparison, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "make", lambda self, *arguments, **more: 1 / 0)
        with (
            pytest.warns(UserWarning, match="svm"),
            pytest.raises(ValueError, match=r"No model could be fitted: svm .ZeroDivisionError"),
        ):
            run(data, out=tmp_path, models=["svm"])
    result = run(data, out=tmp_path)
    assert result.failures == {}
    pd.testing.assert_frame_equal(result.predictions, comparison.predictions)


def test_the_progress_is_a_line_per_fit_without_a_terminal(data, capsys):
    run(data, models=["svm"])
    assert capsys.readouterr().err == ""
    run(data, models=["svm"], verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(", about")[0] for line in lines] == [
        "1/2 svm-seed0-fold0",
        "2/2 svm-seed0-fold1",
    ]
    assert lines[1].endswith("about 0 s left")


def test_pretraining_is_announced(data, tmp_path, capsys, monkeypatch):
    options = {"recipe": PRETRAINED, "verbose": True, "out": tmp_path}
    text = "Pretraining on 10 synthetic recordings"
    models = ["svm", "student_pretrained"]
    run(data, models=models, **options)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{text} …"
    assert lines[1].startswith("1/4 student_pretrained")
    run(data, models=[*models, "student_of_conv1d"], **options)  # with some of the weights
    run(data, models=["svm", "student"], recipe=PRETRAINED, verbose=True)
    assert text not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run(data, models=models, recipe=PRETRAINED, verbose=True)
    bars = capsys.readouterr().err.split("\r")
    assert f"{text}:   0%" in bars[1]
    assert text not in bars[-1]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_process_that_the_system_ends_is_reported(data, tmp_path):
    class Deadly(Recipe):
        def make(self, model, seed, sources, **more):
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ChildProcessError, match="with the same output folder it continues"):
        run(data, out=tmp_path, models=["svm"], recipe=Deadly(), n_jobs=2)
