import shutil
from pathlib import Path

import pandas as pd
import pytest
import soundfile
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import MFCC, LogMelSpectrogram, StudentClassifier, WindowedClassifier
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import save_model
from sklearn_heartkd.inspection._files import picture_names


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    sounds = make_heart_sounds(
        12, classes=("normal", "murmur"), n_subjects=12, duration=2.0, random_state=0
    )
    network = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=1, random_state=0))
    model = WindowedClassifier(network, window=1.0, hop=0.5).fit(
        [row[: 3000 + 50 * i] for i, row in enumerate(sounds.data)], sounds.target
    )
    save_model(model, folder / "student.skops")
    forest = make_pipeline(MFCC(output="summary"), RandomForestClassifier(5, random_state=0))
    save_model(forest.fit(sounds.data, sounds.target), folder / "forest.skops")
    for i in range(2):
        soundfile.write(folder / f"{i}.wav", sounds.data[i] / 2, 2000)
    return folder


def explain(folder, *arguments, model="student.skops"):
    arguments = [str(argument) for argument in arguments]
    return main(["explain", str(folder / model), *arguments])


def test_pictures_and_table(folder, tmp_path, capsys):
    timing = tmp_path / "timing.csv"
    timing.write_text("fname,cycle,sound,location\nset_a/0.wav,1,S1,22050\n")
    out = tmp_path / "out"
    arguments = ["--target", "murmur", "--timing", timing]
    assert explain(folder, folder / "0.wav", folder / "1.wav", "--out", out, *arguments) == 0
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert pictures == sorted(f"{i}_{k}.png" for i in "01" for k in ("heat", "waveform", "bands"))
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
    table = pd.read_csv(out / "explanations.csv")
    assert table["class"].tolist() == ["murmur", "murmur"]
    assert (table["method"] == "deep").all()
    assert table["additivity error"].max() < 1e-4
    assert "explanations.csv" in capsys.readouterr().out


def test_unreadable_file(folder, tmp_path, capsys):
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    out = tmp_path / "out"
    assert explain(folder, broken, folder / "0.wav", "--out", out, "--background", folder) == 1
    assert "broken.wav" in capsys.readouterr().err
    assert (out / "0_heat.png").exists()


def test_wrong_usage(folder, tmp_path, capsys):
    arguments = [folder / "0.wav", "--out", tmp_path]
    assert explain(folder, *arguments, "--target", "whistle") == 2
    assert "'whistle' is not in the classes" in capsys.readouterr().err
    assert explain(folder, *arguments, "--method", "tree") == 1
    assert "use method='kernel'" in capsys.readouterr().err


def test_forest_of_mfcc(folder, tmp_path, capsys):
    arguments = [folder / "0.wav", "--out", tmp_path]
    assert explain(folder, *arguments, model="forest.skops") == 2
    assert "trust" in capsys.readouterr().err
    arguments.append("--trust")
    assert explain(folder, *arguments, model="forest.skops") == 1
    assert "method='kernel'" in capsys.readouterr().err
    assert explain(folder, *arguments, "--method", "kernel", model="forest.skops") == 0
    assert (tmp_path / "0_heat.png").exists()


def test_files_of_one_name(folder, tmp_path):
    files = [tmp_path / "a" / "x.wav", tmp_path / "b" / "x.wav", tmp_path / "b" / "y.wav"]
    for i, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((folder / f"{i % 2}.wav").read_bytes())
    assert explain(folder, *files, "--out", tmp_path / "out") == 0
    pictures = {path.name for path in (tmp_path / "out").glob("*_heat.png")}
    assert pictures == {"a_x_heat.png", "b_x_heat.png", "y_heat.png"}


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["d/x.wav", "d/x.flac", "e/x.wav", "y.wav"], ["d_x", "d_x_2", "e_x", "y"]),
        (["a/b/x.wav", "c/b/x.wav", "c/b/x.flac"], ["b_x", "b_x_2", "b_x_3"]),
        (["p/a_x.wav", "a/x.wav", "b/x.wav"], ["a_x", "a_x_2", "b_x"]),
        (["/x.wav", "/r/x.wav"], ["_x", "r_x"]),
        (["a/X.wav", "b/x.wav", "B/x.wav"], ["a_X", "b_x", "B_x_2"]),
        (["a/\x1b[2J\n.wav", "a/\udcff.wav"], ["_[2J_", "_"]),
    ],
)
def test_picture_names_differ(names, stems):
    assert picture_names(names) == dict(zip(names, stems, strict=True))


def test_names_that_are_not_plain_text(folder, tmp_path, capsys):
    file = tmp_path / "=1+\x1b[2J\n.wav"
    shutil.copy(folder / "0.wav", file)
    assert explain(folder, file, "--out", tmp_path) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert r"=1+\x1b[2J\n.wav" in shown.out
    [name] = pd.read_csv(tmp_path / "explanations.csv")["file"]
    assert Path(name).name == r"=1+\x1b[2J\n.wav"
    assert (tmp_path / "=1+_[2J__heat.png").exists()


def test_one_file_does_not_stop_the_others(folder, tmp_path, capsys, monkeypatch):
    def fail_once(*args, **kwargs):
        monkeypatch.undo()
        raise RuntimeError("something else")

    monkeypatch.setattr("sklearn_heartkd.inspection._files.explain", fail_once)
    assert explain(folder, folder / "0.wav", folder / "1.wav", "--out", tmp_path) == 1
    assert "something else" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "explanations.csv")["file"].tolist() == [str(folder / "1.wav")]
    assert (tmp_path / "1_heat.png").exists()
    assert not (tmp_path / "0_heat.png").exists()


def test_a_failed_picture_leaves_the_old_ones(folder, tmp_path, monkeypatch):
    def fail(self, file, **kwargs):
        Path(file).write_text("half")
        raise OSError("disk full")

    (tmp_path / "0_heat.png").write_text("old")
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    assert explain(folder, folder / "0.wav", "--out", tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["0_heat.png"]
    assert (tmp_path / "0_heat.png").read_text() == "old"
