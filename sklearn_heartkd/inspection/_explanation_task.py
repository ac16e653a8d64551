"""Find the view under which a model is explained."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.features import LogMelSpectrogram
from sklearn_heartkd.inspection import _steps
from sklearn_heartkd.inspection._views import GridView, TableView, WaveformView, WindowedView
from sklearn_heartkd.utils._recordings import check_recordings


class ExplanationTask(NamedTuple):
    """A model and recordings, ready to be explained.

    Attributes
    ----------
    view : GridView, WindowedView, WaveformView or TableView
    parts : Parts or None
        None where nothing is known of the model.
    classes : ndarray of shape (n_classes,)
    unit : str
        Of the scores.
    front_end : FrontEnd or None
        Of the grid; None where it is not known, or where its rows are no bands.
    recordings : list of ndarray or None
        The waveforms, where the model takes them.
    """

    view: Any
    parts: Any
    classes: np.ndarray
    unit: str
    front_end: Any
    recordings: Any


def make_task(model, X, background=None, *, features=None, sampling_rate=None):
    """Return the `ExplanationTask` of `model` and `X`; the parameters are those of `explain`."""
    if hasattr(model, "metadata") and hasattr(model, "classes"):  # an exported model
        return _opaque(
            lambda waveforms: np.stack([model.predict_proba(row) for row in waveforms]),
            np.asarray(model.classes),
            X,
            background,
            model.sampling_rate,
        )
    if not hasattr(model, "fit"):
        raise TypeError(f"explain takes a fitted classifier, got {type(model).__name__}.")
    check_is_fitted(model)
    if not hasattr(model, "classes_"):
        raise NotFittedError(
            f"This {type(model).__name__} is no fitted classifier; call fit first."
        )
    parts = _steps.take_apart(model)
    classes = np.asarray(model.classes_)
    if isinstance(parts.classifier, WindowedClassifier):
        return _windowed(parts, classes, X, background)
    if parts.features is not None:
        view, front_end = _from_waveforms(parts, _recordings(X), _recordings(background))
        unit = _steps.unit_of(parts.classifier)
        return ExplanationTask(view, parts, classes, unit, front_end, _recordings(X))
    if sampling_rate is not None:
        return _opaque(model.predict_proba, classes, X, background, sampling_rate)
    return _from_features(parts, classes, X, background, features)


# names itself in the errors of the validation
_OWNER = type("explain", (BaseEstimator,), {})()


def _recordings(X):
    return None if X is None else list(check_recordings(_OWNER, X, reset=False))


def _references(grids, background):
    """Return what a cell is replaced by: the background's mean, or the grid's own median."""
    if background is None:
        return [np.median(grid, axis=1, keepdims=True) for grid in grids]
    mean = np.mean([grid.mean(axis=1, keepdims=True) for grid in background], axis=0)
    return [mean] * len(grids)


def _from_waveforms(parts, recordings, background):
    front_end = _steps.front_end_of(parts.features)

    def grids_of(waveforms):
        if parts.before:
            waveforms = _steps.transform(parts.before, waveforms)
        return _steps.log_mel(front_end, waveforms)

    grids = grids_of(recordings)
    references = _references(grids, None if background is None else grids_of(background))
    return GridView(grids, references, parts), front_end


def _windowed(parts, classes, X, background):
    recordings, background = _recordings(X), _recordings(background)
    if parts.after or parts.features is not None:
        raise ValueError("A WindowedClassifier behind features cannot be explained; put it first.")
    given, windowed = recordings, parts.classifier
    if parts.before:
        recordings = list(_steps.transform(parts.before, recordings))
    rate = windowed.sampling_rate
    windows, source = windowed._cut(recordings)
    inner = windowed.estimator_
    behind = None
    if background is not None:
        if parts.before:
            background = list(_steps.transform(parts.before, background))
        behind = windowed._cut(background)[0]
    known = _steps.take_apart(inner)
    sampling_rate = None if known.features is not None else rate
    task = make_task(inner, windows, behind, sampling_rate=sampling_rate)
    front_end = task.front_end
    starts = _window_starts(windowed, recordings)
    n_frames = task.view.grids[0].shape[1]
    samples = starts[:, None] + front_end.hop_length * np.arange(n_frames)
    lengths = np.array([len(row) for row in recordings])[source][:, None]
    frames = (samples % lengths) // front_end.hop_length  # a short recording was looped
    view = WindowedView(task.view, source, frames)
    return ExplanationTask(view, task.parts, classes, task.unit, front_end, given)


def _window_starts(windowed, recordings):
    """Return the first sample of each window."""
    positions = [np.arange(len(row)) for row in recordings]
    return windowed._cut(positions)[0][:, 0]


def _opaque(predict_proba, classes, X, background, sampling_rate):
    fmax = min(800.0, sampling_rate / 2)
    features = LogMelSpectrogram(sampling_rate=sampling_rate, fmax=fmax)
    front_end = features._front_end()
    recordings, background = _recordings(X), _recordings(background)
    grids = _steps.log_mel(front_end, recordings)
    behind = None if background is None else _steps.log_mel(front_end, background)
    view = WaveformView(
        recordings,
        grids,
        _references(grids, behind),
        front_end,
        lambda waveforms: _steps.clipped_log(predict_proba(waveforms)),
    )
    return ExplanationTask(view, None, classes, "log-probability", front_end, recordings)


def _from_features(parts, classes, X, background, features):
    X = np.asarray(X) if not hasattr(X, "columns") else X.to_numpy()
    background = None if background is None else np.asarray(background)
    unit = _steps.unit_of(parts.classifier)
    front_end = None
    if features is not None:
        front_end = features._front_end()
        if X.ndim == 2 and features.output == "flat":
            shape = (len(X), front_end.n_channels, -1)
            if X.shape[1] % front_end.n_channels:
                raise ValueError(
                    f"X has {X.shape[1]} columns, which is no multiple of the "
                    f"{front_end.n_channels} channels of `features`; pass what made X."
                )
            X = X.reshape(shape)
            background = None if background is None else background.reshape(shape)
            grids = list(X)
            view = GridView(grids, _references(grids, background), parts, flat=True)
            return ExplanationTask(view, parts, classes, unit, front_end, None)
    if X.ndim == 3:
        grids = list(X)
        return ExplanationTask(
            GridView(grids, _references(grids, background), parts),
            parts,
            classes,
            unit,
            front_end,
            None,
        )
    if X.ndim != 2:
        raise ValueError(
            f"X has {X.ndim} dimensions; give recordings, (n, n_channels, n_frames) or a table."
        )
    if background is None and len(X) < 2:
        raise ValueError(
            "One row of a table needs a background to be compared with: pass background=, for example "
            "some rows of the training data."
        )
    reference = np.median(X if background is None else background, axis=0)
    table = TableView(X, reference, parts.classifier, parts.after)
    return ExplanationTask(table, parts, classes, unit, None, None)
