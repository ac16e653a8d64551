"""What all displays share."""

from __future__ import annotations

from typing import Any, Self


def new_axes(ax: Any, figsize: tuple[float, float]) -> Any:
    """Return `ax`, or the axes of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", figsize=figsize)[1]


class Display:
    """A plot that can be drawn more than once; subclasses have `_draw` and `_figsize`."""

    name: str | None = None

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the plot.

        Parameters
        ----------
        ax : Axes, default=None
            Axes to draw on; displays with several panels replace it. None creates a new figure.
        name : str, default=None
            Title; None means `name` of the display.
        **kwargs : dict
            Passed to the function of matplotlib that the description of the display names.

        Returns
        -------
        Display
            The display itself.
        """
        ax = new_axes(ax, self._figsize())
        self.ax_ = self._draw(ax, self.name or "" if name is None else name, kwargs)
        self.figure_ = ax.figure
        return self

    def _figsize(self) -> tuple[float, float]:
        return 6, 4

    def _draw(self, ax: Any, title: str, style: dict[str, Any]) -> Any:
        """Draw on `ax`, or in its place, and return the axes or an array of the panels."""
        raise NotImplementedError
