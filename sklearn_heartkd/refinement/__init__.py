"""k-means refinement of a classifier's probabilities."""

from sklearn_heartkd.refinement._cluster_table import ClusterTable
from sklearn_heartkd.refinement._kmeans import KMeansRefinedClassifier

__all__ = ["ClusterTable", "KMeansRefinedClassifier"]
