import joblib
import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator

from sklearn_heartkd.comparison._table import costs_of
from tests.comparison.helpers import RECIPE


def test_an_average_is_as_large_as_its_members(data, tmp_path):
    names = ["forest", "student"]
    members = {n: RECIPE.make(n, 0, {}).fit(data.data, data.target) for n in names}
    frozen = [(name, FrozenEstimator(model)) for name, model in members.items()]
    mixed = VotingClassifier(frozen, voting="soft").fit(data.data, data.target)
    networks = VotingClassifier(frozen[1:], voting="soft").fit(data.data, data.target)
    models = members | {"mixed": mixed, "networks": networks}
    models["refined"] = RECIPE.refine(mixed, 0).fit(data.data, data.target)
    files = {name: tmp_path / name for name in models}
    for name, path in files.items():
        joblib.dump(models[name], path)
    costs = costs_of(files, data, RECIPE, 1)
    size = costs["kilobytes"]
    assert size["mixed"] == pytest.approx(size["forest"] + size["student"], rel=0.01)
    assert size["refined"] == size["mixed"]
    assert np.isnan(costs.loc["mixed", "parameters"])
    assert costs.loc["networks", "parameters"] == costs.loc["student", "parameters"]
