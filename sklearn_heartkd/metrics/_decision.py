"""Net benefit: whether acting on a model's probabilities does more good than harm."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, column_or_1d


def net_benefit(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    pos_label: Any = 1,
    thresholds: Sequence[float] | np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the decision curve of a model: net benefit at each threshold.

    Whoever acts above a probability of t accepts (1 - t) / t needless actions for one that was needed.
    The net benefit is the share of true positives minus the share of false positives times t / (1 - t)
    [1]_. A model is worth using where it is above both treating all and treating none, which is 0.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,)
        The true labels.
    y_proba : array-like of shape (n_recordings,)
        Probability of the label that needs action.
    pos_label : label, default=1
        That label.
    thresholds : array-like of float, default=None
        Above 0 and below 1; None means 0.01, 0.02, ..., 0.99.

    Returns
    -------
    pandas.DataFrame
        A row per threshold: `threshold`, `net_benefit` of the model, and `treat_all`.

    Raises
    ------
    ValueError
        If a threshold is not between 0 and 1, or `y_true` is empty.

    See Also
    --------
    operating_point : Choose a threshold by sensitivity or specificity.

    References
    ----------
    .. [1] A. J. Vickers, E. B. Elkin, "Decision curve analysis: a novel method for evaluating
       prediction models", Medical Decision Making 26(6), 2006.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import net_benefit
    >>> net_benefit([0, 0, 1, 1], [0.1, 0.6, 0.7, 0.9], thresholds=[0.2, 0.5])
       threshold  net_benefit  treat_all
    0        0.2       0.4375      0.375
    1        0.5       0.2500      0.000
    """
    positive = column_or_1d(y_true) == pos_label
    proba = np.asarray(column_or_1d(y_proba), dtype=float)
    check_consistent_length(positive, proba)
    if not len(positive):
        raise ValueError("y_true is empty; pass at least one recording.")
    t = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, dtype=float)
    if not np.all((t > 0) & (t < 1)):
        raise ValueError("thresholds must lie above 0 and below 1.")
    acted = proba >= t[:, None]
    odds = t / (1 - t)
    benefit = (acted & positive).mean(axis=1) - odds * (acted & ~positive).mean(axis=1)
    everybody = positive.mean() - odds * (1 - positive.mean())
    return pd.DataFrame({"threshold": t, "net_benefit": benefit, "treat_all": everybody})
