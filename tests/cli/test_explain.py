import pandas as pd
import pytest
import soundfile
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import MFCC, LogMelSpectrogram, StudentClassifier, WindowedClassifier
from sklearn_heartkd.cli import main
from sklearn_heartkd.cli._explain import _stems
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import save_model


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


def test_pictures_and_a_table_are_written(folder, tmp_path, capsys):
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
    assert "Pictures and explanations.csv are in" in capsys.readouterr().out


def test_a_file_that_is_no_sound_is_named_and_the_rest_is_done(folder, tmp_path, capsys):
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    out = tmp_path / "out"
    assert explain(folder, broken, folder / "0.wav", "--out", out, "--background", folder) == 1
    assert "broken.wav" in capsys.readouterr().err
    assert (out / "0_heat.png").exists()


def test_wrong_usage(folder, tmp_path, capsys):
    arguments = [folder / "0.wav", "--out", tmp_path]
    assert explain(folder, *arguments, "--target", "whistle") == 2
    assert "'whistle' is none of the classes" in capsys.readouterr().err
    assert explain(folder, *arguments, "--method", "tree") == 2
    assert "use method='kernel'" in capsys.readouterr().err


def test_a_forest_of_mfcc_has_no_bands_by_trees(folder, tmp_path, capsys):
    arguments = [folder / "0.wav", "--out", tmp_path]
    assert explain(folder, *arguments, model="forest.skops") == 2
    assert "method='kernel'" in capsys.readouterr().err
    assert explain(folder, *arguments, "--method", "kernel", model="forest.skops") == 0
    assert (tmp_path / "0_heat.png").exists()


def test_files_of_one_name_have_pictures_of_their_own(folder, tmp_path):
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
    ],
)
def test_every_file_has_a_name_of_its_own(names, stems):
    assert _stems(names) == dict(zip(names, stems, strict=True))
