from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.study import _selection, _trainings, _variants
from benchmarks.study._grounds import split_inside
from benchmarks.study._results import Results
from sklearn_heartkd.distillation.losses._registry import resolve_losses


def test_inner_splits_stay_inside_the_training_part_and_cross_no_subject():
    groups = np.arange(40) // 2
    target = np.tile(["a", "b"], 20)
    training = np.arange(4, 40)
    inner, validation = split_inside(training, target, groups, fold=1)
    assert sorted([*inner, *validation]) == list(training)
    assert not set(groups[inner]) & set(groups[validation])
    other = split_inside(training, target, groups, fold=2)[1]
    assert set(other) != set(validation)


def made_up_fits(best):
    variants = [*_selection.variants_of("conv2d"), *_selection.finals("conv2d")[0].values()]
    scores = {"accuracy": 0.5, "balanced_accuracy": 0.5, "macro_f1": 0.5}
    rows = [
        {"model": name, "seed": 0, "fold": fold} | scores
        for name in sorted({variant.name for variant in variants})
        for fold in range(2)
    ]
    fits = pd.DataFrame(rows)
    for name, (accuracy, balanced) in best.items():
        fits.loc[fits["model"] == name, ["accuracy", "balanced_accuracy"]] = accuracy, balanced
    return fits


def test_the_choice_ranks_by_the_sum_then_by_balanced_accuracy_then_by_order():
    fits = made_up_fits(
        {
            "student": (0.9, 0.9),
            "student_of_conv2d-crd": (0.7, 0.6),
            "student_of_conv2d-dkd": (0.6, 0.7),
            "student_of_lstm-temperature1-weights0.3+0.7+0.5": (0.6, 0.6),
            "student_of_conv2d-temperature1-weights0.3+0.7+0.2": (0.6, 0.6),
            "student-clusters10-weight0.25": (0.95, 0.9),
        }
    )
    kinds = _selection.candidates("conv2d")
    table = _selection.rank(fits, kinds)
    chosen = _selection.choose(table, "conv2d", 0)
    assert chosen["losses"] == ["dkd", "crd", "kd"]
    assert chosen["best_teacher"] == "lstm"
    assert chosen["weights"] == "0.3 + 0.7 + 0.2"
    assert chosen["temperature"] == 1
    assert chosen["kmeans"]["student"] == "10 clusters, weight 0.25"
    assert chosen["kmeans"]["conv2d"] == "none"
    with pytest.raises(ValueError, match=r"still waits for fits of \['student_of_conv2d-rkd'\]"):
        _selection.rank(fits.drop(fits.index[fits["model"] == "student_of_conv2d-rkd"][0]), kinds)


def test_the_finals_rank_the_mean_over_seeds_and_then_over_teachers():
    lstm = {"student_of_lstm-kd+hint-temperature1": (0.9, 0.9)}
    one = made_up_fits(
        {"student_of_conv2d-hint": (0.9, 0.7), "student_of_conv2d-pkt": (1, 1)} | lstm
    )
    other = made_up_fits({"student_of_conv2d-hint": (0.6, 0.7)}).assign(seed=1)
    table = _selection.rank_finals(pd.concat([one, other]), "conv2d", [0, 1]).set_index("choice")
    assert table.loc["hint", ["sum_seed0", "sum_seed1", "sum"]].tolist() == pytest.approx(
        [1.6, 1.3, 1.45]
    )
    assert table.loc["hint", "sum_teachers"] == pytest.approx((1.45 + 4 * 1) / 5)
    assert table.loc["kd+hint", "sum_lstm"] == 1.8
    assert table.loc[["kd+hint", "hint", "pkt"], "rank"].tolist() == [1, 2, 5]
    assert np.isnan(table.loc["pkt", "sum_teachers"])


def test_the_defaults_are_what_won():
    results = Path(__file__).parents[2] / "benchmarks" / "results" / "study"
    terms = resolve_losses(_variants.DEFAULT_LOSS, None, None, 5)
    soft_targets = dict((name, loss) for name, loss, _ in terms)["kd"]
    weights = [weight for _, _, weight in terms]
    default = _variants.final_name(int(soft_targets.temperature), weights)
    finals = pd.read_csv(results / "finals.csv")
    assert finals.set_index("rank").loc[1, "choice"] == default
    starts = pd.read_csv(results / "trainings.csv").set_index(["kind", "rank"])
    start = starts.loc[("start of student_of_conv2d", 1), "choice"]
    assert _trainings.STARTS[start] == _variants.StudentClassifier().pretrain


def test_the_rankings_follow_from_the_fits():
    results = Results(Path(__file__).parents[2] / "benchmarks" / "results" / "study")
    fits, seeds = results.fits("inner_ab"), [0, 1, 2]
    expected = {
        "selection": _selection.rank(fits[fits["seed"] == 0], _selection.candidates("conv2d")),
        "finals": _selection.rank_finals(fits, "conv2d", seeds),
        "trainings": _selection.rank(fits, _selection.trainings("conv2d")),
        "starts": _selection.rank(fits, _selection.labelled_starts("conv2d")),
    }
    for name, table in expected.items():
        stored = pd.read_csv(results.folder / f"{name}.csv")
        pd.testing.assert_frame_equal(stored, table, check_dtype=False, rtol=1e-5, atol=2e-4)
    assert results.chosen() == _selection.choose(expected["selection"], "conv2d", 0)
