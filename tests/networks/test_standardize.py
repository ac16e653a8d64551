"""The statistics of the training data in a network."""

import numpy as np
import torch
from numpy.testing import assert_allclose

from sklearn_heartkd.networks._common import Standardize


def test_statistics_in_parts_are_those_of_all_rows():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(1e3, 2.0, (600, 3, 7)), rng.uniform(0, 2, 600)
    layer = Standardize(3).double()
    layer.learn(torch.from_numpy(X), torch.from_numpy(weight))
    mean = np.average(X.mean(axis=2), axis=0, weights=weight)
    variance = np.average(((X - mean[:, None]) ** 2).mean(axis=2), axis=0, weights=weight)
    assert_allclose(layer.mean[:, 0], mean, rtol=1e-12)
    assert_allclose(layer.scale[:, 0], np.sqrt(variance), rtol=1e-12)


def test_memory_does_not_grow_with_the_rows(monkeypatch):
    sizes = []
    real = torch.einsum

    def spy(equation, weight, part):
        sizes.append(len(part))
        return real(equation, weight, part)

    monkeypatch.setattr(torch, "einsum", spy)
    Standardize(2).learn(torch.zeros(1000, 2, 3), torch.ones(1000))
    assert max(sizes) < 300
