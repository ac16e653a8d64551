"""Take a fitted model apart: the steps before the features, the features, the classifier."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import FeatureUnion

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.features._base import _SpectralFeatures
from sklearn_heartkd.features._front_end import FrontEnd, Kernel
from sklearn_heartkd.features._summary import summarize
from sklearn_heartkd.utils._nested import transform  # noqa: F401, for the modules beside this one
from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._unwrap import walk

_SMALLEST = 1e-3  # probability; a forest's zero votes are not minus infinity


@dataclass(frozen=True)
class Parts:
    """A fitted model taken apart.

    Attributes
    ----------
    before : list of transformers
        From recordings to recordings.
    features : transformer or None
        From recordings to features; None where the model takes features.
    after : list of transformers
        From features to features.
    classifier : estimator
        What classifies in the end.
    """

    before: list
    features: Any
    after: list
    classifier: Any


def take_apart(model):
    """Take a fitted model apart; meta-estimators stand for the classifier inside them."""
    steps = []
    for part in walk(model):
        steps += [step for step in part.before if hasattr(step, "transform")]
        model = part.estimator
        if isinstance(model, WindowedClassifier):
            break
    places = [i for i, step in enumerate(steps) if front_end_of(step) is not None]
    if not places:
        return Parts([], None, steps, model)
    return Parts(steps[: places[0]], steps[places[0]], steps[places[0] + 1 :], model)


def front_end_of(features) -> FrontEnd | None:
    """Return the front end from waveforms to log-mel bands, or None where `features` has none.

    A union has one if all its parts share it.
    """
    if isinstance(features, _SpectralFeatures):
        return replace(features._front_end(), dct=None)
    if isinstance(features, FeatureUnion) and not features.transformer_weights:
        parts = [part for _, part in features.transformer_list]
        if all(isinstance(part, _SpectralFeatures) for part in parts):
            shared = ("sampling_rate", "n_fft", "hop_length", "n_mels", "fmin", "fmax")
            names = (*shared, "normalize", "amin", "top_db")
            if len({tuple(getattr(part, name) for name in names) for part in parts}) == 1:
                return front_end_of(parts[0])
    return None


def log_mel(front_end, recordings):
    """Return the log-mel bands of each recording, a list of (n_bands, n_frames)."""
    return [Kernel(front_end, row.dtype)(row[np.newaxis])[0] for row in recordings]


def features_from_log_mel(features, grids):
    """Finish the work of `features` on log-mel bands of shape (n, n_bands, n_frames)."""
    if isinstance(features, FeatureUnion):
        parts = [features_from_log_mel(part, grids) for _, part in features.transformer_list]
        return np.hstack(parts)
    dct = features._dct_matrix()
    if dct is not None:
        grids = dct.astype(grids.dtype) @ grids
    if features.output == "sequence":
        return grids
    if features.output == "flat":
        return grids.reshape(len(grids), -1)
    return np.stack([summarize(grid) for grid in grids])


def scores(classifier, X):
    """Return what is explained, one column a class: logits, or log-probabilities."""
    if isinstance(classifier, NetworkClassifier):
        return classifier._evaluate(X)[0].astype(float)
    if hasattr(classifier, "predict_proba"):
        return clipped_log(classifier.predict_proba(X))
    values = np.asarray(classifier.decision_function(X), dtype=float)
    return np.stack([-values / 2, values / 2], axis=1) if values.ndim == 1 else values


def clipped_log(probabilities):
    """Return log p, of at least log 0.001."""
    return log_probabilities(np.clip(probabilities, _SMALLEST, None)).astype(float)


def unit_of(classifier):
    """Name what `scores` returns."""
    if isinstance(classifier, NetworkClassifier):
        return "logit"
    return "log-probability" if hasattr(classifier, "predict_proba") else "decision value"
