import numpy as np
import pandas as pd
import pytest

from benchmarks.study import _fitting, _selection, _trainings, _variants
from benchmarks.study.__main__ import main, variants_of
from benchmarks.study._results import Results
from benchmarks.study._variants import student_of
from sklearn_heartkd.classifiers import ContrastivePretraining
from sklearn_heartkd.comparison import Recipe
from sklearn_heartkd.datasets import make_heart_sounds

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=1, n_estimators=10)
CLASSES = ("normal", "murmur", "extrastole")


def load(subset):
    sounds = make_heart_sounds(30, classes=CLASSES, n_subjects=30, duration=1.0, random_state=0)
    if subset == "ab":
        sounds.frame["set"] = np.where(np.arange(30) % 2, "a", "b")
    return sounds


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(_variants, "LOSSES", ("kd", "kd+infonce"))
    monkeypatch.setattr(_selection, "FOREST_LOSSES", ())
    monkeypatch.setattr(_selection, "TEACHERS", ("conv2d",))
    monkeypatch.setattr(_variants, "FINAL_LOSSES", ("kd", "hint"))
    monkeypatch.setattr(_variants, "FINAL_SETTINGS", ((1, (0.3, 0.7, 0.2)),))
    starts = {"none": None, "1epoch": ContrastivePretraining(max_epochs=1)}
    monkeypatch.setattr(_trainings, "STARTS", starts)
    monkeypatch.setattr(_variants, "TEMPERATURES", (2,))
    monkeypatch.setattr(_trainings, "N_LABELLED", 20)
    monkeypatch.setattr(_variants, "CLUSTERS", [(4, 0.25)])
    monkeypatch.setattr(_trainings, "NETWORK_CHOICES", {"class_weight": (0.3,)})
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
    long, noise = "20, windows twice as long", "20, and noise in training"
    assert starts.to_dict() == {
        f"labelled start of {model}": {"none", "20 synthetic recordings", *more}
        for model, more in {
            "conv1d": [long],
            "conv2d": [long],
            "lstm": [long],
            "rnn": [long],
            "student": [long, noise, "5 synthetic recordings", "80 synthetic recordings"],
            "student_of_conv2d": [noise],
        }.items()
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
    monkeypatch.setattr(_trainings, "N_SYNTHETIC", 8)
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
    assert fits[1][1].estimator_.refiner_.table.shape == (3, 3)
