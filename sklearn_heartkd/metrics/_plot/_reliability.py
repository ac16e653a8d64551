"""The reliability diagram."""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.metrics._calibration import expected_calibration_error, reliability_curve
from sklearn_heartkd.utils._display import Display


class ReliabilityDisplay(Display):
    """Reliability diagram: accuracy against confidence of the predicted class.

    The area of a point grows with the share of recordings in its bin. Use
    :meth:`from_estimator` or :meth:`from_predictions` to create a display. The `name` that
    :meth:`plot` takes is shown in the legend; further arguments go to matplotlib's `plot`.

    Parameters
    ----------
    curve : pandas.DataFrame
        Returned by :func:`reliability_curve`.
    error : float, default=None
        Expected calibration error for the legend.
    estimator_name : str, default=None
        Name for the legend.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        The curve.
    points_ : matplotlib.collections.PathCollection
        The points.
    ax_, figure_ : Axes, Figure
        Where they are drawn.

    See Also
    --------
    reliability_curve : Compute the curve.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.metrics import ReliabilityDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression().fit(X[::2], y[::2])
    >>> display = ReliabilityDisplay.from_estimator(model, X[1::2], y[1::2])
    """

    def __init__(
        self, curve: pd.DataFrame, *, error: float | None = None, estimator_name: str | None = None
    ) -> None:
        self.curve = curve
        self.error = error
        self.estimator_name = self.name = estimator_name

    def _draw(self, ax, name, style):
        error = None if self.error is None else f"calibration error {self.error:.3f}"
        label = ": ".join(part for part in (name, error) if part) or None
        diagonal = "perfectly calibrated"
        if diagonal not in ax.get_legend_handles_labels()[1]:  # several displays share the axes
            ax.plot([0, 1], [0, 1], linestyle=":", color="0.3", label=diagonal)
        x, y = self.curve["confidence"], self.curve["accuracy"]
        (self.line_,) = ax.plot(x, y, **{"label": label, **style})
        color = self.line_.get_color()
        self.points_ = ax.scatter(x, y, s=15 + 300 * self.curve["weight"], color=color, alpha=0.7)
        ax.set(
            xlabel="Confidence in the predicted class",
            ylabel="Accuracy",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        ax.legend(loc="best")
        return ax

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        n_bins: int = 15,
        strategy: str = "uniform",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> ReliabilityDisplay:
        """Plot the diagram of a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `predict_proba`.
        X : array-like or sequence of n_recordings inputs
            Recordings that the classifier was not fitted on.
        y : array-like of shape (n_recordings,)
            Their labels.
        n_bins, strategy : optional
            The bins, as in :func:`reliability_curve`.
        name : str, default=None
            Name for the legend. None means the name of the class.
        ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        check_is_fitted(estimator)
        if not is_classifier(estimator):
            raise ValueError(f"{type(estimator).__name__} is not a classifier; pass one.")
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            labels=estimator.classes_,
            n_bins=n_bins,
            strategy=strategy,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        n_bins: int = 15,
        strategy: str = "uniform",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> ReliabilityDisplay:
        """Plot the diagram of predicted probabilities.

        Parameters
        ----------
        y_true, y_proba : array-like
            Labels and probabilities, as in :func:`reliability_curve`.
        labels, n_bins, strategy : optional
            As in :func:`reliability_curve`.
        name, ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        bins: dict[str, Any] = {"labels": labels, "n_bins": n_bins, "strategy": strategy}
        curve = reliability_curve(y_true, y_proba, **bins)
        error = expected_calibration_error(y_true, y_proba, **bins)
        return cls(curve, error=error, estimator_name=name).plot(ax, **kwargs)
