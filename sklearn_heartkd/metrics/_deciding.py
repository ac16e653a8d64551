"""What the classifiers that only change the decision of another one share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.utils._metadata import MetadataRouterMixin
from sklearn_heartkd.utils._nested import fit_nested
from sklearn_heartkd.utils._validation import drop_weightless


def _estimator_offers(method):
    def check(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return check


class DecidingClassifier(MetadataRouterMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of the classifiers whose probabilities are those of the estimator inside."""

    _needs_weights = False
    estimator_: Any
    classes_: np.ndarray

    def _checked(self, X, y, sample_weight, groups, devices, X_unlabeled, groups_unlabeled, params):
        """Return the rows that count, what belongs to them, their places, and how many there were."""
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        X, y = indexable(X, y)
        y = np.asarray(y)
        n_rows = len(y)
        params |= self._check_metadata(y, groups, devices, X_unlabeled, groups_unlabeled)
        X, y, sample_weight, params, rows = drop_weightless(X, y, sample_weight, params)
        routed = self._route(sample_weight=sample_weight, **params)["estimator"]
        return X, y, sample_weight, params["groups"], routed, rows, n_rows

    def _fit_estimator(self, X, y, routed):
        self.estimator_ = fit_nested(clone(self.estimator), X, y, routed)
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))

    @available_if(_estimator_offers("predict_proba"))
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of the estimator.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes)
            Probabilities, in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_offers("decision_function"))
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the decision function of the estimator.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,) or (n_recordings, n_classes)
            Confidence scores.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
