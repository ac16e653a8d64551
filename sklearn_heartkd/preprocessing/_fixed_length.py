"""FixedLength."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval

from sklearn_heartkd.utils._recordings import check_recordings, fit_length, is_ragged
from sklearn_heartkd.utils._stateless import Stateless

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class FixedLength(ClassNamePrefixFeaturesOutMixin, Stateless):
    """Bring recordings of any length to one length by looping or cropping.

    A longer recording keeps its beginning, a shorter one is repeated. Silence is never added: a model
    could infer the length from it, and in many data sets the length depends on the class.

    Parameters
    ----------
    duration : float, default=5.0
        Length of the result in seconds.
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of a data frame seen in `fit`.

    See Also
    --------
    sklearn_heartkd.WindowedClassifier : Uses all of a long recording.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import FixedLength
    >>> recordings = [np.arange(1.0, 4.0), np.arange(1.0, 9.0)]
    >>> FixedLength(duration=5.0, sampling_rate=1).fit_transform(recordings)
    array([[1., 2., 3., 1., 2.],
           [1., 2., 3., 4., 5.]])
    """

    _parameter_constraints: dict = {
        "duration": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, duration: float = 5.0, sampling_rate: float = 2000) -> None:
        self.duration = duration
        self.sampling_rate = sampling_rate

    @property
    def _n_features_out(self):
        return round(self.duration * self.sampling_rate)

    def _check_parameters(self):
        if self._n_features_out == 0:
            raise ValueError(
                f"FixedLength got duration={self.duration} s, which is less than a sample at "
                f"{self.sampling_rate} Hz: give the duration in seconds."
            )

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Loop or crop each recording.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.

        Returns
        -------
        recordings : ndarray of shape (n_recordings, round(duration * sampling_rate))
            Recordings of one length; float32 for float32 recordings, else float64. A view of X where
            all are long enough; X itself, if it is an array, where they have the length already.
        """
        self._validate_params()
        self._check_parameters()
        recordings = check_recordings(self, X, reset=False)
        n_samples = self._n_features_out
        if not is_ragged(recordings) and recordings.shape[1] == n_samples:
            return recordings
        if isinstance(recordings, np.ndarray) and recordings.shape[1] > n_samples:
            return recordings[:, :n_samples]
        return np.stack([fit_length(recording, n_samples) for recording in recordings])
