"""Comparison of models from their out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.utils import check_random_state

from sklearn_heartkd.metrics._bootstrap import draw_counts, percentile_interval
from sklearn_heartkd.metrics._oof import check_oof, subject_numbers
from sklearn_heartkd.metrics._resampled_scores import ResampledScores, check_metrics

_CHUNK = 200  # resamples scored at once, to bound the memory


def compare_models(
    oof_predictions: pd.DataFrame,
    groups: ArrayLike | Mapping[Any, Any] | str | None = None,
    *,
    baseline: str | None = None,
    metrics: Sequence[str] = ("accuracy", "balanced_accuracy", "f1_macro"),
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Compare models by their out-of-fold predictions.

    Each score is computed over all out-of-fold predictions of a seed and averaged over the seeds.
    The intervals are percentile intervals of a bootstrap that draws whole subjects and, if there are
    several, seeds, with replacement. All models get the same draws, so the differences are paired.

    Parameters
    ----------
    oof_predictions : pandas.DataFrame
        One row per model, seed and recording, with the columns model, seed, fold, recording (index
        into the data), y_true and y_pred, and for `roc_auc_<class>` the probability `p_<class>`.
        :func:`oof_frame` makes it.
    groups : array-like of shape (n_data,), mapping, or str, default=None
        The subject of each recording: `groups[recording]`, or the name of a column. None treats
        each recording as a separate subject; the intervals are then too narrow if subjects have
        several recordings.
    baseline : str, default=None
        The model that the others are compared with. None means the first one.
    metrics : sequence of str, default=("accuracy", "balanced_accuracy", "f1_macro")
        Scores; also `recall_<class>`, `precision_<class>`, `f1_<class>`, and `roc_auc_<class>`, the
        area under the ROC curve of the class against the rest. "balanced_accuracy" and "f1_macro" are
        means over the classes that have recordings.
    n_resamples : int, default=2000
        Number of bootstrap resamples.
    confidence_level : float, default=0.95
        Level of the intervals.
    random_state : int, RandomState instance or None, default=None
        Controls the resampling.

    Returns
    -------
    pandas.DataFrame
        One row per model and metric: `value`, `low`, `high`, `std` (over the folds of all seeds),
        and against the baseline `difference`, `difference_low`, `difference_high`, `t`, `p_value`.
        The last two are the corrected resampled t-test of Nadeau and Bengio over the folds,
        two-sided, not corrected for the number of models.

    See Also
    --------
    corrected_t_test : The test behind `t` and `p_value`.
    oof_frame : Create the data frame.

    Notes
    -----
    Models with the same seeds share the drawn seeds, and the t-test uses the folds of the seeds that a
    model shares with the baseline. Few seeds underestimate the variance between seeds.

    References
    ----------
    C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_heartkd.metrics import compare_models, oof_frame
    >>> truth = np.tile(["murmur", "normal"], 20)
    >>> wrong = np.where(np.arange(40) % 5, truth, "normal")
    >>> oof = pd.concat([
    ...     oof_frame(name, seed=0, fold=fold, recording=i, y_true=truth[i], y_pred=pred[i])
    ...     for name, pred in [("majority", np.full(40, "normal")), ("network", wrong)]
    ...     for fold, i in enumerate(np.split(np.arange(40), 5))
    ... ])
    >>> table = compare_models(oof, np.arange(40) // 2, metrics=["accuracy"], random_state=0)
    >>> table[["model", "metric", "value", "difference"]]
          model    metric  value  difference
    0  majority  accuracy    0.5         0.0
    1   network  accuracy    0.9         0.4
    """
    frame, models, classes = check_oof(oof_predictions)
    check_metrics(metrics, classes)
    if n_resamples < 1:
        raise ValueError(f"n_resamples={n_resamples} must be at least 1.")
    baseline = models[0] if baseline is None else baseline
    if baseline not in models:
        raise ValueError(f"baseline={baseline!r} is not one of the models {models}.")
    subject = subject_numbers(frame, groups)
    runs, run_keys = _number(frame, ["model", "seed"])
    folds, fold_keys = _number(frame, ["model", "seed", "fold"])
    score_runs = ResampledScores(frame, runs, subject, classes)
    score_folds = ResampledScores(frame, folds, subject, classes)
    random_state = check_random_state(random_state)
    once = np.ones((1, subject.max() + 1))
    counts = draw_counts(subject.max() + 1, n_resamples, random_state)
    seed_weights = _seed_weights(run_keys, models, n_resamples, random_state)
    ratio = _test_train_ratio(frame, baseline)

    table = []
    for metric in metrics:
        observed = score_runs(metric, once)[0]
        drawn = np.concatenate(
            [score_runs(metric, counts[i : i + _CHUNK]) for i in range(0, n_resamples, _CHUNK)]
        )
        values, resampled = {}, {}
        for model in models:
            own, weights = seed_weights[model]
            values[model] = observed[own].mean()
            resampled[model] = np.sum(drawn[:, own] * weights, axis=1)
        by_fold = pd.Series(score_folds(metric, once)[0], index=pd.MultiIndex.from_frame(fold_keys))
        for model in models:
            low, high = percentile_interval(resampled[model], confidence_level)
            paired = resampled[model] - resampled[baseline]
            difference_low, difference_high = percentile_interval(paired, confidence_level)
            gains = (by_fold[model] - by_fold[baseline]).dropna()
            testable = model != baseline and len(gains) > 1
            t, p_value = corrected_t_test(gains, ratio) if testable else (np.nan, np.nan)
            table.append(
                {
                    "model": model,
                    "metric": metric,
                    "value": values[model],
                    "low": low,
                    "high": high,
                    "std": by_fold[model].std(ddof=1),
                    "difference": values[model] - values[baseline],
                    "difference_low": difference_low,
                    "difference_high": difference_high,
                    "t": t,
                    "p_value": p_value,
                }
            )
    order = {model: i for i, model in enumerate(models)}
    result = pd.DataFrame(table)
    return result.sort_values("model", key=lambda m: m.map(order), kind="stable", ignore_index=True)


def _seed_weights(run_keys, models, n_resamples, random_state):
    """Return, per model, its runs and the weights of its seeds in each resample.

    Models with the same seeds share the draws, so that their difference is paired over seeds, too.
    """
    weights, shared = {}, {}
    for model in models:
        seeds_of_runs = enumerate(zip(run_keys["model"], run_keys["seed"], strict=True))
        own = sorted((seed, run) for run, (name, seed) in seeds_of_runs if name == model)
        seeds = tuple(seed for seed, _ in own)
        if seeds not in shared:
            shared[seeds] = draw_counts(len(seeds), n_resamples, random_state) / len(seeds)
        weights[model] = ([run for _, run in own], shared[seeds])
    return weights


def _number(frame, keys):
    """Return, for some columns, the number of each row's values and the distinct values."""
    return frame.groupby(keys, sort=False).ngroup().to_numpy(), frame[keys].drop_duplicates()


def _test_train_ratio(frame, model):
    """Return the mean number of test recordings of a fold over that of its training recordings."""
    n_recordings = frame["recording"].nunique()
    n_test = frame[frame["model"] == model].groupby(["seed", "fold"]).size().mean()
    return n_test / (n_recordings - n_test) if n_test < n_recordings else np.nan


def corrected_t_test(differences: ArrayLike, test_train_ratio: float) -> tuple[float, float]:
    """Test whether the mean of fold-wise differences is 0, corrected for shared training data.

    The training sets of different folds overlap, so the folds are not independent, and the plain
    t-test finds differences too often.

    Parameters
    ----------
    differences : array-like of shape (n_folds,)
        Differences of the two models' scores, fold by fold (all repetitions together).
    test_train_ratio : float
        Number of test over number of training recordings of a fold: 1 / (k - 1) for k folds.

    Returns
    -------
    t : float
        The mean over sqrt((1 / n_folds + test_train_ratio) · variance); NaN if all differences are 0.
    p_value : float
        Two-sided, from Student's t with `n_folds` - 1 degrees of freedom.

    See Also
    --------
    compare_models : Compare models by their out-of-fold predictions, with the reference.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import corrected_t_test
    >>> t, p_value = corrected_t_test([0.01, 0.02, 0.03, 0.02, 0.02], 1 / 4)
    >>> round(t, 3), round(p_value, 3)
    (4.216, 0.014)
    """
    differences = np.asarray(differences, dtype=float)
    n_folds = len(differences)
    if n_folds < 2:
        raise ValueError(f"The test needs at least 2 folds, got {n_folds}.")
    if not differences.any():
        return float("nan"), 1.0
    spread = np.sqrt((1 / n_folds + test_train_ratio) * differences.var(ddof=1))
    with np.errstate(divide="ignore"):
        t = differences.mean() / spread
    return float(t), float(2 * stats.t.sf(abs(t), df=n_folds - 1))
