"""DomainDetector."""

from __future__ import annotations

import json
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.covariance import ledoit_wolf
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.deployment.runtime import domain_distances, sound_statistics
from sklearn_heartkd.utils._group_splits import check_devices
from sklearn_heartkd.utils._recordings import check_recordings


class DomainDetector(BaseEstimator):
    """Tell whether recordings resemble those that a model was trained on.

    Eight statistics of how a sound changes with time, which depend neither on gain nor on a stationary
    frequency response, are compared with those of the training recordings: the Mahalanobis distance to the
    nearest device, with a shrunken covariance that all devices share [1]_, [2]_. Hearts on an unknown
    stethoscope should be inside, speech, music, breath or traffic outside.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    flagged : float, default=0.05
        Share of the recordings of an unknown device, or of the training where `fit` gets less than three
        devices, that may be outside.

    Attributes
    ----------
    centers_ : ndarray of shape (n_devices, 8)
        Mean statistics of each device.
    whitening_ : ndarray of shape (8, 8)
        Statistics times this have the distances that count.
    limit_ : float
        The distance from which on recordings are outside.
    offset_ : float
        -1, the score at the limit.
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.

    See Also
    --------
    export_onnx : Takes a detector for its `domain`, as `save_model` does.
    sklearn_heartkd.deployment.runtime.HeartSoundModel : Answers "poor recording" outside.

    Notes
    -----
    The limit is the quantile of the distances of each device from all the others, every device with
    the same weight. The statistics are those of `sklearn_heartkd.deployment.runtime.sound_statistics`.

    References
    ----------
    .. [1] K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting out-of-distribution
       samples and adversarial attacks", NeurIPS 2018.
    .. [2] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
       Journal of Multivariate Analysis 88(2), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.deployment import DomainDetector
    >>> hearts = make_heart_sounds(60, classes=("normal", "murmur"), random_state=0)
    >>> detector = DomainDetector().fit(hearts.data)
    >>> noise = np.random.default_rng(0).normal(size=(2, 10000))
    >>> detector.predict(noise)
    array([-1, -1])
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "flagged": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, sampling_rate: float = 2000, flagged: float = 0.05) -> None:
        self.sampling_rate = sampling_rate
        self.flagged = flagged

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None, devices: ArrayLike | None = None) -> Self:
        """Learn what the recordings of each device are like.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.
        y : None
            Ignored.
        devices : array-like of shape (n_recordings,), default=None
            Devices; from three on, the limit is chosen on devices left out.

        Returns
        -------
        self : object
            The fitted detector.
        """
        statistics = self._statistics(X, reset=True)
        devices = check_devices(devices, statistics)
        names = np.zeros(len(statistics)) if devices is None else np.asarray(devices)
        self.centers_, self.whitening_ = _learn(statistics, names)
        known = np.unique(names)
        if len(known) < 3:
            parts = [_distances(statistics, self.centers_, self.whitening_)]
        else:
            others = (names != device for device in known)
            parts = [_distances(statistics[~o], *_learn(statistics[o], names[o])) for o in others]
        limit = np.quantile(
            np.concatenate(parts),
            1 - self.flagged,
            weights=np.concatenate([np.full(len(part), 1 / len(part)) for part in parts]),
            method="inverted_cdf",
        )
        self.limit_ = max(float(limit), 1e-9)  # 0 where all recordings are alike
        self.offset_ = -1.0
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Compute the negative distances to the training recordings, in units of the limit.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Below -1 a recording is outside.
        """
        check_is_fitted(self)
        return -domain_distances(self._domain(), self._statistics(X, reset=False))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute `score_samples` minus `offset_`.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Negative outside.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Tell which recordings are inside.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.

        Returns
        -------
        ndarray of shape (n_recordings,)
            1 inside, -1 outside.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def to_json(self) -> str:
        """Write what the runtime needs as a text.

        Returns
        -------
        str
            For the metadata of a file.
        """
        check_is_fitted(self)
        return json.dumps({k: np.asarray(v).tolist() for k, v in self._domain().items()})

    def _domain(self):
        return {"centers": self.centers_, "whitening": self.whitening_, "limit": self.limit_}

    def _statistics(self, X, reset):
        recordings = check_recordings(self, X, reset=reset)
        rows = (np.asarray(recordings[i], np.float32) for i in range(len(recordings)))
        return np.array([sound_statistics(row, self.sampling_rate) for row in rows])


def _learn(statistics, names):
    """Return the mean of each device, and the whitening by the covariance within devices."""
    known, index = np.unique(names, return_inverse=True)
    centers = np.array([statistics[index == i].mean(axis=0) for i in range(len(known))])
    within = statistics - centers[index]
    scale = within.std(axis=0) + 1e-6
    covariance, _ = ledoit_wolf(within / scale, assume_centered=True)
    precision = np.linalg.inv(covariance + 1e-6 * np.eye(len(covariance)))
    return centers, np.linalg.cholesky(precision) / scale[:, np.newaxis]


def _distances(statistics, centers, whitening):
    return domain_distances({"centers": centers, "whitening": whitening, "limit": 1.0}, statistics)
