import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    FixedLength,
    LogMelSpectrogram,
    RhythmFeatures,
    SpikeRemover,
    WindowedClassifier,
)
from sklearn_heartkd.utils._recordings import (
    check_recordings,
    fit_length,
    is_ragged,
    map_recordings,
)


def checked(X, reset=True):
    return check_recordings(BandPassFilter(), X, reset=reset)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.int16, np.float64)],
)
def test_floating_point_types_are_kept_and_others_become_double(given, expected):
    assert checked(np.ones((2, 5), dtype=given)).dtype == expected
    ragged = checked([np.ones(5, dtype=given), np.ones(6, dtype=given)])
    assert [row.dtype for row in ragged] == [expected, expected]


def test_floating_point_arrays_are_not_copied():
    X = np.ones((2, 5), dtype=np.float32)
    assert np.shares_memory(checked(X), X)


@pytest.mark.parametrize("container", [list, tuple, "object", pd.Series])
def test_sequences_of_different_length_are_ragged_in_any_container(container):
    rows = [np.arange(3.0), np.arange(5.0)]
    X = np.array(rows, dtype=object) if container == "object" else container(rows)
    recordings = checked(X)
    assert is_ragged(recordings)
    for row, expected in zip(recordings, rows, strict=True):
        np.testing.assert_array_equal(row, expected)


@pytest.mark.parametrize("container", [list, "object", pd.Series])
def test_a_sequence_of_one_length_is_a_two_dimensional_array(container):
    rows = [np.arange(3.0), np.arange(3.0)]
    X = np.empty(2, dtype=object)
    X[:] = rows
    recordings = checked(X if container == "object" else container(rows))
    assert recordings.shape == (2, 3)


def test_ragged_recordings_forget_the_number_of_features():
    estimator = BandPassFilter().fit(pd.DataFrame(np.ones((2, 3)), columns=["a", "b", "c"]))
    estimator.fit([np.ones(3), np.ones(4)])
    assert not hasattr(estimator, "n_features_in_")
    assert not hasattr(estimator, "feature_names_in_")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.ones(3), np.array([1, np.nan])], "recording 1 with the value NaN at sample 1"),
        (np.array([[0, 1.0], [-np.inf, 0]]), "recording 1 with the value -inf at sample 0"),
        ([np.ones(3), np.array([])], "recording 1 without samples"),
        ([np.ones(3), np.ones((2, 9))], r"mono .* recording 1 has shape \(2, 9\)"),
        ([np.ones((2, 9))], r"mono .* recording 0 has shape \(2, 9\)"),
        ([np.ones(3), np.ones(4) * 1j], "recording 1 is of dtype complex128"),
        ([np.ones(3), 4.0], r"recording 1 has shape \(\)"),
        (np.ones(8), r"one 1-D array of 8 values: Reshape your data with X.reshape\(1, -1\)"),
        ([0.0, 1.0], "one 1-D array of 2 values"),
        (np.ones((2, 1, 8)), r"mono .* shape \(2, 1, 8\)"),
        ([], "no recordings"),
    ],
)
def test_bad_recordings_are_refused_naming_the_row_and_the_value(X, message):
    with pytest.raises(ValueError, match=f"BandPassFilter .*{message}"):
        checked(X)


@pytest.mark.parametrize(
    "transformer",
    [
        MFCC(),
        LogMelSpectrogram(),
        Autocorrelogram(),
        RhythmFeatures(),
        BandPassFilter(),
        SpikeRemover(),
        FixedLength(),
    ],
)
def test_channels_are_not_taken_for_recordings(transformer):
    X = np.random.default_rng(0).normal(size=(10_000, 2))
    for wrong in (X, X.tolist(), pd.DataFrame(X)):
        with pytest.raises(ValueError, match=r"shape \(10000, 2\).*X\.mean.*X\.T"):
            transformer.fit_transform(wrong)
    assert len(transformer.fit_transform(X.T)) == 2
    assert len(transformer.fit_transform(X.mean(axis=1).reshape(1, -1))) == 1
    with pytest.raises(ValueError, match=r"X\.T"):
        transformer.transform(X)


@pytest.mark.parametrize("shape", [(999, 8), (1000, 9)])
def test_many_short_recordings_are_taken(shape):
    assert checked(np.ones(shape)).shape == shape


def test_channels_are_not_windowed():
    with pytest.raises(ValueError, match=r"X\.T"):
        WindowedClassifier(DummyClassifier()).fit(np.ones((5000, 2)), np.arange(5000) % 2)


def test_a_list_of_recordings_may_have_another_length_than_those_of_fit():
    band_pass = BandPassFilter().fit(np.ones((2, 8)))
    assert band_pass.transform([np.ones(5), np.ones(5)])[1].shape == (5,)
    assert band_pass.transform([np.ones(8)]).shape == (1, 8)
    with pytest.raises(ValueError, match="X has 5 features, but BandPassFilter is expecting 8"):
        band_pass.transform(np.ones((2, 5)))


def test_mapping_keeps_the_container():
    np.testing.assert_array_equal(map_recordings(np.negative, np.ones((2, 3))), -np.ones((2, 3)))
    ragged = map_recordings(np.negative, [np.ones(2), np.ones(3)])
    assert ragged.shape == (2,)
    assert [len(row) for row in ragged] == [2, 3]


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(2, [1, 2]), (3, [1, 2, 3]), (7, [1, 2, 3, 1, 2, 3, 1])]
)
def test_fit_length_loops_or_crops(n_samples, expected):
    assert fit_length(np.array([1, 2, 3]), n_samples).tolist() == expected
