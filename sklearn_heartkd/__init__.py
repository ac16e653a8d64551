"""Heart-sound classifiers, distilled into models of a few kilobytes.

The public names are imported lazily: nothing heavy (torch, librosa) loads before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn_heartkd._version import __version__

if TYPE_CHECKING:  # for type checkers and editors, which do not see the lazy imports below
    from sklearn_heartkd import (
        augmentation,
        classifiers,
        comparison,
        datasets,
        deployment,
        distillation,
        features,
        inspection,
        metrics,
        model_selection,
        networks,
        preprocessing,
        refinement,
    )
    from sklearn_heartkd.classifiers import (
        ContrastivePretraining,
        Conv1DClassifier,
        Conv2DClassifier,
        DenseStudentClassifier,
        LSTMClassifier,
        RNNClassifier,
        StudentClassifier,
        SupervisedPretraining,
        WindowedClassifier,
    )
    from sklearn_heartkd.distillation import DistilledClassifier
    from sklearn_heartkd.features import MFCC, Autocorrelogram, LogMelSpectrogram, RhythmFeatures
    from sklearn_heartkd.preprocessing import BandPassFilter, FixedLength, SpikeRemover
    from sklearn_heartkd.refinement import KMeansRefinedClassifier

__all__ = [
    "MFCC",
    "Autocorrelogram",
    "BandPassFilter",
    "ContrastivePretraining",
    "Conv1DClassifier",
    "Conv2DClassifier",
    "DenseStudentClassifier",
    "DistilledClassifier",
    "FixedLength",
    "KMeansRefinedClassifier",
    "LSTMClassifier",
    "LogMelSpectrogram",
    "RNNClassifier",
    "RhythmFeatures",
    "SpikeRemover",
    "StudentClassifier",
    "SupervisedPretraining",
    "WindowedClassifier",
    "__version__",
    "augmentation",
    "classifiers",
    "comparison",
    "datasets",
    "deployment",
    "distillation",
    "features",
    "inspection",
    "metrics",
    "model_selection",
    "networks",
    "preprocessing",
    "refinement",
]

_NAMES = {
    "classifiers": (
        "ContrastivePretraining Conv1DClassifier Conv2DClassifier DenseStudentClassifier "
        "LSTMClassifier RNNClassifier StudentClassifier SupervisedPretraining WindowedClassifier"
    ),
    "distillation": "DistilledClassifier",
    "features": "Autocorrelogram LogMelSpectrogram MFCC RhythmFeatures",
    "preprocessing": "BandPassFilter FixedLength SpikeRemover",
    "refinement": "KMeansRefinedClassifier",
}
_HOME_OF = {name: package for package, names in _NAMES.items() for name in names.split()}
_SUBPACKAGES = tuple(name for name in __all__ if name.islower() and name[0] != "_")


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
