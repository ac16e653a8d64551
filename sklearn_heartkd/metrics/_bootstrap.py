"""Resampling of whole subjects."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, column_or_1d


def group_index(groups, n_recordings):
    """Return the number of each recording's group; None puts each into a separate group."""
    if groups is None:
        return np.arange(n_recordings)
    groups = column_or_1d(groups)
    check_consistent_length(groups, np.empty(n_recordings))
    return np.unique(groups, return_inverse=True)[1]


def draw_counts(n_units, n_resamples, random_state):
    """Draw how often each unit occurs in each bootstrap resample.

    Returns an array of shape (n_resamples, n_units) whose rows sum to `n_units`.
    """
    random_state = check_random_state(random_state)
    return random_state.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_resamples)


def percentile_interval(values, confidence_level):
    """Return the percentile interval of bootstrap values, ignoring NaN."""
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level={confidence_level} must lie between 0 and 1.")
    values, tail = values[~np.isnan(values)], (1 - confidence_level) / 2
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
