"""All scores of the PASCAL Classifying Heart Sounds Challenge, as a function and as scorers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.metrics import make_scorer

from sklearn_heartkd.metrics._pascal import (
    HEART_PROBLEM,
    artifact_f_score,
    check_variant,
    discriminant_power_score,
    total_precision_score,
    youden_index_score,
)

PASCAL_LABELS = {
    "a": ("artifact", "extrahls", "murmur", "normal"),
    "b": ("extrastole", "murmur", "normal"),
}


def pascal_scores(
    y_true: ArrayLike, y_pred: ArrayLike, *, subset: str = "a", variant: str = "standard"
) -> dict[str, float]:
    """Compute all scores of the PASCAL challenge on its set A or B.

    Both sets have the precision of each class, the total precision and Youden's index.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    subset : {"a", "b"}, default="a"
        Set A adds the F-score of artifact, set B the discriminant power of a heart problem
        (extrastole or murmur).
    variant : {"standard", "challenge"}, default="standard"
        As in :func:`youden_index_score` and :func:`artifact_f_score`.

    Returns
    -------
    dict of str to float
        The scores by name.

    See Also
    --------
    pascal_scorers : The same scores for `scoring=`.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import pascal_scores
    >>> y = ["artifact", "extrahls", "murmur", "normal"]
    >>> scores = pascal_scores(y, y, subset="a")
    >>> scores["total_precision"], scores["youden_index_artifact"]
    (4.0, 1.0)
    """
    return {
        name: score(y_true, y_pred, **parameters)
        for name, (score, parameters) in _pascal_functions(subset, variant).items()
    }


def pascal_scorers(
    *, subset: str = "a", variant: str = "standard"
) -> dict[str, Callable[..., float]]:
    """Return the scores of the PASCAL challenge as scorers.

    The discriminant power adds 0.5 to each count, so that means over folds are finite.

    Parameters
    ----------
    subset, variant : str
        As in :func:`pascal_scores`.

    Returns
    -------
    dict of str to callable
        For `scoring=` of :func:`~sklearn.model_selection.cross_validate`.

    See Also
    --------
    pascal_scores : The same scores as a function.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn_heartkd.metrics import pascal_scorers
    >>> X, y = [[0.0]] * 4, ["extrastole", "murmur", "normal", "normal"]
    >>> model = DummyClassifier().fit(X, y)
    >>> scorers = pascal_scorers(subset="b")
    >>> scorers["total_precision"](model, X, y)
    0.5
    """
    scorers = {}
    for name, (score, parameters) in _pascal_functions(subset, variant).items():
        if score is discriminant_power_score:
            parameters = parameters | {"correction": 0.5}
        scorers[name] = make_scorer(score, **parameters)
    return scorers


def _pascal_functions(subset, variant):
    check_variant(variant)
    if subset not in PASCAL_LABELS:
        raise ValueError(f"subset={subset!r} is unknown; use 'a' or 'b'.")
    labels = PASCAL_LABELS[subset]
    functions: dict[str, tuple[Callable[..., float], dict]] = {
        f"precision_{label}": (total_precision_score, {"labels": [label]}) for label in labels
    }
    functions["total_precision"] = (total_precision_score, {"labels": list(labels)})
    if subset == "a":
        found: dict[str, Any] = {"positive": "artifact", "variant": variant}
        functions["youden_index_artifact"] = (youden_index_score, found)
        functions["f_score_artifact"] = (artifact_f_score, found)
    else:
        found = {"positive": HEART_PROBLEM, "variant": variant}
        functions["youden_index_heart_problem"] = (youden_index_score, found)
        functions["discriminant_power_heart_problem"] = (discriminant_power_score, found)
    return functions
