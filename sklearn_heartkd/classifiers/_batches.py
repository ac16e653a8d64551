"""The rows of X as the `x` of a `Batch` that is gathered when it is needed, and rows without labels."""

from typing import Any, NamedTuple

import numpy as np
import torch


class UnlabeledRows(NamedTuple):
    """Rows without labels that a network learns from beside those of `fit`.

    Attributes
    ----------
    X : array-like
        Features, as those of `fit`.
    target : ndarray of int of shape (n,)
        The class that stands in for a label where a loss compares classes.
    weight : ndarray of shape (n,)
        Weights, relative to the mean of the rows with labels.
    groups : ndarray of shape (n,) or None
        Subjects, named as those of `fit`; None treats each row as of a separate one.
    """

    X: Any
    target: np.ndarray
    weight: np.ndarray
    groups: np.ndarray | None = None


def append_rows(columns, rows, n_rows, groups, training):
    """Append rows without labels to the columns of a `Batch`.

    Parameters
    ----------
    columns : dict of str to ndarray
        index (in X), target, weight and subject of the rows that are learned.
    rows : UnlabeledRows
        Their index goes on from `n_rows`, the length of X.
    groups : ndarray or None
        Subjects of the rows in `columns`, or of the first of them, if those of `rows` are known.
    training : ndarray
        The rows that their weights are relative to.
    """
    n = len(rows.target)
    subject, weight = columns["subject"], columns["weight"]
    labeled = columns.get("labeled", np.ones(len(weight), dtype=bool))
    further = {
        "index": n_rows + np.arange(n),
        "target": rows.target,
        "weight": (rows.weight * weight[training].mean()).astype(weight.dtype),
        "labeled": np.zeros(n, dtype=bool),
    }
    if groups is not None and rows.groups is not None:
        subject = np.unique(np.concatenate([groups, rows.groups]), return_inverse=True)[1]
    else:
        own = (
            np.arange(n) if rows.groups is None else np.unique(rows.groups, return_inverse=True)[1]
        )
        subject = np.concatenate([subject, subject.max() + 1 + own])
    columns = columns | {"labeled": labeled}
    joined = {name: np.concatenate([columns[name], values]) for name, values in further.items()}
    return joined | {"subject": subject}


class GatheredRows:
    """Some rows of an array, or of `Rows` on disk; an index gathers those asked for as a tensor.

    It stands where a tensor of all of them would be a copy of X.
    """

    def __init__(self, X, numbers, shape, dtype, device):
        self.X = X
        self.numbers = numbers
        self.shape = torch.Size((len(numbers), *shape))
        self.dtype = dtype
        self.device = device

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, key):
        numbers = self.numbers[key.cpu().numpy() if isinstance(key, torch.Tensor) else key]
        part = torch.tensor(np.asarray(self.X[numbers]), dtype=self.dtype, device=self.device)
        return part.reshape(-1, *self.shape[1:])

    def split(self, size):
        """Yield all rows as tensors of `size` rows."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def as_tensors(X, numbers, shape, dtype, device):
    """Return the rows `numbers` of X: a tensor where it takes no copy, or is to lie on another device."""
    in_memory = isinstance(X, np.ndarray)
    if in_memory and (device.type != "cpu" or (len(numbers) == len(X) and X.flags.writeable)):
        X = X if len(numbers) == len(X) else X[numbers]
        return torch.from_numpy(X.reshape(len(X), *shape)).to(device)
    return GatheredRows(X, numbers, shape, dtype, device)
