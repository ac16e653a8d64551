import numpy as np
import pytest

from sklearn_heartkd import MFCC, LogMelSpectrogram
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.features._summary import STATISTICS

CLASSES = [MFCC, LogMelSpectrogram]


def sounds(dtype=np.float64):
    data = make_heart_sounds(6, classes=["murmur"], random_state=0).data.astype(dtype)
    return data * dtype([[1], [1e-2], [1e2], [1], [1], [1]])


def normalized(sequences):
    mean = sequences.mean(axis=2, keepdims=True)
    return (sequences - mean) / (sequences.std(axis=2, keepdims=True) + 1)


@pytest.mark.parametrize("estimator_class", CLASSES)
@pytest.mark.parametrize("options", [{}, {"normalize": False, "top_db": None}, {"top_db": 20.0}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_and_deviation_of_each_channel_are_removed(estimator_class, options, dtype):
    X = sounds(dtype)
    expected = normalized(estimator_class(**options).transform(X).astype(float))
    found = estimator_class(cmvn=True, **options).fit_transform(X)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=1e-4 if dtype == np.float32 else 1e-11)
    flat = estimator_class(cmvn=True, output="flat", **options).fit_transform(X)
    np.testing.assert_array_equal(flat, found.reshape(len(X), -1))


@pytest.mark.parametrize("estimator_class", CLASSES)
def test_gain_and_frequency_response_do_not_matter(estimator_class):
    X = np.random.default_rng(0).standard_normal((3, 10_000))
    features = estimator_class(cmvn=True, normalize=False)
    expected = features.transform(X)
    np.testing.assert_allclose(features.transform(100 * X), expected, atol=1e-10)
    equalized = np.apply_along_axis(np.convolve, 1, X, [1, -0.6], "same")  # 12 dB of tilt
    plain = estimator_class(normalize=False)
    difference = (plain.transform(equalized) - plain.transform(X)).mean(axis=2)
    assert np.abs(difference).max() > 4
    assert np.abs(features.transform(equalized) - expected).mean() < 0.12


@pytest.mark.parametrize("estimator_class", CLASSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_samples", [1, 100, 3001])
def test_silence_and_a_single_frame_are_zero(estimator_class, dtype, n_samples):
    silent = np.zeros((2, n_samples), dtype)
    for output in ("sequence", "flat", "summary"):
        features = estimator_class(cmvn=True, amin=3e-7, output=output).transform(silent)
        np.testing.assert_allclose(features, 0, atol=1e-6)
    short = np.random.default_rng(0).standard_normal((2, 127)).astype(dtype)
    assert (estimator_class(cmvn=True).transform(short) == 0).all()


def test_a_summary_describes_the_normalized_channels():
    X = sounds()
    table = MFCC(cmvn=True, output="summary").set_output(transform="pandas").fit_transform(X)
    assert table.shape == (6, 2 * 20 * len(STATISTICS))
    sequence = MFCC(cmvn=True).transform(X)
    np.testing.assert_allclose(table["mfcc3_std"], sequence[:, 3].std(axis=1))
    np.testing.assert_allclose(table["mfcc3_q10"], np.quantile(sequence[:, 3], 0.1, axis=1))
    deltas = np.diff(sequence[:, 3])
    np.testing.assert_allclose(table["mfcc3_delta_mean"], deltas.mean(axis=1))
    # zero itself, which a StandardScaler leaves, and not its rounding error
    assert (table[[f"mfcc{i}_mean" for i in range(20)]] == 0).all(axis=None)
    ragged = [X[0], X[1, :700], X[2]]
    np.testing.assert_allclose(
        MFCC(cmvn=True, output="summary").fit_transform(ragged)[[0, 2]],
        table.iloc[[0, 2]],
        atol=1e-10,
    )
