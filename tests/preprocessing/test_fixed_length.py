import numpy as np
import pytest

from sklearn_heartkd import FixedLength


def test_short_recordings_are_looped_and_long_ones_cropped():
    recordings = [np.arange(3.0), np.arange(10.0)]
    fixed = FixedLength(duration=0.5, sampling_rate=10).fit_transform(recordings)
    assert fixed.tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]]


def test_duration_is_in_seconds():
    assert FixedLength().fit_transform(np.ones((2, 3))).shape == (2, 10000)
    assert FixedLength(duration=1.5, sampling_rate=4000).transform(np.ones((2, 3))).shape[1] == 6000


def test_single_precision_is_kept_for_ragged_recordings():
    recordings = [np.ones(3, dtype=np.float32), np.ones(5, dtype=np.float32)]
    assert FixedLength().fit_transform(recordings).dtype == np.float32


def test_a_duration_of_less_than_a_sample_is_refused():
    with pytest.raises(ValueError, match=r"duration=0.0001 s, which is less than a sample at 2000"):
        FixedLength(duration=0.0001).fit(np.ones((2, 3)))


def test_recordings_that_are_long_enough_are_not_copied():
    X = np.ones((2, 12))
    assert FixedLength(duration=1.2, sampling_rate=10).fit_transform(X) is X
    assert np.shares_memory(FixedLength(duration=1.0, sampling_rate=10).fit_transform(X), X)
