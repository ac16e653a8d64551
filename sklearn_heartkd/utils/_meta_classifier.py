"""What the meta-estimators of this package share."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if

from sklearn_heartkd.utils._metadata import MetadataRouterMixin
from sklearn_heartkd.utils._nested import can_embed
from sklearn_heartkd.utils._validation import check_any_new_input


class MetaClassifier(MetadataRouterMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of the classifiers that fit another one and predict with it.

    A subclass implements `_answer(X)`, which returns probabilities and embeddings of one evaluation, and
    sets `classes_` and, unless it overrides `_embeds`, `estimator_` in `fit`.
    """

    classes_: np.ndarray

    def _embeds(self):
        return can_embed(getattr(self, "estimator_", self.estimator))

    def _check_new(self, X):
        return check_any_new_input(self, X)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return self._answer(X)[0]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Class labels.
        """
        probabilities = self.predict_proba(X)  # before classes_: raises where fit is missing
        return self.classes_[probabilities.argmax(axis=1)]

    @available_if(lambda self: self._embeds())
    def embed(self, X: ArrayLike) -> np.ndarray:
        """Compute embeddings.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_dimensions)
            Embeddings of the classifier inside, which must have them.
        """
        return self._answer(X)[1]
