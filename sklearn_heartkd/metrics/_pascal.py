"""Scores used in the PASCAL Classifying Heart Sounds Challenge."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import fbeta_score, precision_score
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_consistent_length, column_or_1d

HEART_PROBLEM = ("extrastole", "murmur")
_VARIANTS = ("standard", "challenge")


def check_variant(variant):
    if variant not in _VARIANTS:
        raise ValueError(f"variant={variant!r} is unknown; use 'standard' or 'challenge'.")


def _rates(y_true, y_pred, positive, variant, correction=0.0):
    """Return sensitivity, its complement, specificity and its complement."""
    check_variant(variant)
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    positive = np.atleast_1d(positive)
    is_positive = np.isin(y_true, positive)
    called_positive = np.isin(y_pred, positive)
    # the challenge's sheet takes specificity from the diagonal of the confusion matrix
    rejected = ~called_positive if variant == "standard" else y_true == y_pred
    rates = []
    for members, right in ((is_positive, called_positive), (~is_positive, rejected)):
        n_members = np.sum(members) + 2 * correction
        if n_members == 0:
            side = "none" if members is is_positive else "only recordings"
            warnings.warn(
                f"The score is not defined: y_true holds {side} of {positive.tolist()}.",
                UndefinedMetricWarning,
                stacklevel=3,
            )
            return (np.nan,) * 4
        n_right = np.sum(members & right) + correction
        rates += [n_right / n_members, (n_members - n_right) / n_members]
    return tuple(rates)


def total_precision_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: ArrayLike | None = None
) -> float:
    """Compute the sum of the precisions of all classes.

    This is the main score of the challenge. A class that is never predicted adds 0.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        The classes to sum over. None means every label in `y_true` or `y_pred`.

    Returns
    -------
    float
        Between 0 and `n_classes`.

    See Also
    --------
    pascal_scores : All scores of the challenge.

    References
    ----------
    P. Bentley, G. Nordehn, M. Coimbra, S. Mannor, "The PASCAL Classifying Heart Sounds
    Challenge 2011 (CHSC2011)".

    Examples
    --------
    >>> from sklearn_heartkd.metrics import total_precision_score
    >>> y_true = ["normal", "normal", "murmur", "extrastole"]
    >>> y_pred = ["normal", "murmur", "murmur", "extrastole"]
    >>> total_precision_score(y_true, y_pred)
    2.5
    """
    if labels is None:
        labels = unique_labels(y_true, y_pred)
    precisions = precision_score(y_true, y_pred, labels=labels, average=None, zero_division=0.0)
    return float(np.sum(precisions))


def youden_index_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    positive: Any = "artifact",
    variant: str = "standard",
) -> float:
    """Compute Youden's index (Cancer 3(1), 1950): sensitivity + specificity - 1.

    The challenge uses it for the artifacts of set A and for the heart problems of set B.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    positive : label or list of labels, default="artifact"
        The positive class, or several that count as one. A heart problem in set B is
        `["extrastole", "murmur"]`.
    variant : {"standard", "challenge"}, default="standard"
        In `"standard"`, every negative recording that is not predicted positive is correct; in
        `"challenge"`, the challenge's own sheet, only those predicted as their own class.

    Returns
    -------
    float
        Between -1 and 1; 0 is chance in the standard variant. NaN, with a warning, if `y_true`
        has no positive or no negative recording.

    See Also
    --------
    discriminant_power_score : Another score of sensitivity and specificity.
    pascal_scores : All scores of the challenge.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import youden_index_score
    >>> y_true = ["artifact", "artifact", "normal", "murmur"]
    >>> y_pred = ["artifact", "artifact", "murmur", "murmur"]
    >>> youden_index_score(y_true, y_pred)
    1.0
    >>> youden_index_score(y_true, y_pred, variant="challenge")
    0.5
    """
    sensitivity, _, specificity, _ = _rates(y_true, y_pred, positive, variant)
    return float(sensitivity + specificity - 1)


def artifact_f_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    positive: Any = "artifact",
    beta: float = 0.9,
    variant: str = "standard",
) -> float:
    """Compute the F-score of the artifacts in set A.

    It combines the precision P and the sensitivity S, by default with the challenge's β = 0.9.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    positive : label or list of labels, default="artifact"
        The positive class, or several that count as one.
    beta : float, default=0.9
        Weight of the sensitivity relative to the precision.
    variant : {"standard", "challenge"}, default="standard"
        `"standard"` is (1 + β²) P S / (β² P + S); `"challenge"`, the challenge's own sheet, is
        β² P S / (β² P + S), whose maximum at β = 0.9 is 0.4475.

    Returns
    -------
    float
        The score; 0 if no positive recording is found.

    See Also
    --------
    pascal_scores : All scores of the challenge.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import artifact_f_score
    >>> y = ["artifact", "normal", "murmur"]
    >>> artifact_f_score(y, y)
    1.0
    >>> round(artifact_f_score(y, y, variant="challenge"), 4)
    0.4475
    """
    check_variant(variant)
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    positive = np.atleast_1d(positive)
    score = fbeta_score(
        np.isin(y_true, positive), np.isin(y_pred, positive), beta=beta, zero_division=0.0
    )
    return float(score if variant == "standard" else score * beta**2 / (1 + beta**2))


def discriminant_power_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    positive: Any = HEART_PROBLEM,
    variant: str = "standard",
    correction: float = 0.0,
) -> float:
    """Compute the discriminant power √3/π · (log₁₀ X + log₁₀ Y).

    X = Se / (1 - Se) and Y = Sp / (1 - Sp) are the odds of the sensitivity and the specificity.
    Below 1 the test is called poor, above 3 good.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    positive : label or list of labels, default=("extrastole", "murmur")
        The positive class, or several that count as one; by default the heart problems of set B.
    variant : {"standard", "challenge"}, default="standard"
        Which negative recordings are correct, as in :func:`youden_index_score`.
    correction : float, default=0.0
        Added to each of the four counts. With 0.5 (Haldane, Anscombe) the score is always finite,
        so that it can be averaged over folds.

    Returns
    -------
    float
        Without correction it is infinite if one of the rates is 0 or 1, and NaN if both cancel.
        NaN, with a warning, if `y_true` has no positive or no negative recording.

    See Also
    --------
    youden_index_score : Another score of sensitivity and specificity.
    pascal_scores : All scores of the challenge.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import discriminant_power_score
    >>> y_true = ["murmur"] * 11 + ["normal"] * 11
    >>> y_pred = ["murmur"] * 10 + ["normal"] * 11 + ["murmur"]
    >>> round(discriminant_power_score(y_true, y_pred), 4)  # √3/π · (log₁₀ 10 + log₁₀ 10)
    1.1027
    """
    rates = _rates(y_true, y_pred, positive, variant, correction)
    with np.errstate(divide="ignore", invalid="ignore"):
        se, not_se, sp, not_sp = np.log10(rates)
        return float(np.sqrt(3) / np.pi * (se - not_se + sp - not_sp))
