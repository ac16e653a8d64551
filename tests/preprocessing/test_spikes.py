import numpy as np
import pytest

from sklearn_heartkd import SpikeRemover


def heartbeat(n_samples=10000):
    return np.sin(2 * np.pi * 40 * np.arange(n_samples) / 2000 + 0.1)


def test_a_spike_is_zeroed_from_zero_crossing_to_zero_crossing():
    x = heartbeat()
    spoilt = x.copy()
    spoilt[4200:4204] = [5.0, 20.0, 7.0, 0.5]
    spoilt[[4199, 4204]] = -0.5
    cleaned = SpikeRemover().fit_transform([spoilt])[0]
    expected = spoilt.copy()
    expected[4200:4204] = 0
    np.testing.assert_array_equal(cleaned, expected)


def test_all_spikes_go_the_loudest_first():
    spoilt = heartbeat()
    for at in (120, 4100, 4400, 9990):
        spoilt[at] = 50.0
    cleaned = SpikeRemover().fit_transform([spoilt])[0]
    assert np.abs(cleaned).max() <= 1
    assert np.mean(cleaned == spoilt) > 0.98


def test_recordings_without_spikes_are_unchanged():
    x = heartbeat()
    x[5000:6000] *= 2.9
    np.testing.assert_array_equal(SpikeRemover().fit_transform([x])[0], x)


@pytest.mark.parametrize(("threshold", "n_changed"), [(2.0, 1), (6.0, 0)])
def test_threshold_is_the_ratio_to_the_median_peak(threshold, n_changed):
    x = np.tile([1.0, -1.0], 4000)
    x[4500] = 4.0
    cleaned = SpikeRemover(threshold=threshold).fit_transform([x])[0]
    assert np.sum(cleaned != x) == n_changed


def test_window_is_in_seconds():
    x = np.tile([1.0, -1.0], 500)
    x[100] = 9.0
    assert np.array_equal(SpikeRemover(window=0.5).fit_transform([x])[0], x)
    assert SpikeRemover(window=0.1).fit_transform([x])[0][100] == 0


def test_a_mostly_silent_recording_is_not_erased():
    x = np.zeros(10000)
    x[4000:4800] = heartbeat(800)
    np.testing.assert_array_equal(SpikeRemover().fit_transform([x])[0], x)
