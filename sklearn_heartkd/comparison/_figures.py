"""Pictures of a comparison: confusion matrices, and quality against size."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from sklearn_heartkd.comparison._models import REFINED, display_name


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


def quality_against_size_figure(table):
    """Return balanced accuracy against kilobytes, with the standard deviation over the folds."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    plain = table[~table.index.str.endswith(REFINED)]
    kinds = {
        "classical": (plain.index.isin(["svm", "forest"]), "s", "#0072B2"),
        "teacher": (plain.index.isin(["conv1d", "conv2d", "lstm", "rnn"]), "^", "#D55E00"),
        "student from scratch": (plain.index == "student", "o", "#000000"),
        "distilled student": (plain.index.str.startswith("student_of"), "o", "#009E73"),
    }
    for kind, (chosen, marker, colour) in kinds.items():
        rows = plain[np.asarray(chosen)]
        # students are of one size: side by side rather than on top of each other
        spread = 1 + 0.1 * np.arange(len(rows)) if kind == "distilled student" else 1
        offset = 0.9 if kind == "student from scratch" else 1
        axes.errorbar(
            rows["kilobytes"] * spread * offset,
            rows["balanced_accuracy"],
            yerr=rows["balanced_accuracy_sd"],
            fmt=marker,
            color=colour,
            label=kind,
            capsize=3,
            elinewidth=1,
        )
        for (model, row), x in zip(
            rows.iterrows(), np.broadcast_to(rows["kilobytes"] * spread, len(rows)), strict=True
        ):
            if kind in ("classical", "teacher"):
                axes.annotate(
                    display_name(model),
                    (x, row["balanced_accuracy"]),
                    xytext=(7, 4),
                    textcoords="offset points",
                    fontsize=9,
                )
    axes.set_xscale("log")
    axes.set(xlabel="size in kilobytes", ylabel="balanced accuracy")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=9)
    return figure


def write_figures(comparison, folder):
    """Write a confusion matrix for each model, and the picture of quality against size, as PNG."""
    for model in comparison.table.index:
        figure = confusion_figure(comparison.predictions, model)
        figure.savefig(folder / f"confusion_{model.replace('+', '_')}.png", dpi=110)
    quality_against_size_figure(comparison.table).savefig(
        folder / "quality_against_size.png", dpi=130
    )
