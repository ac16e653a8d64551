"""Convolutional networks as classifiers."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.classifiers._docstrings import document_parameters
from sklearn_heartkd.networks._conv1d import conv1d_network
from sklearn_heartkd.networks._conv2d import conv2d_network
from sklearn_heartkd.networks._student import student_network


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class Conv1DClassifier(NetworkClassifier):
    """Residual network of convolutions over time.

    The channels (mel bands, cepstral coefficients) are the input maps, as in Wang et al. (2017). Large
    enough to serve as a teacher.

    Parameters
    ----------
    width : int, default=32
        Maps of the first block; the others have twice as many.
    depth : int, default=3
        Residual blocks; each halves the number of frames.
    kernel_size : int, default=5
        Frames covered by a convolution; odd.
    """

    width: int = 32
    depth: int = 3
    kernel_size: int = 5

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
    }

    def _build(self, **arguments):
        return conv1d_network(
            width=self.width, depth=self.depth, kernel_size=self.kernel_size, **arguments
        )


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class Conv2DClassifier(NetworkClassifier):
    """Network of 3 by 3 convolutions over time and frequency.

    The sequence is treated as an image, as in Simonyan and Zisserman (2015). Large enough to serve as a
    teacher.

    Parameters
    ----------
    width : int, default=16
        Maps of the first block; the later ones have 2, 4, 4, … times as many.
    depth : int, default=4
        Blocks of two convolutions; each halves bands and frames.
    """

    width: int = 16
    depth: int = 4

    # the maps of more rows do not fit into a processor's cache
    _inference_batch: ClassVar[int] = 32

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
    }

    def _build(self, **arguments):
        return conv2d_network(width=self.width, depth=self.depth, **arguments)


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class StudentClassifier(NetworkClassifier):
    """The small network: at most 10,000 parameters by default.

    Convolutions over time and frequency, half of them separable (Howard et al. 2017). It can be exported
    to ONNX and C. Trained from scratch it is the baseline of every distillation.

    Parameters
    ----------
    width : int, default=8
        Maps of the first block; the later ones have 2, 4, 4, … times as many.
    depth : int, default=3
        Blocks; each halves bands and frames.
    """

    width: int = 8
    depth: int = 3

    _inference_batch: ClassVar[int] = 64  # as in Conv2DClassifier, with fewer channels

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, None, closed="left")],
    }

    def _build(self, **arguments):
        return student_network(width=self.width, depth=self.depth, **arguments)
