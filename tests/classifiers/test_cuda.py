"""Networks on CUDA; skipped where there is none."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_heartkd import DistilledClassifier
from tests.classifiers.helpers import NETWORKS

MODELS = NETWORKS | {"distilled": DistilledClassifier(NETWORKS["conv2d"], NETWORKS["student"])}

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA"),
    pytest.mark.parametrize("model", MODELS.values(), ids=MODELS),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = rng.standard_normal((60, 8, 40)).astype(np.float32)
    X[:, 0] += y[:, None]
    return X, y


def fit(model, data, device):
    nested = {name for name in model.get_params() if name.split("__")[-1] == "device"}
    epochs = {name.replace("device", "max_epochs"): 3 for name in nested}
    model = clone(model).set_params(random_state=0, **dict.fromkeys(nested, device), **epochs)
    return model.fit(*data)


def test_a_model_of_the_processor_predicts_the_same_on_cuda(model, data):
    model, X = fit(model, data, "cpu"), data[0]
    expected = model.predict_proba(X)
    getattr(model, "student_", model).module_.to("cuda")
    # the TF32 of matrix products is off by default
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        found = model.predict_proba(X)
    assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_fits_with_one_seed_are_identical(model, data):
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        found = [fit(model, data, "cuda").predict_proba(data[0]) for _ in range(2)]
    assert_array_equal(*found)
