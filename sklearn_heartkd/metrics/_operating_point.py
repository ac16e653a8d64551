"""Operating points of a screening program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_heartkd.metrics._bootstrap import draw_counts, group_index, percentile_interval
from sklearn_heartkd.metrics._screening import best_points, binary_problem, check_level, roc


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with its sensitivity and specificity.

    The threshold is chosen again in each bootstrap resample, so the rate that was given stays close
    to its level, and the interval of the other one shows the uncertainty.

    Parameters
    ----------
    threshold : float
        A recording is positive if its score is at least this.
    sensitivity, specificity : float
        The rates at the threshold.
    sensitivity_interval, specificity_interval : tuple of (float, float)
        Bootstrap intervals.

    See Also
    --------
    operating_point : Find an operating point.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import operating_point
    >>> operating_point([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.9], specificity=1.0).threshold
    0.9
    """

    threshold: float
    sensitivity: float
    specificity: float
    sensitivity_interval: tuple[float, float]
    specificity_interval: tuple[float, float]


def operating_point(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    specificity: float | None = None,
    sensitivity: float | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> OperatingPoint:
    """Find the threshold for a given specificity or sensitivity, with bootstrap intervals.

    The bootstrap draws whole subjects.

    Parameters
    ----------
    y_true, y_score : array-like
        Labels and scores, as in :func:`sensitivity_at_specificity`.
    specificity, sensitivity : float, default=None
        The rate to keep; give one of the two.
    pos_label, labels : optional
        As in :func:`sensitivity_at_specificity`.
    groups : array-like of shape (n_recordings,), default=None
        Subjects. None treats each recording as a separate subject; the intervals are then too
        narrow if subjects have several recordings.
    n_resamples, confidence_level, random_state : optional
        As in :func:`compare_models`.

    Returns
    -------
    OperatingPoint
        Threshold, sensitivity and specificity with their intervals.

    See Also
    --------
    sensitivity_at_specificity : The rate alone, as a scorer.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import operating_point
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> y_score = [0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9]
    >>> point = operating_point(y_true, y_score, sensitivity=1.0, random_state=0)
    >>> point.threshold, point.sensitivity, point.specificity
    (0.4, 1.0, 0.75)
    """
    if (specificity is None) == (sensitivity is None):
        raise ValueError(
            f"Give either specificity or sensitivity, got {specificity} and {sensitivity}."
        )
    level = specificity if sensitivity is None else sensitivity
    check_level("specificity" if sensitivity is None else "sensitivity", level)
    is_positive, score = binary_problem(y_true, y_score, pos_label, labels)
    group = group_index(groups, len(score))
    counts = draw_counts(group.max() + 1, n_resamples, random_state)
    weights = np.vstack([np.ones((1, len(group))), counts[:, group]])
    thresholds, se, sp = roc(is_positive, score, weights)
    # a resample without positive or without negative recordings has no rates
    complete = ~np.isnan(se).any(axis=1) & ~np.isnan(sp).any(axis=1)
    se, sp = se[complete], sp[complete]
    best = best_points(*((se, sp) if sensitivity is None else (sp, se)), level)
    se, sp = (np.take_along_axis(rate, best[:, None], axis=1)[:, 0] for rate in (se, sp))
    intervals = [percentile_interval(rate[1:], confidence_level) for rate in (se, sp)]
    return OperatingPoint(
        float(thresholds[best[0]]),
        float(se[0]),
        float(sp[0]),
        *intervals,
    )
