"""QualitySizeDisplay."""

from itertools import pairwise

import numpy as np

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.metrics import compare_models


class QualitySizeDisplay:
    """Quality of models against their size, with intervals.

    Use :meth:`from_table` or :meth:`from_predictions`.

    Parameters
    ----------
    table : DataFrame
        Indexed by the models' names as they are shown, with the columns size, value, low, high, and
        perhaps kind (models of a kind share a colour).
    metric : str, default="quality"
    size : str, default="size in kilobytes"

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.inspection import QualitySizeDisplay
    >>> table = pd.DataFrame(
    ...     {"size": [400, 20], "value": [0.7, 0.7], "low": [0.6, 0.6], "high": [0.8, 0.8]},
    ...     index=["teacher", "student"],
    ... )
    >>> display = QualitySizeDisplay.from_table(table)
    """

    def __init__(self, table, *, metric="quality", size="size in kilobytes"):
        self.table = table
        self.metric = metric
        self.size = size

    @classmethod
    def from_table(cls, table, *, metric="quality", size="size in kilobytes", ax=None):
        """Draw a table, see the class."""
        missing = [name for name in ("size", "value", "low", "high") if name not in table]
        if missing:
            raise ValueError(f"The table lacks the column {missing[0]!r}.")
        return cls(table, metric=metric, size=size).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        oof_predictions,
        sizes,
        groups=None,
        *,
        metric="balanced_accuracy",
        kinds=None,
        n_resamples=1000,
        random_state=0,
        ax=None,
    ):
        """Compare models by their out-of-fold predictions and draw them.

        Parameters
        ----------
        oof_predictions : DataFrame
            See :func:`~sklearn_heartkd.metrics.compare_models`.
        sizes : mapping of str to float
            Kilobytes of each model; models without a size are left out.
        groups : array-like, default=None
            Subjects, for the intervals.
        metric : str, default="balanced_accuracy"
        kinds : mapping of str to str, default=None
            The kind of each model.
        n_resamples : int, default=1000
        random_state : int, default=0
        ax : Axes, default=None

        Returns
        -------
        QualitySizeDisplay
            The intervals are 95 % intervals of a bootstrap over subjects.
        """
        scores = compare_models(
            oof_predictions,
            groups,
            metrics=[metric],
            n_resamples=n_resamples,
            random_state=random_state,
        ).set_index("model")
        table = scores.loc[[model for model in scores.index if model in sizes]].copy()
        table["size"] = [sizes[model] for model in table.index]
        if kinds is not None:
            table["kind"] = [kinds.get(model, "other") for model in table.index]
        return cls(table, metric=metric.replace("_", " ")).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the models.

        Parameters
        ----------
        ax : Axes, default=None
            None makes a new figure.

        Returns
        -------
        self : QualitySizeDisplay
        """
        from matplotlib.ticker import LogLocator, NullFormatter

        ax = _drawing.new_axes(ax, figsize=(8.5, 5.2))
        table = self.table.sort_values(["size", "value"])
        kinds = table["kind"] if "kind" in table else np.full(len(table), "models")
        looks = {kind: i % 8 for i, kind in enumerate(dict.fromkeys(kinds))}
        x = _spread(table["size"].to_numpy(dtype=float))
        value = table["value"].to_numpy()
        for kind, look in looks.items():
            own = np.asarray(kinds) == kind
            errors = np.abs([value - table["low"], table["high"] - value])[:, own]
            ax.errorbar(
                x[own],
                value[own],
                yerr=errors,
                fmt=_drawing.MARKERS[look],
                color=_drawing.COLOURS[look],
                capsize=3,
                elinewidth=1,
                markersize=7,
                label=kind,
            )
        ax.set_xscale("log")
        moved = np.abs(x / table["size"] - 1).max() > 0.02
        note = " (models of one size side by side)" if moved else ""
        ax.set(xlabel=self.size + note, ylabel=self.metric)
        ax.set_xlim(x.min() / 2, x.max() * 2)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter("{x:,g}")
        ax.grid(alpha=0.3)
        _label(ax, x, table["high"].to_numpy(), [str(name) for name in table.index])
        if len(looks) > 1:
            ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=4)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _spread(sizes):
    """Put models of (almost) one size side by side rather than on top of each other."""
    true = np.log(sizes)
    gap = 0.035 * (np.ptp(true) + 2 * np.log(2))
    x = true.copy()
    for i in range(1, len(x)):
        x[i] = max(x[i], x[i - 1] + gap)
    pushed = np.append(np.flatnonzero(x == true), len(x))
    for first, stop in pairwise(pushed):  # around the size of each run of neighbours
        x[first:stop] -= (x - true)[first:stop].mean()
    return np.exp(x)


def _label(ax, x, high, names):
    """Write the names above the intervals, upright, so that neighbours do not meet."""
    for place, top, name in zip(x, high, names, strict=True):
        ax.annotate(
            name,
            (place, top),
            xytext=(0, 5),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=9,
        )
    low, upper = ax.get_ylim()
    points = 0.95 * 72 * ax.get_window_extent().height / ax.figure.dpi
    taken = [min(0.7, (6 * len(name) + 10) / points) for name in names]
    needed = [low + (top - low) / (1 - share) for top, share in zip(high, taken, strict=True)]
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= max(1, max(high))]
    ax.set_yticks(ticks)  # none beside the names, above a perfect score
    ax.set_ylim(low, max(upper, *needed))
