"""Take a fitted model apart: the steps before the features, the features, the classifier."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import FeatureUnion

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.features._base import _SpectralFeatures
from sklearn_heartkd.features._front_end import FrontEnd, finish
from sklearn_heartkd.features._summary import summarize
from sklearn_heartkd.utils._nested import transform
from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._unwrap import walk

_SMALLEST = 1e-3  # a forest may give a probability of 0, whose logarithm would dominate all values


class Parts(NamedTuple):
    """A fitted model taken apart."""

    before: list  # transformers from recordings to recordings
    features: Any  # transformer from recordings to features; None if the model takes features
    after: list  # transformers from features to features
    classifier: Any

    def scores_of_log_mel(self, grids):
        """Return the scores of log-mel bands of shape (n, n_bands, n_frames)."""
        return self.scores(_finish(self.features, grids))

    def scores(self, X):
        """Return the scores of features, a column per class, in the unit of `unit`."""
        X, classifier = transform(self.after, X), self.classifier
        if isinstance(classifier, NetworkClassifier):
            return classifier._evaluate(X)[0].astype(float)
        if hasattr(classifier, "predict_proba"):
            return clipped_log(classifier.predict_proba(X))
        values = np.asarray(classifier.decision_function(X), dtype=float)
        return np.stack([-values / 2, values / 2], axis=1) if values.ndim == 1 else values

    @property
    def is_linear(self):
        """Whether the classifier takes sequences of log-mel bands or of a matrix times them."""
        if self.features is None:
            return True
        if not isinstance(self.features, _SpectralFeatures) or self.features.output != "sequence":
            return False
        front_end = self.features._front_end()
        return not front_end.cmvn and front_end.n_lags is None

    @property
    def unit(self):
        """The unit of the scores."""
        if isinstance(self.classifier, NetworkClassifier):
            return "logit"
        is_probability = hasattr(self.classifier, "predict_proba")
        return "log-probability" if is_probability else "decision value"


def take_apart(model):
    """Take a fitted model apart, down to the final estimator or a WindowedClassifier."""
    steps = []
    for part in walk(model):
        steps += [step for step in part.before if hasattr(step, "transform")]
        model = part.estimator
        if isinstance(model, WindowedClassifier):
            break
    places = [i for i, step in enumerate(steps) if front_end_of(step) is not None]
    if not places and isinstance(model, WindowedClassifier):
        return Parts(steps, None, [], model)  # it takes recordings
    if not places:
        return Parts([], None, steps, model)
    return Parts(steps[: places[0]], steps[places[0]], steps[places[0] + 1 :], model)


def front_end_of(features) -> FrontEnd | None:
    """Return the front end from waveforms to log-mel bands; None if `features` are not made of them.

    A union has one if all its parts share it.
    """
    if isinstance(features, _SpectralFeatures):
        return replace(features._front_end(), dct=None, cmvn=False, n_lags=None)
    if isinstance(features, FeatureUnion) and not features.transformer_weights:
        parts = [part for _, part in features.transformer_list]
        own = ("n_mfcc", "cmvn", "output")
        if all(isinstance(part, _SpectralFeatures) for part in parts):
            kinds = [{**part.get_params(), **dict.fromkeys(own)} for part in parts]
            return front_end_of(parts[0]) if all(kind == kinds[0] for kind in kinds) else None
    return None


def _finish(features, grids):
    """Compute `features` from log-mel bands of shape (n, n_bands, n_frames)."""
    if isinstance(features, FeatureUnion):
        return np.hstack([_finish(part, grids) for _, part in features.transformer_list])
    front_end = features._front_end()
    grids = finish(front_end, grids)
    if features.output == "sequence":
        return grids
    if features.output == "flat":
        return grids.reshape(len(grids), -1)
    return summarize(grids, front_end.cmvn)


def clipped_log(probabilities):
    """Return log p, of at least log 0.001."""
    return log_probabilities(np.clip(probabilities, _SMALLEST, None)).astype(float)
