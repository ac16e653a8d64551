"""The model that ships inside the package."""

import numpy as np
import pytest

from sklearn_heartkd.deployment import _files
from sklearn_heartkd.deployment.runtime import HeartSoundModel

MODEL = _files.bundled_model()


@pytest.fixture(scope="module")
def model():
    return HeartSoundModel.load(MODEL)


def test_it_tells_what_it_is(model):
    assert model.classes == ["artifact", "extrahls", "extrastole", "murmur", "normal"]
    assert model.sampling_rate == 2000
    assert "PASCAL" in model.metadata["training_data"]
    assert MODEL.stat().st_size <= 110_000


def test_its_card_warns_and_gives_scores():
    card = (MODEL.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Not a medical device" in card
    assert "95 % interval" in card
    for label in ("artifact", "extrahls", "extrastole", "murmur", "normal"):
        assert f"| {label}, recall |" in card


def test_it_answers_about_any_recording(model, sounds):
    for row in sounds.data[::6]:
        probabilities = model.predict_proba(row)
        assert probabilities.shape == (5,)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert model.predict(np.zeros(5000)).label == "poor recording"


@pytest.mark.recordings
def test_it_knows_the_recordings_that_it_was_trained_on(model, pascal_path):
    found = {"murmur": [], "normal": []}
    for label, guesses in found.items():
        for path in sorted(pascal_path.glob(f"set_b/{label}__*.wav"))[::12]:
            prediction = _files.predict_file(model, str(path)).prediction
            guesses.append(prediction.best == label)
    assert np.mean(found["murmur"]) > 0.6
    assert np.mean(found["normal"]) > 0.6
