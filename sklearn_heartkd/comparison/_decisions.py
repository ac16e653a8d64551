"""The parts of the report on probabilities: reliability and decision curve."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sklearn_heartkd.comparison._figures import png
from sklearn_heartkd.comparison._html import picture_html, table_html, text_html
from sklearn_heartkd.comparison._models import REFINED, display_name, kind_of
from sklearn_heartkd.metrics import (
    ReliabilityDisplay,
    expected_calibration_error,
    net_benefit,
    reliability_curve,
)
from sklearn_heartkd.utils._text import printable

_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))  # also readable without colors
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
_INCHES = (5.4, 4.4)


def leaders(scores):
    """Return the best model of each kind without refinement, the best first."""
    best: dict[str, str] = {}
    for model in dict.fromkeys(scores["model"]):
        if not model.endswith(REFINED):
            best.setdefault(kind_of(model), model)
    return list(best.values())


def reliability_html(predictions, scores):
    """Return the reliability of the leading models, and the calibration error of all."""
    classes = np.unique(predictions["y_true"].astype(str))
    figure = Figure(figsize=_INCHES, layout="constrained")
    ax = figure.subplots()
    errors = {}
    models = leaders(scores)
    for model in dict.fromkeys(scores["model"]):
        own = predictions[predictions["model"] == model]
        known = own["y_true"].astype(str), _probabilities(own, classes)
        bins: dict[str, Any] = {"labels": classes, "n_bins": 5, "strategy": "quantile"}
        errors[display_name(model)] = f"{expected_calibration_error(*known, **bins):.3f}"
        if model in models:
            i = models.index(model)
            ReliabilityDisplay(reliability_curve(*known, **bins)).plot(
                ax, name=display_name(model), color=_COLORS[i], linestyle=_STYLES[i]
            )
    ax.legend(fontsize=8)
    table = pd.DataFrame({"calibration error": errors}).rename_axis("model")
    return (
        picture_html(
            png(figure),
            "Accuracy of the best model of each kind against its confidence",
            "Bins of equal numbers of recordings. A point below the diagonal is over-confident.",
        )
        + "<details><summary>Calibration error of every model</summary>"
        + table_html(table, "Mean gap between confidence and accuracy, over five bins.")
        + "</details>"
    )


def decision_html(predictions, scores):
    """Return the decision curve of the leading models, with treating all and treating none."""
    classes, counts = np.unique(predictions["y_true"].astype(str), return_counts=True)
    healthy = "normal" if "normal" in classes else classes[counts.argmax()]
    figure = Figure(figsize=_INCHES, layout="constrained")
    ax = figure.subplots()
    prevalence = 0.0
    for i, model in enumerate(leaders(scores)):
        own = predictions[predictions["model"] == model]
        acted = 1 - own[f"p_{healthy}"].fillna(0).to_numpy(dtype=float)
        curve = net_benefit(own["y_true"].astype(str) != healthy, acted, pos_label=True)
        style: dict[str, Any] = {"color": _COLORS[i], "linestyle": _STYLES[i]}
        ax.plot(curve["threshold"], curve["net_benefit"], label=display_name(model), **style)
        prevalence = (own["y_true"].astype(str) != healthy).mean()
    ax.plot(curve["threshold"], curve["treat_all"], color="0.45", linewidth=1, label="treat all")
    ax.axhline(0, color="0.2", linewidth=1, linestyle=":", label="treat none")
    ax.set(xlabel="threshold probability", ylabel="net benefit", xlim=(0, 1))
    ax.set_ylim(-0.1 * max(prevalence, 0.1), 1.1 * max(prevalence, 0.1))
    ax.legend(fontsize=8)
    text = (
        f"Net benefit of acting on every recording whose probability of not being {healthy} is above the "
        "threshold (Vickers and Elkin 2006): the share of true positives, minus that of false positives "
        "times the odds of the threshold. A model helps where it is above both gray lines."
    )
    alt = "Net benefit of the best model of each kind, of treating all and of treating none"
    return f"<p>{text_html(printable(text))}</p>" + picture_html(png(figure), alt)


def _probabilities(own, classes):
    """Return the probabilities of the tested classes; one that a model did not learn has none."""
    proba = own[[f"p_{label}" for label in classes]].fillna(0).to_numpy(dtype=float, copy=True)
    proba[proba.sum(axis=1) == 0] = 1  # none of its classes is tested
    return proba / proba.sum(axis=1, keepdims=True)  # classes that only training parts hold
