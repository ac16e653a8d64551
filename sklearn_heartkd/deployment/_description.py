"""What the exporters need to know about a fitted model, found by walking through it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.features import MFCC, LogMelSpectrogram
from sklearn_heartkd.features._front_end import FrontEnd
from sklearn_heartkd.metrics import RejectingClassifier
from sklearn_heartkd.preprocessing import BandPassFilter, FixedLength, SpikeRemover
from sklearn_heartkd.refinement import KMeansRefinedClassifier
from sklearn_heartkd.utils import _unwrap


class ExportError(ValueError):
    """Raised for a model that cannot leave Python, or whose file would not agree with it."""


@dataclass(frozen=True)
class Clusters:
    """A k-means refinement among the embeddings.

    Attributes
    ----------
    weight : float
        Share of the clusters in the average with the probabilities before.
    centers : ndarray of shape (n_clusters, n_dimensions)
    table : ndarray of shape (n_clusters, n_classes)
    """

    weight: float
    centers: np.ndarray
    table: np.ndarray


@dataclass(frozen=True)
class Description:
    """A fitted model as a sequence of what the device has to do.

    Attributes
    ----------
    classes : list of str
    network : NetworkClassifier
        Its `module_` maps features to logits.
    front_end : FrontEnd
        From a window to features.
    flat : bool
        Whether the features are a table for the network, one channel a column.
    recording_steps, window_steps : list of ndarray or int
        Before the windows are cut and after it: the taps of a symmetric filter, or the number of
        samples to which a recording is looped or cropped.
    n_window, n_hop : int or None
        Samples; `n_hop` is None where the model does not cut windows itself, `n_window` where it
        takes any length.
    clusters, recording_clusters : list of Clusters
        Refinements, one after another, of a window's probabilities and of the averaged ones.
    reject_below : float
        Below this probability the model is unsure.
    """

    classes: list
    network: Any
    front_end: FrontEnd
    flat: bool
    recording_steps: list
    window_steps: list
    n_window: int | None
    n_hop: int | None
    clusters: list
    recording_clusters: list
    reject_below: float

    @property
    def sampling_rate(self):
        """The sampling rate in Hz."""
        return self.front_end.sampling_rate


@dataclass
class _Walk:
    """What has been met on the way from the outermost estimator to the network."""

    steps: list = field(default_factory=list)
    clusters: list = field(default_factory=list)
    front_end: FrontEnd | None = None
    flat: bool = False
    n_samples: int | None = None
    windows: tuple | None = None  # steps and clusters outside, n_window, n_hop
    reject_below: float = -np.inf
    rates: dict = field(default_factory=dict)

    def note_length(self, step):
        """Remember for how many samples a step was fitted, where it is known."""
        if self.front_end is None and self.n_samples is None:
            self.n_samples = getattr(step, "n_features_in_", None)

    def note_clusters(self, weight, clusters):
        """Remember a refinement; the outermost is met first and applied last."""
        self.clusters.append(Clusters(weight, clusters.centers, clusters.table))


def describe(model):
    """Describe a fitted model for the exporters.

    Parameters
    ----------
    model : estimator
        A fitted pipeline of `BandPassFilter(method="fir")`, `FixedLength`, `MFCC` or
        `LogMelSpectrogram` and a network, which may be distilled, refined, windowed, frozen, found
        by a search or rejecting.

    Returns
    -------
    Description

    Raises
    ------
    ExportError
        If a part of the model cannot be exported; it is named, with what would work.
    """
    check_is_fitted(model)
    walk = _Walk()
    network = _visit(model, walk)
    if walk.front_end is None:
        raise ExportError(
            f"{type(model).__name__} takes features, but a device has waveforms: export the whole "
            "pipeline, with MFCC or LogMelSpectrogram before the network."
        )
    if len(set(walk.rates.values())) > 1:
        raise ExportError(f"The steps disagree about the sampling rate: {walk.rates}; make it one.")
    if walk.windows is None:
        outer_steps, outer_clusters, n_window, n_hop = [], [], walk.n_samples, None
    else:
        outer_steps, outer_clusters, n_window, n_hop = walk.windows
    return Description(
        classes=[str(label) for label in network.classes_],
        network=network,
        front_end=walk.front_end,
        flat=walk.flat,
        recording_steps=outer_steps,
        window_steps=walk.steps,
        n_window=n_window,
        n_hop=n_hop,
        clusters=walk.clusters[::-1],
        recording_clusters=outer_clusters[::-1],
        reject_below=walk.reject_below,
    )


def _visit(model, walk):
    """Collect what `model` does before its network into `walk`; return the network."""
    for part in _unwrap.walk(model):
        for step in part.before:
            _visit_step(step, walk)
        model = part.estimator
        if isinstance(model, NetworkClassifier):
            return model
        if isinstance(model, RejectingClassifier):
            walk.reject_below = max(walk.reject_below, float(model.threshold_))
        elif isinstance(model, WindowedClassifier):
            _visit_windows(model, walk)
        elif isinstance(model, DistilledClassifier):
            if model.refiner_ is not None:
                walk.note_clusters(model.refine_weight, model.refiner_)
        elif isinstance(model, KMeansRefinedClassifier):
            walk.note_clusters(model.weight_, model.refiner_)
        elif not _unwrap.is_transparent(model):
            break
    raise ExportError(
        f"{type(model).__name__} cannot be exported; a network of sklearn_heartkd can, so distil "
        "this model into one: DistilledClassifier(teacher)."
    )


def _visit_windows(model, walk):
    if walk.windows is not None:
        raise ExportError("A WindowedClassifier in another one cannot be exported: use only one.")
    if walk.front_end is not None:
        raise ExportError(
            "WindowedClassifier takes waveforms: put the features inside of it to export it."
        )
    n_window = max(1, round(model.window * model.sampling_rate))
    n_hop = max(1, round(model.hop * model.sampling_rate))
    walk.windows = (walk.steps, walk.clusters, n_window, n_hop)
    walk.rates["WindowedClassifier"] = model.sampling_rate
    walk.steps, walk.clusters = [], []


def _visit_step(step, walk):
    if hasattr(step, "fit_resample"):
        return
    name = type(step).__name__
    walk.note_length(step)
    if walk.front_end is not None:
        raise ExportError(
            f"{name} after the features cannot be exported: leave it out, the networks standardise "
            "their input themselves."
        )
    if isinstance(step, SpikeRemover) or (
        isinstance(step, BandPassFilter) and step.method != "fir"
    ):
        shown = "BandPassFilter(method='iir')" if isinstance(step, BandPassFilter) else name
        raise ExportError(
            f"{shown} looks into the future of the recording and cannot run on a device: use "
            "BandPassFilter(method='fir')."
        )
    if isinstance(step, BandPassFilter):
        walk.steps.append(step._taps())
    elif isinstance(step, FixedLength):
        walk.steps.append(round(step.duration * step.sampling_rate))
    elif isinstance(step, MFCC | LogMelSpectrogram):
        if step.output == "summary":
            raise ExportError(
                f"{name}(output='summary') cannot be exported: use output='sequence', from which the "
                "networks make their own statistics."
            )
        walk.front_end = step._front_end()
        walk.flat = step.output == "flat"
    else:
        raise ExportError(
            f"{name} cannot be exported: of the steps before a network, BandPassFilter(method="
            "'fir'), FixedLength, MFCC and LogMelSpectrogram can."
        )
    walk.rates |= _unwrap.sampling_rates(step)
