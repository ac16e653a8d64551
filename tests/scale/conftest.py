import logging

import numpy as np
import pytest
from distributed import Client, LocalCluster

from sklearn_heartkd.datasets import make_heart_sounds


@pytest.fixture(scope="session")
def client():
    """A cluster of two processes with two threads each, on this machine and without a web page."""
    options = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS")  # dask sets it
        cluster = LocalCluster(n_workers=2, threads_per_worker=2, **options)
    with cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="session")
def sounds():
    return make_heart_sounds(
        16, classes=("normal", "murmur"), n_subjects=16, duration=1.0, random_state=0
    )


@pytest.fixture(scope="session")
def sequences():
    """So many rows that dask stores the row numbers of a split on a worker too."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.standard_normal((300, 4, 16)).astype(np.float32)
    X[:, 0] += y[:, None]
    return X, y
