import numpy as np
import pytest
from scipy import signal

from sklearn_heartkd import BandPassFilter

RATE = 2000


def tone(frequency, n_samples=8000):
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE + 0.3)


@pytest.mark.parametrize("method", ["iir", "fir"])
@pytest.mark.parametrize("frequency", [60, 100, 200, 300])
def test_the_band_passes_without_delay(method, frequency):
    x = tone(frequency)
    filtered = BandPassFilter(method=method).fit_transform([x])[0]
    inner = slice(1000, -1000)
    gain = filtered[inner] @ x[inner] / (x[inner] @ x[inner])
    assert 0.8 < gain < 1.02
    np.testing.assert_allclose(filtered[inner], gain * x[inner], atol=1e-3)


@pytest.mark.parametrize("method", ["iir", "fir"])
@pytest.mark.parametrize("frequency", [3, 900])
def test_what_lies_outside_is_removed(method, frequency):
    filtered = BandPassFilter(method=method).fit_transform([tone(frequency)])[0]
    assert np.abs(filtered[1000:-1000]).max() < 0.02


@pytest.mark.parametrize("method", ["iir", "fir"])
def test_an_offset_leaves_no_step_at_the_edges(method):
    filtered = BandPassFilter(method=method).fit_transform([tone(100) + 10.0])[0]
    assert np.abs(filtered).max() < 1.2


def test_the_iir_filter_is_butterworth_forwards_and_backwards():
    x = np.random.default_rng(0).standard_normal(3000)
    sos = signal.butter(4, (30, 300), "bandpass", fs=RATE, output="sos")
    filtered = BandPassFilter(low=30, high=300, order=4).fit_transform([x])[0]
    np.testing.assert_allclose(filtered, signal.sosfiltfilt(sos, x, padlen=67), atol=1e-10)


def test_the_fir_filter_is_one_symmetric_convolution():
    x = np.random.default_rng(0).standard_normal(3000)
    estimator = BandPassFilter(method="fir", fir_length=0.1)
    taps = estimator._taps()
    assert len(taps) == 201
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-15)
    filtered = estimator.fit_transform([x])[0]
    inner = np.convolve(x, taps, mode="valid")
    np.testing.assert_allclose(filtered[100:-100], inner, atol=1e-10)
    longer = BandPassFilter(method="fir", fir_length=0.2)
    assert len(longer._taps()) == 401


@pytest.mark.parametrize("method", ["iir", "fir"])
def test_a_recording_that_is_too_short_passes_unchanged(method):
    short = np.random.default_rng(0).standard_normal(80)
    filtered = BandPassFilter(method=method).fit_transform([short, tone(100)])
    np.testing.assert_array_equal(filtered[0], short)
    assert not np.array_equal(filtered[1], tone(100))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sampling_rate": 700}, "high=400.0 Hz, but a sampling_rate of 700 Hz .* 350 Hz"),
        ({"low": 500}, "low=500 Hz, which is not below high=400.0 Hz"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_impossible_bands_are_refused(parameters, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(BandPassFilter(**parameters), method)(np.ones((2, 500)))
