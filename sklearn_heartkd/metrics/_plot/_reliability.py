"""The reliability diagram."""

from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.metrics._calibration import expected_calibration_error, reliability_curve


class ReliabilityDisplay:
    """Reliability diagram: accuracy against confidence of the predicted class.

    The area of a point grows with the share of recordings in its bin. Use
    :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    curve : pandas.DataFrame
        What :func:`reliability_curve` returns.
    error : float, default=None
        Expected calibration error, written into the legend.
    estimator_name : str, default=None
        Name in the legend.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        The curve.
    points_ : matplotlib.collections.PathCollection
        The points, sized by the share of recordings.
    ax_ : matplotlib.axes.Axes
        Axes with the diagram.
    figure_ : matplotlib.figure.Figure
        Figure with the diagram.

    See Also
    --------
    reliability_curve : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.metrics import ReliabilityDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression().fit(X[::2], y[::2])
    >>> display = ReliabilityDisplay.from_estimator(model, X[1::2], y[1::2])
    """

    def __init__(self, curve, *, error=None, estimator_name=None):
        self.curve = curve
        self.error = error
        self.estimator_name = estimator_name

    def plot(self, *, ax=None, name=None, color="#0072B2"):
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. None makes a new figure.
        name : str, default=None
            Name in the legend. None takes `estimator_name`.
        color : color, default="#0072B2"
            Colour of curve and points.

        Returns
        -------
        self : ReliabilityDisplay
            The display.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        name = self.estimator_name if name is None else name
        error = None if self.error is None else f"calibration error {self.error:.3f}"
        label = ": ".join(part for part in (name, error) if part) or None
        diagonal = "perfectly calibrated"
        if diagonal not in ax.get_legend_handles_labels()[1]:
            ax.plot([0, 1], [0, 1], linestyle=":", color="0.3", label=diagonal)
        x, y = self.curve["confidence"], self.curve["accuracy"]
        (self.line_,) = ax.plot(x, y, color=color, label=label)
        self.points_ = ax.scatter(x, y, s=15 + 300 * self.curve["weight"], color=color, alpha=0.7)
        ax.set(
            xlabel="Confidence in the predicted class",
            ylabel="Accuracy",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        ax.legend(loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, n_bins=15, strategy="uniform", name=None, ax=None, color="#0072B2"
    ):
        """Draw the diagram of a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `predict_proba`.
        X : array-like or sequence of n_recordings inputs
            Recordings that the classifier was not fitted on.
        y : array-like of shape (n_recordings,)
            Their labels.
        n_bins : int, default=15
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            The bins, as in :func:`reliability_curve`.
        name : str, default=None
            Name in the legend. None takes the name of the class.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. None makes a new figure.
        color : color, default="#0072B2"
            Colour of curve and points.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        check_is_fitted(estimator)
        if not is_classifier(estimator):
            raise ValueError(
                f"{type(estimator).__name__} is no classifier; a reliability diagram needs one."
            )
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            labels=estimator.classes_,
            n_bins=n_bins,
            strategy=strategy,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            color=color,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_proba,
        *,
        labels=None,
        n_bins=15,
        strategy="uniform",
        name=None,
        ax=None,
        color="#0072B2",
    ):
        """Draw the diagram of predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_recordings,)
            The true labels.
        y_proba : array-like of shape (n_recordings, n_classes) or (n_recordings,)
            Predicted probabilities; one column is the probability of the second class.
        labels : array-like of shape (n_classes,), default=None
            The class of each column. None means the sorted labels of `y_true`.
        n_bins : int, default=15
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            The bins, as in :func:`reliability_curve`.
        name : str, default=None
            Name in the legend.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. None makes a new figure.
        color : color, default="#0072B2"
            Colour of curve and points.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        bins = {"labels": labels, "n_bins": n_bins, "strategy": strategy}
        curve = reliability_curve(y_true, y_proba, **bins)
        error = expected_calibration_error(y_true, y_proba, **bins)
        return cls(curve, error=error, estimator_name=name).plot(ax=ax, color=color)
