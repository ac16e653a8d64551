"""What a saved model may contain.

skops makes objects of trusted names only, by their state or by a call; so every name here must do
nothing but compute, for any arguments. All are listed, none is found by a pattern:
scikit-learn has compiled classes that write to any address in a forged state, and functions that open
files. The arrays of trees, neighbors and SVC are read unchecked: a forged one can crash the process, so
that these need the user's trust.
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
# scikit-learn's modules that predict with numpy alone, so that forged arrays raise an error
_SAFE = (
    "base",
    "calibration",
    "compose",
    "decomposition._pca",
    "decomposition._truncated_svd",
    "discriminant_analysis",
    "dummy",
    "ensemble._bagging",
    "ensemble._stacking",
    "ensemble._voting",
    "ensemble._weight_boosting",
    "feature_selection",
    "frozen",
    "gaussian_process",
    "impute._base",
    "isotonic",
    "linear_model",
    "metrics._scorer",
    "model_selection",
    "multiclass",
    "multioutput",
    "naive_bayes",
    "neural_network",
    "pipeline",
    "preprocessing",
    "random_projection",
    "svm._classes.LinearSVC",
    "utils",
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
    """List the full names of what a saved model may contain beside what skops trusts."""
    objects = [*_of_this_package(), *_splitters_and_kernels(), *_scores()]
    names = {f"{member.__module__}.{member.__name__}" for member in objects}
    names.update(f"sklearn.metrics._dist_metrics.{name}Distance64" for name in _DISTANCES)
    return tuple(sorted(names.union(_OF_SCIKIT_LEARN, _OF_NUMPY)))


@cache
def is_safe(full_name):
    """Whether a type of scikit-learn that skops or this module trusts checks the arrays of a file."""
    names = {f"{member.__module__}.{member.__name__}" for member in _scores()}
    modules = tuple(f"sklearn.{name}." for name in _SAFE)
    return f"{full_name}.".startswith(modules) or full_name in names


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
    """List the classes that searches and Gaussian processes take; all are plain Python."""
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
