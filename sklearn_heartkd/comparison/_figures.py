"""Pictures of a comparison: confusion matrices, and quality against size."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from sklearn_heartkd.comparison._models import PRETRAINED, REFINED, TEACHERS, display_name
from sklearn_heartkd.inspection import QualitySizeDisplay


def confusion_figure(predictions, model):
    """Return the confusion matrix of one model, in recordings, all folds (and seeds) together."""
    own = predictions[predictions["model"] == model]
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    with matplotlib.rc_context({"font.size": 10}):
        ConfusionMatrixDisplay.from_predictions(
            own["y_true"],
            own["y_pred"],
            ax=figure.subplots(),
            cmap="Blues",
            colorbar=False,
            xticks_rotation=30,
        )
    figure.axes[0].set(title=display_name(model), xlabel="predicted class", ylabel="true class")
    return figure


def quality_against_size_figure(table, intervals=None):
    """Return the picture of balanced accuracy against kilobytes, models without refinement.

    Parameters
    ----------
    table : DataFrame
        Of a comparison.
    intervals : DataFrame, default=None
        Indexed by model, with the columns low and high; None draws the standard deviation over the
        folds.
    """
    plain = table[~table.index.str.endswith(REFINED)]
    value = plain["balanced_accuracy"]
    if intervals is None:
        low = value - plain["balanced_accuracy_sd"]
        high = value + plain["balanced_accuracy_sd"]
    else:
        low, high = intervals.loc[plain.index, "low"], intervals.loc[plain.index, "high"]
    shown = pd.DataFrame(
        {
            "size": plain["kilobytes"],
            "value": value,
            "low": low,
            "high": high,
            "kind": [_kind(model) for model in plain.index],
        }
    ).rename(index=display_name)
    figure = Figure(figsize=(8.5, 5.4), layout="constrained")
    QualitySizeDisplay(shown, metric="balanced accuracy").plot(figure.subplots())
    return figure


def _kind(model):
    if model in TEACHERS or model in ("ensemble", "mixed"):
        return "teacher"
    if model == "student":
        return "student from scratch"
    if model == PRETRAINED:
        return "pretrained student"
    return "distilled student" if model.startswith("student_of") else "classical"


def write_figures(comparison, folder):
    """Write a confusion matrix for each model, and the picture of quality against size, as PNG."""
    for model in comparison.table.index:
        figure = confusion_figure(comparison.predictions, model)
        figure.savefig(folder / f"confusion_{model.replace('+', '_')}.png", dpi=110)
    quality_against_size_figure(comparison.table).savefig(
        folder / "quality_against_size.png", dpi=130
    )
