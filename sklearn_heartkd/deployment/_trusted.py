"""What a saved model may hold.

skops makes objects of trusted names only, by their state or by a call; so every name here must do
nothing but compute, whatever it is called with. All are listed, none is found by a pattern: scikit-learn
has compiled classes that write where a forged state tells them to, and functions that open files. The
tables of trees and of neighbours are read unchecked: forged ones may end the process, but run nothing.
"""

from functools import cache
from importlib import import_module

_PACKAGES_OF_OURS = (
    "preprocessing",
    "features",
    "augmentation",
    "classifiers",
    "refinement",
    "distillation",
    "metrics",
)
# beside scikit-learn's public estimators, which skops trusts
_OF_SCIKIT_LEARN = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split._CVIterableWrapper",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)
_DISTANCES = ("Euclidean", "SEuclidean", "Manhattan", "Chebyshev", "Minkowski", "Haversine")
_COLUMN_SCORES = ("chi2", "f_classif", "f_regression", "mutual_info_classif")
_OF_NUMPY = ("numpy.dtype",)


@cache
def trusted_names():
    """List the full names of what a saved model may hold beside what skops trusts."""
    objects = [*_of_this_package(), *_splitters_and_kernels(), *_scores()]
    names = {f"{member.__module__}.{member.__name__}" for member in objects}
    names.update(f"sklearn.metrics._dist_metrics.{name}Distance64" for name in _DISTANCES)
    return tuple(sorted(names.union(_OF_SCIKIT_LEARN, _OF_NUMPY)))


def _of_this_package():
    from sklearn.base import BaseEstimator

    from sklearn_heartkd.augmentation import Augmentation
    from sklearn_heartkd.refinement import ClusterTable

    classes = [ClusterTable]
    for name in _PACKAGES_OF_OURS:
        package = import_module(f"sklearn_heartkd.{name}")
        members = [getattr(package, public) for public in package.__all__]
        classes += [
            member
            for member in members
            if isinstance(member, type) and issubclass(member, (BaseEstimator, Augmentation))
        ]
    return classes


def _splitters_and_kernels():
    """List the classes that searches and Gaussian processes are given; all are plain Python."""
    from sklearn.gaussian_process import kernels
    from sklearn.model_selection import _split

    return [
        member
        for module in (_split, kernels)
        for name, member in vars(module).items()
        if isinstance(member, type)
        and member.__module__ == module.__name__
        and not name.startswith("_")
    ]


def _scores():
    """List the functions behind scikit-learn's named scorers and its selection of columns."""
    from sklearn import feature_selection
    from sklearn.metrics import get_scorer, get_scorer_names

    scores = [get_scorer(name)._score_func for name in get_scorer_names()]
    return scores + [getattr(feature_selection, name) for name in _COLUMN_SCORES]
