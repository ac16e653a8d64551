"""What the workers run."""

import os
import signal
from tempfile import mkstemp

import torch
from sklearn.naive_bayes import GaussianNB
from skorch.callbacks import Callback
from threadpoolctl import threadpool_info


class Kill(Callback):
    """Kill the process between two epochs, unless the file `path` shows that it was done before."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, net, **kwargs):
        if not self.path.exists():
            self.path.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Counted(GaussianNB):
    """A teacher that leaves a file in `folder` for each fit."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def fit(self, X, y, sample_weight=None):
        os.close(mkstemp(dir=self.folder, prefix=f"{os.getpid()}-")[0])
        return super().fit(X, y, sample_weight)


def thread_counts():
    """Return the numbers of threads of torch and of the libraries that have a pool."""
    return {torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())}
