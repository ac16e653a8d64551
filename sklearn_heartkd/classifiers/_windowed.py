"""WindowedClassifier, and the cutting of recordings into windows."""

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import _routing_enabled, get_routing_for_object
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_y,
    check_consistent_length,
    check_is_fitted,
)

from sklearn_heartkd.utils._group_splits import warn_without_groups
from sklearn_heartkd.utils._meta_classifier import MetaClassifier
from sklearn_heartkd.utils._metadata import splits_inside
from sklearn_heartkd.utils._nested import answer, fit_nested
from sklearn_heartkd.utils._probabilities import require_probabilities
from sklearn_heartkd.utils._random import clone_seeded
from sklearn_heartkd.utils._recordings import check_recordings
from sklearn_heartkd.utils._unlabeled import cut_parameters
from sklearn_heartkd.utils._unwrap import parts_of, sampling_rates
from sklearn_heartkd.utils._validation import drop_weightless


def cut_windows(recordings, n_window, n_hop):
    """Cut recordings into overlapping windows of equal length.

    Windows of `n_window` samples start at 0, `n_hop`, 2 `n_hop`, …; the last one is moved back so that
    it ends with the recording. A recording shorter than a window is looped to one: padding with silence
    would give its length away.

    Returns
    -------
    windows : ndarray of shape (n_windows, n_window)
    source : ndarray of shape (n_windows,)
        The recording from which each window was cut.
    """
    windows, source = [], []
    for i, row in enumerate(recordings):
        if len(row) < n_window:
            row = np.resize(row, n_window)
        starts = np.arange(0, len(row) - n_window + 1, n_hop)
        if starts[-1] + n_window < len(row):
            starts = np.append(starts, len(row) - n_window)
        windows += [row[start : start + n_window] for start in starts]
        source += [i] * len(starts)
    return np.stack(windows), np.array(source)


def average_over_windows(values, source, n_recordings):
    """Return the mean of the rows of `values` over the windows of each recording."""
    total = np.zeros((n_recordings, values.shape[1]), dtype=values.dtype)
    np.add.at(total, source, values)
    return total / np.bincount(source, minlength=n_recordings)[:, None]


def _require_rate(estimator, sampling_rate):
    """Raise if a transformer of this package inside `estimator` expects another sampling rate."""
    steps = [part for part in parts_of(estimator) if hasattr(part, "transform")]
    homes = {type(step).__module__.partition(".")[0] for step in steps}
    functions = any(isinstance(step, FunctionTransformer) for step in steps)
    if functions or homes - {"sklearn", "sklearn_heartkd", "imblearn"}:
        return  # such a step may change the rate
    for name, rate in sampling_rates(estimator).items():
        if rate != sampling_rate:
            raise ValueError(
                f"{name} has sampling_rate={rate:g}, but WindowedClassifier has "
                f"sampling_rate={sampling_rate:g}; give both that of the recordings."
            )


class WindowedClassifier(MetaClassifier):
    """Fit a classifier on windows of recordings, and average its probabilities per recording.

    A classifier of equally long recordings becomes one of recordings of any length. Each window has the
    label and the subject of its recording, so that no inner split separates the windows of a recording.
    A recording of many windows weighs more, unless `sample_weight` makes up for it.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Takes windows, of shape (n_windows, n_samples); with `predict_proba`.
    window : float, default=3.0
        Length of a window in seconds.
    hop : float, default=1.5
        From the start of one window to the next, in seconds.
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    random_state : int, RandomState instance or None, default=None
        Seeds the classifier where its own random state is None.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    estimator_ : classifier
        Fitted on the windows.
    n_features_in_ : int
        Samples of a recording, where all have the same number.

    See Also
    --------
    FixedLength : Crop or loop recordings to one length instead.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC, WindowedClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(20, classes=("normal", "murmur"), random_state=0)
    >>> ragged = [sounds.data[i, : 6000 + 100 * i] for i in range(20)]
    >>> forest = make_pipeline(MFCC(output="summary"), RandomForestClassifier(10, random_state=0))
    >>> model = WindowedClassifier(forest).fit(ragged, sounds.target)
    >>> model.predict_proba(ragged).shape
    (20, 2)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "window": [Interval(Real, 0, None, closed="neither")],
        "hop": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        window: float = 3.0,
        hop: float = 1.5,
        sampling_rate: float = 2000,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.window = window
        self.hop = hop
        self.sampling_rate = sampling_rate
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        devices: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups_unlabeled: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the classifier on the windows of all recordings.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Weight of each window of a recording. Rows of weight 0 count as absent.
        groups : array-like of shape (n_recordings,), default=None
            Subjects, of each window of a recording; None treats each recording as a separate subject.
        devices : array-like of shape (n_recordings,), default=None
            Devices, of each window of a recording, for networks with ``balance=True``.
        X_unlabeled : array-like of shape (n_unlabeled, …) or sequence of 1-D arrays, default=None
            Recordings without labels, of which the classifier gets the windows, such as a
            :class:`~sklearn_heartkd.DistilledClassifier`.
        groups_unlabeled : array-like of shape (n_unlabeled,), default=None
            Their subjects.
        **params : dict
            Metadata for the classifier, with metadata routing enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        TypeError
            If the classifier has no `predict_proba`, or takes no sample weights and some are given.
        ValueError
            If `hop` is longer than `window`, or features or filters inside have another sampling rate.
        """
        require_probabilities(self.estimator, "The classifier")
        _require_rate(self.estimator, self.sampling_rate)
        if self.hop > self.window:
            raise ValueError(
                f"hop={self.hop} is longer than window={self.window}, which leaves parts of the "
                "recordings out; use a hop of at most the window."
            )
        X = check_recordings(self, X, reset=True)
        y = _check_y(y)
        check_consistent_length(X, y)
        check_classification_targets(y)
        params |= self._check_metadata(y, groups, devices, X_unlabeled, groups_unlabeled)
        X, y, sample_weight, params, _ = drop_weightless(X, y, sample_weight, params)
        if groups is None:
            if splits_inside(self.estimator):
                warn_without_groups(self)
            params["groups"] = self._recordings_as_groups(len(X))
        windows, source = self._cut(X)
        if "X_unlabeled" in params:
            params |= self._cut_unlabeled(**params)
        routed = self._route(sample_weight=sample_weight, **params)["estimator"]
        routed = cut_parameters(X, routed, source)
        estimator = clone_seeded(self.estimator, check_random_state(self.random_state))
        self.estimator_ = fit_nested(estimator, windows, y[source], routed)
        self.classes_ = self.estimator_.classes_
        return self

    def _recordings_as_groups(self, n_recordings):
        """Return a group for each recording, so that no inner split separates its windows."""
        routing = get_routing_for_object(self.estimator)
        if _routing_enabled() and not routing.consumes("fit", ["groups"]):
            return None
        return np.arange(n_recordings)

    def _cut_unlabeled(self, X_unlabeled, groups=None, groups_unlabeled=None, **others):
        """Return the windows of recordings without labels, and the subject of each."""
        windows, source = self._cut(X_unlabeled)
        if groups_unlabeled is None and groups is not None:
            # none of them is known to be one of the subjects in `groups`
            groups = np.unique(groups, return_inverse=True)[1]
            groups_unlabeled = len(groups) + np.arange(len(X_unlabeled))
        if groups_unlabeled is not None:
            groups_unlabeled = groups_unlabeled[source]
        return {"X_unlabeled": windows, "groups": groups, "groups_unlabeled": groups_unlabeled}

    def _check_new(self, X):
        return check_recordings(self, X, reset=False)

    def _cut(self, X):
        n_window = max(1, round(self.window * self.sampling_rate))
        return cut_windows(X, n_window, max(1, round(self.hop * self.sampling_rate)))

    def _answer(self, X):
        """Return the mean probabilities and embeddings of each recording's windows."""
        check_is_fitted(self)
        X = check_recordings(self, X, reset=False)
        windows, source = self._cut(X)
        probabilities, representation = answer(self.estimator_, windows)
        return (
            average_over_windows(probabilities, source, len(X)),
            average_over_windows(representation, source, len(X)),
        )
