"""The scores of the PhysioNet challenge of 2022, and one answer for each patient."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

# what a patient of each class counts
_WEIGHTS = {
    "murmur": {"present": 5, "unknown": 3, "absent": 1},
    "outcome": {"abnormal": 5, "normal": 1},
}
_REFERRED = ("present", "unknown", "abnormal")


def _check_answers(name, y, tasks):
    """Return labels in lower case, and the task that they belong to."""
    y = np.array([str(label).lower() for label in column_or_1d(y)])
    found = set(y.tolist())
    for task in tasks:
        if found <= set(_WEIGHTS[task]):
            return y, task
    allowed = " or ".join(str(list(_WEIGHTS[task])) for task in tasks)
    known = {label for task in tasks for label in _WEIGHTS[task]}
    strange = sorted(found - known) or sorted(found)
    raise ValueError(f"{name} holds {strange[0]!r}; its labels must be some of {allowed}.")


def circor_weighted_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Compute the weighted accuracy of the challenge of 2022 [1]_, which ranks murmur classifiers.

    A patient counts 5 where the murmur is present or the outcome abnormal, 3 where the murmur is
    unknown, and 1 otherwise.

    Parameters
    ----------
    y_true : array-like of shape (n_patients,)
        The true labels: murmur "present", "unknown" and "absent", or outcome "abnormal" and "normal";
        case does not matter.
    y_pred : array-like of shape (n_patients,)
        The answers, with the same labels.

    Returns
    -------
    float
        The sum of the weights of the patients with a right answer, divided by the sum of all weights.

    See Also
    --------
    circor_outcome_cost : The score that ranks outcome classifiers.
    aggregate_by_patient : Combine the recordings of a patient.

    References
    ----------
    .. [1] M. A. Reyna et al., "Heart murmur detection from phonocardiogram recordings: The George B.
       Moody PhysioNet Challenge 2022", PLOS Digital Health 2(9), 2023.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import circor_weighted_accuracy
    >>> y_true = ["present", "unknown", "absent", "absent"]
    >>> circor_weighted_accuracy(y_true, ["present", "absent", "absent", "present"])
    0.6
    """
    truths, task = _check_answers("y_true", y_true, _WEIGHTS)
    answers, _ = _check_answers("y_pred", y_pred, [task])
    check_consistent_length(truths, answers)
    weights = np.array([_WEIGHTS[task][label] for label in truths])
    return float(np.average(truths == answers, weights=weights))


def circor_outcome_cost(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Compute the mean cost of the challenge of 2022, which ranks outcome classifiers.

    The algorithm sees each patient and refers some to an expert, who treats those with an abnormal
    outcome; who is not referred in spite of an abnormal outcome is treated too late. With the share r
    of patients that are referred, the cost of a patient is::

        10 + (25 + 397 r - 1718 r**2 + 11296 r**4) + 10000 treated + 50000 missed

    Parameters
    ----------
    y_true : array-like of shape (n_patients,)
        The true outcomes, "abnormal" and "normal"; case does not matter.
    y_pred : array-like of shape (n_patients,)
        The answers: outcomes, or murmurs "present", "unknown" (both are referred) and "absent".

    Returns
    -------
    float
        The mean cost of a patient; smaller is better.

    See Also
    --------
    circor_weighted_accuracy : The score that ranks murmur classifiers, with the reference.
    aggregate_by_patient : Combine the recordings of a patient.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import circor_outcome_cost
    >>> y_true = ["abnormal", "abnormal", "normal", "normal"]
    >>> circor_outcome_cost(y_true, ["abnormal", "normal", "abnormal", "normal"])
    15510.0
    """
    truths, _ = _check_answers("y_true", y_true, ["outcome"])
    answers, _ = _check_answers("y_pred", y_pred, ["outcome", "murmur"])
    check_consistent_length(truths, answers)
    abnormal, referred = truths == "abnormal", np.isin(answers, _REFERRED)
    share = referred.mean()
    expert = 25 + 397 * share - 1718 * share**2 + 11296 * share**4
    treated, missed = np.mean(abnormal & referred), np.mean(abnormal & ~referred)
    return float(10 + expert + 10_000 * treated + 50_000 * missed)


def aggregate_by_patient(
    y_score: ArrayLike, groups: ArrayLike, *, method: str = "mean"
) -> tuple[np.ndarray, np.ndarray]:
    """Combine the probabilities of a patient's recordings.

    CirCor DigiScope has recordings at several sites, but labels and scores per patient.

    Parameters
    ----------
    y_score : array-like of shape (n_recordings,) or (n_recordings, n_classes)
        Probabilities or other scores.
    groups : array-like of shape (n_recordings,)
        The patients.
    method : {"mean", "max"}, default="mean"
        How to combine them. The maximum suits a finding that is heard at one site only; of several
        classes, the maxima are divided by their sum.

    Returns
    -------
    patients : ndarray of shape (n_patients,)
        The distinct values of `groups`, sorted.
    y_score : ndarray of shape (n_patients,) or (n_patients, n_classes)
        The combined scores, in the order of `patients`.

    See Also
    --------
    circor_weighted_accuracy : Score the answers for the patients.
    sklearn_heartkd.WindowedClassifier : Average over the windows of a recording.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.metrics import aggregate_by_patient
    >>> probabilities = [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]
    >>> groups = ["p2", "p2", "p1"]
    >>> patients, combined = aggregate_by_patient(probabilities, groups)
    >>> patients.tolist(), combined.tolist()
    (['p1', 'p2'], [[0.2, 0.8], [0.7, 0.3]])

    The labels of the patients in this order:

    >>> y = np.array(["present", "present", "absent"])
    >>> y[np.unique(groups, return_index=True)[1]].tolist()
    ['absent', 'present']
    """
    scores = check_array(y_score, ensure_2d=False, dtype=float)
    check_consistent_length(scores, groups)
    patients, rows = np.unique(column_or_1d(groups), return_inverse=True)
    if method == "mean":
        combined = np.zeros((len(patients), *scores.shape[1:]))
        np.add.at(combined, rows, scores)
        return patients, (combined.T / np.bincount(rows)).T
    if method != "max":
        raise ValueError(f"method must be 'mean' or 'max', got {method!r}.")
    combined = np.full((len(patients), *scores.shape[1:]), -np.inf)
    np.maximum.at(combined, rows, scores)
    if scores.ndim == 2:
        combined /= combined.sum(axis=1, keepdims=True)
    return patients, combined
