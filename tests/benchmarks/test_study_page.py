import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.study import _page, _results
from benchmarks.study._goals import goals_of
from benchmarks.study._grounds import PARTS
from benchmarks.study._results import Results
from benchmarks.study._scores import differences_of, pairs_of, scores_of

CLASSES = ("normal", "murmur", "extrastole")


def test_fits_of_former_machines_stay(tmp_path):
    path = tmp_path / "fits.csv"
    old = pd.DataFrame({"model": ["a", "a", "b"], "seed": 0, "fold": [0, 1, 0], "accuracy": 0.5})
    old.to_csv(path, index=False)
    new = pd.DataFrame({"model": ["b", "c"], "seed": 0, "fold": 0, "accuracy": 0.75})
    kept = _results._kept_of(path, new).sort_values(["model", "fold"])
    assert kept["model"].tolist() == ["a", "a", "b", "c"]
    assert kept["accuracy"].tolist() == [0.5, 0.5, 0.5, 0.75]
    pd.concat([old, new]).to_csv(path, index=False)
    again = _results._kept_of(path, new).sort_values(["model", "fold"])
    pd.testing.assert_frame_equal(again.reset_index(drop=True), kept.reset_index(drop=True))
    assert _results._kept_of(tmp_path / "none.csv", new) is new


def made_up_predictions():
    y = np.tile(CLASSES, 10)
    rng = np.random.default_rng(0)
    frames = []
    for model, right in [("student", 0.5), ("student_of_conv2d-kd", 0.9), ("student+kmeans", 0.5)]:
        for seed in range(1 if model == "student_of_conv2d-kd" else 2):
            guess = np.where(rng.random(30) < right, y, "normal")
            frame = {
                "model": model,
                "seed": seed,
                "fold": np.arange(30) % 3,
                "recording": range(30),
            }
            frame |= {"y_true": y, "y_pred": guess, "subject": np.arange(30) // 2}
            frame |= {"p_extrastole": (guess == "extrastole") * 1.0, "set": ["a", "b"] * 15}
            frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def test_differences_are_over_the_common_seeds_with_their_interval():
    predictions = made_up_predictions()
    pairs = pairs_of(predictions["model"].unique(), "conv2d", ["kd"])
    assert pairs.to_numpy().tolist() == [
        ["losses", "student_of_conv2d-kd", "student"],
        ["teachers", "student_of_conv2d-kd", "student"],
        ["k-means", "student+kmeans", "student"],
    ]
    found = differences_of(predictions, pairs, n_resamples=200)
    row = found[(found["family"] == "losses") & (found["metric"] == "accuracy")].iloc[0]
    hits = predictions["y_true"] == predictions["y_pred"]
    by_run = hits.groupby([predictions["model"], predictions["seed"]]).mean()
    assert row["seeds"] == 1
    expected = by_run["student_of_conv2d-kd", 0] - by_run["student", 0]
    assert row["difference"] == pytest.approx(expected)
    assert row["low"] <= row["difference"] <= row["high"]
    assert (found.loc[found["family"] == "k-means", "seeds"] == 2).all()


def test_scores_are_means_over_seeds_with_their_spread():
    predictions = made_up_predictions()
    table = scores_of(predictions)
    runs = [own for _, own in predictions.query("model == 'student'").groupby("seed")]
    accuracies = [(own["y_true"] == own["y_pred"]).mean() for own in runs]
    assert table.loc["student", "accuracy"] == pytest.approx(np.mean(accuracies))
    assert table.loc["student", "accuracy_sd"] == pytest.approx(np.std(accuracies, ddof=1))
    assert table["seeds"].to_dict()["student_of_conv2d-kd"] == 1
    assert np.isnan(table.loc["student_of_conv2d-kd", "accuracy_sd"])
    assert {"within_a", "within_b", "auc_extrastole", "recall_extrastole"} <= set(table)


def test_goals_stand_beside_what_was_measured():
    predictions = made_up_predictions()
    predictions["model"] = predictions["model"].replace("student_of_conv2d-kd", "student_of_conv2d")
    scores = scores_of(predictions)
    pairs = pairs_of(scores.index, "conv2d", ["kd"])
    differences = differences_of(predictions, pairs, n_resamples=50)
    goals = goals_of(scores, differences, "conv2d")
    pupil = scores.loc["student_of_conv2d"]
    assert goals.loc["accuracy of the default student"].tolist() == [
        f"{pupil['accuracy']:.3f} –",
        "≥ 0.83",
    ]
    within = "balanced accuracy of the default student, recordings of B"
    assert goals.loc[within, "measured"] == f"{pupil['within_b']:.3f} –"
    gain = (
        pupil["balanced_accuracy"]
        - scores_of(predictions.query("seed == 0")).loc["student", "balanced_accuracy"]
    )
    row = goals.loc["balanced accuracy, default student minus student from scratch"]
    assert row["measured"].startswith(f"{gain:+.3f} (")
    assert not goals.index.str.contains("best teacher").any()


@pytest.mark.parametrize(("part", "has_every_loss"), [("ab", True), ("a", False)])
def test_one_seed_of_every_loss_is_shown_where_every_loss_was_run(tmp_path, part, has_every_loss):
    predictions = made_up_predictions()
    forest = predictions[predictions["model"] == "student_of_conv2d-kd"]
    predictions = pd.concat([predictions, forest.assign(model="student_of_forest-kd")])
    scores = scores_of(predictions).assign(parameters=8000.0)
    differences = differences_of(
        predictions, pairs_of(scores.index, "conv2d", ["kd"]), n_resamples=20
    )
    kinds = _page._kinds(scores.index, "conv2d", ["kd"])
    text = "\n".join(_page._part(part, predictions, scores, differences, kinds, "conv2d", tmp_path))
    assert ("### Every loss" in text) == has_every_loss
    assert (tmp_path / f"study_losses_{part}.png").exists() == has_every_loss
    section = text.partition("### Losses and teachers")[2].partition("| |")[0]
    assert "recordings that it has seen" in section
    assert "with Conv2D as teacher only" in section


def test_the_time_is_that_of_each_fit_once(tmp_path):
    results = Results(tmp_path)
    columns = ["part", "model", "seed", "fold", "seconds"]
    rows = [
        ("ab", "student-1k", 0, 0, 3600.0),
        ("ab", "student-1k+kmeans", 0, 0, 3600.0),  # part of the same fit
        ("ab", "student", 0, 0, np.nan),  # the comparison's
        ("ab", "student+kmeans", 0, 0, np.nan),
        ("ab", "svm", 0, 0, np.nan),  # the comparison's, not studied
    ]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "fits_ab.csv", index=False)
    inner = ("inner_ab", "student-clusters10-weight0.25", 0, 0, 1800.0)
    pd.DataFrame([inner], columns=columns).to_csv(tmp_path / "fits_inner_ab.csv", index=False)
    assert results.seconds() == (5400.0, 1)
    assert "took 1.5 hours" in _page._duration(results)


def test_the_page_tells_the_time_of_the_stored_fits():
    root = Path(__file__).parents[2]
    results = Results(root / "benchmarks" / "results" / "study")
    assert _page._duration(results) in (root / "docs" / "study.md").read_text("utf-8")


def test_the_page_names_what_was_not_run():
    ways = [variant.name for variant in _page.ways_of_teaching("conv2d").values()]
    assert _page._not_run("teaching", ways, "conv2d") == []
    found = _page._not_run("teaching", ways[:-1], "conv2d")
    assert found == [f"Not run here: {_page.shown(ways[-1])}.\n"]
    assert _page._not_run("losses", [], "conv2d") == []


@pytest.mark.slow
def test_the_page_is_that_of_the_stored_results(tmp_path):
    root = Path(__file__).parents[2]
    folder = root / "benchmarks" / "results" / "study"
    results = Results(shutil.copytree(folder, tmp_path / "results"))
    page = tmp_path / "docs" / "study.md"
    _page.write_page(results, PARTS, page)
    number = r"[+-]?\d+\.\d{3}"
    written, stored = page.read_text("utf-8"), (root / "docs" / "study.md").read_text("utf-8")
    assert re.sub(number, "", written) == re.sub(number, "", stored)
    found, expected = (list(map(float, re.findall(number, text))) for text in (written, stored))
    assert found == pytest.approx(expected, abs=1.1e-3)  # rounding on another processor
    for name in ("scores", "differences"):
        for part in PARTS:
            pd.testing.assert_frame_equal(
                pd.read_csv(results.folder / f"{name}_{part}.csv"),
                pd.read_csv(folder / f"{name}_{part}.csv"),
                rtol=1e-4,
                atol=1e-5,
            )
