import re
import shutil
import warnings

import pytest
import soundfile
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier, WindowedClassifier
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import save_model

EXPLAIN = "explain model.skops a.wav empty --out {out}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model and a recording."""
    folder = tmp_path_factory.mktemp("errors")
    sounds = make_heart_sounds(6, classes=("normal", "murmur"), duration=2.0, random_state=0)
    network = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=1, random_state=0))
    model = WindowedClassifier(network, window=1.0, hop=0.5).fit(sounds.data, sounds.target)
    save_model(model, folder / "model.skops")
    soundfile.write(folder / "a.wav", sounds.data[0] / 2, 2000)
    return folder


@pytest.fixture
def complaint(folder, capsys, monkeypatch):
    """Return a function that calls the command in the folder and returns exit code and complaint."""
    monkeypatch.chdir(folder)

    def call(line):
        code = main(line.split())
        return code, capsys.readouterr().err

    return call


@pytest.mark.parametrize(
    "line",
    [
        "explain {} a.wav --out pictures",
        "export {}",
        "predict a.wav --model {}",
    ],
)
@pytest.mark.parametrize(
    ("model", "how"), [("no.skops", "train"), ("./deep/no.skops", "train"), ("no.onnx", "export")]
)
def test_a_missing_model_is_named_with_what_to_do(complaint, line, model, how):
    if line.startswith("export"):
        model, how = model.replace(".onnx", ".skops"), "train"
    code, text = complaint(line.format(model))
    assert code == 2
    path = model.removeprefix("./")
    verb = line.split()[0]
    assert text == (
        f"heartkd {verb}: The model {path} does not exist; check the path, or {how} one: "
        f"heartkd {how} --help.\n"
    )


@pytest.mark.parametrize(
    "line", ["predict nowhere/", "predict no.wav", "explain {} no.wav --out o"]
)
def test_a_missing_recording_is_named(complaint, line):
    code, text = complaint(line.format("model.skops"))
    assert code == 1
    assert (
        f"{line.split()[1 if '{' not in line else 2]}: no such file or folder; check the path"
        in text
    )


@pytest.mark.parametrize(
    "line", ["check nowhere", "compare --data nowhere", "train nowhere --out m.skops"]
)
def test_a_missing_folder_is_named(complaint, line):
    code, text = complaint(line)
    assert code == 2
    assert "The folder 'nowhere' does not exist; check the path." in text


@pytest.mark.parametrize("line", ["predict a.wav empty --model model.skops", EXPLAIN])
def test_a_folder_without_recordings_leaves_the_others(complaint, folder, tmp_path, capsys, line):
    (folder / "empty").mkdir(exist_ok=True)
    code = main(line.format(out=tmp_path).split())
    out, err = capsys.readouterr()
    assert code == 1
    assert "a.wav" in out
    assert (
        len(re.findall("empty: (the folder holds no sound files|not a file, but a folder)", err))
        == 1
    )
    code, text = complaint(line.format(out=tmp_path).replace("a.wav", ""))
    assert code == 2
    assert text.startswith(f"heartkd {line.split()[0]}: The folder empty holds no sound files (.")


@pytest.mark.parametrize(
    "line", ["train rec --out m.skops", "check rec", "compare --data rec --out c"]
)
def test_a_pattern_that_is_none_is_named(complaint, folder, line):
    for name in ("ill", "well"):
        (folder / "rec" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.wav", folder / "rec" / name)
    code, text = complaint(f"{line} --layout folder --subject p(")
    assert code == 2
    assert text.startswith(
        f"heartkd {line.split()[0]}: subject='p(' is not a regular expression (missing ), unterminated "
    )
    assert "; correct it" in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "explain model.skops a.wav --out o --timing t.csv",
            "The file t.csv does not exist; check",
        ),
        (
            "explain model.skops a.wav --out a.wav",
            "The folder a.wav cannot be made, because there is a file",
        ),
        ("export model.skops --out nowhere/m.onnx", "The folder nowhere of m.onnx does not exist"),
        ("export model.skops --recordings no", "--recordings no is not a folder; give the folder"),
        ("explain model.skops a.wav --out o --timing a.wav", "a.wav is not a text; save the table"),
        ("export .", ". is a folder; give a file of a model."),
        ("predict a.wav --model .", ". is a folder; give a file of a model."),
    ],
)
def test_other_paths_are_named_too(complaint, line, message):
    code, text = complaint(line)
    assert code == 2
    assert message in text
    assert "Errno" not in text


def test_a_warning_is_one_line(monkeypatch):
    def formatted():
        return warnings.formatwarning("odd", UserWarning, "file.py", 1)

    found = []
    monkeypatch.setattr("sklearn_heartkd.comparison.few_labels", lambda: found.append(formatted()))
    with pytest.raises(AttributeError):
        main(["compare"])
    assert found == ["heartkd compare: odd\n"]
    assert "UserWarning" in formatted()
