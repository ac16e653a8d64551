"""QualitySizeDisplay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.metrics import compare_models
from sklearn_heartkd.utils._display import Display


@dataclass(eq=False, repr=False)
class QualitySizeDisplay(Display):
    """Quality of models against their size, with intervals.

    Use :meth:`from_predictions`, or pass a table and call :meth:`plot`, which passes further arguments
    to matplotlib's `errorbar`.

    Parameters
    ----------
    table : DataFrame
        A row per model, indexed by its name, with the columns size, value, low, high and, if models
        of a kind are to share a color, kind.
    metric : str, default="quality"
        Label of the y axis.
    size : str, default="size in kilobytes"
        Label of the x axis.

    Attributes
    ----------
    containers_ : list of ErrorbarContainer
        The models of each kind.
    ax_, figure_ : Axes, Figure
        Where they are drawn.

    See Also
    --------
    sklearn_heartkd.metrics.compare_models : Compute scores and intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.inspection import QualitySizeDisplay
    >>> table = pd.DataFrame(
    ...     {"size": [400, 20], "value": [0.7, 0.7], "low": [0.6, 0.6], "high": [0.8, 0.8]},
    ...     index=["teacher", "student"],
    ... )
    >>> display = QualitySizeDisplay(table).plot()
    """

    table: pd.DataFrame
    _: KW_ONLY
    metric: str = "quality"
    size: str = "size in kilobytes"

    @classmethod
    def from_predictions(
        cls,
        oof_predictions: pd.DataFrame,
        sizes: Mapping[str, float],
        groups: ArrayLike | None = None,
        *,
        metric: str = "balanced_accuracy",
        kinds: Mapping[str, str] | None = None,
        n_resamples: int = 1000,
        random_state: int | np.random.RandomState | None = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> QualitySizeDisplay:
        """Compare models by their out-of-fold predictions and plot them.

        Parameters
        ----------
        oof_predictions : DataFrame
            See :func:`~sklearn_heartkd.metrics.compare_models`.
        sizes : mapping of str to float
            Kilobytes of each model; models without a size are left out.
        groups, metric : optional
            Subjects and score, see :func:`~sklearn_heartkd.metrics.compare_models`.
        kinds : mapping of str to str, default=None
            The kind of each model.
        n_resamples, random_state : optional
            For the 95 % intervals, see :func:`~sklearn_heartkd.metrics.compare_models`.
        ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        QualitySizeDisplay
            The display.
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
        return cls(table, metric=metric.replace("_", " ")).plot(ax, **kwargs)

    def _figsize(self):
        return 8.5, 5.2

    def _draw(self, ax, title, style):
        from matplotlib.ticker import LogLocator, NullFormatter

        table = self.table
        if missing := {"size", "value", "low", "high"} - set(table):
            raise ValueError(f"table has no column {min(missing)!r}.")
        kinds = table["kind"].to_numpy() if "kind" in table else np.full(len(table), "models")
        self.containers_ = []
        for i, kind in enumerate(dict.fromkeys(kinds)):
            rows = table[kinds == kind]
            errors = np.abs([rows["value"] - rows["low"], rows["high"] - rows["value"]])
            look = {"fmt": _drawing.MARKERS[i % 8], "color": _drawing.COLORS[i % 8], "label": kind}
            look |= {"elinewidth": 1, "capsize": 3, "markersize": 7, **style}
            container = ax.errorbar(rows["size"], rows["value"], yerr=errors, **look)
            for line in (*container[1], *container[2]):
                line.set_alpha(0.5)  # intervals of models of one size lie on top of each other
            self.containers_.append(container)
        ax.set_xscale("log")
        ax.set(xlabel=self.size, ylabel=self.metric, title=title)
        steps = (1, 2, 5) if ax.figure.get_figwidth() > 6 else (1, 3)
        ax.xaxis.set_major_locator(LogLocator(subs=steps))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter("{x:,g}")
        ax.margins(x=0.15)
        ax.grid(alpha=0.3)
        if len(self.containers_) > 1:
            n_columns = max(1, min(4, int(ax.figure.get_figwidth() / 2)))
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "ncols": n_columns}
            ax.legend(fontsize=9, **below)
        _label(ax, table)
        return ax


def _label(ax, table):
    """Write the names beside the points where they hide neither each other nor the points.

    A name gets the place with the least cost among those to the right and left of its point, at
    growing distance above and below. Names beside points of one size are then sorted as the points.
    """
    from matplotlib.transforms import Bbox

    ax.figure.canvas.figure.draw_without_rendering()  # the layout gives the points their places
    points, lows, highs = (
        ax.transData.transform(table[["size", name]].to_numpy(dtype=float))
        for name in ("value", "low", "high")
    )
    marks = [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    bars = [
        Bbox.from_extents(x - 1, low, x + 1, high)
        for (x, low), high in zip(lows, highs[:, 1], strict=True)
    ]
    labels: list[Bbox] = []
    columns = defaultdict(list)  # of names beside points of one size
    inside, per_point = ax.get_window_extent(), ax.figure.dpi / 72
    for i in np.argsort(-points[:, 1], kind="stable"):
        text = ax.text(0.5, 0.5, str(table.index[i]), fontsize=9, parse_math=False)
        box = text.get_window_extent()
        text.remove()
        options = []
        for step, sign, side in product(range(30), (1, -1), (1, -1)):
            x, y = points[i] + per_point * np.array([10 * side, 6 * sign * step])
            left, height = (x if side > 0 else x - box.width), 1.1 * box.height
            place = Bbox.from_bounds(left, y - height / 2, box.width, height)
            outside = not all(inside.contains(*corner) for corner in place.corners())
            cost = step + 40 * place.count_overlaps(marks) + 10 * place.count_overlaps(bars)
            cost += 400 * place.count_overlaps(labels) + 400 * outside
            options.append((cost, side, y, place))
        _, side, y, place = min(options, key=lambda option: option[0])
        labels.append(place)
        columns[round(points[i, 0]), side].append((i, y))
    for (_, side), column in columns.items():
        line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        line["relpos"] = ((1 - side) / 2, 0.5)
        for (i, _), y in zip(column, sorted((y for _, y in column), reverse=True), strict=True):
            ax.annotate(
                str(table.index[i]),
                (table["size"].iloc[i], table["value"].iloc[i]),
                xytext=(10 * side, (y - points[i, 1]) / per_point),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=9,
                parse_math=False,
                arrowprops=line,
            ).set_in_layout(False)
