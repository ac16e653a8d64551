import shutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_heartkd import comparison
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import oof_frame

few_labels_once = cache(comparison.few_labels)


@pytest.fixture(autouse=True)
def _made_once(monkeypatch):
    monkeypatch.setattr(comparison, "few_labels", few_labels_once)


@pytest.fixture
def folder(tmp_path):
    """Eight recordings of two classes, one folder a class, each of another subject."""
    sounds = make_heart_sounds(
        8, classes=("normal", "murmur"), n_subjects=8, duration=1.5, random_state=0
    )
    for i, (x, label) in enumerate(zip(sounds.data, sounds.target, strict=True)):
        path = tmp_path / "sounds" / label / f"s{i}_{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.3 * x[: 2000 + 100 * i] / np.abs(x).max(), 2000)
    return tmp_path / "sounds"


def options(folder, *more):
    given = ["compare", "--data", folder, "--layout", "folder", "--subject", r"^(s\d+)_"]
    given += ["--quick", "--folds", "2", "--jobs", "1", "--models", "svm", "student"]
    return [str(part) for part in [*given, *more]]


def test_a_folder_of_sounds_is_compared(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(options(folder, "--out", out)) == 0
    text = capsys.readouterr().out
    for part in (
        "SVM + k-means",
        "student from scratch",
        "balanced accuracy",
        " to ",
        "8 recordings of",
    ):
        assert part in text
    table = pd.read_csv(out / "table.csv", index_col="model")
    assert {"accuracy", "macro_f1_sd", "kilobytes", "milliseconds"} <= set(table)
    predictions = pd.read_csv(out / "predictions.csv")
    assert len(predictions) == 4 * 8
    pictures = {path.name for path in out.rglob("*.png")}
    assert {"confusion_svm.png", "confusion_student.png", "quality_against_size.png"} <= pictures


def test_the_same_out_continues_and_other_data_do_not(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(options(folder, "--out", out)) == 0
    stored = {path: path.stat().st_mtime_ns for path in (out / "parts").iterdir()}
    assert main(options(folder, "--out", out)) == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "parts").iterdir()} == stored
    capsys.readouterr()
    assert main(options(folder, "--out", out, "--folds", "3")) == 2
    assert "choose another folder" in one_sentence(capsys)


def one_sentence(capsys):
    error = capsys.readouterr().err
    assert error.startswith("heartkd compare: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


def test_a_missing_folder(tmp_path, capsys):
    assert main(options(tmp_path / "nowhere")) == 2
    assert "nowhere" in one_sentence(capsys)
    assert main(["compare", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in one_sentence(capsys)


def test_an_empty_folder(tmp_path, capsys):
    for layout in ("pascal", "physionet2016", "folder"):
        assert main(["compare", "--data", str(tmp_path), "--layout", layout]) == 2
        assert str(tmp_path) in one_sentence(capsys)


def test_a_folder_of_another_layout(folder, capsys):
    assert main(["compare", "--data", str(folder), "--layout", "pascal"]) == 2
    assert str(folder) in one_sentence(capsys)


def test_the_layout_is_recognised(folder, capsys):
    given = options(folder)
    del given[given.index("--layout") : given.index("--layout") + 2]
    assert main(given) == 0
    assert "8 recordings of" in capsys.readouterr().out


def test_a_layout_that_does_not_fit_names_the_options(folder, capsys):
    assert main(["compare", "--data", str(folder), "--layout", "pascal"]) == 2
    error = one_sentence(capsys)
    assert "load_audio_folder or load_table" in error
    shutil.rmtree(folder / "murmur")
    (folder / "normal").rename(folder / "set_a")
    for i, path in enumerate(sorted((folder / "set_a").iterdir())):
        path.rename(path.with_name(f"normal__20110107053{i}.wav"))
    assert main(["compare", "--data", str(folder)]) == 2
    assert "no recordings of set B" in (error := one_sentence(capsys))
    assert error.endswith("or choose another subset than 'ab'.\n")


def test_one_class(folder, capsys):
    for path in (folder / "murmur").iterdir():
        path.unlink()
    (folder / "murmur").rmdir()
    assert main(options(folder)) == 2
    assert "at least two" in one_sentence(capsys)


def test_fewer_subjects_than_folds(folder, capsys):
    assert main(options(folder, "--folds", "9")) == 2
    assert "fewer than the 9 folds" in one_sentence(capsys)


def test_an_unreadable_file_is_named_or_skipped(folder, capsys):
    (folder / "normal" / "s9_9.wav").write_text("no sound")
    assert main(options(folder)) == 2
    error = capsys.readouterr().err
    assert "s9_9.wav" in error
    assert "Traceback" not in error
    with pytest.warns(UserWarning, match=r"s9_9\.wav"):
        assert main(options(folder, "--on-error", "skip")) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["compere"],
        ["compare", "--folds", "many"],
        ["compare", "--layout", "kaggle"],
        ["compare", "--subset", "c"],
        ["compare", "--seeds", "0", "-1"],
        ["train", "folder", "--out", "model.skops", "--seed", "-1"],
    ],
)
def test_wrong_usage(wrong, capsys):
    with pytest.raises(SystemExit) as error:
        main(wrong)
    assert error.value.code == 2
    assert "heartkd" in capsys.readouterr().err


def test_one_fold_is_wrong_usage(capsys):
    assert main(["compare", "--data", ".", "--folds", "1"]) == 2
    assert "--folds must be at least 2" in one_sentence(capsys)


def test_no_processes_are_wrong_usage(capsys):
    assert main(["compare", "--jobs", "0"]) == 2
    assert "--jobs must be at least 1" in one_sentence(capsys)


def test_an_output_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch, capsys):
    def mkdir(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", mkdir)  # root may write everywhere
    assert main(options(folder, "--out", str(tmp_path / "results"))) == 2
    assert "results" in one_sentence(capsys)


def test_help_and_version(capsys):
    for arguments in (["--help"], ["compare", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
    text = capsys.readouterr().out
    for part in ("compare", "--quick", "--seeds", "Not a medical device"):
        assert part in text


def test_an_interruption_ends_without_a_traceback(folder, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "compare", interrupted)
    assert main(options(folder)) == 130
    assert one_sentence(capsys) == "heartkd compare: interrupted\n"


@pytest.mark.slow
def test_the_first_command(tmp_path, capsys):
    assert main(["compare", "--quick", "--jobs", "1", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "400 synthetic recordings, few labels" in text
    assert "distilled dense student" in text.split("seeds [0]")[1]  # the sentence under the table
    table = pd.read_csv(tmp_path / "table.csv", index_col="model")
    both = {name + end for name in comparison.FEW for end in ("", "+kmeans")}
    assert set(table.index) == both - {"dummy+kmeans"}
    assert table.loc["dummy", "balanced_accuracy"] == 0.2  # of five classes
    assert table["balanced_accuracy"].is_monotonic_decreasing


@pytest.fixture
def asked(monkeypatch):
    """Note what `compare` is asked, and let it stop there."""
    asked = {}

    def compare(data, **more):
        asked.update(more, data=data)
        raise ValueError("stopped")

    monkeypatch.setattr(comparison, "compare", compare)
    return asked


def test_synthetic_recordings_with_few_labels_are_the_default(asked):
    assert main(["compare"]) == 2
    assert asked["models"] == comparison.FEW
    data, unlabeled = asked["data"], asked["unlabeled"]
    for training, test in asked["splits"]:
        assert len(set(data.groups[training])) == 20
        assert len(set(data.groups[test])) == 100
        assert len(set(unlabeled.groups) - set(data.groups[test])) == 80
        assert not set(data.groups[training]) & {*data.groups[test], *unlabeled.groups}
    assert main(["compare", "--models", "all"]) == 2
    assert asked["models"] == ["all"]


def test_one_device_after_the_other_is_left_out(folder, asked, capsys):
    given = [part for part in options(folder) if part not in ("--folds", "2")]
    assert main([*given, "--devices", "label"]) == 2
    assert [len(test) for _, test in asked["splits"]] == [4, 4]
    assert asked["data"].devices.tolist() == asked["data"].target.tolist()
    assert asked["recipe"].balance
    capsys.readouterr()
    assert main([*given, "--devices", "colour"]) == 2
    assert "--devices colour is not a column of the data set" in one_sentence(capsys)


def test_recordings_without_labels(folder, tmp_path, asked, capsys):
    more = tmp_path / "more"
    more.mkdir()
    (more / "s1_9.wav").write_bytes((folder / "normal" / "s0_0.wav").read_bytes())
    noise = np.random.default_rng(0).normal(0, 0.1, 8000)
    soundfile.write(more / "s77_7.wav", noise, 2000)
    with pytest.warns(UserWarning, match="1 recordings of .* are copies of labeled recordings"):
        assert main(options(folder, "--unlabeled", more)) == 2
    assert asked["unlabeled"].groups.tolist() == ["s0", "s77"]
    assert [len(row) for row in asked["unlabeled"].data] == [2000, 8000]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--folds", "3"], "--folds needs recordings of your own"),
        (["--unlabeled", "more"], "--unlabeled needs recordings of your own"),
        (["--metric", "beauty"], "metric 'beauty' is unknown"),
    ],
)
def test_options_that_cannot_be_used_are_named(given, message, capsys):
    assert main(["compare", *given]) == 2
    assert message in one_sentence(capsys)


def predictions_of(models):
    """Predictions of which each model has one error more than the one before."""
    truth = np.array(["murmur", "normal"] * 4)
    return pd.concat(
        oof_frame(
            model,
            seed=0,
            fold=np.arange(8) // 2,
            recording=np.arange(8),
            y_true=truth,
            y_pred=np.where(np.arange(8) < 2 * i, "murmur", truth),
            y_proba=np.linspace([0.1, 0.9], [0.9, 0.1], 8),
            classes=["murmur", "normal"],
        )
        for i, model in enumerate(models)
    )


@pytest.fixture
def scored(monkeypatch):
    def compare(*arguments, **more):
        models = ["svm", "student_of_conv1d", "student"]
        costs = {"parameters": 1.0, "kilobytes": 2.0, "milliseconds": np.nan}
        table = pd.DataFrame(costs, index=pd.Index(models, name="model"))
        return comparison.Comparison(table, predictions_of(models), {})

    monkeypatch.setattr(comparison, "compare", compare)


def test_rows_are_sorted_by_the_metric(folder, scored, capsys):
    assert main(options(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["SVM", "student of Conv1D", "student from scratch"]
    for name, line in zip(names, lines[1:], strict=False):
        assert line.startswith(name)
    assert "student of Conv1D" in lines[-1]
    assert main(options(folder, "--metric", "roc_auc_murmur")) == 0
    assert "roc auc murmur" in capsys.readouterr().out.splitlines()[0]


def test_the_table_as_latex(folder, scored, capsys):
    assert main(options(folder, "--latex")) == 0
    text = capsys.readouterr().out
    assert text.startswith(r"\begin{tabular}{l")
    assert text.rstrip().endswith(r"\end{tabular}")
    assert r"student of Conv1D & 0.875 (" in text
    assert " & p & " in text


def test_a_model_that_fails_is_named_in_the_exit_status(folder, tmp_path, monkeypatch, capsys):
    make = comparison.Recipe.make
    monkeypatch.setattr(
        comparison.Recipe,
        "make",
        lambda self, m, *a, **k: 1 / 0 if m == "svm" else make(self, m, *a, **k),
    )
    with pytest.warns(UserWarning, match="could not be fitted: svm"):
        assert main(options(folder, "--out", tmp_path / "out")) == 1
    assert "student from scratch" in capsys.readouterr().out
    assert "student" in set(pd.read_csv(tmp_path / "out" / "table.csv")["model"])


def test_unknown_models_are_named(folder, capsys):
    assert main([*options(folder), "resnet"]) == 2
    assert "Unknown models ['resnet']" in one_sentence(capsys)


@pytest.mark.parametrize("more", [["--quick"], []])
def test_the_recipe_is_the_default_one(folder, more, monkeypatch):
    recipes = []
    monkeypatch.setattr(
        comparison, "compare", lambda *a, recipe, **k: recipes.append(recipe) or 1 / 0
    )
    for where in (["--data", str(folder), "--layout", "folder", "--subject", r"^(s\d+)_"], []):
        with pytest.raises(ZeroDivisionError):
            main(["compare", *where, *more])
    quick = bool(more)
    assert recipes == [
        comparison.Recipe.default(quick=quick),
        comparison.Recipe.default(quick=quick, synthetic=True),
    ]
