"""Thresholds and the training domain in saved and exported models."""

import ctypes
import itertools
import json
import shutil

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import (
    DomainDetector,
    export_c,
    export_onnx,
    load_model,
    runtime_model,
    save_model,
)
from sklearn_heartkd.deployment.runtime import (
    SOUND_STATISTICS,
    HeartSoundModel,
    domain_distances,
    read_domain,
    sound_statistics,
)
from sklearn_heartkd.metrics import ThresholdClassifier

HEARTS = make_heart_sounds(60, classes=("murmur", "normal"), random_state=1)
DEVICES = np.arange(60) % 3
SCOPE = "Made for tests."


@pytest.fixture(scope="module")
def model(distilled, sounds):
    found = ThresholdClassifier(clone(distilled), pos_label="murmur", neg_label="normal")
    found.fit(sounds.data, sounds.target)
    murmur, normal = found.predict_proba(sounds.data)[:, 1:].T
    found.threshold = float(np.median(murmur / (murmur + normal)))  # so that both are answered
    return found


@pytest.fixture(scope="module")
def detector():
    return DomainDetector().fit(HEARTS.data, devices=DEVICES)


@pytest.fixture(scope="module")
def files(tmp_path_factory, model, detector, sounds):
    folder = tmp_path_factory.mktemp("decision")
    export_onnx(model, folder / "m.onnx", sounds.data[:6], domain=detector, scope=SCOPE)
    save_model(model, folder / "m.skops", domain=detector, scope=SCOPE)
    return folder


def noises(n=6):
    return list(np.random.default_rng(0).normal(0, 0.1, size=(n, 10000)).astype(np.float32))


def test_every_runtime_answers_as_the_model(files, model, detector, sounds):
    expected = model.predict(sounds.data)
    assert set(expected) == {"murmur", "normal"}
    exported = HeartSoundModel.load(files / "m.onnx")
    for runtime in (exported, runtime_model(model, domain=detector)):
        answers = [runtime.predict(row) for row in sounds.data]
        assert [answer.best for answer in answers] == expected.tolist()
        assert {a.label for a in answers} <= {"murmur", "normal", "poor recording"}
        two = model.predict_proba(sounds.data)[:, 1:]
        share = np.where(expected == "murmur", *(two / two.sum(axis=1, keepdims=True)).T)
        np.testing.assert_allclose([a.probability for a in answers], share, atol=1e-5)
        distances = [a.distance for a in answers]
        np.testing.assert_allclose(distances, -detector.score_samples(sounds.data), rtol=1e-5)
    np.testing.assert_array_equal(load_model(files / "m.skops").predict(sounds.data), expected)


def test_what_is_unlike_the_training_is_a_poor_recording(files):
    runtime = HeartSoundModel.load(files / "m.onnx")
    for noise in noises():
        answer = runtime.predict(noise)
        assert answer.distance > 1
        assert answer.label == "poor recording"
        assert f"unlike the training recordings ({answer.distance:.1f})" in answer.problems
    known = [runtime.predict(row) for row in HEARTS.data]
    assert np.mean([answer.distance <= 1 for answer in known]) >= 0.9
    (result,) = runtime.stream().push(noises()[0][:6000])
    assert result.smoothed.label == "poor recording"


def test_the_command_keeps_domain_and_scope(files, tmp_path, capsys):
    import soundfile

    soundfile.write(tmp_path / "noise.wav", noises()[0], 2000)
    assert main(["export", str(files / "m.skops"), "--out", str(tmp_path / "again.onnx")]) == 0
    capsys.readouterr()
    for path in (files / "m.skops", files / "m.onnx", tmp_path / "again.onnx"):
        wave = str(tmp_path / "noise.wav")
        assert main(["predict", wave, wave, "--model", str(path)]) == 0
        out, err = capsys.readouterr()
        assert out.count("poor recording (") == 2
        assert out.count("unlike the training recordings") == 2
        assert err.count(SCOPE) == 1
    main(["predict", wave, "--model", str(path), "--json"])
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["distance"] > 1


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_c_decides_as_the_model(tmp_path, model, distilled, sounds):
    import subprocess

    probabilities = np.ascontiguousarray(model.predict_proba(sounds.data), np.float32)
    plain = distilled.classes_[probabilities.argmax(axis=1)]
    for name, one, expected in (("t", model, model.predict(sounds.data)), ("p", distilled, plain)):
        written = export_c(one, tmp_path / f"{name}.c", sounds.data[:2])
        library = tmp_path / f"{name}.so"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", written.source, "-o", library, "-lm"], check=True
        )
        decide = ctypes.CDLL(str(library)).heartkd_decide
        pointers = (row.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for row in probabilities)
        answers = [str(one.classes_[decide(pointer)]) for pointer in pointers]
        assert answers == expected.tolist()


def test_statistics_by_a_plain_loop():
    wave, rate = HEARTS.data[0][:7000], 2000
    frames = [wave[i : i + 128] * np.hanning(129)[:-1] for i in range(0, len(wave) - 127, 64)]
    power = np.array([np.abs(np.fft.rfft(frame)) ** 2 for frame in frames])
    edges, frequencies = np.geomspace(30, 800, 17), np.fft.rfftfreq(128, 1 / rate)
    curves = []
    for low, high in itertools.pairwise(edges):
        first, last = np.searchsorted(frequencies, [low, high])
        curves.append(10 * np.log10(power[:, first : max(last, first + 1)].mean(axis=1) + 1e-10))
    curves = [curve - curve.mean() for curve in curves]
    total = [np.mean(curve**2) + 1 for curve in curves]
    lags = [
        np.mean([np.mean(c[:-k] * c[k:]) / r for c, r in zip(curves, total, strict=True)])
        for k in range(1, 48)
    ]
    found = dict(zip(SOUND_STATISTICS, sound_statistics(wave, rate), strict=True))
    assert found["depth"] == pytest.approx(np.log(np.mean(np.sqrt(total))), rel=1e-5)
    assert found["decay"] == pytest.approx(lags[0], rel=1e-4)
    assert found["dip"] == pytest.approx(min(lags[2:16]), rel=1e-4)
    assert found["recurrence"] == pytest.approx(max(lags[8:]), rel=1e-4)
    pairs = zip(curves[:-1], total[:-1], curves[1:], total[1:], strict=True)
    coherence = np.mean([np.mean(a * b) / np.sqrt(p * q) for a, p, b, q in pairs])
    assert found["coherence"] == pytest.approx(coherence, rel=1e-4)


def test_statistics_ignore_gain_and_take_any_recording():
    wave = HEARTS.data[3]
    np.testing.assert_allclose(
        sound_statistics(wave, 2000), sound_statistics(0.2 * wave, 2000), atol=0.02
    )
    for odd in (np.zeros(5), np.zeros(9000), np.ones(1), np.ones(10**6, np.float32)):
        assert np.isfinite(sound_statistics(odd, 2000)).all()
        assert np.isfinite(sound_statistics(odd, 500)).all()


def test_the_limit_is_chosen_on_devices_left_out(detector):
    # a device whose hearts lie apart, in noise: once it is known, the limit is as far as it was
    noisy = [x + 3 * np.abs(x).max() * n for x, n in zip(HEARTS.data, noises(60), strict=True)]
    X, devices = [*HEARTS.data, *noisy], np.r_[DEVICES, np.full(60, 3)]
    known = DomainDetector().fit(X, devices=devices)
    assert known.centers_.shape == (4, len(SOUND_STATISTICS))
    assert (detector.predict(noisy) == -1).mean() > 0.9
    assert (known.predict(X) == 1).mean() >= 0.95
    assert known.limit_ > detector.limit_ > DomainDetector().fit(HEARTS.data).limit_


def test_distances_are_those_of_mahalanobis(detector):
    statistics = np.array([sound_statistics(row, 2000) for row in HEARTS.data])
    precision = detector.whitening_ @ detector.whitening_.T
    by_hand = [
        min(np.sqrt((row - c) @ precision @ (row - c)) for c in detector.centers_)
        for row in statistics
    ]
    np.testing.assert_allclose(-detector.score_samples(HEARTS.data) * detector.limit_, by_hand)
    domain = read_domain(detector.to_json())
    np.testing.assert_allclose(domain_distances(domain, statistics) * detector.limit_, by_hand)


WRONG = {
    "decision": (
        "",
        "3",
        '["murmur", "x", 0.5]',
        '["murmur", "murmur", 0.5]',
        '["murmur", "normal", 2]',
    ),
    "domain": ("", "[]", "{}", '{"centers": [[0]], "whitening": [[1]], "limit": 1}', "null"),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in WRONG for value in WRONG[key]])
def test_wrong_metadata_are_refused(files, key, value):
    model = HeartSoundModel.load(files / "m.onnx")
    with pytest.raises(ValueError, match="metadata of the model"):
        HeartSoundModel(model._run, model.metadata | {key: value})
