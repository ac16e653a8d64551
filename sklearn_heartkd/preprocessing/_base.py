"""What the transformers from recordings to recordings share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.metaestimators import available_if

from sklearn_heartkd.utils._recordings import check_recordings, map_recordings
from sklearn_heartkd.utils._stateless import Stateless

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def _has_columns(estimator):
    if getattr(estimator, "_fitted_on_ragged", False):
        raise AttributeError(
            f"{type(estimator).__name__} was fitted on recordings of different length, which have "
            "no common columns to name: put FixedLength before it for a table."
        )
    return True


class _Filter(OneToOneFeatureMixin, Stateless):
    """Base of the transformers that keep the length of each recording.

    A subclass gives `_filter()`, which returns the function of one waveform.
    """

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Filter each recording.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.

        Returns
        -------
        filtered : ndarray of shape (n_recordings, n_samples) or (n_recordings,)
            2-D where all recordings are of one length, else an array of 1-D arrays. float32
            recordings stay float32, all others are float64.
        """
        self._validate_params()
        self._check_parameters()
        return map_recordings(self._filter(), check_recordings(self, X, reset=False))

    @available_if(_has_columns)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the samples.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Must be the names seen in `fit`, if given.

        Returns
        -------
        names : ndarray of str objects
            The names seen in `fit`, or ``x0``, ``x1`` and so on.
        """
        return super().get_feature_names_out(input_features)
