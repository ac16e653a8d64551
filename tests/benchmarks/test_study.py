import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.study import __main__ as study
from benchmarks.study import _scores, _stages, report
from benchmarks.study._models import (
    LOSSES,
    NETWORKS,
    SIZES,
    Model,
    distilled,
    own,
    sources_of,
    trained,
    tuned,
)
from sklearn_heartkd import StudentClassifier
from sklearn_heartkd.augmentation import AdditiveNoise
from sklearn_heartkd.comparison import Recipe
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.distillation.losses._registry import LOSSES as REGISTERED
from sklearn_heartkd.distillation.losses._registry import resolve_losses

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=1, n_estimators=10)
CLASSES = ("normal", "murmur", "extrastole")
CHOSEN = ["hint", "pkt", "kd+infonce"]


def load(subset):
    sounds = make_heart_sounds(30, classes=CLASSES, n_subjects=30, duration=1.0, random_state=0)
    sounds.data = [row[: 1970 + i] for i, row in enumerate(sounds.data)]
    sounds.frame["set"] = np.where(np.arange(30) % 2, "a", "b")
    return sounds


def test_inner_splits_stay_inside_the_training_part_and_cross_no_subject():
    groups, target = np.arange(40) // 2, np.tile(["a", "b"], 20)
    training = np.arange(4, 40)
    inner, validation = study.split_inside(training, target, groups, fold=1)
    assert sorted([*inner, *validation]) == list(training)
    assert not set(groups[inner]) & set(groups[validation])
    assert set(study.split_inside(training, target, groups, fold=2)[1]) != set(validation)


def test_stored_fits_stay(tmp_path):
    path = tmp_path / "fits.csv"
    old = pd.DataFrame({"model": ["a", "a", "b"], "seed": 0, "fold": [0, 1, 0], "accuracy": 0.5})
    old.to_csv(path, index=False)
    new = pd.DataFrame({"model": ["b", "c"], "seed": 0, "fold": 0, "accuracy": 0.75})
    for _ in range(2):
        study.store(path, new, study.FIT)
        kept = pd.read_csv(path)
        assert kept["model"].tolist() == ["a", "a", "b", "c"]
        assert kept["accuracy"].tolist() == [0.5, 0.5, 0.5, 0.75]


def test_every_loss_is_studied_and_sizes_are_right():
    # "logits" is measured on tables
    assert {loss for loss in LOSSES if "+" not in loss} == set(REGISTERED) - {"ce", "logits"}
    for label, size in SIZES.items():
        network = StudentClassifier(max_epochs=1, **size).fit(np.zeros((10, 48, 20)), [0, 1] * 5)
        count = sum(parameter.numel() for parameter in network.module_.parameters())
        assert count == pytest.approx(1000 * int(label.removesuffix("k")), rel=0.2)


def test_every_model_has_one_name_and_can_be_made():
    found: dict[str, Model] = {}
    for stage in _stages.INNER + _stages.OUTER:
        for model in _stages.models_of(stage, CHOSEN):
            same = found.setdefault(model.name, model)
            assert (same.sources, same.refined) == (model.sources, model.refined)
    fitted = {}
    for name in ("conv1d", "conv2d", "lstm", "rnn", "student", "forest"):
        fitted[name] = RECIPE.make(name, 0, {})
        fitted[name].estimator_ = getattr(fitted[name], "estimator", None)
    fitted["student_of_conv2d"] = fitted["conv2d"]
    for model in found.values():
        if not any(word in model.name for word in ("synthetic", "labelled")):
            sources = {name: fitted[name] for name in model.sources}
            assert hasattr(model.make(RECIPE, 3, sources), "fit"), model.name


def test_the_tuned_loss_with_its_best_settings_is_the_default():
    teacher = RECIPE.make("conv2d", 0, {})
    teacher.estimator_ = teacher.estimator
    made = [
        model.make(RECIPE, 3, {"conv2d": teacher}).estimator[-1]
        for model in (own("student_of_conv2d"), distilled("conv2d"), tuned("conv2d", *_stages.WON))
    ]
    assert repr(made[0]) == repr(made[1])
    default, explicit = (
        [
            (name, loss.get_params(), weight)
            for name, loss, weight in resolve_losses(m.losses, m.weights, m.temperature, 5)
        ]
        for m in made[1:]
    )
    assert default == explicit


@pytest.mark.parametrize("name", ["conv2d", "student", "student_of_conv2d"])
def test_noise_in_training_reaches_student_and_teacher(name):
    model = trained(name, "noise", noise=True).make(RECIPE, 3, {}).estimator[-1]
    networks = [model]
    if isinstance(model, DistilledClassifier):
        networks = [model.student, model.teacher[0][1]]
    plain = StudentClassifier().set_params(augmentation="auto")
    for network in networks:
        noisy = [isinstance(item, AdditiveNoise) for item in network.augmentation]
        assert noisy == [True, True] + [False] * (len(noisy) - 2)
        assert plain.augmentation == "auto"
    assert sources_of("student_of_ensemble") == tuple(NETWORKS)


def made_up_fits(best):
    models = [*_stages.models_of("select", []), *_stages.models_of("finals", [])]
    rows = [
        {"model": name, "seed": 0, "fold": fold}
        | {"accuracy": 0.5, "balanced_accuracy": 0.5, "macro_f1": 0.5}
        for name in sorted({model.name for model in models})
        for fold in range(2)
    ]
    fits = pd.DataFrame(rows)
    for name, scores in best.items():
        fits.loc[fits["model"] == name, ["accuracy", "balanced_accuracy"]] = scores
    return fits


def test_the_choice_ranks_by_sum_then_balanced_accuracy_then_order():
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
    table = _scores.rankings("select", fits, [0])["selection"]
    chosen = _scores.choose(table, 0)
    assert chosen["losses"] == ["dkd", "crd", "kd"]
    assert chosen["best_teacher"] == "lstm"
    assert chosen["weights"] == "0.3 + 0.7 + 0.2"
    assert chosen["kmeans"]["student"] == "10 clusters, weight 0.25"
    with pytest.raises(ValueError, match=r"missing of \['student_of_conv2d-rkd'\]"):
        _scores.rankings("select", fits[fits["model"] != "student_of_conv2d-rkd"], [0])


def test_finals_rank_the_mean_over_teachers():
    lstm = {"student_of_lstm-kd+hint-temperature1": (0.9, 0.9)}
    best = {"student_of_conv2d-hint": (0.9, 0.7), "student_of_conv2d-pkt": (1, 1)}
    other = made_up_fits({"student_of_conv2d-hint": (0.6, 0.7)}).assign(seed=1)
    fits = pd.concat([made_up_fits(best | lstm), other])
    table = _scores.rank_finals(fits, [0, 1]).set_index("choice")
    sums = table.loc["hint", ["sum_seed0", "sum_seed1", "sum", "sum_teachers"]]
    assert sums.tolist() == pytest.approx([1.6, 1.3, 1.45, (1.45 + 4) / 5])
    assert table.loc["kd+hint", "sum_lstm"] == 1.8
    assert table.loc[["kd+hint", "hint", "pkt"], "rank"].tolist() == [1, 2, 5]
    assert np.isnan(table.loc["pkt", "sum_teachers"])


def test_stored_rankings_follow_from_the_stored_fits():
    fits = report.read("fits_inner_ab")
    for stage in _stages.INNER:
        for name, table in _scores.rankings(stage, fits, [0, 1, 2]).items():
            stored = report.read(name)
            pd.testing.assert_frame_equal(stored, table, check_dtype=False, rtol=1e-5, atol=2e-4)
            if name == "selection":
                text = (report.FOLDER / "selection.json").read_text("utf-8")
                assert _scores.choose(table, 0) == json.loads(text)


def test_the_defaults_are_the_best_choices():
    model = DistilledClassifier(None)
    terms = resolve_losses(model.losses, None, None, 5)
    kd = {name: loss for name, loss, _ in terms}["kd"]
    default = _stages.final_name(int(kd.temperature), [weight for *_, weight in terms])
    assert report.read("finals").set_index("rank").loc[1, "choice"] == default
    table = report.read("trainings").set_index(["kind", "rank"])
    start = table.loc[("start of student_of_conv2d", 1), "choice"]
    assert (start, StudentClassifier().pretrain) == ("none", None)


@pytest.mark.slow
def test_stored_scores_follow_from_the_stored_predictions():
    predictions = study.complete(report.FOLDER, "a")
    stored = report.read("scores_a").set_index("model").drop(columns="parameters")
    found = _scores.scores_of(predictions)[stored.columns]
    options = {"check_dtype": False, "rtol": 1e-4, "atol": 1e-5}
    pd.testing.assert_frame_equal(stored, found, **options)
    keys = ["family", "model", "baseline", "metric"]
    few = predictions[predictions["model"].isin(["conv2d", "student", "student_of_conv2d"])]
    found = _scores.differences_of(few, CHOSEN).set_index(keys)
    stored = report.read("differences_a").set_index(keys).loc[found.index]
    pd.testing.assert_frame_equal(stored, found, **options)


@pytest.fixture
def small(monkeypatch):
    """A few cheap models for each stage."""
    few = {
        "select": [own("student"), tuned("conv2d")],
        "finals": [own("student"), tuned("conv2d")],
        "starts": [own("student"), trained("student", "noise", noise=True)],
    }
    few |= {stage: [own("student"), own("student_of_conv2d")] for stage in _stages.OUTER}
    few["teachers"] = [*few["teachers"], own("ensemble"), distilled("forest", "kd", losses="kd")]
    monkeypatch.setattr(study, "models_of", lambda stage, losses: few[stage])
    tables = {"select": "selection", "finals": "finals", "starts": "starts"}
    monkeypatch.setattr(
        study, "rankings", lambda stage, fits, seeds: {tables[stage]: fits.assign(rank=1)}
    )
    monkeypatch.setattr(study, "choose", lambda table, seed: {"losses": ["kd"]})
    monkeypatch.setattr(study, "Recipe", lambda **options: RECIPE)


def run_study(folder, *stages):
    where = ["--work", folder / "work", "--results", folder / "results"]
    size = ["--folds", 2, "--seeds", 0, "--parts", "a", "--jobs", 1, "--max-epochs", 1]
    study.main([str(word) for word in [*where, *size, "--stages", *stages]], load)


@pytest.mark.slow
def test_stages_run_and_continue_after_an_interruption(small, tmp_path, monkeypatch):
    compute, done = study.compute, []

    def interrupted(task, *args, **kwargs):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(task)
        return compute(task, *args, **kwargs)

    def others(task, *args, **kwargs):
        assert task not in done
        return compute(task, *args, **kwargs)

    monkeypatch.setattr(study, "compute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(tmp_path, "select")
    monkeypatch.setattr(study, "compute", others)
    run_study(tmp_path, *_stages.INNER)
    monkeypatch.setattr(study, "compute", compute)
    run_study(tmp_path, *_stages.OUTER)
    fits = pd.read_csv(tmp_path / "results" / "fits_a.csv")
    assert (fits.groupby("model").size() == 2).all()
    assert {"student+kmeans", "ensemble", "student_of_forest-kd", "conv1d"} <= set(fits["model"])
    assert fits.loc[fits["model"] == "student", "parameters"].between(7000, 10_000).all()
    differences = pd.read_csv(tmp_path / "results" / "differences_a.csv")
    assert {"losses", "sizes", "k-means"} <= set(differences["family"])
    with pytest.raises(ValueError, match="choose another --work"):
        study.main(
            [
                *["--work", str(tmp_path / "work"), "--results", str(tmp_path / "results")],
                *["--folds", "3", "--stages", "select", "--max-epochs", "1"],
            ],
            load,
        )
