"""The model that ships inside the package."""

import shutil
import subprocess

import numpy as np
import pytest

from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import _files, load_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel

MODEL = _files.bundled_model()


@pytest.fixture(scope="module")
def model():
    return HeartSoundModel.load(MODEL)


@pytest.fixture(scope="module")
def saved():
    return load_model(MODEL.with_suffix(".skops"))


def test_it_tells_what_it_is(model):
    assert model.classes == ["murmur", "normal"]
    assert model.decision[:2] == ("murmur", "normal")
    assert model.sampling_rate == 2000
    assert len(model.domain["centers"]) == 7
    assert "PASCAL" in model.metadata["training_data"]
    assert "Not a medical device" in model.metadata["scope"]
    assert MODEL.stat().st_size <= 110_000


def test_both_files_are_of_one_fit(model, saved):
    sounds = make_heart_sounds(12, duration=7.0, random_state=3)
    recordings = [row[: len(row) - 700 * i] for i, row in enumerate(sounds.data)]
    found = [model.predict_proba(row) for row in recordings]
    np.testing.assert_allclose(found, saved.predict_proba(recordings), atol=1e-5)
    answers = [model.predict(row).best for row in recordings]
    assert answers == saved.predict(recordings).tolist()
    assert float(model.decision[2]) == saved.threshold
    as_saved = _files.load_any(MODEL.with_suffix(".skops"))
    assert as_saved.metadata["domain"] == model.metadata["domain"]


def test_its_card_warns_and_shows_devices_left_out():
    card = (MODEL.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Not a medical device" in card
    for device in "ABadef":
        assert f"\n| {device} |" in card


def test_what_it_answers(model, sounds):
    labels = set()
    for row in sounds.data[::3]:
        answer = model.predict(row)
        assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
        labels.add(answer.label)
    noise = np.random.default_rng(0).normal(0, 0.1, 10000)
    for wave in (np.zeros(5000), noise):
        assert model.predict(wave).label == "poor recording"
    assert labels <= {"murmur", "normal", "poor recording"}


@pytest.mark.recordings
def test_it_knows_the_recordings_that_it_was_trained_on(model, pascal_path):
    found = {"murmur": [], "normal": []}
    for label, guesses in found.items():
        for path in sorted(pascal_path.glob(f"set_b/{label}__*.wav"))[::12]:
            prediction = _files.predict_file(model, str(path)).prediction
            guesses.append(prediction.best == label)
            assert prediction.distance < 2
    assert np.mean(found["murmur"]) > 0.6
    assert np.mean(found["normal"]) > 0.6


def test_it_becomes_a_c_program(tmp_path, monkeypatch):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--to", "c"]) == 0
    name = MODEL.stem
    command = ["gcc", "-std=c99", "-O2", f"{name}.c", f"{name}_test.c", "-lm", "-o", "check"]
    subprocess.run(command, check=True)
    assert subprocess.run(["./check"], capture_output=True).returncode == 0
