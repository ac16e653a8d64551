"""Rows of an array on disk, which are read when they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np


class Rows:
    """A view of some rows of an array on disk.

    Its length, shape and dtype are known without reading. An index of one row reads this row; any other
    index along the first axis gives a smaller view, and ``numpy.asarray`` reads the rows of a view. So
    `cross_validate` passes views of the folds to the estimators, where a fold of a memory map would be a
    copy in memory.

    Parameters
    ----------
    source : object with `shape`, `dtype` and `__getitem__`
        A memory map, or a data set of h5py or zarr. It is asked for slices, and for sorted integers without
        repetition, and nothing else.
    numbers : ndarray of int, default=None
        The rows of `source` in the view; None means all.
    path : str, default=None
        The ``.npy`` file behind `source`. With it, a pickle holds its name instead of the array.
    """

    def __init__(self, source: Any, numbers: np.ndarray | None = None, path: str | None = None):
        self.source = source
        self.numbers = np.arange(source.shape[0]) if numbers is None else numbers
        self.path = path

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array that ``numpy.asarray`` returns."""
        return (len(self.numbers), *self.source.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return np.dtype(self.source.dtype)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # as scikit-learn indexes what has a shape
        if isinstance(key, tuple):
            raise TypeError(
                "Index the rows only; numpy.asarray(rows) gives an array to index further."
            )
        chosen = self.numbers[key]
        if np.ndim(chosen) == 0:
            return np.asarray(self.source[int(chosen) : int(chosen) + 1])[0]
        return Rows(self.source, chosen, self.path)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        rows = self.numbers
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            values = np.asarray(self.source[int(rows[0]) : int(rows[0]) + len(rows)])
        elif len(rows):
            # sorted and without repetition, as h5py demands and a disk likes it
            unique, place = np.unique(rows, return_inverse=True)
            values = np.asarray(self.source[unique])
            values = values if np.array_equal(unique, rows) else values[place]
        else:
            values = np.asarray(self.source[:0])
        return np.array(values, dtype, copy=copy)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self.path is not None:
            status = os.stat(self.path)
            # a joblib.Memory recognizes the rows by their state: a file written anew is another one
            state |= {"source": None, "stamp": (status.st_size, status.st_mtime_ns)}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.pop("stamp", None)
        self.__dict__.update(state)
        if self.path is not None:
            self.source = np.load(self.path, mmap_mode="r")


def blocks(n_rows: int, size: int = 256) -> Iterator[slice]:
    """Yield slices that cover rows, one at least."""
    for start in range(0, max(1, n_rows), size):
        yield slice(start, start + size)
