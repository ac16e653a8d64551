"""The base of the transformers that learn nothing from the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, TransformerMixin, _fit_context

from sklearn_heartkd.utils._recordings import check_recordings, is_ragged

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike


class Stateless(TransformerMixin, BaseEstimator):
    """Base of the transformers that treat each recording separately and learn nothing.

    A subclass implements `_check_parameters()` for what `_parameter_constraints` cannot express, and
    `_check_lengths(recordings)` if it does not accept recordings of any length.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the parameters and the recordings; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer itself.
        """
        self._check_parameters()
        recordings = check_recordings(self, X, reset=True)
        self._check_lengths(recordings)
        self._fitted_on_ragged = is_ragged(recordings)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_parameters(self):
        """Raise for values that do not go together."""

    def _check_lengths(self, recordings):
        """Raise for recordings whose lengths do not go together."""
