"""TrainingHistoryDisplay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._display import Display
from sklearn_heartkd.utils._unwrap import unwrap


@dataclass(eq=False, repr=False)
class TrainingHistoryDisplay(Display):
    """Loss of networks after each epoch.

    The training loss is solid, the loss of held-out subjects dashed; a ring marks the best epoch,
    which is the one that early stopping keeps. Use :meth:`from_estimator`, or pass histories and call
    :meth:`plot`, which passes further arguments to matplotlib's `plot`.

    Parameters
    ----------
    histories : dict of str to list of dict
        By the model's name, a row per epoch with epoch, train_loss and, if there are held-out
        subjects, valid_loss.

    Attributes
    ----------
    lines_ : list of Line2D
        The losses.
    ax_, figure_ : Axes, Figure
        Where they are drawn.

    See Also
    --------
    NetworkDisplay : The layers of a network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.inspection import TrainingHistoryDisplay
    >>> model = StudentClassifier(max_epochs=5, random_state=0).fit(*load_iris(return_X_y=True))
    >>> display = TrainingHistoryDisplay.from_estimator(model)
    """

    histories: dict[str, list[dict[str, Any]]]

    @classmethod
    def from_estimator(
        cls, *estimators: Any, names: list[str] | None = None, ax: Any = None, **kwargs: Any
    ) -> TrainingHistoryDisplay:
        """Plot the training of one or several fitted models.

        Parameters
        ----------
        *estimators : estimator
            Networks, or pipelines and meta-estimators around one.
        names : list of str, default=None
            One for each model; None means the names of their classes.
        ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The display.
        """
        histories = {}
        for i, estimator in enumerate(estimators):
            check_is_fitted(estimator)
            owners = [part for part in unwrap(estimator) if hasattr(part, "history_")]
            if not owners:
                raise ValueError(
                    f"{type(estimator).__name__} has no training history; pass a network of "
                    "sklearn_heartkd or an estimator around one."
                )
            name = type(owners[0]).__name__ if names is None else names[i]
            histories[f"{name} {i + 1}" if name in histories else name] = owners[0].history_
        return cls(histories).plot(ax, **kwargs)

    def _draw(self, ax, title, style):
        self.lines_ = []
        for i, (model, history) in enumerate(self.histories.items()):
            color = _drawing.COLORS[i % 8]
            epochs = [row["epoch"] for row in history]
            trained = [row["train_loss"] for row in history]
            look = {"color": color, "label": f"{model}, training", **style}
            self.lines_ += ax.plot(epochs, trained, **look)
            held_out = [row.get("valid_loss") for row in history]
            if None not in held_out:
                look |= {"linestyle": "--", "label": f"{model}, held out"}
                self.lines_ += ax.plot(epochs, held_out, **look)
                best = int(np.argmin(np.array(held_out, dtype=float)))
                label = f"{model}, kept epoch {epochs[best]}"
                ring = {"color": color, "markerfacecolor": "white", "label": label}
                ax.plot(epochs[best], held_out[best], "o", **ring)
        ax.set(xlabel="epoch", ylabel="loss", title=title)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
        return ax
