import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import extrastole
from sklearn_heartkd.datasets import make_heart_sounds


@pytest.fixture(scope="module")
def pascal():
    """Synthetic recordings of 2, 3 and 5 s, all extrasystoles in set B as in PASCAL."""
    n = 90
    sounds = make_heart_sounds(
        n, classes=["normal", "extrastole", "murmur"], n_subjects=n, duration=5.0, random_state=0
    )
    seconds = np.random.default_rng(0).choice([2.0, 3.0, 5.0], n, p=[0.2, 0.4, 0.4])
    sounds.data = [
        row[: round(length * extrastole.RATE)]
        for row, length in zip(sounds.data, seconds, strict=True)
    ]
    is_other = sounds.target != "extrastole"
    sounds.frame["set"] = np.where(is_other & (np.arange(n) % 2 == 0), "a", "b")
    return sounds


class Oracle:
    """Know the test recordings after training, and note what was asked."""

    def __init__(self, target):
        self.target, self.asked = target, []

    def __call__(self, training, test):
        self.asked.append((training, test))
        return 10.0 * (self.target[test] == "extrastole")


@pytest.fixture(scope="module")
def oracle(pascal):
    return Oracle(pascal.target)


@pytest.fixture(scope="module")
def table(pascal, oracle):
    found = extrastole.evaluate(pascal, n_resamples=20, network=oracle)
    return found.set_index(["heard", "trained_on", "tested_on", "model"]).sort_index()


def test_extrasystoles_are_found_by_their_rhythm_and_not_by_the_length(table):
    area = table["auc"]["whole", "ab", "ab"]
    assert area["rhythm"] > 0.9
    assert area["duration"] < 0.7
    assert table["auc"]["first 3 s", "ab", "ab", "rhythm"] > 0.9
    assert (table["auc_low"] <= table["auc_high"]).all()


def test_cut_recordings_have_one_length_and_are_those_of_the_long_ones(table, pascal):
    n_long = sum(len(row) >= 6000 for row in pascal.data)
    assert n_long < len(pascal.data)
    assert (
        table.loc[["first 3 s", "whole, 3 s or more"]].loc[:, :, "ab"]["recordings"] == n_long
    ).all()
    assert "duration" not in table.loc["first 3 s"].index.get_level_values("model")
    *_, (heard, _, cut, lengths, chosen) = extrastole.grounds(pascal)
    assert heard == "first 3 s"
    assert (lengths[chosen] == 6000).all()
    first = [row[:6000] for row, long in zip(pascal.data, chosen, strict=True) if long]
    expected = extrastole.features_of(first)["rhythm"]
    np.testing.assert_allclose(cut["rhythm"][chosen], expected, atol=1e-5)
    cut_rows = table.loc["first 3 s"]
    np.testing.assert_allclose(cut_rows["auc_same_length"], cut_rows["auc"])


def test_the_area_at_same_length_does_not_count_the_length():
    rng = np.random.default_rng(0)
    length = np.exp(rng.integers(0, 7, 400) / 2)
    y = rng.random(400) < length / 40
    score = np.log(length) + 0.1 * rng.standard_normal(400)
    assert roc_auc_score(y, score) > 0.7
    assert extrastole.area_at_same_length(y, score, length) == pytest.approx(0.5, abs=0.06)
    assert extrastole.area_at_same_length(y, score + y, length) > 0.95


def test_the_threshold_has_the_highest_recall_at_the_asked_precision():
    y = np.array([True, False, True, False, False, False, False, False, False, False, False, True])
    score = np.arange(12.0)[::-1]
    reached = y[score >= extrastole.threshold(y, score)]
    assert reached.sum() == 2  # the third would cost a precision of 0.25
    assert reached.mean() > extrastole.PRECISION
    assert extrastole.threshold(np.arange(12) == 11, score) == np.inf


def test_the_network_hears_all_recordings_and_never_those_that_it_is_asked_about(table, oracle):
    assert len(oracle.asked) == 5 * (4 + 1)
    for training, test in oracle.asked:
        assert not set(training) & set(test)
    tested = np.concatenate([test for _, test in oracle.asked[4::5]])
    assert sorted(tested) == list(range(90))
    assert table["auc"]["whole", "ab", "ab", "network"] == 1.0
    assert table["auc"]["whole", "ab", "ab", "statistics + rhythm + network"] > 0.99
    assert table["recall"]["whole", "ab", "ab", "network"] == 1.0
    models = table.loc["first 3 s"].index.get_level_values("model")
    assert not any("network" in model for model in models)


def test_the_network_gives_log_odds_of_extrastole(pascal):
    recipe = extrastole.Recipe(window=2.0, hop=2.0, max_epochs=1)
    network = extrastole.Network(pascal, recipe)
    training, test = np.arange(60), np.arange(60, 70)
    found = network(training, test)
    assert np.isfinite(found).all()
    again = recipe.make("student_pretrained", 0, {})
    again.fit(pascal.data[:60], pascal.target[:60])
    odds = again.predict_proba(pascal.data[60:70])[:, 0]
    assert again.classes_[0] == "extrastole"
    np.testing.assert_allclose(found, 0.3 * np.log(odds / (1 - odds)), rtol=1e-4)
