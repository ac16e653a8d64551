import librosa
import numpy as np
import pytest

from sklearn_heartkd import MFCC, LogMelSpectrogram
from sklearn_heartkd.features._front_end import standardize

STFTS = {
    "default": {"n_fft": 128, "hop_length": 64, "n_mels": 32, "fmin": 20.0, "fmax": 800.0},
    "long": {"n_fft": 256, "hop_length": 40, "n_mels": 40, "fmin": 0.0, "fmax": None},
    "odd": {"n_fft": 201, "hop_length": 301, "n_mels": 24, "fmin": 50.0, "fmax": 1000.0},
}


def recordings(dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 2500)) * 10.0 ** np.array([[0], [4], [-4], [0], [2]])
    X[3, 500:2000] = 0
    X[4] += 1e3
    return X.astype(dtype)


def log_mel(x, sampling_rate, **stft):
    power = librosa.feature.melspectrogram(y=x, sr=sampling_rate, center=False, **stft)
    return librosa.power_to_db(power)


def mfcc(x, sampling_rate, **stft):
    return librosa.feature.mfcc(y=x, sr=sampling_rate, n_mfcc=20, center=False, **stft)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stft", STFTS)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    ("estimator_class", "reference"), [(MFCC, mfcc), (LogMelSpectrogram, log_mel)]
)
def test_each_row_equals_librosa_on_it_alone(estimator_class, reference, normalize, stft, dtype):
    X = recordings(dtype)
    estimator = estimator_class(normalize=normalize, **STFTS[stft])
    features = estimator.fit_transform(X)
    for x, row in zip(X, features, strict=True):
        expected = reference(standardize(x) if normalize else x, 2000, **STFTS[stft])
        assert row.dtype == expected.dtype
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-3)


def test_defaults_are_those_compared_here():
    np.testing.assert_array_equal(
        MFCC().transform(recordings(float)), MFCC(**STFTS["default"]).transform(recordings(float))
    )


@pytest.mark.parametrize("top_db", [None, 30.0])
@pytest.mark.parametrize("amin", [1e-10, 1e-2])
def test_the_logarithm_is_librosas(top_db, amin):
    X = recordings(np.float64)
    estimator = LogMelSpectrogram(normalize=False, top_db=top_db, amin=amin)
    for x, row in zip(X, estimator.transform(X), strict=True):
        power = librosa.feature.melspectrogram(y=x, sr=2000, center=False, **STFTS["default"])
        expected = librosa.power_to_db(power, top_db=top_db, amin=amin)
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-3)


def test_a_recording_of_many_blocks_equals_librosa():
    x = np.random.default_rng(0).standard_normal(200_000).astype(np.float32)
    features = LogMelSpectrogram(normalize=False).transform([x])[0]
    assert features.shape == (32, 3124)
    np.testing.assert_allclose(features, log_mel(x, 2000, **STFTS["default"]), rtol=1e-5, atol=1e-3)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("estimator_class", "reference"), [(MFCC, mfcc), (LogMelSpectrogram, log_mel)]
)
def test_real_recordings_equal_librosa(estimator_class, reference, pascal_path):
    import soundfile

    paths = sorted((pascal_path / "set_b").glob("normal__*.wav"))[:5]
    stft = STFTS["long"]
    for path in paths:
        x, sampling_rate = soundfile.read(path, dtype="float32")
        estimator = estimator_class(sampling_rate=sampling_rate, normalize=False, **stft)
        features = estimator.fit_transform([x])[0]
        expected = reference(x, sampling_rate, **stft)
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-3)
