import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.study import _fitting, _page, _results, _selection, _variants
from benchmarks.study.__main__ import main, variants_of
from benchmarks.study._goals import goals_of
from benchmarks.study._grounds import split_inside
from benchmarks.study._results import Results
from benchmarks.study._scores import differences_of, pairs_of, scores_of
from benchmarks.study._variants import Variant, losses_for, student_of
from sklearn_heartkd.augmentation import AdditiveNoise
from sklearn_heartkd.classifiers import ContrastivePretraining
from sklearn_heartkd.classifiers._defaults import default_augmentation
from sklearn_heartkd.comparison import Recipe
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.distillation._catalogue import CATALOGUE, resolve_losses

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=1, n_estimators=10)
CLASSES = ("normal", "murmur", "extrastole")


def load(subset):
    sounds = make_heart_sounds(30, classes=CLASSES, n_subjects=30, duration=1.0, random_state=0)
    if subset == "ab":
        sounds.frame["set"] = np.where(np.arange(30) % 2, "a", "b")
    return sounds


def test_default_settings_are_the_comparisons_own_student():
    assert student_of("conv2d", losses=_variants.DEFAULT_LOSS) == Variant("student_of_conv2d")
    other = student_of("ensemble", losses="kd")
    assert other.name == "student_of_ensemble-kd"
    assert other.sources == ("conv1d", "conv2d", "lstm", "rnn")


def test_every_loss_is_studied():
    alone = {loss for loss in _variants.LOSSES if "+" not in loss}
    assert alone == set(CATALOGUE) - {"ce"}
    assert "at" in losses_for("lstm")
    assert "at" not in losses_for("ensemble")
    assert _variants.DEFAULT_LOSS in _variants.LOSSES


def test_sizes_are_what_their_names_say():
    for label, size in _variants.SIZES.items():
        network = _variants.StudentClassifier(**size)
        module = network._build(n_channels=48, n_classes=5, norm="batch", dropout=0.3)
        count = sum(parameter.numel() for parameter in module.parameters())
        assert count == pytest.approx(1000 * int(label.removesuffix("k")), rel=0.2)


def test_every_variant_has_a_name_of_its_own_and_can_be_made():
    stages = ("select", "finals", "starts", "losses", "teachers", "teaching", "sizes")
    found = {v.name: v for s in stages for v in variants_of(s, "conv2d", ["kd", "crd", "at"])}
    for stage in stages:
        for variant in variants_of(stage, "conv2d", ["kd", "crd", "at"]):
            assert (variant.make is None) == (found[variant.name].make is None)
    fitted = {}
    for name in ("conv1d", "conv2d", "lstm", "rnn"):
        fitted[name] = RECIPE.make(name, 0, {})
        fitted[name].estimator_ = fitted[name].estimator
    fitted |= {name: fitted["conv2d"] for name in ("student", "student_of_conv2d", "forest")}
    for variant in found.values():
        if variant.make is not None and not {"synthetic", "labelled"} & set(
            variant.name.replace("_", "-").split("-")
        ):
            model = variant.make(RECIPE, 3, {name: fitted[name] for name in variant.sources})
            assert hasattr(model, "fit"), variant.name


def test_students_differ_from_the_comparisons_in_the_named_setting_only():
    teacher = RECIPE.make("conv2d", 0, {})
    teacher.estimator_ = teacher.estimator
    expected = RECIPE.make("student_of_conv2d", 3, {"conv2d": teacher}).estimator[-1]
    variant = student_of("conv2d", losses="kd")
    model = variant.make(RECIPE, 3, {"conv2d": teacher}).estimator[-1]
    assert isinstance(model, DistilledClassifier)
    assert isinstance(model.teacher[0][1], FrozenEstimator)
    assert model.losses == "kd"
    assert repr(model.set_params(losses=expected.losses)) == repr(expected)


def test_students_of_other_starts_differ_in_pretraining_only():
    teacher = RECIPE.make("conv2d", 0, {})
    teacher.estimator_ = teacher.estimator
    for variants in _variants.starts_of("conv2d").values():
        made = {
            start: RECIPE.make("student", 3, {})
            if variant.make is None
            else variant.make(RECIPE, 3, {"conv2d": teacher})
            for start, variant in variants.items()
        }
        plain = made.pop("none")
        assert made
        for model in made.values():
            network = model.estimator[-1]
            network = getattr(network, "student", network)
            assert network.pretrain is not None
            network.pretrain = None
            assert repr(model) == repr(plain)


def resolved(distilled):
    terms = resolve_losses(distilled.losses, distilled.weights, distilled.temperature, 5)
    return [(name, loss.get_params(), weight) for name, loss, weight in terms]


def test_models_with_noise_differ_in_augmentation_only_and_so_do_their_teachers():
    kinds = _variants.augmentations_of("conv2d")
    fitted = RECIPE.make("conv2d", 3, {})
    fitted.estimator_ = fitted.estimator
    assert set(kinds) == {"student", "conv2d", "student_of_conv2d"}
    for model, variants in kinds.items():
        assert variants["with noise"].sources == ()
        made = variants["with noise"].make(RECIPE, 3, {})
        network = made.estimator[-1]
        if model == "student_of_conv2d":
            teacher, network = network.teacher[0][1], network.student
            assert repr(teacher.augmentation) == repr(network.augmentation)
            plain = variants["default"].make(RECIPE, 3, {"conv2d": fitted}).estimator[-1]
            assert resolved(made.estimator[-1]) == resolved(plain)
            assert repr(teacher.set_params(augmentation="auto")) == repr(fitted.estimator[-1])
        noises = [item for item in network.augmentation if isinstance(item, AdditiveNoise)]
        assert [noise.noise for noise in noises] == ["white", "pink"]
        assert repr(network.augmentation[2:]) == repr(default_augmentation())
        expected = RECIPE.make("student" if model != "conv2d" else model, 3, {}).estimator[-1]
        assert repr(network.set_params(augmentation="auto")) == repr(expected)


def test_models_with_a_labelled_start_differ_in_it_only_and_so_do_their_teachers(monkeypatch):
    monkeypatch.setattr(_variants, "N_LABELLED", 10)
    kinds = _variants.labelled_starts_of("conv2d")
    assert set(kinds) == {"conv1d", "conv2d", "lstm", "rnn", "student", "student_of_conv2d"}
    fitted = RECIPE.make("conv2d", 3, {})
    fitted.estimator_ = fitted.estimator
    for model, variants in kinds.items():
        made = variants["10 synthetic recordings"].make(RECIPE, 3, {}).estimator[-1]
        networks = [made]
        if model == "student_of_conv2d":
            plain = variants["none"].make(RECIPE, 3, {"conv2d": fitted}).estimator[-1]
            assert resolved(made) == resolved(plain)
            networks = [made.teacher[0][1], made.student]
        for network, name in zip(
            networks, [model] if len(networks) == 1 else ["conv2d", "student"], strict=True
        ):
            assert network.pretrain.X.shape == (10, 32, 30)
            assert sorted(set(network.pretrain.y)) == sorted(
                ["artifact", "extrahls", "extrastole", "murmur", "normal"]
            )
            expected = RECIPE.make(name, 3, {}).estimator[-1]
            assert repr(network.set_params(pretrain=None)) == repr(expected)


def test_fits_of_former_machines_stay(tmp_path):
    path = tmp_path / "fits.csv"
    old = pd.DataFrame({"model": ["a", "a", "b"], "seed": 0, "fold": [0, 1, 0], "accuracy": 0.5})
    old.to_csv(path, index=False)
    new = pd.DataFrame({"model": ["b", "c"], "seed": 0, "fold": 0, "accuracy": 0.75})
    kept = _results._kept_of(path, new).sort_values(["model", "fold"])
    assert kept["model"].tolist() == ["a", "a", "b", "c"]
    assert kept["accuracy"].tolist() == [0.5, 0.5, 0.75, 0.75]
    assert _results._kept_of(tmp_path / "none.csv", new) is new


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
    assert _variants.STARTS[start] == _variants.StudentClassifier().pretrain


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


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(_variants, "LOSSES", ("kd", "kd+infonce"))
    monkeypatch.setattr(_selection, "FOREST_LOSSES", ())
    monkeypatch.setattr(_selection, "TEACHERS", ("conv2d",))
    monkeypatch.setattr(_variants, "FINAL_LOSSES", ("kd", "hint"))
    monkeypatch.setattr(_variants, "FINAL_SETTINGS", ((1, (0.3, 0.7, 0.2)),))
    starts = {"none": None, "1epoch": ContrastivePretraining(max_epochs=1)}
    monkeypatch.setattr(_variants, "STARTS", starts)
    monkeypatch.setattr(_variants, "TEMPERATURES", (2,))
    monkeypatch.setattr(_variants, "N_LABELLED", 10)
    monkeypatch.setattr(_variants, "CLUSTERS", [(4, 0.25)])
    monkeypatch.setattr(_variants, "NETWORK_CHOICES", {"class_weight": (0.3,)})
    monkeypatch.setattr("benchmarks.study._grounds.Recipe", lambda **options: RECIPE)


def test_stages_run_go_on_after_an_interruption_and_are_reported(
    small, tmp_path, monkeypatch, capsys
):
    page = tmp_path / "docs" / "study.md"

    def study(*stages):
        where = ["--work", tmp_path, "--results", tmp_path / "results", "--page", page]
        size = ["--folds", 2, "--seeds", 0, "--parts", "ab", "--jobs", 1, "--max-epochs", 1]
        main([str(word) for word in [*where, *size, "--stages", *stages]], load)
        return capsys.readouterr().out

    with pytest.raises(SystemExit, match="run it first"):
        study("teachers")
    original, done = _fitting._fit, []

    def fit(ground, variant, task):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(task)
        return original(ground, variant, task)

    def fit_more(ground, variant, task):
        assert task not in done[:3]
        return original(ground, variant, task)

    with monkeypatch.context() as patch:
        patch.setattr(_fitting, "_fit", fit)
        with pytest.raises(KeyboardInterrupt):
            study("select")
    monkeypatch.setattr(_fitting, "_fit", fit_more)
    fits = pd.read_csv(tmp_path / "results" / "fits_inner_ab.csv")
    assert {task.model for task in done} <= set(fits["model"])
    assert "all                    0 fits wait" not in study("select", "losses")
    assert "all                    0 fits wait" in study("select", "losses")
    assert "won on the inner splits" in study("finals", "report")
    finals = pd.read_csv(tmp_path / "results" / "finals.csv")
    assert set(finals["choice"]) > {"ce", "kd", "hint"}
    assert finals["sum_teachers"].notna().sum() == 3
    starts = pd.read_csv(tmp_path / "results" / "trainings.csv").groupby("kind")["choice"].agg(set)
    assert starts.to_dict() == {
        "start of student": {"none", "1epoch"},
        "start of student_of_conv2d": {"none", "1epoch"},
        "augmentation of student": {"default", "with noise"},
        "augmentation of student_of_conv2d": {"default", "with noise"},
        "augmentation of conv2d": {"default", "with noise"},
    }
    study("starts", "report")
    starts = pd.read_csv(tmp_path / "results" / "starts.csv").groupby("kind")["choice"].agg(set)
    assert starts.to_dict() == {
        f"labelled start of {model}": {"none", "10 synthetic recordings"}
        for model in ("conv1d", "conv2d", "lstm", "rnn", "student", "student_of_conv2d")
    }
    assert "Supervised pretraining of the Conv2D" in page.read_text()
    assert "Contrastive pretraining of the student of Conv2D" in page.read_text()
    assert "| ce | " in page.read_text().partition("Losses are compared at")[2]
    chosen = Results(tmp_path / "results").chosen()["losses"]
    assert sorted(chosen) == ["kd", "kd+infonce"]
    assert "student of Conv2D, kd+infonce" in page.read_text()
    assert "A trial with max_epochs=1" in page.read_text()
    assert page.read_text().index("In short") < page.read_text().index("What was chosen")
    assert (tmp_path / "docs" / "images" / "study_losses_ab.png").exists()
    with pytest.raises(ValueError, match="choose another --results"):
        main(
            ["--work", str(tmp_path), "--results", str(tmp_path / "results"), "--stages", "report"],
            load,
        )


@pytest.mark.slow
def test_the_stages_after_the_choice_run_to_their_end(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_variants, "N_SYNTHETIC", 8)
    monkeypatch.setattr(_variants, "SIZES", {"1k": {"width": 5, "depth": 2}, "10k": {}})
    Results(tmp_path / "results").write_chosen({"losses": ["kd"], "teacher": "conv2d"})
    where = ["--work", tmp_path / "work", "--results", tmp_path / "results", "--folds", 2]
    size = ["--seeds", 0, "--parts", "ab", "--jobs", 1, "--max-epochs", 1]
    words = [*where, *size, "--stages", "teachers", "teaching", "sizes"]
    main([str(word) for word in words], load)
    fits = pd.read_csv(tmp_path / "results" / "fits_ab.csv")
    assert (fits.groupby("model").size() == 2).all()
    wanted = {
        variant.name
        for stage in ("teachers", "teaching", "sizes")
        for variant in variants_of(stage, "conv2d", ["kd"])
    }
    assert wanted <= set(fits["model"])
    assert {
        "student_of_forest-kd",
        "conv2d-pretrained_synthetic",
        "student_of_ensemble-kd",
    } <= wanted
    parameters = fits.groupby("model")["parameters"].max()
    assert parameters["student-1k"] < 2000 < parameters["student"]
    capsys.readouterr()
    main([*map(str, words), "--count"], load)
    assert "all                    0 fits wait" in capsys.readouterr().out


def test_a_forest_with_features_of_its_own_teaches_and_its_student_is_refined(tmp_path):
    sounds = load("b")
    forest = RECIPE.make("forest", 0, {}).set_params(randomforestclassifier__n_estimators=5)
    forest.fit(sounds.data, sounds.target)
    model = student_of("forest", losses="kd").make(RECIPE, 0, {"forest": forest})
    task = _fitting.Task(0, 0, "student_of_forest-kd")
    split = np.arange(12), np.arange(12, 18)
    fits = list(_fitting.fit_and_refine(task, model, sounds, split, RECIPE))
    assert [name for name, _, _ in fits] == ["student_of_forest-kd", "student_of_forest-kd+kmeans"]
    assert 8000 < _fitting.parameters_of(fits[0][1]) < 10_000
    assert fits[1][1].estimator_.clusters_.table.shape == (3, 3)


def test_the_page_names_what_was_not_run():
    ways = [variant.name for variant in _page.ways_of_teaching("conv2d").values()]
    assert _page._not_run("teaching", ways, "conv2d") == []
    found = _page._not_run("teaching", ways[:-1], "conv2d")
    assert found == [f"Not run here: {_page.shown(ways[-1])}.\n"]
    assert _page._not_run("losses", [], "conv2d") == []
