"""Which X an estimator inside another takes: sequences or tables, with or without missing values."""

from itertools import takewhile

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_heartkd.utils._unwrap import first_checks, walk


def takes_sequences(estimator):
    """Whether `estimator` takes 3-D X, by the tags of what checks X first."""
    return all(get_tags(part).input_tags.three_d_array for part in first_checks(estimator))


def allows_nan(estimator):
    """Whether `estimator` takes missing values, by the tags of what checks X first."""
    return all(get_tags(part).input_tags.allow_nan for part in first_checks(estimator))


def as_taken(estimator, X):
    """Return X, flattened to a table if it is 3-D and `estimator` takes only tables.

    A pipeline that begins with functions, which check nothing, gets the table unless they fail on it.
    """
    if getattr(X, "ndim", 2) != 3 or takes_sequences(estimator):
        return X
    flat = X.reshape(len(X), -1)
    steps = [step for part in walk(estimator) for step in part.before]
    functions = list(takewhile(_is_function, steps))
    return flat if _give_a_table(functions, flat[:2]) else X


def _give_a_table(functions, sample):
    for function in functions:
        try:
            sample = clone(function).fit_transform(sample)
        except Exception:  # a function may raise anything
            return False
    return np.ndim(sample) == 2


def _is_function(step):
    if isinstance(step, FeatureUnion):
        return all(_is_function(part) for _, part in step.transformer_list)
    return isinstance(step, FunctionTransformer) and not step.validate
