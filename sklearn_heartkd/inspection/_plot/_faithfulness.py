"""FaithfulnessDisplay."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from sklearn_heartkd.inspection._faithfulness import Faithfulness
from sklearn_heartkd.utils._display import Display


@dataclass(eq=False, repr=False)
class FaithfulnessDisplay(Display):
    """Deletion and insertion curves of an explanation, compared with random order.

    The curves are averaged over the recordings. Pass the result of :func:`faithfulness` and call
    :meth:`plot`, which passes further arguments to matplotlib's `plot`.

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
    ax_, figure_ : Axes, Figure
        Where they are drawn.

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

    result: Faithfulness
    _: KW_ONLY
    name: str | None = None

    def _draw(self, ax, title, style):
        table = self.result.to_frame()
        self.lines_ = []
        for kind, color in (("deletion", "#D55E00"), ("insertion", "#0072B2")):
            explained = {"marker": "o", "markersize": 4, "label": f"{kind}, explained"}
            random = {"linestyle": "--", "label": f"{kind}, random"}
            for column, look in ((kind, explained), (f"random_{kind}", random)):
                look = {"color": color, **look, **style}
                self.lines_ += ax.plot(table["fraction"], table[column], **look)
        ax.set(xlabel="share of the cells", ylabel=f"mean {self.result.unit} of the class")
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
        ax.set_title(title)
        return ax
