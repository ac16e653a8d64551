"""Neural networks as scikit-learn classifiers."""

from sklearn_heartkd.classifiers._convolutional import (
    Conv1DClassifier,
    Conv2DClassifier,
    StudentClassifier,
)
from sklearn_heartkd.classifiers._dense import DenseStudentClassifier
from sklearn_heartkd.classifiers._pretraining import ContrastivePretraining
from sklearn_heartkd.classifiers._recurrent import LSTMClassifier, RNNClassifier
from sklearn_heartkd.classifiers._supervised_pretraining import SupervisedPretraining
from sklearn_heartkd.classifiers._windowed import WindowedClassifier

__all__ = [
    "ContrastivePretraining",
    "Conv1DClassifier",
    "Conv2DClassifier",
    "DenseStudentClassifier",
    "LSTMClassifier",
    "RNNClassifier",
    "StudentClassifier",
    "SupervisedPretraining",
    "WindowedClassifier",
]
