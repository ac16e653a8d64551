"""Checks and arithmetic of class probabilities."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.ensemble import StackingClassifier
from sklearn.pipeline import Pipeline

EVERY_CLASS = "fit it on recordings of every class"
FEWER_FOLDS = (
    "some class has too few subjects for every fold to learn it: use fewer folds, do without cv, or "
    "give recordings of more subjects"
)


def log_probabilities(probabilities):
    """Return log p, with probabilities of at least 1e-12."""
    probabilities = np.asarray(probabilities)
    if probabilities.dtype not in (np.float32, np.float64):
        probabilities = probabilities.astype(np.float64)
    return np.log(np.clip(probabilities, 1e-12, None))


def require_probabilities(estimator, role):
    """Raise if `estimator` cannot give probabilities."""
    if is_regressor(estimator):
        raise TypeError(
            f"{role} {type(estimator).__name__} is a regressor and has no predict_proba; give a classifier."
        )
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(last, StackingClassifier) and last.final_estimator is None:
        return  # a logistic regression, which only fit tells it
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{role} {type(estimator).__name__} has no predict_proba; wrap it in "
            "sklearn.calibration.CalibratedClassifierCV to give it one."
        )


def require_rows(values, n_rows, subject):
    """Raise if the output of a classifier is not a table with a row for each recording."""
    if np.ndim(values) != 2 or len(values) != n_rows:
        raise ValueError(
            f"{subject} of shape {np.shape(values)} for {n_rows} recordings; there must be a row for each."
        )


def require_finite(values, subject):
    """Raise if the output of a classifier is not finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"{subject} that are not finite; look at what it was fitted on, or at its learning rate."
        )


def as_probabilities(probabilities, n_classes, role):
    """Return the output of a classifier as an array; raise unless these are probabilities of its classes.

    Rows may be all 0, which some meta-estimators give, and rounded.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.dtype.kind != "f":
        probabilities = probabilities.astype(np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != n_classes:
        raise ValueError(
            f"{role} gives probabilities of shape {probabilities.shape}, but knows {n_classes} classes; "
            "predict_proba must have a row for each recording and a column for each class."
        )
    require_finite(probabilities, f"{role} gives probabilities")
    totals = probabilities.sum(axis=1, dtype=np.float64)
    far = (probabilities < -1e-6).any(axis=1) | ((np.abs(totals - 1) > 0.05) & (totals != 0))
    if far.any():
        row = int(far.argmax())
        raise ValueError(
            f"{role} gives {probabilities[row].tolist()} for row {row}, which are not probabilities: they "
            "must be at least 0 and sum to 1."
        )
    return probabilities


def align(probabilities, from_classes, to_classes, role, advice=EVERY_CLASS):
    """Reorder columns from one list of classes to another; drop surplus ones and renormalize.

    Raises
    ------
    ValueError
        If a wanted class is missing, or these are not probabilities with a column for each class.
    """
    probabilities = as_probabilities(probabilities, len(from_classes), role)
    position = {label: i for i, label in enumerate(from_classes)}
    missing = [label for label in to_classes.tolist() if label not in position]
    if missing:
        raise ValueError(f"{role} does not know {missing}, only {from_classes.tolist()}; {advice}.")
    aligned = probabilities[:, [position[label] for label in to_classes]]
    total = aligned.sum(axis=1, keepdims=True)
    return np.where(total > 0, aligned / np.where(total > 0, total, 1), 1 / len(to_classes))
