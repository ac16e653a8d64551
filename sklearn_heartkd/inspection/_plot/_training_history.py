"""TrainingHistoryDisplay."""

from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._unwrap import unwrap


class TrainingHistoryDisplay:
    """Loss of a network after each epoch.

    Use :meth:`from_estimator` or :meth:`from_history`.

    Parameters
    ----------
    histories : dict of str to list of dict
        By the model's name: rows with epoch, train_loss and perhaps valid_loss.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.inspection import TrainingHistoryDisplay
    >>> model = StudentClassifier(max_epochs=5, random_state=0).fit(*load_iris(return_X_y=True))
    >>> display = TrainingHistoryDisplay.from_estimator(model)
    """

    def __init__(self, histories):
        self.histories = histories

    @classmethod
    def from_estimator(cls, *estimators, names=None, ax=None):
        """Draw the training of one or several fitted models.

        Parameters
        ----------
        *estimators : estimator
            Networks, or pipelines and meta-estimators around one.
        names : list of str, default=None
            One a model; None is the names of their classes.
        ax : Axes, default=None

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If a model has no training history.
        """
        histories = {}
        for i, estimator in enumerate(estimators):
            check_is_fitted(estimator)
            owners = [part for part in unwrap(estimator) if hasattr(part, "history_")]
            if not owners:
                raise ValueError(
                    f"{type(estimator).__name__} has no training history; give a network of "
                    "sklearn_heartkd or a pipeline around one."
                )
            name = type(owners[0]).__name__ if names is None else names[i]
            if name in histories:
                name = f"{name} {i + 1}"
            histories[name] = owners[0].history_
        return cls(histories).plot(ax=ax)

    @classmethod
    def from_history(cls, histories, *, ax=None):
        """Draw histories, a dict of str to list of dict, or one list."""
        return cls(histories if isinstance(histories, dict) else {"loss": histories}).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the losses: solid of the training, dashed of the held-out subjects.

        Parameters
        ----------
        ax : Axes, default=None
            None makes a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
        """
        ax = _drawing.new_axes(ax, figsize=(6, 4))
        for colour, (name, history) in zip(
            _drawing.COLOURS * len(self.histories), self.histories.items(), strict=False
        ):
            epochs = [row["epoch"] for row in history]
            ax.plot(
                epochs,
                [row["train_loss"] for row in history],
                color=colour,
                label=f"{name}, training",
            )
            held_out = [row.get("valid_loss") for row in history]
            if None not in held_out:
                ax.plot(epochs, held_out, "--", color=colour, label=f"{name}, held out")
                best = min(range(len(epochs)), key=lambda i: held_out[i])
                ax.plot(
                    epochs[best],
                    held_out[best],
                    "o",
                    color=colour,
                    markerfacecolor="white",
                    label=f"{name}, kept epoch {epochs[best]}",
                )
        ax.set(xlabel="epoch", ylabel="loss")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=9)
        self.ax_, self.figure_ = ax, ax.figure
        return self
