"""FaithfulnessDisplay."""

from __future__ import annotations

from typing import Any

from sklearn_heartkd.inspection._faithfulness import Faithfulness
from sklearn_heartkd.inspection._plot import _drawing


class FaithfulnessDisplay:
    """Deletion and insertion curves of an explanation, compared with random order.

    Pass the result of :func:`faithfulness` and call :meth:`plot`.

    Parameters
    ----------
    result : Faithfulness
        Returned by :func:`faithfulness`.
    name : str, default=None
        Title.

    Attributes
    ----------
    lines_ : list of Line2D
        Deletion, random deletion, insertion and random insertion.
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.

    See Also
    --------
    faithfulness : Compute the curves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.inspection import Faithfulness, FaithfulnessDisplay
    >>> up, line = np.array([[0.0, 0.9, 1.0]]), np.array([[0.0, 0.5, 1.0]])
    >>> result = Faithfulness(np.linspace(0, 1, 3), 1 - up, up, 1 - line, line)
    >>> display = FaithfulnessDisplay(result).plot()
    """

    def __init__(self, result: Faithfulness, *, name: str | None = None) -> None:
        self.result = result
        self.name = name

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> FaithfulnessDisplay:
        """Plot the curves, averaged over the recordings.

        Parameters
        ----------
        ax : Axes, default=None
            Axes to draw on. None creates a new figure.
        name : str, default=None
            Title; None means `name` of the display.
        **kwargs : dict
            Passed to matplotlib's `plot` for the curves.

        Returns
        -------
        FaithfulnessDisplay
            The display.
        """
        ax = _drawing.new_axes(ax, (6, 4))
        table = self.result.to_frame()
        self.lines_ = []
        for kind, color in (("deletion", "#D55E00"), ("insertion", "#0072B2")):
            explained = {"marker": "o", "markersize": 4, "label": f"{kind}, explained"}
            random = {"linestyle": "--", "label": f"{kind}, random"}
            for column, look in ((kind, explained), (f"random_{kind}", random)):
                style = {"color": color, **look, **kwargs}
                self.lines_ += ax.plot(table["fraction"], table[column], **style)
        ax.set(xlabel="share of the cells", ylabel=f"mean {self.result.unit} of the class")
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
        ax.set_title(self.name or "" if name is None else name)
        self.ax_, self.figure_ = ax, ax.figure
        return self
