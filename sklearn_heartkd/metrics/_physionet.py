"""The score of the PhysioNet/Computing in Cardiology Challenge 2016."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.utils.validation import check_consistent_length, column_or_1d

_NAMES = ("abnormal", "normal", "unsure")
_CODES = (1, -1, 0)


def _check_answers(y_true, y_pred, labels):
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    if labels is None:
        labels = _CODES if y_true.dtype.kind in "iuf" else _NAMES
    if len(labels) != 3:
        raise ValueError(f"labels={labels!r} must hold three: abnormal, normal and unsure.")
    for name, y, allowed in (("y_true", y_true, labels[:2]), ("y_pred", y_pred, labels)):
        if unknown := sorted(set(y.tolist()) - set(allowed), key=str):
            raise ValueError(
                f"{name} holds {unknown[0]!r}, but may hold only {list(allowed)}; pass the labels "
                "of abnormal, normal and unsure as labels=."
            )
    return y_true, y_pred, labels


def _modified_rate(right, unsure, good, weights, name):
    """Weight the rates on good and on poor recordings; unsure is correct on poor ones only."""
    if right.size == 0:
        warnings.warn(
            f"The score is not defined: y_true has no {name} recording.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
        return np.nan
    if weights is None:
        weights = (np.mean(good), np.mean(~good))
    rate = 0.0
    for weight, members, hits in zip(weights, (good, ~good), (right, right | unsure), strict=True):
        if weight == 0:
            continue
        if not members.any():
            raise ValueError(
                f"weights={tuple(weights)} needs {name} recordings of both qualities, but one "
                "quality is missing; pass quality=, or weights=None for the proportions in y_true."
            )
        rate += weight * np.mean(hits[members])
    return float(rate)


def _is_good(quality, y_true):
    """Whether the signal quality is good; missing quality counts as good."""
    if quality is None:
        return np.ones(len(y_true), dtype=bool)
    check_consistent_length(y_true, quality)
    quality = column_or_1d(quality)
    if quality.dtype.kind in "biuf":
        return quality > 0
    if unknown := sorted(set(quality.tolist()) - {"good", "poor", ""}, key=str):
        raise ValueError(
            f"quality holds {unknown[0]!r}; use numbers above 0 for good, or 'good' and 'poor'."
        )
    return quality != "poor"


def _rates(y_true, y_pred, quality, weights, labels):
    y_true, y_pred, (abnormal, normal, unsure) = _check_answers(y_true, y_pred, labels)
    good = _is_good(quality, y_true)
    if weights is not None and np.shape(weights) != (4,):
        raise ValueError(
            f"weights={weights!r} must be the four numbers wa1, wa2, wn1, wn2 (abnormal good, "
            "abnormal poor, normal good, normal poor)."
        )
    rates = []
    for i, (label, name) in enumerate(((abnormal, "abnormal"), (normal, "normal"))):
        members = y_true == label
        own = None if weights is None else tuple(weights[2 * i : 2 * i + 2])
        answers = y_pred[members]
        rates.append(_modified_rate(answers == label, answers == unsure, good[members], own, name))
    return rates


def physionet2016_scores(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    quality: ArrayLike | None = None,
    weights: Sequence[float] | None = None,
    labels: Sequence[Any] | None = None,
) -> dict[str, float]:
    """Compute modified sensitivity, specificity and accuracy of the 2016 challenge.

    With A and N for truly abnormal and normal recordings, a, q, n for the answers abnormal, unsure
    and normal, and 1 and 2 for good and poor signal quality::

        Se = wa1 · Aa1 / (Aa1 + Aq1 + An1) + wa2 · (Aa2 + Aq2) / (Aa2 + Aq2 + An2)
        Sp = wn1 · Nn1 / (Na1 + Nq1 + Nn1) + wn2 · (Nn2 + Nq2) / (Na2 + Nq2 + Nn2)
        MAcc = (Se + Sp) / 2

    "Unsure" is thus correct on a poor recording and wrong on a good one.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,)
        The true labels, abnormal or normal.
    y_pred : array-like of shape (n_recordings,)
        The answers: abnormal, normal or unsure.
    quality : array-like of shape (n_recordings,), default=None
        Signal quality: numbers, above 0 for good and 0 or below for poor, or `"good"`, `"poor"`
        and `""` (missing, counts as good). None means that all are good.
    weights : tuple of 4 floats, default=None
        The weights wa1, wa2, wn1, wn2. None means the proportions of good and poor recordings
        among the abnormal and among the normal ones of `y_true`, as in the challenge; on its whole
        training set they are 0.8602, 0.1398, 0.9252, 0.0748.
    labels : tuple of 3 labels, default=None
        The labels of abnormal, normal and unsure. None means `("abnormal", "normal", "unsure")`, or
        the challenge's codes `(1, -1, 0)` if `y_true` is numeric.

    Returns
    -------
    dict of str to float
        `"sensitivity"`, `"specificity"` and `"macc"`. NaN, with a warning, if `y_true` has no
        recording of a class.

    See Also
    --------
    physionet2016_macc_score : The overall score alone.
    physionet2016_scorers : The same scores for `scoring=`.

    References
    ----------
    C. Liu et al., "An open access database for the evaluation of heart sound algorithms",
    Physiological Measurement 37(12), 2016.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import physionet2016_scores
    >>> y_true = ["abnormal", "abnormal", "normal", "normal"]
    >>> y_pred = ["abnormal", "unsure", "normal", "unsure"]
    >>> physionet2016_scores(y_true, y_pred, quality=[1, 0, 1, 1])
    {'sensitivity': 1.0, 'specificity': 0.5, 'macc': 0.75}
    """
    sensitivity, specificity = _rates(y_true, y_pred, quality, weights, labels)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "macc": (sensitivity + specificity) / 2,
    }


def physionet2016_macc_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    quality: ArrayLike | None = None,
    weights: Sequence[float] | None = None,
    labels: Sequence[Any] | None = None,
) -> float:
    """Compute the modified accuracy MAcc of the 2016 challenge, its overall score.

    It is the mean of the modified sensitivity and specificity.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True labels and answers, as in :func:`physionet2016_scores`.
    quality, weights, labels : optional
        As in :func:`physionet2016_scores`.

    Returns
    -------
    float
        Between 0 and 1.

    See Also
    --------
    physionet2016_scores : With sensitivity, specificity and the formulas.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import physionet2016_macc_score
    >>> physionet2016_macc_score([1, 1, -1, -1], [1, 0, -1, -1])
    0.75
    """
    return float(np.mean(_rates(y_true, y_pred, quality, weights, labels)))


def _one_score(y_true, y_pred, *, name, quality=None, weights=None, labels=None):
    scores = physionet2016_scores(y_true, y_pred, quality=quality, weights=weights, labels=labels)
    return scores[name]


def physionet2016_scorers(
    *, weights: Sequence[float] | None = None, labels: Sequence[Any] | None = None
) -> dict[str, Callable[..., float]]:
    """Return the scores of the 2016 challenge as scorers.

    With scikit-learn's metadata routing they request `quality`, as in
    `cross_validate(model, X, y, scoring=..., params={"quality": quality})`.

    Parameters
    ----------
    weights, labels : optional
        As in :func:`physionet2016_scores`.

    Returns
    -------
    dict of str to callable
        Scorers `"sensitivity"`, `"specificity"` and `"macc"`.

    See Also
    --------
    physionet2016_scores : The same scores as a function.

    Examples
    --------
    >>> from sklearn import config_context
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn_heartkd.metrics import physionet2016_scorers
    >>> X, y = [[0.0]] * 3, ["abnormal", "normal", "normal"]
    >>> model = DummyClassifier().fit(X, y)
    >>> physionet2016_scorers()["macc"](model, X, y)
    0.5
    >>> with config_context(enable_metadata_routing=True):
    ...     physionet2016_scorers()["macc"](model, X, y, quality=[1, 1, 0])
    0.5
    """
    scorers = {
        name: make_scorer(_one_score, name=name, weights=weights, labels=labels)
        for name in ("sensitivity", "specificity", "macc")
    }
    if get_config()["enable_metadata_routing"]:
        for scorer in scorers.values():
            scorer.set_score_request(quality=True)
    return scorers
