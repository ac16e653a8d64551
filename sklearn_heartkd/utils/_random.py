"""Random numbers that leave the user's global generators alone."""

import threading
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

_INITIALISATION = threading.Lock()


def draw_seed(random_state):
    """Draw a seed below 2**31 from a ``RandomState``, an int or None."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def seeded_initialization(seed):
    """Make torch draw initial weights from `seed`, one thread at a time.

    torch initializes modules from its global CPU generator. The lock is held for the
    initialization only, so that models fitted in parallel threads do not disturb each other.
    """
    import torch

    with _INITIALISATION, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def torch_generator(seed, device="cpu"):
    """Return a private torch generator on `device`."""
    import torch

    return torch.Generator(device=device).manual_seed(seed)


def clone_seeded(estimator, random_state):
    """Clone `estimator`; give every random state in it that is None a seed."""
    estimator = clone(estimator)
    if isinstance(estimator, FrozenEstimator):
        return estimator
    seeds = {name: draw_seed(random_state) for name in unset_seeds(estimator)}
    return estimator.set_params(**seeds) if seeds else estimator


def unset_seeds(estimator):
    """Return the names of the random states in `estimator` that are None and not frozen."""
    if isinstance(estimator, FrozenEstimator):
        return []
    return [
        name
        for name, value in sorted(estimator.get_params(deep=True).items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
