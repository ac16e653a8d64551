"""A classifier that rejects recordings about which it is unsure."""

from numbers import Integral, Real
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context, clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.metrics._calibration import reject_threshold, risk_coverage_curve
from sklearn_heartkd.metrics._deciding import DecidingClassifier
from sklearn_heartkd.utils._group_splits import splits_of_rows, subject_folds
from sklearn_heartkd.utils._nested import fit_nested
from sklearn_heartkd.utils._unlabeled import fold_parameters


class RejectingClassifier(DecidingClassifier):
    """A classifier that predicts "unsure" where its probability is too low.

    The reject threshold is chosen on the out-of-fold probabilities of the training data, split by
    subject, so that the answers that are given have the wanted error rate, and as many as possible
    are given. The estimator itself is then fitted on all the training data.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba`, or a pipeline that ends in one.
    error_rate : float, default=None
        The share of errors allowed among the answers given. None rejects nothing.
    cv : int, cross-validation generator or iterable, default=5
        The inner splits. An integer is the number of stratified folds, by subject where `fit` gets
        `groups`. Not used where `error_rate` is None.
    reject_label : str or number, default="unsure"
        What `predict` returns where it rejects. Numeric classes need a number.

    Attributes
    ----------
    estimator_ : estimator
        The classifier fitted on all the training data.
    classes_ : ndarray of shape (n_classes,)
        The classes, without `reject_label`.
    threshold_ : float
        Recordings whose most probable class stays below it are rejected. Infinite where the error
        rate cannot be reached: then everything is rejected.
    risk_coverage_ : pandas.DataFrame
        The curve that the threshold was chosen from; None where `error_rate` is None.
    n_features_in_ : int
        Number of features, where the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where the estimator knows them.

    See Also
    --------
    reject_threshold : The choice of the threshold alone.
    risk_coverage_curve : Error rate against share of answers.

    Notes
    -----
    `score` counts a rejected recording as an error. The error rate on new data scatters around the
    wanted one; with few held-out errors it scatters much.

    References
    ----------
    Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.metrics import RejectingClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["murmur", "normal"], 100)
    >>> X = rng.normal(size=(200, 1)) + 2 * (y == "normal")[:, None]
    >>> model = RejectingClassifier(LogisticRegression(), error_rate=0.05)
    >>> model.fit(X, y, groups=np.arange(200) // 2).predict([[-1.0], [1.0], [3.0]])
    array(['murmur', 'unsure', 'normal'], dtype='<U6')
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "error_rate": [Interval(Real, 0, 1, closed="both"), None],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"]), "array-like"],
        "reject_label": [str, Real],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        error_rate: float | None = None,
        cv: Any = 5,
        reject_label: str | float = "unsure",
    ) -> None:
        self.estimator = estimator
        self.error_rate = error_rate
        self.cv = cv
        self.reject_label = reject_label

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
        """Choose the threshold and fit the classifier.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            Input of the estimator.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Weights, for the estimator and for the errors. Weight 0 means absent.
        groups : array-like of shape (n_recordings,), default=None
            Subjects. The inner splits keep each in one fold.
        devices : array-like of shape (n_recordings,), default=None
            Devices, handed to the estimator.
        X_unlabeled : array-like of shape (n_unlabeled, …) or sequence of 1-D arrays, default=None
            Input without labels, handed to the estimator. The inner splits leave out the subjects that
            they hold out.
        groups_unlabeled : array-like of shape (n_unlabeled,), default=None
            Their subjects.
        **params : dict
            Metadata for the estimator, with metadata routing enabled.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        checked = self._checked(
            X, y, sample_weight, groups, devices, X_unlabeled, groups_unlabeled, params
        )
        X, y, sample_weight, groups, routed, rows, n_rows = checked
        self.threshold_, self.risk_coverage_ = -np.inf, None
        if self.error_rate is not None:
            cv = check_cv(splits_of_rows(self.cv, rows, n_rows), y, classifier=True)
            splits = subject_folds(self, cv, y, groups)
            self._choose_threshold(X, y, sample_weight, routed, groups, splits)
        self._fit_estimator(X, y, routed)
        return self

    def _choose_threshold(self, X, y, sample_weight, routed, groups, splits):
        classes = np.unique(y)
        if isinstance(self.reject_label, str) == (classes.dtype.kind in "biuf"):
            raise ValueError(
                f"reject_label={self.reject_label!r} does not go with classes such as "
                f"{classes[0].item() if hasattr(classes[0], 'item') else classes[0]!r}; "
                "give one of the same kind."
            )
        if self.reject_label in classes.tolist():
            raise ValueError(
                f"reject_label={self.reject_label!r} is one of the classes; choose another one."
            )
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        proba = np.zeros((len(y), len(classes)))
        held_out = np.zeros(len(y), dtype=bool)
        for train, test in splits:
            rows = _safe_indexing(X, train), y[train]
            inside = fold_parameters(X, routed, groups, train, test)
            model = fit_nested(clone(self.estimator), *rows, inside)
            columns = np.searchsorted(classes, model.classes_)
            proba[np.ix_(test, columns)] = model.predict_proba(_safe_indexing(X, test))
            held_out[test] = True
        arguments = (y[held_out], proba[held_out])
        options: dict[str, Any] = {"labels": classes, "sample_weight": weight[held_out]}
        self.risk_coverage_ = risk_coverage_curve(*arguments, **options)
        rate = cast(float, self.error_rate)  # fit comes here only where it is given
        self.threshold_ = reject_threshold(*arguments, rate, **options)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the class, or `reject_label`.

        Parameters
        ----------
        X : array-like or sequence of n_recordings inputs
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,)
            The most probable class, or `reject_label` where its probability is below
            `threshold_`.
        """
        check_is_fitted(self)
        if self.error_rate is None:
            return self.estimator_.predict(X)
        proba = self.estimator_.predict_proba(X)
        answers = self.classes_[np.argmax(proba, axis=1)]
        return np.where(proba.max(axis=1) < self.threshold_, self.reject_label, answers)
