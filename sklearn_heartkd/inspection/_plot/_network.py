"""NetworkDisplay."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.utils._display import Display
from sklearn_heartkd.utils._unwrap import final_estimator


@dataclass(eq=False, repr=False)
class NetworkDisplay(Display):
    """The layers of a network with their output shapes and sizes, by torchinfo.

    Use :meth:`from_estimator` to create a display; ``str(display)`` is the table. :meth:`plot` passes
    further arguments to matplotlib's `text`.

    Parameters
    ----------
    summary : str
        The table.
    name : str, default=None
        Title.

    Attributes
    ----------
    text_ : Text
        The table.
    ax_, figure_ : Axes, Figure
        Where it is drawn.

    See Also
    --------
    sklearn_heartkd.metrics.efficiency_profile : Size, operations and latency of a model.

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

    summary: str
    _: KW_ONLY
    name: str | None = None

    def __str__(self) -> str:
        return self.summary

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        depth: int = 3,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> NetworkDisplay:
        """Summarize the network of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A network, or a pipeline or meta-estimator around one.
        depth : int, default=3
            Depth to which nested modules are listed.
        name : str, default=None
            Title; None means the name of the network's class.
        ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        NetworkDisplay
            The display.

        Raises
        ------
        ImportError
            If torchinfo is not installed.
        """
        check_is_fitted(estimator)
        network = final_estimator(estimator)
        if not hasattr(network, "module_"):
            raise ValueError(
                f"{type(network).__name__} is not a network; pass a network of sklearn_heartkd or an "
                "estimator around one."
            )
        summary = _summarize(network.module_, network.input_shape_, depth)
        name = type(network).__name__ if name is None else name
        return cls(summary, name=name).plot(ax, **kwargs)

    def _figsize(self):
        lines = self.summary.splitlines()
        return 0.4 + 0.075 * max(map(len, lines)), 0.6 + 0.145 * len(lines)

    def _draw(self, ax, title, style):
        ax.set_axis_off()
        style = {"family": "monospace", "fontsize": 8, "va": "top", **style}
        self.text_ = ax.text(0, 1, self.summary, transform=ax.transAxes, **style)
        ax.set_title(title, loc="left")
        return ax


def _summarize(module, input_shape, depth):
    """Return torchinfo's table of a network for one recording."""
    try:
        import torchinfo
    except ImportError as error:
        raise ImportError(
            "NetworkDisplay needs torchinfo: pip install 'sklearn-heartkd[explain]'."
        ) from error
    import copy

    statistics = torchinfo.summary(
        copy.deepcopy(module).cpu(),  # the model itself stays on its device
        (1, *input_shape),
        dtypes=[next(module.parameters()).dtype],
        col_names=("output_size", "num_params", "mult_adds"),
        row_settings=("var_names",),
        depth=depth,
        verbose=0,
    )
    # since Python 3.11 torchinfo prints the name of an enumeration's member here
    return str(statistics).replace("(Units.MEGABYTES)", "(M)")
