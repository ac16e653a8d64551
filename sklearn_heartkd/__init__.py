"""Heart-sound classifiers, distilled into models of a few kilobytes.

The public names are imported lazily: nothing heavy (torch, librosa) loads before it is used.
"""

from importlib import import_module

from sklearn_heartkd._version import __version__

_SUBPACKAGES = (
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
)
_HOME_OF = {
    "BandPassFilter": "preprocessing",
    "FixedLength": "preprocessing",
    "SpikeRemover": "preprocessing",
    "LogMelSpectrogram": "features",
    "MFCC": "features",
    "RhythmFeatures": "features",
    "Conv1DClassifier": "classifiers",
    "Conv2DClassifier": "classifiers",
    "LSTMClassifier": "classifiers",
    "RNNClassifier": "classifiers",
    "StudentClassifier": "classifiers",
    "ContrastivePretraining": "classifiers",
    "SupervisedPretraining": "classifiers",
    "WindowedClassifier": "classifiers",
    "KMeansRefinedClassifier": "refinement",
    "DistilledClassifier": "distillation",
}

__all__ = ["__version__", *_HOME_OF, *_SUBPACKAGES]


def __getattr__(name):
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
