"""The check that an exported graph agrees with its model."""

import numpy as np

from sklearn_heartkd.deployment._borders import TOLERANCE
from sklearn_heartkd.deployment._description import ExportError
from sklearn_heartkd.deployment.runtime import import_onnxruntime
from sklearn_heartkd.utils._recordings import fit_length


def checking_recordings(description, recordings):
    """Return float32 recordings that the model takes; synthetic ones by default."""
    if recordings is None:
        from sklearn_heartkd.datasets import make_heart_sounds

        rate = description.sampling_rate
        seconds = (description.n_window or 5 * rate) / rate
        sounds = make_heart_sounds(
            10, duration=max(1.0, 1.4 * seconds), sampling_rate=rate, random_state=0
        )
        is_fixed = description.n_hop is None and description.front_end.n_lags is None
        if is_fixed and description.n_window:
            recordings = [fit_length(row, description.n_window) for row in sounds.data]
        else:
            recordings = [row[: len(row) - 7 * i] for i, row in enumerate(sounds.data)]
    if isinstance(recordings, str) or any(np.ndim(row) == 0 for row in recordings):
        raise ValueError(
            "recordings must be several, as an array of shape (n_recordings, n_samples) or a sequence of "
            f"1-D arrays, got {type(recordings).__name__} of shape {np.shape(recordings)}; put a single "
            "one in a list."
        )
    if len(recordings) == 0:
        raise ValueError(
            "recordings is empty; give at least one, or None for synthetic heart sounds."
        )
    return [np.asarray(row, dtype=np.float32) for row in recordings]


def open_session(onnx_model):
    """Return an ONNX model as it runs on one thread."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        onnx_model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(onnx_model, recordings):
    """Return the probabilities of recordings of any length."""
    session = open_session(onnx_model)
    return np.concatenate([session.run(None, {"waveform": row[None]})[0] for row in recordings])


def agreement(found, expected, on_border):
    """Return the largest difference, and the recordings on a border for which it is too large."""
    differences = np.abs(found - expected).max(axis=1)
    too_large = ~(differences <= TOLERANCE)
    wrong = np.flatnonzero(too_large & ~on_border)
    if len(wrong):
        raise ExportError(
            f"The exported graph differs from predict_proba by {differences[wrong].max():.1e} on "
            f"recording {wrong[differences[wrong].argmax()]}, more than {TOLERANCE:g}: no file was "
            "written; report the model."
        )
    largest = differences[~too_large].max(initial=0.0)
    return float(largest), np.flatnonzero(too_large).tolist()


def compare(found, expected, y, classes):
    """Return what an ExportReport says about a quantized network."""
    result = {
        "int8_max_difference": float(np.abs(found - expected).max()),
        "int8_agreement": float(np.mean(found.argmax(axis=1) == expected.argmax(axis=1))),
    }
    if y is not None:
        for name, proba in (("balanced_accuracy", expected), ("int8_balanced_accuracy", found)):
            hits = np.asarray(classes)[proba.argmax(axis=1)] == np.asarray(y)
            recalls = [hits[np.asarray(y) == label].mean() for label in np.unique(y)]
            result[name] = float(np.mean(recalls))
    return result
