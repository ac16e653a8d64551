"""The rows of X as the `x` of a `Batch` that is gathered when it is needed."""

import numpy as np
import torch


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
