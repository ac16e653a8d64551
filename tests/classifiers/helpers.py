"""What the tests of both pretrainings share."""

from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
)

NETWORKS = {
    "conv1d": Conv1DClassifier(width=4, depth=1),
    "conv2d": Conv2DClassifier(width=2, depth=1),
    "lstm": LSTMClassifier(hidden_size=4),
    "gru": RNNClassifier(hidden_size=4),
    "student": StudentClassifier(width=2, depth=1),
}


def student(pretrain, **parameters):
    """Return a tiny student with a start."""
    defaults = {"width": 2, "depth": 1, "max_epochs": 2, "random_state": 0}
    return StudentClassifier(pretrain=pretrain, **defaults | parameters)
