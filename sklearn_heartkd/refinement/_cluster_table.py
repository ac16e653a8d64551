"""k-means clusters and the class probabilities of each."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans


class ClusterTable:
    """Nearest-centroid lookup of class probabilities.

    It needs nothing but two small arrays, so that it runs on a device.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_dimensions)
        Centers of the clusters.
    table : ndarray of shape (n_clusters, n_classes)
        Class probabilities of each cluster.

    See Also
    --------
    sklearn_heartkd.KMeansRefinedClassifier : Use the table to refine a classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.refinement import ClusterTable
    >>> table = ClusterTable(np.array([[0.0], [1.0]]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> table.predict_proba(np.array([[0.8]]))
    array([[0.2, 0.8]])
    """

    def __init__(self, centers: np.ndarray, table: np.ndarray) -> None:
        self.centers = centers
        self.table = table

    @classmethod
    def learn(
        cls,
        embedding: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray | None,
        *,
        n_classes: int,
        n_clusters: int | str,
        random_state: int | None,
    ) -> Self:
        """Cluster the rows and count the classes in each cluster.

        The first center of each class is its weighted mean, so that repeated rows and weighted rows
        give the same clusters; further centers lie along the main direction of the class.

        Parameters
        ----------
        embedding : ndarray of shape (n, n_dimensions)
            Embeddings, or other points in which distances have a meaning.
        target : ndarray of shape (n,)
            Class numbers.
        weight : ndarray of shape (n,) or None
            Sample weights; None weighs all rows alike.
        n_classes : int
            Number of classes, also of those without a row.
        n_clusters : int or "auto"
            "auto" is the number of classes.
        random_state : int or None
            Seeds k-means.

        Returns
        -------
        ClusterTable
            The clusters.

        Raises
        ------
        ValueError
            If there are fewer rows than clusters.
        """
        weight = np.ones(len(target)) if weight is None else weight
        n_clusters = n_classes if n_clusters == "auto" else n_clusters
        check_n_clusters(n_clusters, len(embedding))
        # equal rows cannot be told apart, and further clusters would stay empty
        n_clusters = min(n_clusters, len(np.unique(embedding, axis=0)))
        centers = _initial_centers(embedding, target, weight, n_classes, n_clusters)
        kmeans = KMeans(
            len(centers), init=centers, n_init=1, tol=0.0, max_iter=300, random_state=random_state
        )
        cluster = kmeans.fit(embedding, sample_weight=weight).labels_
        prior = np.bincount(target, weights=weight, minlength=n_classes) / weight.sum()
        counts = np.zeros((len(centers), n_classes))
        np.add.at(counts, (cluster, target), weight)
        # one more recording of unknown class, so that a small cluster is not certain
        counts += prior
        table = counts / counts.sum(axis=1, keepdims=True)
        return cls(kmeans.cluster_centers_, table)

    def assign(self, embedding: ArrayLike) -> np.ndarray:
        """Find the nearest center of each row.

        Parameters
        ----------
        embedding : array-like of shape (n, n_dimensions)
            Points.

        Returns
        -------
        ndarray of shape (n,)
            Numbers of the clusters.
        """
        # differences, not |c|² - 2xc, which cancels where the centers are close together
        return cdist(embedding, self.centers, "sqeuclidean").argmin(axis=1)

    def predict_proba(self, embedding: ArrayLike) -> np.ndarray:
        """Look up the class probabilities of each row's cluster.

        Parameters
        ----------
        embedding : array-like of shape (n, n_dimensions)
            Points.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities.
        """
        return self.table[self.assign(embedding)]

    def refine(self, probabilities: np.ndarray, embedding: ArrayLike, weight: float) -> np.ndarray:
        """Average probabilities with those of the clusters.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_classes)
            Predictions of a classifier.
        embedding : array-like of shape (n, n_dimensions)
            Points, in the same order.
        weight : float
            Share of the clusters.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities.
        """
        return (1 - weight) * probabilities + weight * self.predict_proba(embedding)


def check_n_clusters(n_clusters, n_rows):
    """Raise if there are more clusters than rows; "auto" has not been resolved."""
    if n_clusters != "auto" and n_clusters > n_rows:
        raise ValueError(
            f"n_clusters={n_clusters} is more than the {n_rows} rows of the training data; "
            "use fewer clusters."
        )


def _initial_centers(embedding, target, weight, n_classes, n_clusters):
    # surplus clusters go to the heaviest classes first
    mass = np.bincount(target, weights=weight, minlength=n_classes)
    order = np.argsort(-mass, kind="stable")
    order = order[mass[order] > 0]
    shares = np.zeros(n_classes, dtype=int)
    for i in range(n_clusters):
        shares[order[i % len(order)]] += 1
    centers = []
    for label in np.flatnonzero(shares):
        rows = embedding[target == label].astype(np.float64)
        share = weight[target == label] / mass[label]
        mean = share @ rows
        centered = (rows - mean) * np.sqrt(share)[:, None]
        # the sign of a singular vector is arbitrary: its largest entry is made positive
        _, spread, directions = np.linalg.svd(centered, full_matrices=False)
        largest = np.abs(directions[0]).argmax()
        direction = directions[0] * np.sign(directions[0][largest]) * spread[0]
        offsets = np.linspace(-1, 1, shares[label]) if shares[label] > 1 else [0.0]
        centers += [mean + offset * direction for offset in offsets]
    return np.array(centers, dtype=embedding.dtype)
