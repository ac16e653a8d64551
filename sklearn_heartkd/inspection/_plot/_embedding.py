"""EmbeddingDisplay."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._display import Display
from sklearn_heartkd.utils._nested import embed
from sklearn_heartkd.utils._unwrap import unwrap


@dataclass(eq=False, repr=False)
class EmbeddingDisplay(Display):
    """Embeddings of recordings in two principal components, with k-means clusters and their table.

    Use :meth:`from_estimator` to create a display. :meth:`plot` passes further arguments to matplotlib's
    `scatter` for the points.

    Parameters
    ----------
    points : ndarray of shape (n_recordings, 2)
        Principal components.
    y : ndarray of shape (n_recordings,)
        Labels.
    explained_variance : ndarray of shape (2,)
        Share of the variance of each component.
    classes : ndarray of shape (n_classes,)
        The classes, in the order of their colors and of the columns of `table`.
    centers : ndarray of shape (n_clusters, 2), default=None
        Centers of the clusters in the same components.
    table : ndarray of shape (n_clusters, n_classes), default=None
        Class probabilities of the clusters.
    name : str, default=None
        Title.

    Attributes
    ----------
    points_ : list of PathCollection
        The recordings of each class.
    ax_ : ndarray of Axes
        The points and, if there are clusters, their table.
    figure_ : Figure
        Where they are drawn.

    See Also
    --------
    sklearn_heartkd.KMeansRefinedClassifier : A classifier with clusters.

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

    points: np.ndarray
    y: np.ndarray
    _: KW_ONLY
    explained_variance: np.ndarray
    classes: np.ndarray
    centers: np.ndarray | None = None
    table: np.ndarray | None = None
    name: str | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> EmbeddingDisplay:
        """Embed X and plot it, with the clusters of a refined or distilled classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator that has `embed`, or contains one that does.
        X : array-like or sequence of n_recordings inputs
            Recordings or features, as the estimator takes them.
        y : array-like of shape (n_recordings,)
            Labels, for the colors.
        name : str, default=None
            Title; None means the name of the estimator's class.
        ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        parts = unwrap(estimator)
        if not any(hasattr(part, "embed") for part in parts):
            raise ValueError(
                f"{type(estimator).__name__} has no embeddings; pass a network of sklearn_heartkd "
                "or an estimator around one."
            )
        embedding, y = np.asarray(embed(estimator, X), dtype=float), np.asarray(y)
        pca = PCA(2, svd_solver="full").fit(embedding)
        refiners = [part.refiner_ for part in parts if getattr(part, "refiner_", None) is not None]
        return cls(
            pca.transform(embedding),
            y,
            explained_variance=pca.explained_variance_ratio_,
            classes=estimator.classes_,
            centers=pca.transform(refiners[0].centers) if refiners else None,
            table=refiners[0].table if refiners else None,
            name=type(estimator).__name__ if name is None else name,
        ).plot(ax, **kwargs)

    def _figsize(self):
        return (6, 4.6) if self.table is None else (9.5, 4.6)

    def _draw(self, ax, title, style):
        panels = [ax] if self.table is None else _drawing.split_axes(ax, (1.7, 1), beside=True)
        self._plot_points(panels[0], style)
        panels[0].set_title(title)
        if self.table is not None:
            self._plot_table(panels[1], self.table)
        return np.array(panels)

    def _plot_points(self, ax, style):
        known = list(self.classes) + sorted(set(self.y) - set(self.classes))
        self.points_ = []
        for i, label in enumerate(known):
            look: dict[str, Any] = {
                "color": _drawing.COLORS[i % 8],
                "marker": _drawing.MARKERS[i % 8],
            }
            look |= {"s": 26, "alpha": 0.75, "linewidth": 0, "label": str(label)}
            self.points_.append(ax.scatter(*self.points[self.y == label].T, **look | style))
        if self.centers is not None:
            look = {"s": 230, "facecolor": "white", "edgecolor": "black", "label": "cluster"}
            ax.scatter(*self.centers.T, zorder=4, **look)
            for i, center in enumerate(self.centers, 1):
                ax.annotate(str(i), center, ha="center", va="center", fontsize=9, zorder=5)
        first, second = self.explained_variance
        ax.set_xlabel(f"first component ({first:.0%} of the variance)")
        ax.set_ylabel(f"second component ({second:.0%})")
        for text in ax.legend(fontsize=9).get_texts():
            text.set_parse_math(False)  # a class may be named "$"

    def _plot_table(self, ax, table):
        ax.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(table):
            color = "white" if value > 0.6 else "black"
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=color, fontsize=9)
        classes = [str(label) for label in self.classes]
        ax.set_xticks(range(len(classes)), classes, rotation=30, parse_math=False)
        ax.set_yticks(range(len(table)), [f"{i + 1}" for i in range(len(table))])
        ax.set(ylabel="cluster", title="class probabilities")
