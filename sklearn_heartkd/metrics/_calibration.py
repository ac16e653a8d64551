"""Calibration of predicted probabilities, and the threshold for rejecting recordings."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, column_or_1d


def _top_label(y_true, y_proba, labels):
    """Return the confidence in the most probable class and whether that class is right."""
    y_true = column_or_1d(y_true)
    y_proba = np.asarray(y_proba, dtype=float)
    check_consistent_length(y_true, y_proba)
    labels = np.unique(y_true) if labels is None else np.asarray(labels)
    if y_proba.ndim == 1:
        y_proba = np.column_stack([1 - y_proba, y_proba])
    if y_proba.shape[1] != len(labels):
        raise ValueError(
            f"y_proba has {y_proba.shape[1]} columns for {len(labels)} classes; "
            "pass the class of each column as labels=."
        )
    if not np.all((y_proba >= 0) & (y_proba <= 1)):
        raise ValueError("y_proba must hold probabilities between 0 and 1; pass predict_proba(X).")
    totals = y_proba.sum(axis=1)
    if (far := np.abs(totals - 1) > 0.01).any():
        row = int(far.argmax())
        raise ValueError(
            f"Row {row} of y_proba sums to {totals[row]:.3g}, not to 1; pass predict_proba(X)."
        )
    if unknown := sorted(set(y_true.tolist()) - set(labels.tolist()), key=str):
        raise ValueError(f"y_true holds {unknown[0]!r}, which is not in labels={labels.tolist()}.")
    top = np.argmax(y_proba, axis=1)
    return y_proba[np.arange(len(top)), top], labels[top] == y_true


def _check_weight(sample_weight, rows):
    weight = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, float)
    check_consistent_length(rows, weight)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError("sample_weight must be finite, at least 0, and one of them above 0.")
    return weight


def reliability_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 15,
    strategy: str = "uniform",
    sample_weight: ArrayLike | None = None,
) -> pd.DataFrame:
    """Compare the confidence in the predicted class with its accuracy.

    The recordings are put into bins by the probability of their predicted class.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,)
        The true labels.
    y_proba : array-like of shape (n_recordings, n_classes) or (n_recordings,)
        Predicted probabilities; one column is the probability of the second class.
    labels : array-like of shape (n_classes,), default=None
        The class of each column. None means the sorted labels of `y_true`.
    n_bins : int, default=15
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width between 0 and 1, or of about equal numbers of recordings.
    sample_weight : array-like of shape (n_recordings,), default=None
        Weights; at least one must be positive and none negative.

    Returns
    -------
    pandas.DataFrame
        One row per nonempty bin: the mean `confidence`, the `accuracy`, and the `weight`, which is
        the share of recordings in the bin.

    See Also
    --------
    expected_calibration_error : The mean gap between the two.
    ReliabilityDisplay : Plot the curve.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import reliability_curve
    >>> y_proba = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]
    >>> reliability_curve(["murmur", "murmur", "normal", "normal"], y_proba, n_bins=2)
       confidence  accuracy  weight
    0       0.825      0.75     1.0
    """
    if not isinstance(n_bins, Integral) or n_bins < 1:
        raise ValueError(f"n_bins={n_bins!r} must be an integer of at least 1.")
    confidence, right = _top_label(y_true, y_proba, labels)
    even = np.linspace(0, 1, int(n_bins) + 1)
    if strategy == "uniform":
        edges = even
    elif strategy == "quantile":
        edges = np.unique(np.quantile(confidence, even))
    else:
        raise ValueError(f"strategy={strategy!r} is unknown; use 'uniform' or 'quantile'.")
    weight = _check_weight(sample_weight, right)
    bins = np.searchsorted(edges[1:-1], confidence, side="left")
    total = np.bincount(bins, weight, minlength=n_bins)
    filled = total > 0
    sums = [np.bincount(bins, weight * v, minlength=n_bins)[filled] for v in (confidence, right)]
    return pd.DataFrame(
        {
            "confidence": sums[0] / total[filled],
            "accuracy": sums[1] / total[filled],
            "weight": total[filled] / total.sum(),
        }
    )


def expected_calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 15,
    strategy: str = "uniform",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean gap between confidence and accuracy of the predicted class.

    The gaps are those of :func:`reliability_curve`, weighted by the share of recordings in each bin.
    The error is biased upward if there are few recordings. For
    :func:`~sklearn.metrics.make_scorer`, pass ``response_method="predict_proba"`` and
    ``greater_is_better=False``.

    Parameters
    ----------
    y_true, y_proba : array-like
        Labels and probabilities, as in :func:`reliability_curve`.
    labels, n_bins, strategy, sample_weight : optional
        As in :func:`reliability_curve`.

    Returns
    -------
    float
        Between 0 (calibrated) and 1.

    See Also
    --------
    reliability_curve : Confidence and accuracy in each bin.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
    ICML 2017.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import expected_calibration_error
    >>> y_proba = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]
    >>> error = expected_calibration_error(["murmur", "murmur", "normal", "normal"], y_proba)
    >>> round(error, 3)  # 3/4 · |0.9 - 2/3| + 1/4 · |0.6 - 1|
    0.275
    """
    bins: dict[str, Any] = {"n_bins": n_bins, "strategy": strategy}
    curve = reliability_curve(y_true, y_proba, labels=labels, sample_weight=sample_weight, **bins)
    return float(np.sum(curve["weight"] * np.abs(curve["confidence"] - curve["accuracy"])))


def risk_coverage_curve(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> pd.DataFrame:
    """Compute the error rate among the accepted recordings for every reject threshold.

    A recording is accepted if its most probable class has at least the threshold's probability.

    Parameters
    ----------
    y_true, y_proba : array-like
        Labels and probabilities, as in :func:`reliability_curve`.
    labels, sample_weight : optional
        As in :func:`reliability_curve`.

    Returns
    -------
    pandas.DataFrame
        One row per `threshold`, the highest first, with the `coverage` (share of accepted
        recordings) and the `risk` (share of errors among them).

    See Also
    --------
    reject_threshold : The threshold for a given error rate.

    References
    ----------
    Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import risk_coverage_curve
    >>> y_proba = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]]
    >>> risk_coverage_curve(["murmur", "murmur", "normal", "normal"], y_proba).round(3)
       threshold  coverage   risk
    0        0.9      0.25  0.000
    1        0.8      0.50  0.000
    2        0.7      0.75  0.333
    3        0.6      1.00  0.250
    """
    confidence, right = _top_label(y_true, y_proba, labels)
    weight = _check_weight(sample_weight, right)
    order = np.argsort(-confidence, kind="stable")
    order = order[weight[order] > 0]
    confidence, right, weight = confidence[order], right[order], weight[order]
    # equal confidences are accepted or rejected together
    last_of_tie = np.append(np.diff(confidence) != 0, True)
    accepted = np.cumsum(weight)[last_of_tie]
    errors = np.cumsum(weight * ~right)[last_of_tie]
    return pd.DataFrame(
        {
            "threshold": confidence[last_of_tie],
            "coverage": accepted / accepted[-1],
            "risk": errors / accepted,
        }
    )


def reject_threshold(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    error_rate: float,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Choose the reject threshold that accepts most recordings at a given error rate.

    Use recordings that the classifier was not fitted on.

    Parameters
    ----------
    y_true, y_proba : array-like
        Labels and probabilities, as in :func:`reliability_curve`.
    error_rate : float
        The share of errors allowed among the accepted recordings, between 0 and 1.
    labels, sample_weight : optional
        As in :func:`reliability_curve`.

    Returns
    -------
    float
        Accept a recording if its most probable class has at least this probability. Infinite if no
        threshold reaches the error rate, so that everything is rejected.

    See Also
    --------
    RejectingClassifier : A classifier that uses such a threshold.
    risk_coverage_curve : All thresholds.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import reject_threshold
    >>> y_proba = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]]
    >>> reject_threshold(["murmur", "murmur", "normal", "normal"], y_proba, 0.1)
    0.8
    """
    if not 0 <= error_rate <= 1:
        raise ValueError(f"error_rate={error_rate} must lie between 0 and 1.")
    curve = risk_coverage_curve(y_true, y_proba, labels=labels, sample_weight=sample_weight)
    allowed = curve["threshold"][curve["risk"] <= error_rate + 1e-12]
    return float(allowed.min()) if len(allowed) else float("inf")
