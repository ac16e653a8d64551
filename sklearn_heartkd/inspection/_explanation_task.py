"""From a model and recordings to the view in which they are explained."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.features import LogMelSpectrogram
from sklearn_heartkd.features._front_end import Kernel
from sklearn_heartkd.inspection._parts import clipped_log, front_end_of, take_apart
from sklearn_heartkd.inspection._views import GridView, WaveformView, WindowedView
from sklearn_heartkd.utils._nested import transform
from sklearn_heartkd.utils._recordings import check_recordings

_OWNER = type("explain", (BaseEstimator,), {})()  # its name appears in errors about X


class ExplanationTask(NamedTuple):
    """A model and recordings, ready to be explained."""

    view: Any  # GridView, WindowedView or WaveformView
    parts: Any  # Parts; None if nothing is known of the model
    classes: np.ndarray
    unit: str  # of the scores
    front_end: Any = None  # of the grid; None if it is unknown, or if the rows are not bands
    recordings: Any = None  # the waveforms, if the model takes them

    @property
    def is_table(self):
        """Whether columns of a table are explained."""
        return self.view.grids[0].ndim == 1


def make_task(model, X, background=None, *, features=None, sampling_rate=None):
    """Return the `ExplanationTask` of `model` and `X`; the parameters are those of `explain`."""
    if hasattr(model, "metadata") and hasattr(model, "classes"):  # an exported model

        def predict(waveforms):
            return np.stack([model.predict_proba(row) for row in waveforms])

        classes = np.asarray(model.classes)
        return _from_any_waveforms(predict, classes, X, background, model.sampling_rate)
    check_is_fitted(model)
    if not hasattr(model, "classes_"):
        raise TypeError(f"explain needs a classifier, got {type(model).__name__}.")
    parts, classes = take_apart(model), np.asarray(model.classes_)
    if isinstance(parts.classifier, WindowedClassifier):
        return _from_windows(parts, classes, X, background)
    if parts.features is not None:
        return _from_waveforms(parts, classes, X, background)
    if sampling_rate is not None:
        return _from_any_waveforms(model.predict_proba, classes, X, background, sampling_rate)
    return _from_features(parts, classes, X, background, features)


def _from_waveforms(parts, classes, X, background):
    front_end = front_end_of(parts.features)
    recordings = _recordings(X)
    grids = _log_mel(front_end, transform(parts.before, recordings))
    if background is not None:
        background = _log_mel(front_end, transform(parts.before, _recordings(background)))
    view = GridView(grids, _references(grids, background), parts.scores_of_log_mel)
    return ExplanationTask(view, parts, classes, parts.unit, front_end, recordings)


def _from_windows(parts, classes, X, background):
    """Explain the classifier of windows on all windows, and join them in a `WindowedView`."""
    windowed = parts.classifier
    given = _recordings(X)
    recordings = list(transform(parts.before, given))
    windows, source = windowed._cut(recordings)
    if background is not None:
        background = windowed._cut(list(transform(parts.before, _recordings(background))))[0]
    rate = windowed.sampling_rate
    task = make_task(windowed.estimator_, windows, background, sampling_rate=rate)
    # the windows of the samples' numbers show where each window starts
    starts = windowed._cut([np.arange(len(row)) for row in recordings])[0][:, 0]
    hop = task.front_end.hop_length
    samples = starts[:, None] + hop * np.arange(task.view.grids[0].shape[1])
    lengths = np.array([len(row) for row in recordings])[source][:, None]
    frames = (samples % lengths) // hop  # a recording shorter than a window is repeated
    return task._replace(
        view=WindowedView(task.view, source, frames), classes=classes, recordings=given
    )


def _from_any_waveforms(predict_proba, classes, X, background, sampling_rate):
    features = LogMelSpectrogram(sampling_rate=sampling_rate, fmax=min(800.0, sampling_rate / 2))
    front_end, recordings = features._front_end(), _recordings(X)
    grids = _log_mel(front_end, recordings)
    if background is not None:
        background = _log_mel(front_end, _recordings(background))

    def predict(waveforms):
        return clipped_log(predict_proba(waveforms))

    references = _references(grids, background)
    view = WaveformView(grids, references, predict, recordings, front_end)
    return ExplanationTask(view, None, classes, "log-probability", front_end, recordings)


def _from_features(parts, classes, X, background, features):
    X = np.asarray(X)
    background = None if background is None else np.asarray(background)
    front_end = None if features is None else features._front_end()
    predict = parts.scores
    if front_end is not None and X.ndim == 2 and features.output == "flat":
        X = X.reshape(len(X), front_end.n_channels, -1)
        if background is not None:
            background = background.reshape(len(background), front_end.n_channels, -1)

        def predict(grids):
            return parts.scores(grids.reshape(len(grids), -1))

    if X.ndim == 3:
        grids = list(X)
        view = GridView(grids, _references(grids, background), predict)
        return ExplanationTask(view, parts, classes, parts.unit, front_end)
    if X.ndim != 2:
        raise ValueError(
            f"X has {X.ndim} dimensions; pass recordings, (n, n_channels, n_frames) or a table."
        )
    if background is None and len(X) < 2:
        raise ValueError(
            "One row of a table needs a background to be compared with; pass background=, for "
            "example some rows of the training data."
        )
    reference = np.median(X if background is None else background, axis=0)
    rows = list(X.astype(np.result_type(X, reference)))
    view = GridView(rows, [reference] * len(rows), parts.scores)
    return ExplanationTask(view, parts, classes, parts.unit)


def _recordings(X):
    return list(check_recordings(_OWNER, X, reset=False))


def _log_mel(front_end, recordings):
    """Return the log-mel bands of each recording, a list of (n_bands, n_frames)."""
    return [Kernel(front_end, row.dtype)(row[np.newaxis])[0] for row in recordings]


def _references(grids, background):
    """Return the values that replace a cell: the background's mean, or the grid's own median."""
    if background is None:
        return [np.median(grid, axis=1, keepdims=True) for grid in grids]
    mean = np.mean([grid.mean(axis=1, keepdims=True) for grid in background], axis=0)
    return [mean] * len(grids)
