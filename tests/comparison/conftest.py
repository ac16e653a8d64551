import pytest

from sklearn_heartkd.datasets import make_heart_sounds
from tests.comparison.helpers import run


@pytest.fixture(scope="module")
def data():
    return make_heart_sounds(
        16, classes=("normal", "murmur"), n_subjects=16, duration=1.0, random_state=0
    )


@pytest.fixture(scope="module")
def comparison(data):
    return run(data)
