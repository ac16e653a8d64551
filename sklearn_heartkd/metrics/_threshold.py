"""A classifier that decides between two of its classes at a threshold."""

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.metrics._deciding import DecidingClassifier


class ThresholdClassifier(DecidingClassifier):
    """A classifier that decides between two of its classes at a threshold.

    It is :class:`~sklearn.model_selection.FixedThresholdClassifier` for models of more classes: the others
    are set aside. The score is p(positive) / (p(positive) + p(negative)). The threshold is saved with
    the model, and goes into exported files.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba`, or a pipeline that ends in one.
    threshold : float, default=0.5
        `predict` answers the positive class where the score is at least this; see
        :func:`operating_point` for the choice.
    pos_label, neg_label : str or number, default=None
        The two classes. None means, of two classes, the second one and the first one.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        All classes of the estimator, in the order of `predict_proba`.
    pos_label_, neg_label_ : str or number
        The classes that `predict` answers.
    n_features_in_ : int
        Number of features, where the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where the estimator knows them.

    See Also
    --------
    operating_point : Find a threshold for a given specificity or sensitivity.
    RejectingClassifier : Answers "unsure" where the probability is low.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.metrics import ThresholdClassifier
    >>> X = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0], [9.0]])
    >>> y = ["normal", "normal", "murmur", "murmur", "murmur", "artifact"]
    >>> model = ThresholdClassifier(
    ...     LogisticRegression(), threshold=0.8, pos_label="murmur", neg_label="normal"
    ... )
    >>> model.fit(X, y).predict([[-3.0], [0.0], [9.0]])
    array(['normal', 'normal', 'murmur'], dtype='<U8')
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "pos_label": [str, Real, None],
        "neg_label": [str, Real, None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        threshold: float = 0.5,
        pos_label: str | float | None = None,
        neg_label: str | float | None = None,
    ) -> None:
        self.estimator = estimator
        self.threshold = threshold
        self.pos_label = pos_label
        self.neg_label = neg_label

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
        """Fit the classifier, on the recordings of all classes.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            Input of the estimator.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Weights, for the estimator. Weight 0 means absent.
        groups : array-like of shape (n_recordings,), default=None
            Subjects, handed to the estimator.
        devices : array-like of shape (n_recordings,), default=None
            Devices, handed to the estimator.
        X_unlabeled : array-like of shape (n_unlabeled, …) or sequence of 1-D arrays, default=None
            Input without labels, handed to the estimator.
        groups_unlabeled : array-like of shape (n_unlabeled,), default=None
            Their subjects.
        **params : dict
            Metadata for the estimator, with metadata routing enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If `pos_label` and `neg_label` are not two of the classes, or are not given and there are more
            than two.
        """
        checked = self._checked(
            X, y, sample_weight, groups, devices, X_unlabeled, groups_unlabeled, params
        )
        X, y, _, _, routed, *_ = checked
        self._fit_estimator(X, y, routed)
        classes = self.classes_.tolist()
        two = self.neg_label, self.pos_label
        if two == (None, None) and len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported unless pos_label and neg_label are given; y has "
                f"{len(classes)} classes."
            )
        if two == (None, None):
            two = classes[0], classes[-1]
        elif len({*two} & {*classes}) < 2:
            raise ValueError(
                f"pos_label={self.pos_label!r} and neg_label={self.neg_label!r} must be two of the classes "
                f"{classes}."
            )
        self.neg_label_, self.pos_label_ = two
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict one of the two classes.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,)
            `pos_label_` where its score is at least the threshold, else `neg_label_`.
        """
        check_is_fitted(self)
        columns = [self.classes_.tolist().index(x) for x in (self.neg_label_, self.pos_label_)]
        negative, positive = self.estimator_.predict_proba(X)[:, columns].T
        is_positive = positive >= self.threshold * (negative + positive)
        return self.classes_[np.where(is_positive, columns[1], columns[0])]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.pos_label is not None
        return tags
