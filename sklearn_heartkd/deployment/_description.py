"""A fitted model as the exporters need it, found by walking through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.features import MFCC, Autocorrelogram, LogMelSpectrogram
from sklearn_heartkd.metrics import RejectingClassifier, ThresholdClassifier
from sklearn_heartkd.preprocessing import BandPassFilter, FixedLength, SpikeRemover
from sklearn_heartkd.refinement import KMeansRefinedClassifier
from sklearn_heartkd.utils import _unwrap


class ExportError(ValueError):
    """Raised for a model that cannot be exported, or whose file would not agree with it.

    The message says which part of the model is the reason, and what would work.

    See Also
    --------
    export_onnx : Raises it.
    export_c : Raises it.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.deployment import ExportError, export_c
    >>> try:
    ...     export_c(LogisticRegression().fit([[0], [1]], [0, 1]), "model.c")
    ... except ExportError as error:
    ...     print(str(error)[:40])
    LogisticRegression cannot be exported; a
    """


@dataclass(frozen=True)
class Clusters:
    """A k-means refinement; `weight` is its share in the average with the probabilities before."""

    weight: float
    centers: np.ndarray  # (n_clusters, n_dimensions)
    table: np.ndarray  # (n_clusters, n_classes)


@dataclass
class Description:
    """A fitted model as a sequence of what the device has to do."""

    network: Any = None  # a NetworkClassifier, whose `module_` maps features to logits
    front_end: Any = None  # from a window to features
    flat: bool = False  # whether the features are a table for the network, one channel a column
    scalers: list = field(default_factory=list)  # StandardScaler of the table, one after another
    # before the windows are cut and after it: the taps of a symmetric filter, or the number of samples
    # to which a recording is looped or cropped
    recording_steps: list = field(default_factory=list)
    window_steps: list = field(default_factory=list)
    n_window: int | None = None  # samples; None where the model takes any length
    n_hop: int | None = None  # None where the model does not cut windows itself
    # refinements, one after another, of a window's probabilities and of the averaged ones
    clusters: list = field(default_factory=list)
    recording_clusters: list = field(default_factory=list)
    reject_below: float = -np.inf  # below this probability the model is unsure
    decision: tuple | None = None  # positive and negative class, and the threshold
    rates: dict = field(default_factory=dict)  # the sampling rate of each step that has one

    @property
    def classes(self):
        """The names of the classes."""
        return [str(label) for label in self.network.classes_]

    @property
    def sampling_rate(self):
        """The sampling rate in Hz."""
        return self.front_end.sampling_rate


def describe(model, *, table=False):
    """Return the Description of a fitted model of `export_onnx`; raise an ExportError for others.

    With `table`, the front end is None where the model takes a table and not waveforms.
    """
    check_is_fitted(model)
    found = Description()
    for part in _unwrap.walk(model):
        for step in part.before:
            _visit_step(step, found)
        if not _visit(part.estimator, found):
            break
    if found.network is None:
        raise ExportError(
            f"{type(part.estimator).__name__} cannot be exported; a network of sklearn_heartkd can, so "
            "distil this model into one: DistilledClassifier(teacher)."
        )
    takes_table = found.network.module_.pools is False and found.n_hop is None
    if found.front_end is None and not (table and takes_table):
        raise ExportError(
            f"{type(model).__name__} takes features, but a device has waveforms: export the whole "
            "pipeline, with LogMelSpectrogram, MFCC or Autocorrelogram before the network. A model of a "
            "table (DenseStudentClassifier) can be exported to ONNX only."
        )
    if len(set(found.rates.values())) > 1:
        raise ExportError(f"The steps have different sampling rates: {found.rates}; use one.")
    return found


def _visit(model, found):
    """Note what `model` adds to the estimator inside it; return whether to go on to that."""
    if isinstance(model, NetworkClassifier):
        found.network = model
    elif isinstance(model, RejectingClassifier):
        found.reject_below = max(found.reject_below, float(model.threshold_))
    elif isinstance(model, ThresholdClassifier):
        found.decision = found.decision or decision_of(model)
    elif isinstance(model, WindowedClassifier):
        _visit_windows(model, found)
    elif isinstance(model, DistilledClassifier):
        if model.refiner_ is not None:
            _note_clusters(model.refine_weight, model.refiner_, found)
    elif isinstance(model, KMeansRefinedClassifier):
        _note_clusters(model.weight_, model.refiner_, found)
    else:
        return _unwrap.is_transparent(model)
    return found.network is None


def decision_of(model):
    """Return positive class, negative class and threshold of the outermost ThresholdClassifier, or None."""
    for part in _unwrap.unwrap(model):
        if isinstance(part, ThresholdClassifier):
            return str(part.pos_label_), str(part.neg_label_), float(part.threshold)
    return None


def _note_clusters(weight, clusters, found):
    # the outermost refinement is met first and applied last
    found.clusters.insert(0, Clusters(weight, clusters.centers, clusters.table))


def _visit_windows(model, found):
    if found.n_hop is not None:
        raise ExportError("A WindowedClassifier in another one cannot be exported: use only one.")
    if found.front_end is not None:
        raise ExportError(
            "WindowedClassifier takes waveforms: put the features inside of it to export it."
        )
    found.n_window = max(1, round(model.window * model.sampling_rate))
    found.n_hop = max(1, round(model.hop * model.sampling_rate))
    found.rates["WindowedClassifier"] = model.sampling_rate
    # what was met so far is around the windows
    found.recording_steps, found.window_steps = found.window_steps, []
    found.recording_clusters, found.clusters = found.clusters, []


def _visit_step(step, found):
    if hasattr(step, "fit_resample"):
        return
    name = type(step).__name__
    if isinstance(step, StandardScaler) and (found.flat or found.front_end is None):
        found.scalers.append(step)
        return
    if found.front_end is not None:
        raise ExportError(
            f"{name} after the features cannot be exported: leave it out, the networks standardize "
            "their input themselves."
        )
    if found.n_window is None:
        found.n_window = getattr(step, "n_features_in_", None)
    if isinstance(step, SpikeRemover) or (
        isinstance(step, BandPassFilter) and step.method != "fir"
    ):
        shown = "BandPassFilter(method='iir')" if isinstance(step, BandPassFilter) else name
        raise ExportError(
            f"{shown} looks into the future of the recording and cannot run on a device: use "
            "BandPassFilter(method='fir')."
        )
    if isinstance(step, BandPassFilter):
        found.window_steps.append(step._taps())
    elif isinstance(step, FixedLength):
        found.window_steps.append(round(step.duration * step.sampling_rate))
    elif isinstance(step, MFCC | LogMelSpectrogram | Autocorrelogram):
        if step.output == "summary":
            raise ExportError(
                f"{name}(output='summary') cannot be exported: use output='sequence', from which the "
                "networks make their own statistics."
            )
        if found.scalers:
            raise ExportError(
                "StandardScaler before the features cannot be exported: leave it out, or put it after "
                "output='flat'."
            )
        found.front_end = step._front_end()
        found.flat = step.output == "flat"
    else:
        raise ExportError(
            f"{name} cannot be exported: of the steps before a network, BandPassFilter(method="
            "'fir'), FixedLength, MFCC, LogMelSpectrogram and Autocorrelogram can, and for a table "
            "StandardScaler."
        )
    found.rates |= _unwrap.sampling_rates(step)
