"""Pictures of the study: differences with intervals, accuracy against the number of parameters."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.study._names import shown, teacher_of
from benchmarks.study._scores import METRICS
from benchmarks.study._variants import sizes_of
from sklearn_heartkd.comparison._models import REFINED

_SHOWN = ("accuracy", "balanced_accuracy")
_COLOURS = {"below": "#b2182b", "around": "#777777", "above": "#2166ac"}


def forest_plot(differences, title):
    """Return a forest plot of differences in accuracy and balanced accuracy, a row each.

    Parameters
    ----------
    differences : DataFrame
        Of one family, as `differences_of` returns it.
    title : str
    """
    models = differences["model"].drop_duplicates().tolist()
    figure = Figure(figsize=(9, 1.5 + 0.3 * len(models)), layout="constrained")
    with matplotlib.rc_context({"font.size": 10}):
        axes = figure.subplots(1, len(_SHOWN), sharey=True)
        for ax, metric in zip(axes, _SHOWN, strict=True):
            rows = differences[differences["metric"] == metric].set_index("model").loc[models]
            for y, row in enumerate(rows.itertuples()):
                side = "above" if row.low > 0 else "below" if row.high < 0 else "around"
                ax.plot([row.low, row.high], [y, y], color=_COLOURS[side], linewidth=1.8)
                ax.plot(row.difference, y, "o", color=_COLOURS[side], markersize=5)
            ax.axvline(0, color="black", linewidth=0.8)
            ax.locator_params(axis="x", nbins=5)
            ax.grid(axis="x", color="0.9")
            ax.set_axisbelow(True)
            ax.spines[["top", "right", "left"]].set_visible(False)
            ax.tick_params(left=False)
            ax.set(xlabel=METRICS[metric])
        names = [shown(model.removesuffix(REFINED)) for model in models]
        axes[0].set_yticks(range(len(models)), names)
        axes[0].set_ylim(len(models) - 0.4, -0.6)
        figure.suptitle(title, fontsize=11)
    return figure


def size_plot(scores, teacher):
    """Return accuracy and balanced accuracy against the number of parameters, with their spread.

    Parameters
    ----------
    scores : DataFrame
        As `scores_of` returns it, with the column parameters.
    teacher : str
    """
    sizes = [variant.name for variant in sizes_of(teacher) if variant.name in scores.index]
    rows = scores.loc[sizes].sort_values("parameters")
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    with matplotlib.rc_context({"font.size": 10}):
        axes = figure.subplots(1, len(_SHOWN))
        for ax, metric in zip(axes, _SHOWN, strict=True):
            for distilled, colour, label in (
                (False, "#e08214", "from scratch"),
                (True, "#2166ac", shown(f"student_of_{teacher}")),
            ):
                own = rows[[(teacher_of(name) is not None) == distilled for name in rows.index]]
                spread = np.nan_to_num(own[f"{metric}_sd"])
                # apart by a little, so that neither hides the other
                x = own["parameters"] * (1.04 if distilled else 0.96)
                ax.errorbar(x, own[metric], spread, fmt="o-", color=colour, capsize=3, label=label)
            if teacher in scores.index:
                level = scores.loc[teacher, metric]
                name = f"{shown(teacher)} ({scores.loc[teacher, 'parameters']:,.0f})"
                ax.axhline(level, color="0.5", linestyle="--", linewidth=1, label=name)
            ax.set_xscale("log")
            ticks = sorted(set(rows["parameters"]))
            ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], rotation=30)
            ax.minorticks_off()
            ax.grid(color="0.9")
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
            ax.set(xlabel="parameters", ylabel=METRICS[metric])
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    return figure
