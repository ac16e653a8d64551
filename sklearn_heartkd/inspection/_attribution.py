"""The explainers of shap, applied to logits and to copies.

Nothing here filters warnings or leaves a seed behind: both belong to the whole process.
"""

import copy
import threading
from contextlib import contextmanager

import numpy as np

_GLOBAL_RANDOM_STATE = threading.Lock()


@contextmanager
def _numpy_seed(seed):
    """Seed numpy's global generator, from which shap draws, and restore it afterward."""
    with _GLOBAL_RANDOM_STATE:
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def kernel_values(score, n_cells, *, n_evaluations, seed):
    """Return Shapley values of cells, of shape (n_classes, n_cells), estimated by KernelExplainer.

    `score` goes from masks of shape (n, n_cells) to scores of shape (n, n_classes).
    """
    import shap

    with _numpy_seed(seed):
        explainer = shap.KernelExplainer(
            lambda masks: score(masks > 0.5), np.zeros((1, n_cells)), keep_index=False
        )
        values = explainer.shap_values(
            np.ones((1, n_cells)), nsamples=n_evaluations, l1_reg=False, silent=True
        )
    return np.asarray(values)[0].T


def deep_values(network, grid, reference):
    """Return DeepLIFT values of the logits, of shape (n_classes, *grid.shape), from DeepExplainer.

    `network` is from `logits_of`.
    """
    import shap
    import torch

    x, background = (
        torch.as_tensor(np.array(a)[None], dtype=torch.float64) for a in (grid, reference)
    )
    with torch.enable_grad():
        values = shap.DeepExplainer(network, background).shap_values(x, check_additivity=False)
    return np.moveaxis(np.asarray(values)[0], -1, 0)


def tree_values(forest, table):
    """Return values, (n, n_classes, n_columns), and base, (n_classes,), from TreeExplainer.

    Boosted trees of two classes have one output: the log-odds of the second class.
    """
    import shap

    explainer = shap.TreeExplainer(forest)
    values = np.asarray(explainer.shap_values(table, check_additivity=False))
    if values.ndim == 2:
        values = values[:, :, None]  # boosted trees of two classes
    return np.moveaxis(values, -1, 1), np.atleast_1d(explainer.expected_value).astype(float)


def is_convolutional(network):
    """Whether DeepExplainer can explain a network: convolutions over frames, without group norms."""
    from torch import nn

    return network.pools and not any(
        isinstance(layer, nn.RNNBase | nn.GroupNorm) for layer in network.modules()
    )


def logits_of(network, dct=None):
    """Return a copy of a network in double precision whose output is the logits only.

    The maximum over time is a layer in the copy, which DeepExplainer knows; it would treat a function
    as linear. `dct` is put in front of the network, so that its input is the log-mel bands.
    """
    import torch
    from torch import nn

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            part = copy.deepcopy(network).cpu().double().eval()
            self.mean, self.scale = part.standardize.mean, part.standardize.scale
            self.body, self.head = part.body, part.head
            self.first: nn.Module = nn.Identity()
            if dct is not None:
                first = nn.Conv1d(dct.shape[1], dct.shape[0], 1, bias=False).double()
                first.weight.data = torch.from_numpy(dct.astype(np.float64))[:, :, None]
                self.first = first
            self.maximum = nn.MaxPool1d(1)

        def forward(self, x):
            sequence = self.body((self.first(x) - self.mean) / self.scale)
            self.maximum.kernel_size = self.maximum.stride = sequence.shape[2]
            largest = self.maximum(sequence)[:, :, 0]
            return self.head(torch.cat([sequence.mean(dim=2), largest], dim=1))

    return Logits().eval()
