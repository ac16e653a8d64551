import numpy as np
import pytest
from scipy import stats

from sklearn_heartkd import MFCC, LogMelSpectrogram


def noise(n_recordings=3, n_samples=1200):
    return np.random.default_rng(0).standard_normal((n_recordings, n_samples))


def test_shape_of_a_sequence():
    assert MFCC().fit_transform(noise(n_samples=10000)).shape == (3, 20, 155)
    assert LogMelSpectrogram(hop_length=20).fit_transform(noise()).shape == (3, 32, 54)


def test_flat_is_the_sequence_laid_out_with_names():
    X = noise()
    sequence = MFCC().transform(X)
    flat = MFCC(output="flat").set_output(transform="pandas").fit_transform(X)
    assert flat.shape == (3, sequence.shape[1] * sequence.shape[2])
    np.testing.assert_array_equal(flat["mfcc3_t12"], sequence[:, 3, 12])
    log_mel = LogMelSpectrogram(output="flat").set_output(transform="pandas").fit_transform(X)
    np.testing.assert_array_equal(log_mel["mel31_t0"], LogMelSpectrogram().transform(X)[:, 31, 0])


@pytest.mark.parametrize(
    ("statistic", "function"),
    [
        ("mean", np.mean),
        ("std", np.std),
        ("skew", stats.skew),
        ("min", np.min),
        ("max", np.max),
        ("q10", lambda values, axis: np.quantile(values, 0.1, axis=axis)),
        ("q25", lambda values, axis: np.quantile(values, 0.25, axis=axis)),
        ("median", np.median),
        ("q75", lambda values, axis: np.quantile(values, 0.75, axis=axis)),
        ("q90", lambda values, axis: np.quantile(values, 0.9, axis=axis)),
    ],
)
def test_summary_describes_each_channel_and_its_change_over_time(statistic, function):
    X = noise()
    sequence = MFCC().transform(X)
    table = MFCC(output="summary").set_output(transform="pandas").fit_transform(X)
    assert table.shape == (3, 400)
    np.testing.assert_allclose(table[f"mfcc3_{statistic}"], function(sequence, axis=2)[:, 3])
    expected = function(np.diff(sequence, axis=2), axis=2)[:, 3]
    np.testing.assert_allclose(table[f"mfcc3_delta_{statistic}"], expected)


def test_names_of_a_summary_need_no_fit():
    names = LogMelSpectrogram(output="summary").get_feature_names_out()
    assert names[0] == "mel0_mean"
    assert names[-1] == "mel31_delta_q90"


def test_summary_takes_recordings_of_different_length():
    ragged = [row[:n] for row, n in zip(noise(), (700, 1200, 30), strict=True)]
    estimator = MFCC(output="summary").set_output(transform="pandas")
    table = estimator.fit_transform(ragged)
    assert table.shape == (3, 400)
    for i, row in enumerate(ragged):
        alone = MFCC(output="summary").transform(row[np.newaxis])[0]
        np.testing.assert_allclose(table.iloc[i], alone, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("output", ["sequence", "flat"])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_the_other_outputs_refuse_recordings_of_different_length(output, method):
    message = "700 to 1200 samples: put FixedLength .* output='summary', .* WindowedClassifier"
    with pytest.raises(ValueError, match=message):
        getattr(MFCC(output=output), method)([noise()[0], noise()[1, :700]])


@pytest.mark.parametrize("n_samples", [1, 50, 127])
@pytest.mark.parametrize("normalize", [True, False])
def test_a_short_recording_is_looped_to_one_frame(n_samples, normalize):
    x = noise(1, n_samples) + 1
    features = LogMelSpectrogram(normalize=normalize).transform(x)
    assert features.shape == (1, 32, 1)
    if not normalize:
        looped = np.tile(x, 128)[:, :128]
        expected = LogMelSpectrogram(normalize=False).transform(looped)
        np.testing.assert_allclose(features, expected)
    summary = LogMelSpectrogram(output="summary").set_output(transform="pandas").fit_transform(x)
    assert (summary.filter(like="_delta") == 0).all(axis=None)


def test_loudness_and_offset_do_not_matter_unless_asked_for():
    X = noise()
    np.testing.assert_allclose(MFCC().transform(1e4 * X + 7), MFCC().transform(X), atol=1e-6)
    loud = LogMelSpectrogram(normalize=False).transform(1e2 * X)
    np.testing.assert_allclose(loud, LogMelSpectrogram(normalize=False).transform(X) + 40)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -3e4, 1e-30])
def test_a_constant_recording_is_silence(value, dtype):
    features = LogMelSpectrogram().transform(np.full((1, 3001), value, dtype=dtype))
    np.testing.assert_allclose(features, -100.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sampling_rate": 1000}, "fmax=800.0 Hz, but a sampling_rate of 1000 Hz .* 500 Hz"),
        ({"fmin": 900.0}, "fmin=900.0 Hz, which is not below fmax=800 Hz"),
        ({"n_mfcc": 33}, "n_mfcc=33, more than n_mels=32"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_impossible_parameters_are_refused(parameters, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(MFCC(**parameters), method)(noise())


def test_the_front_end_repeats_the_features_by_a_plain_dft():
    estimator = MFCC(n_mfcc=13)
    front_end = estimator._front_end()
    assert front_end.n_channels == 13
    x = noise()[0]
    waveform = (x - x.mean()) / x.std()
    time, bins = np.arange(front_end.n_fft), np.arange(front_end.n_fft // 2 + 1)
    dft = np.exp(-2j * np.pi * np.outer(bins, time) / front_end.n_fft) * front_end.window
    starts = front_end.hop_length * np.arange(front_end.n_frames(len(x)))
    frames = np.stack([waveform[start : start + front_end.n_fft] for start in starts], axis=1)
    power = front_end.mel @ np.abs(dft @ frames) ** 2
    decibels = 10 * np.log10(np.maximum(power, front_end.amin))
    decibels = np.maximum(decibels, decibels.max() - front_end.top_db)
    np.testing.assert_allclose(front_end.dct @ decibels, estimator.transform([x])[0], atol=1e-4)
    assert LogMelSpectrogram()._front_end().dct is None


def test_unaligned_recordings_give_the_same_to_the_last_bit():
    X = np.random.default_rng(0).standard_normal((2, 10_000), dtype=np.float32)
    unaligned = np.frombuffer(b"." + X.tobytes(), np.float32, offset=1).reshape(X.shape)
    assert not unaligned.flags.aligned
    mfcc = MFCC(output="summary")
    np.testing.assert_array_equal(mfcc.fit_transform(unaligned), mfcc.fit_transform(X))
    ragged = [[rows[0], rows[1, :9_000]] for rows in (unaligned, X)]
    np.testing.assert_array_equal(*map(mfcc.fit_transform, ragged))
