"""Rows made from a table."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_heartkd.distillation import Munge


def table(n=40):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "loudness": 10 * rng.standard_normal(n),
            "age": rng.integers(1, 90, n),
            "place": rng.choice(["AV", "MV", "PV", "TV"], n),
            "sex": pd.Categorical(rng.choice(["f", "m"], n), categories=["m", "f", "x"]),
            "pregnant": rng.random(n) < 0.3,
            "code": rng.choice([0.0, 7.0], n),
        }
    )


def nearest_by_hand(X):
    """Return the nearest other row of each row of an array, with scaled columns."""
    Z = X / X.std(axis=0)
    distance = np.linalg.norm(Z[:, None] - Z, axis=2)
    np.fill_diagonal(distance, np.inf)
    return distance.argmin(axis=1)


@pytest.mark.parametrize(("probability", "spread"), [(0.5, 1.0), (0.2, 4.0), (1.0, 0.5)])
def test_draws_have_the_published_distribution(probability, spread):
    X = np.random.default_rng(0).standard_normal((30, 3)) * [1, 10, 100]
    made = Munge(2000, probability=probability, spread=spread).make(X, random_state=0)
    assert made.shape == (60000, 3)
    made = made.reshape(2000, 30, 3)
    changed = made != X
    assert_allclose(changed.mean(axis=(0, 1)), probability, atol=0.01)
    other = X[nearest_by_hand(X)]
    deviation = np.abs(X - other) / spread
    standard = np.where(changed, (made - other) / deviation, np.nan)
    assert_allclose(np.nanmean(standard, axis=0), 0, atol=0.25)
    assert_allclose(np.nanstd(standard, axis=0), 1, atol=0.2)


def test_columns_are_drawn_independently():
    X = np.random.default_rng(0).standard_normal((30, 2))
    changed = Munge(500).make(X, random_state=0).reshape(500, 30, 2) != X
    assert abs(np.corrcoef(changed.reshape(-1, 2).T)[0, 1]) < 0.05


def test_categories_stay_categories():
    X = table()
    made = Munge(50, probability=1.0).make(X, random_state=0)
    assert made.shape == (2000, 6)
    assert list(made.columns) == list(X.columns)
    for name in ("place", "sex", "pregnant", "code"):
        assert made[name].dtype == X[name].dtype
        assert set(made[name]) <= set(X[name])
        # with probability 1 every copy of a row has the neighbor's value
        assert (made[name].to_numpy().reshape(50, -1) == made[name].to_numpy()[:40]).all()
    assert set(made["age"]) - set(X["age"])


def test_a_neighbor_of_another_category_is_farther():
    X = pd.DataFrame({"x": [0.0, 0.1, 0.15, 5.0], "kind": ["a", "b", "a", "b"]})
    made = Munge(1, probability=1.0, spread=1e9).make(X, random_state=0)
    assert_allclose(made["x"], [0.15, 0.15, 0.0, 0.1], atol=1e-6)
    assert list(made["kind"]) == ["a", "a", "a", "b"]


def test_missing_values_stay_missing_or_are_taken_over():
    X = np.random.default_rng(0).standard_normal((30, 3))
    X[4, 0] = np.nan
    made = Munge(30).make(X, random_state=0).reshape(30, 30, 3)
    assert np.isnan(made[:, 4, 0]).any()
    assert not np.isnan(made[:, 4, 0]).all()
    assert not np.isnan(made[:, :, 1:]).any()


def test_the_seed_decides_and_the_table_is_left_alone():
    X = table()
    before = X.copy()
    made = [Munge(3).make(X, random_state=seed) for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(made[0], made[1])
    assert (made[0]["loudness"] != made[2]["loudness"]).any()
    pd.testing.assert_frame_equal(X, before)
    numbers = X[["loudness", "age"]].to_numpy(dtype=np.float32)
    as_array = Munge(3).make(numbers, random_state=0)
    assert as_array.dtype == np.float32
    assert_array_equal(as_array, Munge(3).make(numbers, random_state=0))


@pytest.mark.parametrize("X", [np.zeros((1, 3)), np.zeros((4, 3, 2)), np.zeros(4)])
def test_what_is_no_table_is_refused(X):
    with pytest.raises(
        ValueError, match="Munge makes rows from a table of at least two, got shape"
    ):
        Munge().make(X)


@pytest.mark.parametrize("parameter", [{"n_copies": 0}, {"probability": 1.5}, {"spread": 0}])
def test_impossible_parameters_are_refused(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        Munge(**parameter).make(np.zeros((4, 2)))
