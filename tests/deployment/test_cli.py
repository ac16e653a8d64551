import argparse
import csv
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import damaged_sounds
from sklearn_heartkd.cli import _export, _predict
from sklearn_heartkd.deployment import load_model, save_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel


def call(verb, *arguments):
    parser = argparse.ArgumentParser()
    verb.add_parser(parser.add_subparsers())
    name = verb.__name__.rpartition("_")[2]
    options = parser.parse_args([name, *map(str, arguments)])
    return options.func(options)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, distilled):
    return save_model(distilled, tmp_path_factory.mktemp("saved") / "model.skops")


@pytest.fixture(scope="module")
def exported(saved):
    assert call(_export, saved) == 0
    return saved.with_suffix(".onnx")


@pytest.fixture
def folder(tmp_path, sounds):
    (tmp_path / "deep").mkdir()
    for i, name in enumerate(["a.wav", "b.flac", "deep/c.WAV"]):
        waveform = 0.9 * sounds.data[i * 10] / np.abs(sounds.data[i * 10]).max()
        soundfile.write(tmp_path / name, waveform, 2000, format="FLAC" if "flac" in name else "WAV")
    (tmp_path / "notes.txt").write_text("no sound")
    return tmp_path


def test_lines(capsys, folder, exported, distilled):
    assert call(_predict, folder, "--model", exported) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        str(folder / name) for name in ("a.wav", "b.flac", "deep/c.WAV")
    ]
    for line in lines:
        assert set(line.split()) & {*distilled.classes_, "unsure", "poor"}


def test_json_and_csv_agree_with_the_model(capsys, folder, exported, saved, distilled):
    waveform = soundfile.read(folder / "a.wav", dtype="float32")[0]
    expected = distilled.predict_proba([waveform, waveform[:200]])[0]
    for model in (exported, saved):
        assert call(_predict, folder / "a.wav", "--model", model, "--json") == 0
        (entry,) = json.loads(capsys.readouterr().out)
        found = [entry["probabilities"][label] for label in distilled.classes_]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert entry["most_probable"] == distilled.classes_[expected.argmax()]
        assert entry["class"] in (entry["most_probable"], "unsure", "poor recording")
        assert set(entry) >= {"file", "probability", "quality"}
    assert call(_predict, folder, "--model", exported, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3
    found = [float(rows[0][label]) for label in distilled.classes_]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_standard_input(capsys, folder, exported, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO((folder / "a.wav").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert call(_predict, "-", "--model", exported) == 0
    assert capsys.readouterr().out.startswith("-  ")


@pytest.mark.parametrize("form", ["--json", "--csv", None])
def test_unreadable_files_are_named_and_the_others_predicted(capsys, folder, exported, form):
    (folder / "bad.wav").write_text("a text")
    options = [form] if form else []
    names = [folder, folder / "nowhere.wav"]
    assert call(_predict, *names, "--model", exported, *options) == 1
    out, err = capsys.readouterr()
    assert "bad.wav: not a sound file" in err
    assert "nowhere.wav: no such file" in err
    assert len(err.splitlines()) == 2
    if form == "--json":
        entries = json.loads(out)
        assert [entry["file"] for entry in entries if "error" in entry] == [
            str(folder / "bad.wav"),
            str(folder / "nowhere.wav"),
        ]
    else:
        assert len(out.splitlines()) == 3 + (form == "--csv")


def test_silence_is_a_poor_recording(capsys, tmp_path, exported):
    soundfile.write(tmp_path / "silence.wav", np.zeros(20000), 4000)
    assert call(_predict, tmp_path / "silence.wav", "--model", exported) == 0
    line = capsys.readouterr().out
    assert "poor recording (" in line
    assert line.rstrip().endswith("silence")


def test_wrong_usage_of_predict(tmp_path, exported):
    with pytest.raises(SystemExit) as stop:
        call(_predict)
    assert stop.value.code == 2
    with pytest.raises(ValueError, match=r"holds no sound files \(\.aif"):
        call(_predict, tmp_path, "--model", exported)
    with pytest.raises(OSError, match="nowhere"):
        call(_predict, "-", "--model", tmp_path / "nowhere.onnx")
    (tmp_path / "text.onnx").write_text("a text")
    (tmp_path / "text.skops").write_text("a text")
    for name in ("text.onnx", "text.skops"):
        with pytest.raises(ValueError, match="damaged"):
            call(_predict, "-", "--model", tmp_path / name)


def test_export_to_onnx_with_recordings(capsys, tmp_path, folder, saved):
    out = tmp_path / "out" / "m.onnx"
    out.parent.mkdir()
    options = ["--recordings", folder, "--int8", "--stand-alone"]
    assert call(_export, saved, "--out", out, *options) == 0
    shown = capsys.readouterr().out
    assert "differs from the model by at most" in shown
    assert "int8: differs by at most" in shown
    assert HeartSoundModel.load(out).metadata["weights"] == "int8"
    assert (out.parent / "heartkd_runtime.py").exists()


def test_export_to_c(capsys, saved):
    assert call(_export, saved, "--to", "c") == 0
    assert "model.c, model.h, model_test.c" in capsys.readouterr().out
    assert "void heartkd_reset" in saved.with_suffix(".h").read_text()


def test_wrong_usage_of_export(tmp_path, saved):
    with pytest.raises(ValueError, match="need --to onnx"):
        call(_export, saved, "--to", "c", "--int8")
    with pytest.raises(ValueError, match="--int8 needs --recordings"):
        call(_export, saved, "--int8")
    with pytest.raises(ValueError, match="is not a folder"):
        call(_export, saved, "--recordings", tmp_path / "nowhere")


def test_an_exported_model_is_no_model_to_load_or_export(exported):
    for call_with in (load_model, lambda path: call(_export, path)):
        with pytest.raises(
            ValueError, match=r"model\.onnx is an ONNX file of export_onnx, not a sa"
        ):
            call_with(exported)


def test_damaged_sound_files_are_refused_or_predicted(tmp_path):
    contents = damaged_sounds.whole_files()
    names = [str(tmp_path / f"{seed}.wav") for seed in range(100)]
    for seed, name in enumerate(names):
        content = contents[seed % len(contents)]
        damaged = damaged_sounds.mutate_sound(content, np.random.default_rng(seed))
        Path(name).write_bytes(damaged)
    with warnings.catch_warnings(action="ignore"):
        counts = damaged_sounds.predict(names)
    assert counts["traceback"] == counts["wrong"] == 0
    assert min(counts["predicted"], counts["refused"]) > 10
