"""Batches that are balanced over devices and classes."""

import numpy as np
import torch


def cells_of(devices, target):
    """Return the number of each row's cell: its device and its class."""
    return np.unique(
        np.stack([np.unique(devices, return_inverse=True)[1], target]), axis=1, return_inverse=True
    )[1]


def balanced_weights(cell, weight):
    """Return weights of mean 1 that give every cell the same total, and its rows the shares of `weight`."""
    total = np.bincount(cell, weights=weight)
    return weight / total[cell] * (len(cell) / np.count_nonzero(total))


class BalancedOrder:
    """Draw rows so that all cells are equally frequent, and rows within a cell as their weights say.

    Parameters
    ----------
    cell : ndarray of shape (n,)
        Numbers of the cells.
    weight : Tensor of shape (n + n_others,)
        How often each row is drawn, up to a factor for each cell. The rows behind the first `n`
        belong to no cell; an epoch holds each of them once, evenly spread.
    """

    def __init__(self, cell, weight):
        device = weight.device
        cell = np.unique(cell, return_inverse=True)[1]
        rows = np.argsort(cell, kind="stable")
        share = balanced_weights(cell, weight[: len(cell)].cpu().numpy().astype(np.float64))
        n_cells = cell.max() + 1
        # cell k lies between k and k + 1, each row in it with its share
        edges = np.cumsum(share[rows]) * (n_cells / len(cell))
        last = np.cumsum(np.bincount(cell)) - 1
        self.weight = weight
        self.rows, self.edges, self.last = (
            torch.from_numpy(values).to(device) for values in (rows, edges, last)
        )

    def draw(self, generator):
        """Return the rows of an epoch in their order: all cells, then all cells again, and so on."""
        options = {"generator": generator, "device": self.rows.device}
        n, n_cells = len(self.rows), len(self.last)
        cell = torch.rand(-(-n // n_cells), n_cells, **options).argsort(dim=1).flatten()[:n]
        place = torch.rand(n, dtype=torch.float64, **options) + cell
        found = torch.searchsorted(self.edges, place, right=True)
        # the edges are rounded
        first = torch.cat([self.last.new_zeros(1), self.last[:-1] + 1])
        own = self.rows[found.clamp(first[cell], self.last[cell])]
        others = torch.randperm(len(self.weight) - n, **options) + n
        position = [
            (torch.arange(len(part), device=own.device) + 0.5) / len(part) for part in (own, others)
        ]
        return torch.cat([own, others])[torch.cat(position).argsort(stable=True)]
