"""What the transformers from recordings to recordings share."""

from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from sklearn_heartkd._recordings import check_recordings, is_ragged, map_recordings


class _Stateless(TransformerMixin, BaseEstimator):
    """Base of the transformers that treat each recording by itself and learn nothing.

    A subclass gives `_check_parameters()` for what `_parameter_constraints` cannot say.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the recordings; nothing is learnt.

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
        self._fitted_on_ragged = is_ragged(check_recordings(self, X, reset=True))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_parameters(self):
        """Raise for values that do not go together."""


def _has_columns(estimator):
    if getattr(estimator, "_fitted_on_ragged", False):
        raise AttributeError(
            f"{type(estimator).__name__} was fitted on recordings of different length, which have "
            "no common columns to name: put FixedLength before it for a table."
        )
    return True


class _Filter(OneToOneFeatureMixin, _Stateless):
    """Base of the transformers that keep the length of each recording.

    A subclass gives `_filter()`, which returns the function of one waveform.
    """

    def transform(self, X):
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
    def get_feature_names_out(self, input_features=None):
        """Name the samples as they came in.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Compared with the names seen in `fit`.

        Returns
        -------
        names : ndarray of str objects
            The names seen in `fit`, or ``x0``, ``x1`` and so on.
        """
        return super().get_feature_names_out(input_features)
