"""Rows made from a table, about which a teacher can be asked."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval


class Munge(BaseEstimator):
    r"""Make rows that are distributed like those of a table.

    Each made row is a row of the table in which some values are replaced, by draws around those of its
    nearest neighbor: :math:`x_a \sim N(x'_a, |x_a - x'_a| / s)`. Columns that are not numbers, and those
    of one or two values, take over the neighbor's value itself, so that categories stay categories.
    After Bucilă, Caruana and Niculescu-Mizil (2006), "Model compression"; here all neighbors are those
    in the given table, so that the order of the rows does not matter.

    Parameters
    ----------
    n_copies : int, default=20
        Rows made from each row.
    probability : float, default=0.5
        Probability that a value is replaced.
    spread : float, default=1.0
        The `s` above: the larger, the nearer the draws lie to the neighbor's value.

    See Also
    --------
    sklearn_heartkd.DistilledClassifier : Its parameter `transfer` asks the teacher about made rows.

    Notes
    -----
    Neighbors are searched in columns divided by their standard deviation; a category that differs
    counts as one deviation. Missing values count as the mean of the column, and stay missing where they
    are taken over.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd.distillation import Munge
    >>> Munge(n_copies=3).make(load_iris().data, random_state=0).shape
    (450, 4)
    """

    _parameter_constraints: dict = {
        "n_copies": [Interval(Integral, 1, None, closed="left")],
        "probability": [Interval(Real, 0, 1, closed="right")],
        "spread": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, n_copies: int = 20, *, probability: float = 0.5, spread: float = 1.0
    ) -> None:
        self.n_copies = n_copies
        self.probability = probability
        self.spread = spread

    def make(self, X: ArrayLike, random_state: int | np.random.RandomState | None = None) -> Any:
        """Make ``n_copies * n_rows`` rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            The table.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        ndarray or data frame of shape (n_copies * n_rows, n_columns)
            The first copy of all rows, then the second, and so on.

        Raises
        ------
        ValueError
            If X is not a table of at least two rows.
        """
        self._validate_params()
        rng = check_random_state(random_state)
        shape = np.shape(X)
        if len(shape) != 2 or shape[0] < 2:
            raise ValueError(
                f"Munge makes rows from a table of at least two, got shape {shape}; leave transfer=None."
            )
        is_frame = hasattr(X, "iloc")
        frame: Any = X if is_frame else pd.DataFrame(np.asarray(X))
        columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
        nearest = _nearest(columns)
        made = [self._replace(column, nearest, rng) for column in columns]
        if is_frame:
            return pd.DataFrame(dict(enumerate(made))).set_axis(frame.columns, axis=1)
        return np.stack(made, axis=1).astype(np.asarray(X).dtype)

    def _replace(self, column, nearest, rng):
        rows = np.tile(np.arange(len(column)), self.n_copies)
        replaced = rng.uniform(size=len(rows)) < self.probability
        if _is_category(column):
            return column.iloc[np.where(replaced, nearest[rows], rows)].array
        own = np.asarray(column, dtype=np.result_type(column.dtype, np.float32))
        other = own[nearest]
        deviation = np.nan_to_num(np.abs(own - other)) / self.spread
        drawn = other[rows] + deviation[rows] * rng.standard_normal(len(rows))
        return np.where(replaced, drawn, own[rows]).astype(own.dtype)


def _is_category(column):
    """Whether a column holds no numbers, or at most two of them."""
    return not pd.api.types.is_numeric_dtype(column.dtype) or column.nunique() <= 2


def _nearest(columns):
    """Return the number of the nearest other row of each row."""
    parts = []
    for column in columns:
        if _is_category(column):
            codes = pd.factorize(column)[0]
            parts.append(np.sqrt(0.5) * (codes[:, None] == np.unique(codes)))
        else:
            values = np.asarray(column, dtype=float)
            scale = np.nanstd(values)
            centered = np.nan_to_num(values - np.nanmean(values))
            parts.append(centered[:, None] / (scale if scale > 0 else 1.0))
    neighbors = NearestNeighbors(n_neighbors=1).fit(np.hstack(parts))
    return neighbors.kneighbors(return_distance=False)[:, 0]
