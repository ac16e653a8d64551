"""Scores of a comparison with intervals: as a data frame, as a table, as LaTeX, as a sentence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_heartkd.comparison._models import DISTILLED, REFINED, control_of, display_name, kind_of
from sklearn_heartkd.metrics import compare_models
from sklearn_heartkd.metrics._resampled_scores import check_metrics

# the scores of a table, their names in `compare_models` and their titles
SCORES = {
    "accuracy": ("accuracy", "accuracy"),
    "balanced_accuracy": ("balanced_accuracy", "balanced accuracy"),
    "macro_f1": ("f1_macro", "macro-F1"),
}
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {character: "\\" + character for character in "&%$#_{}"}
_LATEX |= {"±": r"$\pm$", "−": "$-$", "–": "--"}
_N_RESAMPLES = 1000
_FEWEST_FOLDS = 3


def title_of(metric):
    """Return the name of a metric in tables."""
    titles = dict(SCORES.values())
    return titles.get(metric, metric.replace("_", " "))


def check_metric(metric, target):
    """Raise ValueError if a metric is unknown, before hours are spent on fits."""
    check_metrics([metric], np.unique(np.asarray(target).astype(str)))


def score_models(
    predictions: pd.DataFrame, groups: ArrayLike, *, metric: str = "balanced_accuracy"
) -> pd.DataFrame:
    """Return the scores of a comparison with 95 % intervals of a bootstrap over subjects.

    They are paired: each draw of subjects is the same for all models.

    Parameters
    ----------
    predictions : DataFrame
        The out-of-fold predictions of a :class:`Comparison`.
    groups : array-like of shape (n_recordings,)
        The subjects.
    metric : str, default="balanced_accuracy"
        The score that decides, as :func:`sklearn_heartkd.metrics.compare_models` names it.

    Returns
    -------
    DataFrame
        That of :func:`sklearn_heartkd.metrics.compare_models`, for `metric`, three usual scores and
        the recall of each class; the difference is that to the model in the column `baseline`, the
        same student without a teacher. The best model comes first.

    Raises
    ------
    ValueError
        If the metric is unknown.

    See Also
    --------
    render : The scores as a table of text.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import score_models
    >>> from sklearn_heartkd.metrics import oof_frame
    >>> predictions = oof_frame(
    ...     "svm", seed=0, fold=0, recording=[0, 1], y_true=["a", "b"], y_pred=["a", "a"]
    ... )
    >>> score_models(predictions, ["s1", "s2"])[["model", "metric", "value"]].head(1)
      model             metric  value
    0   svm  balanced_accuracy    0.5
    """
    models = list(dict.fromkeys(predictions["model"]))
    recalls = [f"recall_{label}" for label in np.unique(predictions["y_true"].astype(str))]
    metrics = dict.fromkeys([metric, *(name for name, _ in SCORES.values()), *recalls])
    controls = {model: control_of(model, models) for model in models}
    parts = []
    for baseline in dict.fromkeys(controls.values()):
        part = compare_models(
            predictions,
            groups,
            baseline=baseline,
            metrics=list(metrics),
            n_resamples=_N_RESAMPLES,
            random_state=0,
        ).assign(baseline=baseline)
        parts.append(part[part["model"].map(controls) == baseline])
    scores = pd.concat(parts, ignore_index=True)
    if len(predictions[["seed", "fold"]].drop_duplicates()) < _FEWEST_FOLDS:
        scores["p_value"] = np.nan  # the test has nothing to tell from so few
    first = scores[scores["metric"] == metric].sort_values("value", ascending=False, kind="stable")
    order = {model: i for i, model in enumerate(first["model"])}
    place = [order[model] for model in scores["model"]]
    return scores.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def render(
    table: pd.DataFrame,
    names: Callable[[str], str] = display_name,
    *,
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the table of a comparison as text.

    With `scores` it shows intervals and differences.

    Parameters
    ----------
    table : DataFrame
        Of a :class:`Comparison`.
    names : callable, default=display_name
        Returns the name that is shown for a model.
    scores : DataFrame, default=None
        The result of :func:`score_models`: the rows are then sorted by its first metric, and scores
        are shown with their intervals, the difference to the baseline and, if there are three folds or
        more, the p-value of the paired test. Models that are not in `table` are shown without costs.
        None shows scores as mean ± standard deviation over the folds.

    Returns
    -------
    DataFrame
        Of strings.

    See Also
    --------
    display_name : The default names.
    latex : The same as LaTeX.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.comparison import render
    >>> columns = ["accuracy", "balanced_accuracy", "macro_f1"]
    >>> table = pd.DataFrame(0.8, index=["svm"], columns=columns)
    >>> table[[f"{name}_sd" for name in columns]] = 0.1
    >>> table[["parameters", "kilobytes", "milliseconds"]] = 2.0
    >>> render(table).loc["SVM", "accuracy"]
    '0.800 ± 0.100'
    """
    if scores is None:
        shown = pd.DataFrame(index=table.index)
        for key, (_, title) in SCORES.items():
            pairs = zip(table[key], table[f"{key}_sd"], strict=True)
            shown[title] = [
                f"{value:.3f}" if np.isnan(spread) else f"{value:.3f} ± {spread:.3f}"
                for value, spread in pairs
            ]
    else:
        metric = scores["metric"].iloc[0]
        kept = list(dict.fromkeys([metric, *(name for name, _ in SCORES.values())]))
        shown = pd.DataFrame({title_of(name): by_model(scores, name) for name in kept})
        table = table.reindex(shown.index)  # of other models no costs are known
        baselines = scores["baseline"].unique()
        difference = f"minus {display_name(baselines[0])}"
        if len(baselines) > 1:
            difference = "minus the same student from scratch"
        shown[difference] = by_model(scores, metric, _difference)
        shown["p"] = by_model(scores, metric, lambda row: _number(row["p_value"], "{:.3f}"))
        shown.loc[[name for name in baselines if name in shown.index], [difference, "p"]] = "–"
        if (shown["p"] == "–").all():
            del shown["p"]
    shown["parameters"] = [_number(value, "{:,.0f}") for value in table["parameters"]]
    shown["kB"] = [_number(value, "{:,.0f}") for value in table["kilobytes"]]
    shown["ms per 5 s"] = [_number(value, "{:.2f}") for value in table["milliseconds"]]
    return shown.rename(index=names).rename_axis(None)


def by_model(scores, metric, shown=None):
    """Return a score of each model as text, by default with its interval."""
    own = scores[scores["metric"] == metric]
    rows = [(shown or _interval)(row) for row in own.to_dict("records")]
    return pd.Series(rows, index=own["model"], dtype=object)


def _number(value, pattern):
    return "–" if np.isnan(value) else pattern.format(value)


def _interval(row):
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _difference(row):
    value, low, high = (row["difference" + end] for end in ("", "_low", "_high"))
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "−")


def latex(shown: pd.DataFrame) -> str:
    r"""Return a table of text as LaTeX, for the package booktabs.

    Characters with a meaning in LaTeX are escaped.

    Parameters
    ----------
    shown : DataFrame
        Of strings, such as the result of :func:`render`.

    Returns
    -------
    str
        A tabular environment.

    See Also
    --------
    render : The table of a comparison as text.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.comparison import latex
    >>> print(latex(pd.DataFrame({"kB": ["33"]}, index=["student & co"])))
    \begin{tabular}{lr}
    \toprule
     & kB \\
    \midrule
    student \& co & 33 \\
    \bottomrule
    \end{tabular}
    """

    def line(cells):
        return " & ".join("".join(_LATEX.get(c, c) for c in str(cell)) for cell in cells) + r" \\"

    body = [line([name, *row]) for name, row in zip(shown.index, shown.to_numpy(), strict=True)]
    lines = [rf"\begin{{tabular}}{{l{'r' * shown.shape[1]}}}", r"\toprule", line(["", *shown])]
    return "\n".join([*lines, r"\midrule", *body, r"\bottomrule", r"\end{tabular}"])


def verdicts(scores: pd.DataFrame) -> list[str]:
    """Return a sentence on what each distilled student gains over the same one without a teacher.

    The sentence follows from the 95 % interval of the paired difference, whichever way it points.

    Parameters
    ----------
    scores : DataFrame
        The result of :func:`score_models`.

    Returns
    -------
    list of str
        Empty if no distilled student or no student from scratch was compared.

    See Also
    --------
    score_models : Compute the intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.comparison import verdicts
    >>> row = {"metric": "accuracy", "difference": 0.06, "difference_low": 0.03}
    >>> row |= {"difference_high": 0.09, "model": "student_of_conv2d", "baseline": "student"}
    >>> verdicts(pd.DataFrame([row]))[0]
    'The student of Conv2D is better than the student from scratch by 0.06 (0.03 to 0.09) in accuracy.'
    """
    metric = scores["metric"].iloc[0]
    own = scores[scores["metric"] == metric].set_index("model")
    distilled = [m for m in own.index if m.startswith(DISTILLED) and not m.endswith(REFINED)]
    return [
        _verdict(own.loc[model], model, own.loc[model, "baseline"], title_of(metric))
        for model in distilled
        if kind_of(own.loc[model, "baseline"]).endswith(("from scratch", "pretrained student"))
    ]


def _verdict(row, model, baseline, metric):
    value, low, high = row["difference"], row["difference_low"], row["difference_high"]
    one, other = display_name(model), display_name(baseline)
    if low > 0 or high < 0:
        word, (low, high) = ("better", (low, high)) if low > 0 else ("worse", (-high, -low))
        figures = f"{abs(value):.2f} ({low:.2f} to {high:.2f})"
        return f"The {one} is {word} than the {other} by {figures} in {metric}."
    figures = f"{value:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", "−")
    return f"No difference in {metric} was found between the {one} and the {other}: {figures}."
