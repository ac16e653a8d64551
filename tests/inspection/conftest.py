import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import Conv1DClassifier, LogMelSpectrogram, RNNClassifier, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds

FEW_BATCHES = {"batch_size": 16, "random_state": 0}


@pytest.fixture(scope="session")
def sounds():
    return make_heart_sounds(
        48, classes=("normal", "murmur"), n_subjects=48, duration=2.0, random_state=0
    )


@pytest.fixture(scope="session")
def convolutional(sounds):
    network = Conv1DClassifier(width=16, max_epochs=12, **FEW_BATCHES)
    return make_pipeline(LogMelSpectrogram(), network).fit(sounds.data, sounds.target)


@pytest.fixture(scope="session")
def student(sounds):
    network = StudentClassifier(max_epochs=4, **FEW_BATCHES)
    return make_pipeline(LogMelSpectrogram(), network).fit(sounds.data, sounds.target)


@pytest.fixture(scope="session")
def recurrent(sounds):
    network = RNNClassifier(hidden_size=16, max_epochs=4, **FEW_BATCHES)
    return make_pipeline(LogMelSpectrogram(), network).fit(sounds.data, sounds.target)


@pytest.fixture(autouse=True)
def no_figures_left():
    import matplotlib

    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def murmur(sounds):
    """The row of a recording with a murmur, and its events."""
    row = int(np.flatnonzero(sounds.target == "murmur")[0])
    return row, sounds.events[sounds.events["recording"] == row]
