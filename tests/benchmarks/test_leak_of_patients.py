import numpy as np
import pytest

from benchmarks.leak_of_patients import scores


@pytest.fixture
def noise():
    """Features and labels that have nothing to do with each other."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((200, 5)), np.repeat(["common", "rare"], [170, 30]), np.arange(200)


def test_copies_before_a_random_split_are_recognized(noise):
    found = scores("neighbour", *noise, "copies before random", 0)
    assert found["rows"] == 340
    assert found["seen"] > 0.45  # nearly all of the rare class, half of the rows
    assert found["accuracy"] == pytest.approx(found["balanced_accuracy"])
    assert found["accuracy"] > 0.85


def test_copies_in_the_training_folds_only_are_not(noise):
    found = scores("neighbour", *noise, "copies in training by subject", 0)
    assert found["balanced_accuracy"] < 0.65
    assert "seen" not in found
