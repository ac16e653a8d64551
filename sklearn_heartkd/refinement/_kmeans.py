"""KMeansRefinedClassifier."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.refinement._cluster_table import ClusterTable, check_n_clusters
from sklearn_heartkd.utils._group_splits import (
    splits_of_rows,
    subject_folds,
)
from sklearn_heartkd.utils._meta_classifier import MetaClassifier
from sklearn_heartkd.utils._nested import answer, fit_nested
from sklearn_heartkd.utils._probabilities import (
    FEWER_FOLDS,
    align,
    as_probabilities,
    log_probabilities,
    require_finite,
    require_probabilities,
)
from sklearn_heartkd.utils._random import clone_seeded, draw_seed
from sklearn_heartkd.utils._unlabeled import fold_parameters
from sklearn_heartkd.utils._unwrap import allows_nan, takes_sequences
from sklearn_heartkd.utils._validation import (
    check_any_input,
    check_any_new_input,
    drop_weightless,
)

WEIGHTS = np.arange(0, 10) / 10


class KMeansRefinedClassifier(MetaClassifier):
    """Average a classifier's probabilities with those of k-means clusters of its embeddings.

    k-means runs on the embeddings of the training data, or on log-probabilities where the classifier
    has no embeddings; each cluster has a table of class probabilities; a new recording gets the
    average of the classifier's probabilities and its cluster's.

    Parameters
    ----------
    estimator : classifier
        Has `predict_proba`. A :class:`~sklearn.frozen.FrozenEstimator` is not fitted again.
    n_clusters : int or "auto", default="auto"
        Number of clusters; "auto" is the number of classes. The clusters start at the classes'
        means, further ones along each class's main direction.
    weight : float or "auto", default=0.25
        Share of the clusters in the average. "auto" takes, among 0, 0.1, …, 0.9, the one with the
        smallest logarithmic loss on held-out parts of the training data, and needs `cv`. A frozen
        classifier must then have been fitted on other recordings than these.
    cv : int, splitter or None, default=None
        The inner splits for ``weight="auto"``: by subject where `groups` are given to `fit`.
    random_state : int, RandomState instance or None, default=None
        Seeds k-means, and the estimator if its own random state is None.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    estimator_ : classifier
        The fitted classifier.
    refiner_ : ClusterTable
        Centers and class probabilities of the clusters.
    weight_ : float
        The weight in use.
    n_features_in_ : int
        Size of the second dimension of X, where it is an array.

    See Also
    --------
    DistilledClassifier : Has the same refinement for its student.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd import KMeansRefinedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = KMeansRefinedClassifier(LogisticRegression(max_iter=500)).fit(X, y)
    >>> model.refiner_.table.shape
    (3, 3)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "n_clusters": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "weight": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "cv": ["cv_object"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        n_clusters: int | str = "auto",
        weight: float | str = 0.25,
        cv: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_clusters = n_clusters
        self.weight = weight
        self.cv = cv
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
        """Fit the classifier, then the clusters.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            Input of the classifier.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Rows of weight 0 count as absent.
        groups : array-like of shape (n_recordings,), default=None
            Subjects, handed to the classifier and to the inner splits.
        devices : array-like of shape (n_recordings,), default=None
            Devices, handed to the classifier.
        X_unlabeled : array-like of shape (n_unlabeled, …) or sequence of 1-D arrays, default=None
            Input without labels, handed to the classifier, such as a
            :class:`~sklearn_heartkd.DistilledClassifier`; not clustered.
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
            If ``weight="auto"`` comes without `cv`, a frozen classifier misses a class of y, there are more
            clusters than recordings, or the predictions are not probabilities or not finite.
        """
        require_probabilities(self.estimator, "The classifier")
        X, y = check_any_input(self, X, y)
        if self.weight == "auto" and self.cv is None:
            raise ValueError(
                "weight='auto' chooses the weight on held-out recordings; give a cv to split them, such as "
                "cv=3."
            )
        n_rows = len(y)
        params |= self._check_metadata(y, groups, devices, X_unlabeled, groups_unlabeled)
        X, y, sample_weight, params, rows = drop_weightless(X, y, sample_weight, params)
        cv = splits_of_rows(self.cv, rows, n_rows)
        check_n_clusters(self.n_clusters, len(y))
        random_state = check_random_state(self.random_state)
        estimator = clone_seeded(self.estimator, random_state)
        seed = draw_seed(random_state)
        routed = self._route(sample_weight=sample_weight, **params)["estimator"]
        self.estimator_ = fit_nested(estimator, X, y, routed)
        self.classes_ = self.estimator_.classes_
        if unknown := sorted(set(y.tolist()) - set(self.classes_.tolist())):
            raise ValueError(
                f"The classifier does not know {unknown}, only {self.classes_.tolist()}; fit it on "
                "recordings of every class."
            )
        self.weight_ = self.weight
        if self.weight == "auto":
            splits = subject_folds(self, check_cv(cv, y, classifier=True), y, params["groups"])
            self.weight_ = self._choose_weight(
                estimator, X, y, sample_weight, routed, params["groups"], splits, seed
            )
        self.refiner_ = self._learn_clusters(self.estimator_, X, y, sample_weight, seed)
        return self

    def _learn_clusters(self, fitted, X, y, sample_weight, seed):
        probabilities, embedding = answer(fitted, X)
        as_probabilities(probabilities, len(fitted.classes_), "The classifier")
        require_finite(embedding, "The classifier gives embeddings")
        return ClusterTable.learn(
            embedding,
            np.searchsorted(fitted.classes_, y),
            sample_weight,
            n_classes=len(fitted.classes_),
            n_clusters=self.n_clusters,
            random_state=seed,
        )

    def _choose_weight(self, estimator, X, y, sample_weight, routed, groups, splits, seed):
        losses = np.zeros(len(WEIGHTS))
        for training, held_out in splits:
            weight = None if sample_weight is None else sample_weight[training]
            rows = _safe_indexing(X, training), y[training]
            inside = fold_parameters(X, routed, groups, training, held_out)
            fitted = fit_nested(clone_seeded(estimator, None), *rows, inside)
            clusters = self._learn_clusters(fitted, *rows, weight, seed)
            own, embedding = answer(fitted, _safe_indexing(X, held_out))
            own = align(own, fitted.classes_, self.classes_, "A fold", FEWER_FOLDS)
            table = clusters.predict_proba(embedding)
            table = align(table, fitted.classes_, self.classes_, "A fold", FEWER_FOLDS)
            truth = np.searchsorted(self.classes_, y[held_out])[:, None]
            importance = np.ones(len(y)) if sample_weight is None else sample_weight
            for i, share in enumerate(WEIGHTS):
                mixed = (1 - share) * own + share * table
                found = np.take_along_axis(mixed, truth, axis=1)[:, 0]
                losses[i] -= importance[held_out] @ log_probabilities(found)
        return float(WEIGHTS[losses.argmin()])

    def _answer(self, X):
        """Return probabilities, and embeddings or log-probabilities, of one evaluation."""
        check_is_fitted(self)
        own, representation = answer(self.estimator_, check_any_new_input(self, X))
        refined = self.refiner_.refine(own, representation, self.weight_)
        return refined, representation if self._embeds() else log_probabilities(refined)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = takes_sequences(self.estimator)
        tags.input_tags.allow_nan = allows_nan(self.estimator)
        return tags
