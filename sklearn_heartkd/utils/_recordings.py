"""The validation of recordings, and their length, for all estimators that take them.

Recordings are a 2-D array of shape (n_recordings, n_samples), or a sequence of 1-D arrays of
different length, called ragged here. Arrays of one length in a list are a 2-D array, unless an
estimator was fitted on recordings of another length.
"""

from os import PathLike

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_heartkd.utils._rows import Rows, blocks
from sklearn_heartkd.utils._validation import as_rows, as_sequence, check_rows, has_another_length

_DTYPES = [np.float64, np.float32]
_MANY_ROWS, _FEW_SAMPLES = 1000, 8  # X like that is one recording with its channels as columns


def check_recordings(estimator, X, *, reset):
    """Validate recordings for an estimator, which its errors name.

    Returns a 2-D array, `Rows` or, where the recordings differ in length, a list of 1-D arrays; float32 and
    float64 are kept, other numbers become float64. `n_features_in_` and `feature_names_in_` are set or
    compared for an array, and removed where `reset` (true in `fit`) and the recordings are ragged.
    """
    name = type(estimator).__name__
    X = as_rows(as_sequence(X))
    if _holds_names(X):
        raise TypeError(
            f"{name} takes waveforms, but X contains names of files; read them first with "
            "sklearn_heartkd.datasets.read_recording or a loader of that package."
        )
    if _differs_in_length(X) or (not reset and has_another_length(estimator, X)):
        recordings = [_as_waveform(row, i, name) for i, row in enumerate(X)]
        if reset:
            for attribute in ("n_features_in_", "feature_names_in_"):
                vars(estimator).pop(attribute, None)
    else:
        _check_dimensions(X, name)
        check = check_rows if isinstance(X, Rows) and X.dtype in _DTYPES else validate_data
        recordings = check(estimator, X, dtype=_DTYPES, ensure_all_finite=False, reset=reset)
        if isinstance(recordings, np.ndarray):
            recordings = _aligned(recordings)
    for block in blocks(len(recordings)):
        part = recordings[block]
        for i, row in enumerate(np.asarray(part) if isinstance(part, Rows) else part):
            _check_finite(row, block.start + i, name)
    return recordings


def _holds_names(X):
    """Whether X is a list or an array of strings or paths."""
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind == "U"
    return isinstance(X, list | tuple) and any(isinstance(row, str | PathLike) for row in X)


def is_ragged(recordings):
    """Whether what `check_recordings` returned is ragged."""
    return isinstance(recordings, list)


def map_recordings(function, recordings):
    """Apply a function that keeps the length to each recording; the container stays the same.

    Ragged recordings come back as a 1-D array of arrays, which can be indexed and split like any
    other array.
    """
    if not is_ragged(recordings):
        out = np.empty(recordings.shape, recordings.dtype)
        for i, row in enumerate(recordings):
            out[i] = function(row)
        return out
    out = np.empty(len(recordings), dtype=object)
    for i, row in enumerate(recordings):
        out[i] = function(row)
    return out


def fit_length(recording, n_samples):
    """Crop the end of a recording, or loop it, to `n_samples`; silence is never added."""
    if len(recording) >= n_samples:
        return recording[:n_samples]
    return np.resize(recording, n_samples)


def _differs_in_length(X):
    """Whether X is a sequence whose rows cannot be stacked to a 2-D array."""
    if not isinstance(X, list | tuple):
        return False
    if not any(hasattr(row, "__len__") and not isinstance(row, str) for row in X):
        return False
    return any(np.ndim(row) != 1 for row in X) or len({len(row) for row in X}) > 1


def _check_dimensions(X, name):
    shape: tuple[int, ...] = np.shape(X) if isinstance(X, list | tuple) else getattr(X, "shape", ())
    if len(shape) == 2 and shape[0] >= _MANY_ROWS and 1 <= shape[1] <= _FEW_SAMPLES:
        raise ValueError(
            f"{name} takes one recording for each row, but X has shape {shape}, like one recording of "
            f"{shape[0]} samples with {shape[1]} channel(s) as soundfile.read returns it: pass "
            "X.mean(axis=1).reshape(1, -1) for the mean of its channels, or X.T for a recording from each."
        )
    if not isinstance(X, list | tuple | np.ndarray) or len(shape) == 2:
        return
    if len(shape) > 2:
        raise ValueError(
            f"{name} takes mono recordings as a 2-D array or a sequence of 1-D arrays, but X has "
            f"shape {shape}: pass waveforms, with one channel each."
        )
    if len(X) == 0:
        raise ValueError(f"{name} got no recordings (0 sample(s)): at least one is needed.")
    if np.asarray(X).dtype.kind in "fiub":
        raise ValueError(
            f"{name} takes recordings as a 2-D array or a sequence of 1-D arrays, but X is one 1-D "
            f"array of {len(X)} values: Reshape your data with X.reshape(1, -1) if it is one "
            "recording."
        )


def _as_waveform(row, i, name):
    row = np.asarray(row)
    if row.ndim != 1:
        raise ValueError(
            f"{name} takes mono recordings, but recording {i} has shape {row.shape}: "
            "pass one 1-D array per recording, for example the mean of its channels."
        )
    if row.size == 0:
        raise ValueError(f"{name} got recording {i} without samples: leave it out.")
    if row.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} takes recordings of real numbers, but recording {i} is of dtype {row.dtype}: "
            "convert it to float32."
        )
    return _aligned(row) if row.dtype in (np.float32, np.float64) else row.astype(np.float64)


def _aligned(values):
    # numpy adds unaligned values, such as those from a network, in parts: the last bits would differ
    return np.require(values, requirements="A")


def _check_finite(row, i, name):
    finite = np.isfinite(row)
    if not finite.all():
        at = int(np.argmin(finite))
        value = "NaN" if np.isnan(row[at]) else "inf" if row[at] > 0 else "-inf"
        raise ValueError(
            f"{name} got recording {i} with the value {value} at sample {at}: repair the recording "
            "or leave it out."
        )
