import csv
import io
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sklearn_heartkd import MFCC
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds, store
from sklearn_heartkd.deployment import _files, save_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel


@pytest.fixture(scope="module")
def sound():
    return make_heart_sounds(1, classes=["normal"], random_state=0).data[0]


@pytest.fixture
def folder(tmp_path, sound, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav", "c.wav"):
        soundfile.write(name, sound, 2000)
    return tmp_path


def run(capsys, *arguments):
    """Return the exit status and what was printed, with warnings as users see them."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = show  # pytest keeps warnings to itself
        status = main(["predict", *arguments])
    out, err = capsys.readouterr()
    return status, out, err.removeprefix(SCOPE)


def show(message, category, filename, line, *_):
    sys.stderr.write(warnings.formatwarning(message, category, filename, line))


SCOPE = f"heartkd predict: {_files.load_any().metadata['scope']}\n"  # of the bundled model


def test_a_store_is_predicted_like_its_recordings(folder, sound, capsys):
    data = np.stack([sound, 0.5 * sound[::-1]])
    store(Bunch(data=data, filenames=["b.wav", "r"], sampling_rate=2000), "stored")
    _, lines, _ = run(capsys, "--csv", "stored", "b.wav")
    first, second, file = (row[1:] for row in list(csv.reader(io.StringIO(lines)))[1:])
    np.testing.assert_allclose(
        [float(p) for p in first[4:]], [float(p) for p in file[4:]], atol=1e-3
    )
    assert second != first
    store(Bunch(data=data[:, :, None], sampling_rate=2000), "others")
    assert run(capsys, "others")[0] == 2


class Broken(BaseException):
    """What a library in another language may raise."""


@pytest.mark.parametrize(
    "error", [Broken("lost\nit"), RecursionError(), MemoryError(), KeyError("x"), ValueError("bad")]
)
@pytest.mark.parametrize("form", ["--json", "--csv", None])
def test_one_file_does_not_lose_the_others(folder, capsys, monkeypatch, error, form):
    predict = HeartSoundModel.predict
    seen, errors = [], []

    def break_second(self, waveform, rate):
        printed = capsys.readouterr()  # before this file
        seen.append(printed.out)
        errors.append(printed.err.removeprefix(SCOPE))
        if len(seen) == 2:
            raise error
        return predict(self, waveform, rate)

    monkeypatch.setattr(HeartSoundModel, "predict", break_second)
    status, out, err = run(capsys, ".", *([form] if form else []))
    assert status == 1
    assert "a.wav" in seen[1]
    assert errors[2].startswith("heartkd predict: b.wav: ")
    assert len("".join([*errors, err]).splitlines()) == 1
    whole = "".join(seen) + out
    if form == "--json":
        assert [("error" in entry, entry["file"]) for entry in json.loads(whole)] == [
            (False, "a.wav"),
            (True, "b.wav"),
            (False, "c.wav"),
        ]
    else:
        assert [name for name in ("a.wav", "b.wav", "c.wav") if name in whole] == ["a.wav", "c.wav"]


def test_an_interrupted_list_is_json(folder, capsys, monkeypatch):
    read = _files.predict_file

    def interrupt(model, name):
        if name == "b.wav":
            raise KeyboardInterrupt
        return read(model, name)

    monkeypatch.setattr(_files, "predict_file", interrupt)
    status, out, err = run(capsys, ".", "--json")
    assert status == 130
    assert "interrupted" in err
    assert [entry["file"] for entry in json.loads(out)] == ["a.wav"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_cannot_write_to_the_terminal(tmp_path, sound, capsys):
    name = os.fsdecode(b"=\x1b[2J\n\xff.wav")
    soundfile.write(os.fsencode(tmp_path / name), sound, 2000)
    with open(os.fsencode(tmp_path / f"{name}.wav"), "wb"):
        pass
    status, out, err = run(capsys, str(tmp_path))
    assert status == 1
    assert "\x1b" not in out + err
    assert len(out.splitlines()) == len(err.splitlines()) == 1
    _, out, _ = run(capsys, str(tmp_path), "--json")
    assert json.loads(out)[0]["file"] == str(tmp_path / name)
    os.chdir(tmp_path)
    _, out, _ = run(capsys, name, "--csv")
    assert next(csv.DictReader(io.StringIO(out)))["file"] == "'=\\x1b[2J\\n\\udcff.wav"


def test_other_audio_is_reported(folder, capsys):
    (folder / "d.m4a").write_bytes(b"")
    (folder / "._a.wav").write_bytes(b"\0\5\x16\7")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "a.wav").write_bytes(b"")
    status, out, err = run(capsys, ".")
    assert status == 0
    assert len(out.splitlines()) == 3
    assert err.startswith("heartkd predict: 1 audio file is left out")
    assert "ffmpeg -i d.m4a d.wav" in err
    (folder / "other").mkdir()
    (folder / "other" / "e.m4a").write_bytes(b"")
    status, _, err = run(capsys, "other")
    assert status == 2
    assert "holds no sound files" in err
    assert "ffmpeg" in err


def test_unfinished_recordings_are_reported(folder, capsys):
    content = bytearray((folder / "a.wav").read_bytes())
    content[40:44] = bytes(4)
    (folder / "a.wav").write_bytes(content)
    status, out, err = run(capsys, "a.wav")
    assert status == 0
    assert len(out.splitlines()) == 1
    assert err.startswith("heartkd predict: a.wav: unfinished")


def test_channel_of_the_model(folder, sound, capsys, monkeypatch):
    rng = np.random.default_rng(0)
    stereo = np.stack([rng.normal(scale=0.1, size=len(sound)), sound], axis=1)
    soundfile.write("stereo.wav", stereo, 2000)
    model = _files.load_any()
    lines = []
    for channel in ("mean", "left", "right", 1, 2):
        model.channel = channel
        monkeypatch.setattr(_files, "load_any", lambda path, trust: model)
        lines.append(run(capsys, "stereo.wav"))
    _, mono, _ = run(capsys, "a.wav")
    shown = [out.split()[1:] for _, out, _ in lines]
    assert shown[2] == shown[3] == mono.split()[1:]
    assert shown[1] != shown[2] != shown[0]
    assert lines[4][0] == 1
    assert "no channel 2" in lines[4][2]


@pytest.mark.parametrize("stream", [None, "closed", "terminal"])
def test_no_standard_input(folder, capsys, monkeypatch, stream):
    if stream is not None:
        stream, kind = io.TextIOWrapper(io.BytesIO()), stream
        if kind == "closed":
            stream.close()
        else:
            stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", stream)
    status, out, err = run(capsys, "-", "a.wav")
    assert status == 1
    assert len(out.splitlines()) == 1
    assert err.startswith("heartkd predict: -: standard input is ")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_pipes_and_devices_are_refused(folder, capsys):
    os.mkfifo("pipe.wav")
    status, out, err = run(capsys, ".", "/dev/zero", "/dev/stdin")
    assert status == 1
    assert len(out.splitlines()) == 3
    assert err.splitlines()[0] == (
        "heartkd predict: pipe.wav: not a regular file, but a pipe or a device"
    )


def test_a_forest_needs_trust(folder, capsys):
    sounds = make_heart_sounds(12, classes=("normal", "murmur"), random_state=0)
    forest = RandomForestClassifier(5, random_state=0)
    model = make_pipeline(MFCC(output="summary"), forest).fit(sounds.data, sounds.target)
    save_model(model, "forest.skops")
    status, _, err = run(capsys, "a.wav", "--model", "forest.skops")
    assert status == 2
    assert "trust" in err
    status, out, _ = run(capsys, "a.wav", "--model", "forest.skops", "--trust")
    assert status == 0
    assert out.startswith("a.wav")


def test_it_imports_only_what_it_needs(folder):
    code = (
        "import sys; from sklearn_heartkd.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, "predict", "a.wav"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = {"joblib", "tqdm", "pandas", "sklearn", "torch", "sklearn_heartkd.cli._train"}
    assert not heavy & set(done.stdout.split())
