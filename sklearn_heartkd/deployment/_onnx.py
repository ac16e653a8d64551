"""The export of a whole model to ONNX, and the check that the file agrees with the model."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._borders import predict_with_borders
from sklearn_heartkd.deployment._description import ExportError, describe
from sklearn_heartkd.deployment._onnx_check import agreement, checking_recordings, compare, run
from sklearn_heartkd.deployment.runtime import (
    MOST_BYTES,
    UNSEALED,
    HeartSoundModel,
    check_channel,
    seal_of,
)
from sklearn_heartkd.utils._files import replace_files


@dataclass(frozen=True)
class ExportReport:
    """Size of an exported file, and how well it agrees with the model.

    It is returned by `export_onnx`.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    n_bytes : int
        Size of the file.
    max_difference : float
        The largest difference of a probability from `predict_proba`, without the recordings
        `on_border`. With ``quantize="int8"`` it is that of the network in float.
    int8_max_difference : float, default=None
        The same for the quantized network.
    int8_agreement : float, default=None
        Share of the recordings that get the same class from the quantized network.
    balanced_accuracy, int8_balanced_accuracy : float, default=None
        Balanced accuracy on the recordings, where `y` was given.
    on_border : tuple of int, default=()
        The recordings that are equally near to two k-means clusters, within rounding, and for which
        the file takes the other cluster than the model.

    See Also
    --------
    export_onnx : Returns it.

    Examples
    --------
    >>> from pathlib import Path
    >>> from sklearn_heartkd.deployment import ExportReport
    >>> ExportReport(Path("student.onnx"), n_bytes=52219, max_difference=2e-7).on_border
    ()
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
    model: Any,
    path: str | os.PathLike[str],
    recordings: ArrayLike | Sequence[ArrayLike] | None = None,
    y: ArrayLike | None = None,
    *,
    quantize: Literal["int8"] | None = None,
    unsure_below: float = 0.5,
    training_data: str = "not recorded",
    scores: dict[str, Any] | None = None,
    stand_alone: bool = False,
    channel: str | int = "mean",
    domain: Any = None,
    scope: str = "",
) -> ExportReport:
    """Write a fitted model as one ONNX file, from the raw waveform to the probabilities.

    A model of a table becomes a file from the rows of the table to the probabilities. The file is
    compared with the model before it replaces an existing one in one step.

    Parameters
    ----------
    model : estimator
        A fitted pipeline of `BandPassFilter(method="fir")`, `FixedLength`, `MFCC`,
        `LogMelSpectrogram` or `Autocorrelogram`, `StandardScaler` after ``output="flat"``, and a
        network, which may be distilled, refined by k-means, windowed, frozen, found by a search,
        rejecting or with a threshold. Or the same of a `DenseStudentClassifier` on a table, with
        `StandardScaler` as the only step before it.
    path : path-like
        The file to write, ending in ``.onnx``.
    recordings : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays, \
            default=None
        Recordings on which the file must agree with the model; None takes synthetic heart sounds.
        With `quantize` they also calibrate the quantized network: give real ones. For a model of a
        table, rows of it, which must be given.
    y : array-like of shape (n_recordings,), default=None
        Classes of the recordings, to report the accuracy that the quantization costs.
    quantize : {"int8"}, default=None
        Whether to store and compute the network in 8 bits. The front end stays in float.
    unsure_below : float, default=0.5
        The runtime answers "unsure" below this probability; a `RejectingClassifier` has its own, and a
        `ThresholdClassifier` always answers.
    training_data : str, default="not recorded"
        Description of the training data, for the file's metadata.
    scores : dict, default=None
        Scores for the file's metadata, serializable as JSON.
    stand_alone : bool, default=False
        Whether to write the runtime as ``heartkd_runtime.py`` beside the model, so that the device
        needs neither this package nor torch.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel of a stereo recording that the model takes.
    domain : DomainDetector, default=None
        Fitted on the training recordings: the runtime answers "poor recording" where it finds a
        recording unlike them.
    scope : str, default=""
        For which recordings the model was made; ``heartkd predict`` prints it.

    Returns
    -------
    report : ExportReport
        The size of the file and the largest difference.

    Raises
    ------
    ExportError
        If a step cannot be exported, or the graph disagrees with `predict_proba` by more than
        1e-5 on any of the recordings; then no file is written.
    ImportError
        If the optional package onnx is not installed.
    ValueError
        If the path does not end in ``.onnx``, there are no recordings to check or to quantize with,
        `y` has another length than `recordings`, or `unsure_below` is not from 0 to 1.

    Warns
    -----
    UserWarning
        If recordings are equally near to two k-means clusters, and the file takes the other one.

    See Also
    --------
    sklearn_heartkd.deployment.runtime.HeartSoundModel : Runs the file of a model of recordings.
    export_c : One C file instead.

    Notes
    -----
    The spectrum is a convolution with the bins of the DFT that the mel filters use. Number and
    length of the recordings are dynamic, except for a network on a table of frames.

    The file of a model of a table needs onnxruntime only. Its input is "X", float32 of shape
    (n_rows, n_columns), its output "probabilities"; the names of the classes are in its metadata, as JSON
    under "classes".

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
    if find_spec("onnx") is None:
        raise ImportError("export_onnx needs onnx: pip install 'sklearn-heartkd[onnx]'.")
    description = describe(model, table=True)
    if description.front_end is None:
        if quantize or stand_alone or domain is not None or channel != "mean":
            raise ValueError(
                "quantize, stand_alone, domain and channel are for models of recordings; leave them out "
                "for a model of a table."
            )
        from sklearn_heartkd.deployment._onnx_table import export_table

        return export_table(
            model,
            description,
            path,
            recordings,
            training_data=training_data,
            scores=json.dumps(scores or {}),
            scope=scope,
        )
    rows = checking_recordings(description, recordings)
    y = None if y is None else np.asarray(y)
    if y is not None and len(y) != len(rows):
        raise ValueError(f"y has {len(y)} classes for {len(rows)} recordings; give one each.")
    outside = description.recording_steps or description.recording_clusters
    can_split = description.n_hop is not None and not outside
    metadata = make_metadata(
        classes=description.classes,
        sampling_rate=description.sampling_rate,
        n_window=description.n_window,
        n_hop=description.n_hop,
        in_parts=can_split,
        unsure_below=max(
            unsure_below if description.decision is None else 0.0,
            min(description.reject_below, 1.0),
        ),
        decision=description.decision,
        domain=domain,
        scope=scope,
        weights=quantize or "float32",
        training_data=training_data,
        scores=json.dumps(scores or {}),
        channel=channel,
    )
    HeartSoundModel(np.asarray, metadata)  # raises for what the runtime would refuse
    onnx_model = build(description, metadata)
    expected, on_border = predict_with_borders(model, description, rows)
    difference, on_border = agreement(run(onnx_model, rows), expected, on_border)
    if on_border:
        warnings.warn(
            f"Recordings {on_border} are equally near to two k-means clusters, within rounding, and "
            "the exported graph takes the other one than the model: their probabilities differ.",
            stacklevel=2,
        )
    quantized: dict = {}
    if quantize:
        from sklearn_heartkd.deployment._quantization import quantize_network

        onnx_model = quantize_network(onnx_model, rows)
        quantized = compare(run(onnx_model, rows), expected, y, model.classes_)
    contents = {path: seal(onnx_model.SerializeToString())}
    if len(contents[path]) > MOST_BYTES:
        raise ExportError(
            f"The file would have more than {MOST_BYTES} bytes: use a smaller network."
        )
    if stand_alone:
        runtime = files("sklearn_heartkd.deployment").joinpath("runtime.py")
        contents[path.with_name("heartkd_runtime.py")] = runtime.read_bytes()
    with replace_files(*contents) as made:
        for file, content in zip(made, contents.values(), strict=True):
            file.write_bytes(content)
    n_bytes = len(contents[path])
    return ExportReport(path, n_bytes, difference, on_border=tuple(on_border), **quantized)


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
    module = description.network.module_
    is_table = description.flat or not module.pools
    features = add_features(graph, windows, description.front_end, is_table)
    logits, embedding = add_network(graph, features, module, description.scalers)
    probabilities = graph.add("Softmax", logits, axis=1)
    for clusters in description.clusters:
        probabilities = add_clusters(graph, probabilities, embedding, clusters)
    if description.n_hop is not None:
        probabilities = _add_mean_over_windows(graph, probabilities, n_classes)
        if description.recording_clusters:
            embedding = _add_mean_over_windows(graph, embedding, module.embedding_size)
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


def make_metadata(
    *,
    classes,
    sampling_rate,
    n_window,
    n_hop,
    in_parts=False,
    unsure_below=None,
    channel="mean",
    decision=None,
    domain=None,
    scope="",
    **more,
):
    """Return what the runtime needs to know about a model, as strings."""
    window = (n_window or 5 * sampling_rate) / sampling_rate
    if unsure_below is None:
        unsure_below = 0.5 if decision is None else 0.0
    if decision is not None:
        more["decision"] = json.dumps(decision)
    if domain is not None:
        more["domain"] = domain if isinstance(domain, str) else domain.to_json()
    if scope:
        more["scope"] = scope
    return {
        "format": "sklearn_heartkd 1",
        "seal": UNSEALED.decode(),
        "version": __version__,
        "classes": json.dumps([str(label) for label in classes]),
        "sampling_rate": repr(float(sampling_rate)),
        "window": repr(window),
        "hop": repr(n_hop / sampling_rate if n_hop else max(window / 2, 1 / sampling_rate)),
        "in_parts": "yes" if in_parts else "no",
        "unsure_below": repr(float(unsure_below)),
        "channel": str(check_channel(channel)),
        **more,
    }
