"""export_onnx."""

import json
import tempfile
import warnings
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._borders import TOLERANCE, possible_answers
from sklearn_heartkd.deployment._description import ExportError, describe
from sklearn_heartkd.deployment.runtime import UNSEALED, seal_of
from sklearn_heartkd.utils._recordings import fit_length


@dataclass(frozen=True)
class ExportReport:
    """What came of an export.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    n_bytes : int
        Its size.
    max_difference : float
        The largest difference of a probability from `predict_proba`, or, for the recordings
        `on_border`, from what it would say with the other cluster; with ``quantize="int8"`` that of
        the network in float.
    int8_max_difference : float or None
        The same of the quantised network.
    int8_agreement : float or None
        Share of the recordings that get the same class from the quantised network.
    balanced_accuracy, int8_balanced_accuracy : float or None
        On the recordings, where their classes were given.
    on_border : tuple of int
        The recordings that are equally near to two k-means clusters, within rounding, and for which
        the file takes the other one than the model.
    """

    path: Path
    n_bytes: int
    max_difference: float
    int8_max_difference: float | None = None
    int8_agreement: float | None = None
    balanced_accuracy: float | None = None
    int8_balanced_accuracy: float | None = None
    on_border: tuple[int, ...] = ()


def export_onnx(
    model,
    path,
    recordings=None,
    y=None,
    *,
    quantize=None,
    unsure_below=0.5,
    training_data="not recorded",
    scores=None,
    stand_alone=False,
):
    """Write a fitted model as one ONNX file, from the raw waveform to the probabilities.

    Parameters
    ----------
    model : estimator
        A fitted pipeline of `BandPassFilter(method="fir")`, `FixedLength`, `MFCC` or
        `LogMelSpectrogram` and a network, which may be distilled, refined by k-means, windowed,
        frozen, found by a search or rejecting.
    path : path-like
        The file to write, ending in ``.onnx``.
    recordings : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays, \
            default=None
        On which the file has to agree with the model; None takes synthetic heart sounds. With
        `quantize` they also calibrate the quantised network: give real ones.
    y : array-like of shape (n_recordings,), default=None
        Their classes, to report the accuracy that the quantisation costs.
    quantize : {"int8"}, default=None
        Whether to store the network's weights, and compute it, in 8 bits. The front end stays in
        float.
    unsure_below : float, default=0.5
        The runtime says "unsure" below this probability; a `RejectingClassifier` has its own.
    training_data : str, default="not recorded"
        What the model was trained on, for the file's metadata.
    scores : dict, default=None
        Scores for the file's metadata, serialisable as JSON.
    stand_alone : bool, default=False
        Whether to write the runtime as ``heartkd_runtime.py`` beside the model, so that the device
        needs neither this package nor torch.

    Returns
    -------
    report : ExportReport

    Raises
    ------
    ExportError
        If a step cannot be exported, or the graph disagrees with `predict_proba` by more than
        1e-5 on any of the recordings; then no file is written.
    ValueError
        If the path does not end in ``.onnx``, there are no recordings to check or to quantise with,
        or another number of classes than of recordings.

    Warns
    -----
    UserWarning
        If recordings are equally near to two k-means clusters, and the file takes the other one.

    See Also
    --------
    sklearn_heartkd.deployment.runtime.HeartSoundModel : Runs the file.
    export_c : One C file instead.

    Notes
    -----
    The spectrum is a convolution with the bins of the DFT that the mel filters use. Number and
    length of the recordings are dynamic, except for a network on a table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.deployment import export_onnx
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> model = make_pipeline(MFCC(), StudentClassifier(max_epochs=2, random_state=0))
    >>> model = model.fit(sounds.data, sounds.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export_onnx(model, Path(folder) / "student.onnx", sounds.data)
    >>> report.max_difference < 1e-5
    True
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ValueError(f"path must end in '.onnx', got {path.name!r}.")
    if quantize not in (None, "int8"):
        raise ValueError(f"quantize must be None or 'int8', got {quantize!r}.")
    if quantize and recordings is None:
        raise ValueError("quantize='int8' needs recordings to calibrate the network with.")
    description = describe(model)
    recordings = checking_recordings(description, recordings)
    if y is not None and len(y) != len(recordings):
        raise ValueError(f"y has {len(y)} classes for {len(recordings)} recordings; give one each.")
    outside = description.recording_steps or description.recording_clusters
    can_split = description.n_hop is not None and not outside
    metadata = make_metadata(
        classes=description.classes,
        sampling_rate=description.sampling_rate,
        n_window=description.n_window,
        n_hop=description.n_hop,
        in_parts=can_split,
        unsure_below=max(unsure_below, min(description.reject_below, 1.0)),
        weights=quantize or "float32",
        training_data=training_data,
        scores=json.dumps(scores or {}),
    )
    onnx_model = build(description, metadata)
    answers = possible_answers(model, description, recordings)
    expected = np.stack([possible[0] for possible in answers])
    difference, on_border = _agreement(_run(onnx_model, recordings), answers)
    if on_border:
        warnings.warn(
            f"Recordings {on_border} are equally near to two k-means clusters, within rounding, and "
            "the exported graph takes the other one than the model: their probabilities differ.",
            stacklevel=2,
        )
    quantized: dict = {}
    if quantize:
        from sklearn_heartkd.deployment._quantization import quantize_network

        onnx_model = quantize_network(onnx_model, recordings)
        quantized = _compare(_run(onnx_model, recordings), expected, y, model.classes_)
    path.write_bytes(seal(onnx_model.SerializeToString()))
    if stand_alone:
        source = files("sklearn_heartkd.deployment").joinpath("runtime.py").read_text("utf-8")
        path.with_name("heartkd_runtime.py").write_text(source, encoding="utf-8")
    return ExportReport(
        path, path.stat().st_size, difference, on_border=tuple(on_border), **quantized
    )


def build(description, metadata):
    """Return the ONNX model of a description."""
    from sklearn_heartkd.deployment._graph import Graph
    from sklearn_heartkd.deployment._onnx_front_end import add_features, add_steps, add_windows
    from sklearn_heartkd.deployment._onnx_network import add_clusters, add_network

    graph = Graph()
    waveforms = add_steps(graph, "waveform", description.recording_steps)
    n_classes = len(description.classes)
    if description.n_hop is not None:
        waveforms = add_windows(graph, waveforms, description.n_window, description.n_hop)
    windows = add_steps(graph, waveforms, description.window_steps)
    features = add_features(graph, windows, description.front_end, description.flat)
    logits, embedding = add_network(graph, features, description.network.module_)
    probabilities = graph.add("Softmax", logits, axis=1)
    for clusters in description.clusters:
        probabilities = add_clusters(graph, probabilities, embedding, clusters)
    if description.n_hop is not None:
        probabilities = _add_mean_over_windows(graph, probabilities, n_classes)
        if description.recording_clusters:
            n_dimensions = description.network.module_.embedding_size
            embedding = _add_mean_over_windows(graph, embedding, n_dimensions)
    for clusters in description.recording_clusters:
        probabilities = add_clusters(graph, probabilities, embedding, clusters)
    return graph.model(probabilities, n_classes, metadata)


def seal(content):
    """Put the checksum of the file into the file, where its metadata leave room for it."""
    return content.replace(UNSEALED, seal_of(content))


def _add_mean_over_windows(graph, values, n_columns):
    n_recordings = graph.add("Shape", "waveform", start=0, end=1)
    shape = graph.add("Concat", n_recordings, graph.integers(-1, n_columns), axis=0)
    of_windows = graph.add("Reshape", values, shape)
    return graph.add("ReduceMean", of_windows, axes=[1], keepdims=0)


def checking_recordings(description, recordings):
    """Return float32 recordings that the model takes; synthetic ones where none are given."""
    if recordings is None:
        from sklearn_heartkd.datasets import make_heart_sounds

        rate = description.sampling_rate
        seconds = (description.n_window or 5 * rate) / rate
        sounds = make_heart_sounds(
            10, duration=max(1.0, 1.4 * seconds), sampling_rate=rate, random_state=0
        )
        if description.n_hop is None and description.n_window:
            recordings = [fit_length(row, description.n_window) for row in sounds.data]
        else:
            recordings = [row[: len(row) - 7 * i] for i, row in enumerate(sounds.data)]
    if isinstance(recordings, str) or any(np.ndim(row) == 0 for row in recordings):
        raise ValueError(
            "recordings takes several, as an array of shape (n_recordings, n_samples) or a sequence of "
            f"1-D arrays, got {type(recordings).__name__} of shape {np.shape(recordings)}; put a single "
            "one in a list."
        )
    if len(recordings) == 0:
        raise ValueError(
            "recordings is empty; give at least one, or None for synthetic heart sounds."
        )
    return [np.asarray(row, dtype=np.float32) for row in recordings]


def make_metadata(
    *, classes, sampling_rate, n_window, n_hop, in_parts=False, unsure_below=0.5, **more
):
    """Return what the runtime has to know about a model, as strings."""
    window = (n_window or 5 * sampling_rate) / sampling_rate
    return {
        "format": "sklearn_heartkd 1",
        "seal": UNSEALED.decode(),
        "version": __version__,
        "classes": json.dumps([str(label) for label in classes]),
        "sampling_rate": repr(float(sampling_rate)),
        "window": repr(window),
        "hop": repr(n_hop / sampling_rate if n_hop else window / 2),
        "in_parts": "yes" if in_parts else "no",
        "unsure_below": repr(float(unsure_below)),
        **more,
    }


def _run(onnx_model, recordings):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(onnx_model.SerializeToString())
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"waveform": row[None]})[0] for row in recordings])


def _agreement(found, answers):
    """Return the largest difference, and the recordings that got another of the possible answers.

    Raises
    ------
    ExportError
        If a recording got no possible answer.
    """
    differences = [
        np.abs(row - possible).max(axis=1) for row, possible in zip(found, answers, strict=True)
    ]
    smallest = np.array([row.min() for row in differences])
    if not smallest.max() <= TOLERANCE:
        raise ExportError(
            f"The exported graph differs from predict_proba by {smallest.max():.1e} on recording "
            f"{smallest.argmax()}, more than {TOLERANCE:g}: no file was written; report the model."
        )
    on_border = [i for i, row in enumerate(differences) if row[0] > TOLERANCE]
    return float(smallest.max()), on_border


def _compare(found, expected, y, classes):
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
