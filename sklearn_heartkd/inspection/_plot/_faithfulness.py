"""FaithfulnessDisplay."""

from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._faithfulness import faithfulness
from sklearn_heartkd.inspection._plot import _drawing


class FaithfulnessDisplay:
    """Deletion and insertion curves of an explanation against random order.

    Use :meth:`from_estimator` or :meth:`from_result`.

    Parameters
    ----------
    result : Faithfulness
    unit : str, default="score"
        Of the scores.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.inspection import Faithfulness, FaithfulnessDisplay
    >>> up, line = np.array([[0.0, 0.9, 1.0]]), np.array([[0.0, 0.5, 1.0]])
    >>> result = Faithfulness(np.linspace(0, 1, 3), 1 - up, up, 1 - line, line)
    >>> display = FaithfulnessDisplay.from_result(result)
    """

    def __init__(self, result, *, unit="score", name=None):
        self.result = result
        self.unit = unit
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, *, background=None, name=None, ax=None, **options):
        """Explain X, measure the faithfulness and draw it.

        Parameters
        ----------
        estimator, X, background
            See :func:`explain`.
        name : str, default=None
            Title; None is the name of the classifier.
        ax : Axes, default=None
        **options
            More arguments of :func:`explain`.

        Returns
        -------
        FaithfulnessDisplay
        """
        explanation = explain(estimator, X, background=background, **options)
        shared = {key: options[key] for key in ("features", "sampling_rate") if key in options}
        result = faithfulness(estimator, X, explanation, background=background, **shared)
        name = explanation.explained if name is None else name
        return cls(result, unit=explanation.unit, name=name).plot(ax=ax)

    @classmethod
    def from_result(cls, result, *, unit="score", name=None, ax=None):
        """Draw what :func:`faithfulness` returned."""
        return cls(result, unit=unit, name=name).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the curves, averaged over the recordings.

        Parameters
        ----------
        ax : Axes, default=None
            None makes a new figure.

        Returns
        -------
        self : FaithfulnessDisplay
        """
        ax = _drawing.new_axes(ax, figsize=(6, 4))
        table = self.result.to_frame()
        for kind, colour in (("deletion", "#D55E00"), ("insertion", "#0072B2")):
            ax.plot(
                table["fraction"],
                table[kind],
                color=colour,
                marker="o",
                markersize=4,
                label=f"{kind}, explained",
            )
            ax.plot(
                table["fraction"],
                table[f"random_{kind}"],
                color=colour,
                linestyle="--",
                label=f"{kind}, random",
            )
        ax.set(xlabel="share of the cells", ylabel=f"mean {self.unit} of the class")
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
        if self.name:
            ax.set_title(self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self
