"""EmbeddingDisplay."""

import numpy as np
from sklearn.decomposition import PCA

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._nested import embed
from sklearn_heartkd.utils._unwrap import unwrap


class EmbeddingDisplay:
    """Embeddings of recordings in two principal components, with k-means clusters and their table.

    Use :meth:`from_estimator` or :meth:`from_embedding`.

    Parameters
    ----------
    points : ndarray of shape (n_recordings, 2)
        Principal components.
    y : ndarray of shape (n_recordings,)
        Labels.
    explained_variance : ndarray of shape (2,)
        Share of the variance of each component.
    centers : ndarray of shape (n_clusters, 2), default=None
        Of the clusters, in the same components.
    table : ndarray of shape (n_clusters, n_classes), default=None
        Class probabilities of the clusters.
    classes : ndarray of shape (n_classes,), default=None
        The columns of the table.
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : ndarray of Axes
        The points and, where there are clusters, their table.
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd import KMeansRefinedClassifier, StudentClassifier
    >>> from sklearn_heartkd.inspection import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> student = StudentClassifier(max_epochs=5, random_state=0)
    >>> model = KMeansRefinedClassifier(student).fit(X, y)
    >>> display = EmbeddingDisplay.from_estimator(model, X, y)
    """

    def __init__(
        self, *, points, y, explained_variance, centers=None, table=None, classes=None, name=None
    ):
        self.points = points
        self.y = y
        self.explained_variance = explained_variance
        self.centers = centers
        self.table = table
        self.classes = classes
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, ax=None):
        """Embed X and draw it, with the clusters of a refined or distilled classifier.

        Parameters
        ----------
        estimator : estimator
            Fitted, with embeddings somewhere inside.
        X : array-like
        y : array-like of shape (n_recordings,)
            Labels, for the colours.
        name : str, default=None
            Title; None is the name of the estimator's class.
        ax : Axes, default=None
            Panels are put in its place. None makes a new figure.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If the estimator has no embeddings.
        """
        parts = unwrap(estimator)
        if not any(hasattr(part, "embed") for part in parts):
            raise ValueError(
                f"{type(estimator).__name__} has no embeddings; give a network of sklearn_heartkd or "
                "something around one."
            )
        clusters = None
        for part in parts:
            found = getattr(part, "refiner_", None) or getattr(part, "refiner_", None)
            clusters = clusters or found
        return cls.from_embedding(
            embed(estimator, X),
            y,
            clusters=clusters,
            classes=estimator.classes_,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_embedding(cls, embedding, y, *, clusters=None, classes=None, name=None, ax=None):
        """Draw embeddings.

        Parameters
        ----------
        embedding : array-like of shape (n_recordings, n_dimensions)
        y : array-like of shape (n_recordings,)
            Labels.
        clusters : ClusterTable, default=None
            With `centers` and `table`.
        classes : array-like, default=None
            Columns of the table; None is the sorted labels.
        name : str, default=None
            Title.
        ax : Axes, default=None

        Returns
        -------
        EmbeddingDisplay
        """
        embedding, y = np.asarray(embedding, dtype=float), np.asarray(y)
        if len(embedding) < 3 or embedding.shape[1] < 2:
            raise ValueError(
                f"Two principal components need 3 recordings of 2 dimensions or more, got shape "
                f"{embedding.shape}."
            )
        pca = PCA(2, svd_solver="full").fit(embedding)
        return cls(
            points=pca.transform(embedding),
            y=y,
            explained_variance=pca.explained_variance_ratio_,
            centers=None if clusters is None else pca.transform(clusters.centers),
            table=None if clusters is None else clusters.table,
            classes=np.unique(y) if classes is None else np.asarray(classes),
            name=name,
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the points, the centres with their numbers, and the table of the clusters.

        Parameters
        ----------
        ax : Axes, default=None
            Panels are put in its place. None makes a new figure.

        Returns
        -------
        self : EmbeddingDisplay
        """
        has_table = self.table is not None
        ax = _drawing.new_axes(ax, figsize=(9.5, 4.6) if has_table else (6, 4.6))
        panels = [ax]
        if has_table:
            from matplotlib.gridspec import GridSpecFromSubplotSpec

            ax.set_axis_off()
            spec = GridSpecFromSubplotSpec(
                1, 2, subplot_spec=ax.get_subplotspec(), width_ratios=(1.7, 1)
            )
            panels = [ax.figure.add_subplot(spec[0, column]) for column in range(2)]
            self._plot_table(panels[1])
        self._plot_points(panels[0])
        self.ax_, self.figure_ = np.array(panels), ax.figure
        return self

    def _plot_points(self, ax):
        known = list(self.classes) + sorted(set(self.y) - set(self.classes))
        for i, label in enumerate(known):
            own = self.points[self.y == label]
            ax.scatter(
                *own.T,
                s=26,
                alpha=0.75,
                linewidth=0,
                label=str(label),
                color=_drawing.COLOURS[i % 8],
                marker=_drawing.MARKERS[i % 8],
            )
        if self.centers is not None:
            ax.scatter(
                *self.centers.T,
                s=230,
                marker="o",
                facecolor="white",
                edgecolor="black",
                zorder=4,
                label="cluster",
            )
            for i, centre in enumerate(self.centers):
                ax.annotate(
                    str(i + 1),
                    centre,
                    ha="center",
                    va="center",
                    fontsize=9,
                    zorder=5,
                    fontweight="bold",
                )
        shares = self.explained_variance
        ax.set(
            xlabel=f"first component ({shares[0]:.0%} of the variance)",
            ylabel=f"second component ({shares[1]:.0%})",
        )
        if self.name:
            ax.set_title(self.name)
        ax.legend(fontsize=9)

    def _plot_table(self, ax):
        ax.imshow(self.table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(self.table):
            colour = "white" if value > 0.6 else "black"
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=9)
        ax.set_xticks(range(len(self.classes)), [str(c) for c in self.classes], rotation=30)
        ax.set_yticks(range(len(self.table)), [f"{i + 1}" for i in range(len(self.table))])
        ax.set(ylabel="cluster", title="class probabilities")
