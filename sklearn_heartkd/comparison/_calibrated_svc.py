"""A support vector machine with probabilities that are calibrated by subject."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import SVC


class CalibratedSVC(ClassifierMixin, BaseEstimator):
    """Support vector machine with balanced classes and probabilities calibrated by subject.

    The calibration has three folds, or two if a class has only two subjects.
    """

    __metadata_request__fit = {"groups": True}

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, groups=None):
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        fewest = min(len(np.unique(groups[y == label])) for label in np.unique(y))
        if fewest < 2:
            raise ValueError(
                "The SVM is calibrated by subject and needs recordings of at least 2 subjects of every "
                "class in the training part; use fewer classes or more recordings."
            )
        folds = StratifiedGroupKFold(min(3, fewest), shuffle=True, random_state=self.random_state)
        self.model_ = CalibratedClassifierCV(
            SVC(class_weight="balanced"), cv=list(folds.split(X, y, groups)), ensemble=False
        ).fit(X, y)
        self.svc_ = self.model_.calibrated_classifiers_[0].estimator
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def predict(self, X):
        # the SVM weighs the classes equally, which the calibrated probabilities do not
        return self.svc_.predict(X)
