"""A teacher's answers about recordings whose classes have known shares."""

import numpy as np

_MAX_ROUNDS = 20_000
_TOLERANCE = 1e-7


def check_prior(prior, classes):
    """Return the shares of the classes as an array that sums to 1.

    Raises
    ------
    ValueError
        If they are not one number of at least 0 for each class, and one above 0.
    """
    if isinstance(prior, str):
        return np.full(len(classes), 1 / len(classes))
    shares = np.asarray(prior, dtype=np.float64)
    if shares.shape != (len(classes),) or not np.all(shares >= 0) or not 0 < shares.sum() < np.inf:
        raise ValueError(
            f"unlabeled_prior must be a list of the shares of the {len(classes)} classes "
            f"{classes.tolist()}, at least 0 each, got {prior!r}."
        )
    return shares / shares.sum()


def reweigh(probabilities, prior, classes):
    """Weight the classes so that the mean of the renormalized probabilities is `prior`.

    The rows are multiplied by one weight for each class and divided by their sums, as Saerens et al.
    (2002) adapt a classifier to other shares of the classes. They estimate the shares; here they are
    given, and the weights are the fixed point of multiplying each by its class's share over its mean.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
    prior : "balanced" or array-like of shape (n_classes,)
    classes : ndarray of shape (n_classes,)
        For the error.

    Returns
    -------
    ndarray of shape (n, n_classes)

    Raises
    ------
    ValueError
        If no weights have been found, as where the teacher rules a class out.
    """
    shares = check_prior(prior, classes)
    answers = probabilities.astype(np.float64)
    for _ in range(_MAX_ROUNDS):
        mean = answers.mean(axis=0)
        if np.abs(mean - shares).max() < _TOLERANCE:
            return answers.astype(probabilities.dtype)
        answers = answers * (shares / np.maximum(mean, 1e-300))
        answers /= answers.sum(axis=1, keepdims=True)
    raise ValueError(
        f"The teacher's answers about X_unlabeled have the mean {mean.round(4).tolist()} for the classes "
        f"{classes.tolist()}, and no weights of the classes bring it to unlabeled_prior="
        f"{shares.round(4).tolist()}; give more rows, another prior, or None."
    )
