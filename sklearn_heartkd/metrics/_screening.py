"""Operating points of a screening program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, column_or_1d

from sklearn_heartkd.metrics._bootstrap import draw_counts, group_index, percentile_interval


def _binary_problem(y_true, y_score, pos_label, labels):
    """Return whether each recording is positive, and its score for being so."""
    y_true = column_or_1d(y_true)
    y_score = np.asarray(y_score, dtype=float)
    check_consistent_length(y_true, y_score)
    if not np.all(np.isfinite(y_score)):
        raise ValueError("y_score holds NaN or infinite values; give finite scores.")
    present = np.unique(y_true)
    if pos_label is None:
        if y_score.ndim > 1 or not set(present.tolist()) <= {-1, 0, 1}:
            raise ValueError(
                f"y_true holds {present[:5].tolist()}; pass the positive class as pos_label=."
            )
        pos_label = 1
    positives = np.atleast_1d(pos_label)
    if y_score.ndim > 1:
        labels = present if labels is None else np.asarray(labels)
        if y_score.shape[1] != len(labels):
            raise ValueError(
                f"y_score has {y_score.shape[1]} columns for {len(labels)} classes; "
                "pass the class of each column as labels=."
            )
        columns = np.isin(labels, positives)
        if not columns.any():
            raise ValueError(f"pos_label={pos_label!r} is not in the classes {labels.tolist()}.")
        y_score = y_score[:, columns].sum(axis=1)
    is_positive = np.isin(y_true, positives)
    if is_positive.all() or not is_positive.any():
        raise ValueError(
            f"y_true needs recordings of pos_label={pos_label!r} and others; it holds only "
            f"{present[:5].tolist()}."
        )
    return is_positive, y_score


def _roc(is_positive, y_score, weights):
    """Return thresholds and, for each row of `weights`, sensitivities and specificities.

    A recording is positive if its score reaches the threshold. The first threshold is infinite:
    no recording is positive.
    """
    order = np.argsort(-y_score, kind="stable")
    last_of_tie = np.append(np.diff(y_score[order]) != 0, True)
    weights = weights[:, order]
    hits = np.cumsum(weights * is_positive[order], axis=1, dtype=float)
    alarms = np.cumsum(weights * ~is_positive[order], axis=1, dtype=float)
    with np.errstate(invalid="ignore"):
        sensitivity = hits[:, last_of_tie] / hits[:, -1:]
        specificity = 1 - alarms[:, last_of_tie] / alarms[:, -1:]
    start = np.zeros((len(weights), 1))
    thresholds = np.append(np.inf, y_score[order][last_of_tie])
    return thresholds, np.hstack([start, sensitivity]), np.hstack([1 - start, specificity])


def _weighted_rates(y_true, y_score, pos_label, labels, sample_weight):
    is_positive, score = _binary_problem(y_true, y_score, pos_label, labels)
    weight = np.ones(len(score)) if sample_weight is None else np.asarray(sample_weight, float)
    check_consistent_length(score, weight)
    return _roc(is_positive, score, weight[None])[1:]


def _best_points(wanted, given, level):
    """Return, per row, the index of the highest `wanted` where `given` reaches `level`.

    Of several, it is the one with the highest `given`.
    """
    reached = np.where(given >= level - 1e-12, wanted, -np.inf)
    best = reached.max(axis=1, keepdims=True)
    ties = np.where(reached == best, given, -np.inf)
    return np.argmax(ties, axis=1)


def _check_level(name, level):
    if not 0 <= level <= 1:
        raise ValueError(f"{name}={level} must lie between 0 and 1.")


def sensitivity_at_specificity(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    specificity: float = 0.9,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the highest sensitivity at which the specificity is at least the given one.

    The thresholds are those of the data; nothing is interpolated.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,)
        The true labels.
    y_score : array-like of shape (n_recordings,) or (n_recordings, n_classes)
        The score for being positive, or a probability per class.
    specificity : float, default=0.9
        The specificity that must be kept.
    pos_label : label or list of labels, default=None
        The positive class, or several that count as one. None means 1 if the labels are 0 and 1 or
        -1 and 1.
    labels : array-like of shape (n_classes,), default=None
        The class of each column. None means the sorted labels of `y_true`.
    sample_weight : array-like of shape (n_recordings,), default=None
        Weights.

    Returns
    -------
    float
        The sensitivity.

    See Also
    --------
    operating_point : The same with the threshold and intervals.
    specificity_at_sensitivity : The other way round.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import sensitivity_at_specificity
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> y_score = [0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9]
    >>> sensitivity_at_specificity(y_true, y_score, specificity=0.9)
    0.5
    >>> sensitivity_at_specificity(y_true, y_score, specificity=0.75)
    1.0

    As a scorer, for a classifier with `predict_proba`:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(
    ...     sensitivity_at_specificity, response_method="predict_proba", pos_label="murmur"
    ... )
    """
    _check_level("specificity", specificity)
    se, sp = _weighted_rates(y_true, y_score, pos_label, labels, sample_weight)
    return float(se[0, _best_points(se, sp, specificity)[0]])


def specificity_at_sensitivity(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sensitivity: float = 0.9,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the highest specificity at which the sensitivity is at least the given one.

    The thresholds are those of the data; nothing is interpolated.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,)
        The true labels.
    y_score : array-like of shape (n_recordings,) or (n_recordings, n_classes)
        The score for being positive, or a probability per class.
    sensitivity : float, default=0.9
        The sensitivity that must be kept.
    pos_label : label or list of labels, default=None
        The positive class, as in :func:`sensitivity_at_specificity`.
    labels : array-like of shape (n_classes,), default=None
        The class of each column. None means the sorted labels of `y_true`.
    sample_weight : array-like of shape (n_recordings,), default=None
        Weights.

    Returns
    -------
    float
        The specificity.

    See Also
    --------
    operating_point : The same with the threshold and intervals.
    sensitivity_at_specificity : The other way round.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import specificity_at_sensitivity
    >>> y_true = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> y_score = [0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9]
    >>> specificity_at_sensitivity(y_true, y_score, sensitivity=1.0)
    0.75
    """
    _check_level("sensitivity", sensitivity)
    se, sp = _weighted_rates(y_true, y_score, pos_label, labels, sample_weight)
    return float(sp[0, _best_points(sp, se, sensitivity)[0]])


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
    y_true : array-like of shape (n_recordings,)
        The true labels.
    y_score : array-like of shape (n_recordings,) or (n_recordings, n_classes)
        The score for being positive, or a probability per class.
    specificity, sensitivity : float, default=None
        The rate to keep; give one of the two.
    pos_label : label or list of labels, default=None
        The positive class, as in :func:`sensitivity_at_specificity`.
    labels : array-like of shape (n_classes,), default=None
        The class of each column. None means the sorted labels of `y_true`.
    groups : array-like of shape (n_recordings,), default=None
        Subjects. None treats each recording as a separate subject; the intervals are then too
        narrow if subjects have several recordings.
    n_resamples : int, default=2000
        Number of bootstrap resamples.
    confidence_level : float, default=0.95
        Level of the percentile intervals.
    random_state : int, RandomState instance or None, default=None
        Controls the resampling.

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
    _check_level("specificity" if sensitivity is None else "sensitivity", level)
    is_positive, score = _binary_problem(y_true, y_score, pos_label, labels)
    group = group_index(groups, len(score))
    counts = draw_counts(group.max() + 1, n_resamples, random_state)
    weights = np.vstack([np.ones((1, len(group))), counts[:, group]])
    thresholds, se, sp = _roc(is_positive, score, weights)
    # a resample without positive or without negative recordings has no rates
    complete = ~np.isnan(se).any(axis=1) & ~np.isnan(sp).any(axis=1)
    se, sp = se[complete], sp[complete]
    best = _best_points(*((se, sp) if sensitivity is None else (sp, se)), level)
    se, sp = (np.take_along_axis(rate, best[:, None], axis=1)[:, 0] for rate in (se, sp))
    intervals = [percentile_interval(rate[1:], confidence_level) for rate in (se, sp)]
    return OperatingPoint(
        float(thresholds[best[0]]),
        float(se[0]),
        float(sp[0]),
        *((float(low), float(high)) for low, high in intervals),
    )
