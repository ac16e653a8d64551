import librosa
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import Autocorrelogram, LogMelSpectrogram
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.features._front_end import autocorrelate

LENGTHS = [10_000, 2_000, 1_601, 320, 256, 255, 128, 127, 5, 1]


def recordings(dtype=np.float64):
    sounds = make_heart_sounds(len(LENGTHS), classes=["murmur"], random_state=0).data
    return [row[:n].astype(dtype) for row, n in zip(sounds, LENGTHS, strict=True)]


def curves(recording):
    """The bands in decibels, less their means."""
    bands = LogMelSpectrogram(normalize=False, top_db=None).transform(recording[np.newaxis])[0]
    return (bands - bands.mean(axis=1, keepdims=True)).astype(float)


def by_loops(x, n_lags):
    n = len(x)
    found = np.zeros(n_lags)
    for k in range(1, n_lags + 1):
        if k <= n / 2:
            found[k - 1] = sum(x[t] * x[t + k] for t in range(n - k)) / (n - k)
    return found / (sum(x**2) / n + 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_formula(dtype):
    rows = recordings(dtype)
    found = Autocorrelogram().fit_transform(rows)
    assert (found.shape, found.dtype) == ((len(rows), 32, 24), dtype)
    for row, features in zip(rows, found, strict=True):
        expected = [by_loops(x, 24) for x in curves(row)]
        np.testing.assert_allclose(features, expected, atol=1e-4 if dtype == np.float32 else 1e-12)
    assert np.abs(found[0]).max() > 0.3


def test_sums_of_products_are_librosas():
    rng = np.random.default_rng(0)
    x = 10 * rng.standard_normal(150)
    x -= x.mean()
    sums = librosa.autocorrelate(x, max_size=41)
    expected = sums[1:] / (150 - np.arange(1, 41)) / (sums[0] / 150 + 1)
    np.testing.assert_allclose(autocorrelate(x, 40), expected, atol=1e-12)


def test_lags_above_half_of_the_recording_are_zero():
    (features,) = Autocorrelogram(n_lags=300).transform(recordings()[1:2])  # of 30 frames
    assert (features[:, 15:] == 0).all()
    assert (features[:, :15] != 0).all()


def test_flat_is_the_sequence_laid_out_with_names_that_need_no_fit():
    rows = recordings()
    flat = Autocorrelogram(output="flat", n_mels=8, n_lags=23)
    names = flat.get_feature_names_out()
    assert (len(names), names[0], names[-1]) == (184, "mel0_lag1", "mel7_lag23")
    table = flat.set_output(transform="pandas").fit_transform(rows)
    assert list(table.columns) == list(names)
    sequence = Autocorrelogram(n_mels=8, n_lags=23).transform(rows)
    np.testing.assert_array_equal(table["mel3_lag12"], sequence[:, 3, 11])


@pytest.mark.parametrize("output", ["sequence", "flat"])
def test_each_recording_is_treated_by_itself(output):
    rows = [row * 10.0 ** (i % 5) for i, row in enumerate(recordings())]
    estimator = Autocorrelogram(output=output).fit(np.ones((2, 500)))
    alone = np.concatenate([estimator.transform([row]) for row in rows])
    np.testing.assert_array_equal(estimator.transform(rows), alone)
    same = np.stack([row[:1_601] for row in rows[:3]])
    threaded = Autocorrelogram(output=output, n_jobs=2).transform(np.repeat(same, 9, axis=0))
    alone = np.repeat(estimator.transform(list(same)), 9, axis=0)
    np.testing.assert_allclose(threaded, alone, atol=1e-12)


def test_gain_offset_and_frequency_response_do_not_matter():
    rng = np.random.default_rng(0)
    seconds = np.arange(10_000) / 2000
    beats = (1 + 0.9 * np.sin(2 * np.pi * 1.2 * seconds)) * rng.standard_normal((3, 10_000))
    expected = Autocorrelogram().transform(beats)
    np.testing.assert_allclose(Autocorrelogram().transform(100 * beats + 5), expected, atol=1e-6)
    equalized = np.apply_along_axis(np.convolve, 1, beats, [1, -0.6], "same")  # 12 dB of tilt
    found = Autocorrelogram().transform(equalized)
    plain = LogMelSpectrogram().transform(equalized) - LogMelSpectrogram().transform(beats)
    assert np.abs(plain.mean(axis=2)).max() > 4
    assert np.abs(found - expected).max() < 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("amin", [1e-10, 3e-7])
def test_silence_is_zero(amin, dtype):
    silent = np.zeros((1, 9_999), dtype)
    assert (Autocorrelogram(amin=amin).transform(silent) == 0).all()


def test_a_linear_model_cannot_read_the_length():
    """Noise that beats at 0.8 to 1.5 Hz, of 3 s and of 6 s; the biased estimate for comparison."""
    rng = np.random.default_rng(0)
    is_long = np.arange(200) % 2
    rows = []
    for seconds in 3 + 3 * is_long:
        turns = rng.uniform(0.8, 1.5) * np.arange(2000 * seconds) / 2000 + rng.uniform()
        level = 1 + 0.9 * np.sin(2 * np.pi * turns)
        rows.append((level * rng.standard_normal(len(level))).astype(np.float32))
    features = Autocorrelogram().transform(rows)
    n_frames = np.array([1 + (len(row) - 128) // 64 for row in rows])
    biased = features * (1 - np.arange(1, 25) / n_frames[:, np.newaxis, np.newaxis])

    def area(X):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        X = X.reshape(len(X), -1)
        return roc_auc_score(
            is_long, cross_val_predict(model, X, is_long, cv=5, method="decision_function")
        )

    assert abs(area(features) - 0.5) < 0.12
    assert area(biased) > 0.7


@pytest.mark.parametrize("parameters", [{"n_lags": 0}, {"output": "summary"}])
def test_wrong_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        Autocorrelogram(**parameters).fit(np.ones((2, 500)))
