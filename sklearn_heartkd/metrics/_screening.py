"""Sensitivity at a given specificity, and the reverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, column_or_1d


def binary_problem(y_true, y_score, pos_label, labels):
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


def roc(is_positive, y_score, weights):
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
    is_positive, score = binary_problem(y_true, y_score, pos_label, labels)
    weight = _check_sample_weight(sample_weight, score)
    return roc(is_positive, score, weight[None])[1:]


def best_points(wanted, given, level):
    """Return, per row, the index of the highest `wanted` where `given` reaches `level`.

    Of several, it is the one with the highest `given`.
    """
    reached = np.where(given >= level - 1e-12, wanted, -np.inf)
    best = reached.max(axis=1, keepdims=True)
    ties = np.where(reached == best, given, -np.inf)
    return np.argmax(ties, axis=1)


def check_level(name, level):
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
    check_level("specificity", specificity)
    se, sp = _weighted_rates(y_true, y_score, pos_label, labels, sample_weight)
    return float(se[0, best_points(se, sp, specificity)[0]])


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
    y_true, y_score : array-like
        Labels and scores, as in :func:`sensitivity_at_specificity`.
    sensitivity : float, default=0.9
        The sensitivity that must be kept.
    pos_label, labels, sample_weight : optional
        As in :func:`sensitivity_at_specificity`.

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
    check_level("sensitivity", sensitivity)
    se, sp = _weighted_rates(y_true, y_score, pos_label, labels, sample_weight)
    return float(sp[0, best_points(sp, se, sensitivity)[0]])
