"""Random numbers that leave the user's global generators alone."""

import threading
from contextlib import contextmanager

import numpy as np

_INITIALISATION = threading.Lock()


def draw_seed(random_state):
    """Draw a seed below 2**31 from a ``RandomState``, an int or None."""
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def seeded_initialisation(seed):
    """Make torch draw initial weights from `seed`, one thread at a time.

    torch initialises modules from its global CPU generator. The lock is held for the
    initialisation only, so that models fitted in parallel threads do not disturb each other.
    """
    import torch

    with _INITIALISATION, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def torch_generator(seed, device="cpu"):
    """Return a private torch generator on `device`."""
    import torch

    return torch.Generator(device=device).manual_seed(seed)
