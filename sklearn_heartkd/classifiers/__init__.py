"""Neural networks as scikit-learn classifiers."""

from sklearn_heartkd.classifiers._convolutional import (
    Conv1DClassifier,
    Conv2DClassifier,
    StudentClassifier,
)
from sklearn_heartkd.classifiers._recurrent import LSTMClassifier, RNNClassifier

__all__ = [
    "Conv1DClassifier",
    "Conv2DClassifier",
    "LSTMClassifier",
    "RNNClassifier",
    "StudentClassifier",
]
