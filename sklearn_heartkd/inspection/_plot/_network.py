"""NetworkDisplay."""

from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._unwrap import unwrap


class NetworkDisplay:
    """The layers of a network with their output shapes and sizes, by torchinfo.

    Use :meth:`from_estimator`; ``str(display)`` is the table.

    Parameters
    ----------
    summary : str
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.inspection import NetworkDisplay
    >>> model = StudentClassifier(max_epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
    >>> display = NetworkDisplay.from_estimator(model)
    >>> "Conv2d" in str(display)
    True
    """

    def __init__(self, summary, *, name=None):
        self.summary = summary
        self.name = name

    def __str__(self):
        return self.summary

    @classmethod
    def from_estimator(cls, estimator, *, depth=3, name=None, ax=None):
        """Summarise the network of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A network, or a pipeline or meta-estimator around one.
        depth : int, default=3
            How deep nested modules are listed.
        name : str, default=None
            Title; None is the name of the network's class.
        ax : Axes, default=None

        Returns
        -------
        NetworkDisplay

        Raises
        ------
        ImportError
            If torchinfo is missing (the extra ``explain``).
        ValueError
            If there is no network inside.
        """
        check_is_fitted(estimator)
        network = unwrap(estimator)[-1]
        if not hasattr(network, "module_"):
            raise ValueError(
                f"{type(network).__name__} is no network; give one of sklearn_heartkd's or "
                "something around one."
            )
        summary = summarize(network.module_, network.input_shape_, depth)
        return cls(summary, name=type(network).__name__ if name is None else name).plot(ax=ax)

    def plot(self, *, ax=None):
        """Write the table into axes.

        Parameters
        ----------
        ax : Axes, default=None
            None makes a new figure.

        Returns
        -------
        self : NetworkDisplay
        """
        lines = self.summary.splitlines()
        width = max(map(len, lines))
        ax = _drawing.new_axes(ax, figsize=(0.4 + 0.075 * width, 0.6 + 0.145 * len(lines)))
        ax.set_axis_off()
        ax.text(
            0,
            1,
            self.summary,
            family="monospace",
            fontsize=8,
            va="top",
            ha="left",
            transform=ax.transAxes,
        )
        if self.name:
            ax.set_title(self.name, loc="left")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def summarize(module, input_shape, depth):
    """Return torchinfo's table of a network for one recording."""
    try:
        import torchinfo
    except ImportError as error:
        raise ImportError(
            "The summary needs torchinfo; install it with pip install 'sklearn-heartkd[explain]'."
        ) from error
    import copy

    statistics = torchinfo.summary(
        copy.deepcopy(module).cpu(),
        (1, *input_shape),
        dtypes=[next(module.parameters()).dtype],
        col_names=("output_size", "num_params", "mult_adds"),
        row_settings=("var_names",),
        depth=depth,
        verbose=0,
    )
    # torchinfo writes the name of its enumeration from Python 3.11 on
    return str(statistics).replace("(Units.MEGABYTES)", "(M)")
