"""The fully connected network as a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.classifiers._docstrings import document_parameters
from sklearn_heartkd.networks._dense import dense_network


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class DenseStudentClassifier(NetworkClassifier):
    """The small network for tables: at most 10,000 parameters by default.

    Fully connected layers of rectified linear units (Rumelhart et al. 1986) on standardized columns,
    whose order does not matter.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or "auto", default="auto"
        Units of each hidden layer; an int is one layer. "auto" is two equal ones, as large as 10,000
        parameters allow, in steps of 8 from 8 on: 64 for 64 columns and 10 classes, 8 for 1,100 columns.
        `()` is a linear model, logistic regression, which is trained for 1,200 batches also where these
        are more than 100 epochs; of its weights for two classes only the differences matter.
    """

    hidden_layer_sizes: Sequence[int] | int | str = "auto"

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "hidden_layer_sizes": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            list,
            tuple,
        ],
    }

    def _validate(self, X, y):
        with self._imputer_named():
            return super()._validate(X, y)

    def _validate_new(self, X):
        with self._imputer_named():
            return super()._validate_new(X)

    @contextmanager
    def _imputer_named(self):
        """Say which pipeline takes X if it contains NaN."""
        try:
            yield
        except ValueError as error:
            if "X contains NaN" not in str(error):
                raise
            name = type(self).__name__
            raise ValueError(
                f"X contains NaN, which {name} does not take; put an imputer before it, as in "
                f"make_pipeline(SimpleImputer(), {name}())."
            ) from None

    @staticmethod
    def _shape_of_row(X):
        return prod(X.shape[1:]), 1

    def _most_epochs(self):
        # the weights of a linear model have a long way to go, and its epochs are short
        return 1200 if self._sizes() == () else 100

    def _sizes(self) -> str | tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str):
            return sizes
        return (int(sizes),) if isinstance(sizes, int | Integral) else tuple(sizes)

    def _build(self, *, norm, **arguments):
        sizes = self._sizes()
        if not isinstance(sizes, str):
            if not all(isinstance(n, Integral) and n > 0 for n in sizes):
                raise ValueError(
                    "hidden_layer_sizes must be 'auto' or whole numbers above 0, got "
                    f"{self.hidden_layer_sizes!r}."
                )
            sizes = tuple(map(int, sizes))
        norm = None if self.norm == "auto" else norm
        return dense_network(hidden_layer_sizes=sizes, norm=norm, **arguments)
