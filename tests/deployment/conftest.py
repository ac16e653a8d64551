import pytest
from sklearn.pipeline import Pipeline

from sklearn_heartkd import (
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds


@pytest.fixture(scope="session")
def sounds():
    """Thirty synthetic recordings of 5 s at 2 kHz, of three classes."""
    return make_heart_sounds(30, classes=("artifact", "murmur", "normal"), random_state=0)


@pytest.fixture(scope="session")
def student_pipeline(sounds):
    """Log-mel bands and the student, fitted on recordings of 5 s."""
    model = Pipeline(
        [
            ("mel", LogMelSpectrogram()),
            ("student", StudentClassifier(max_epochs=3, random_state=0)),
        ]
    )
    return model.fit(sounds.data, sounds.target)


@pytest.fixture(scope="session")
def distilled(sounds):
    """The model of the box in small, but with clusters: windows of 3 s, log-mel bands, a student."""
    student = DistilledClassifier(
        Conv2DClassifier(width=2, depth=2, max_epochs=1),
        StudentClassifier(max_epochs=3),
        refine="kmeans",
        random_state=0,
    )
    model = WindowedClassifier(
        Pipeline([("mel", LogMelSpectrogram()), ("student", student)]), random_state=0
    )
    return model.fit(sounds.data, sounds.target)
