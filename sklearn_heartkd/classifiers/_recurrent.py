"""Recurrent networks as classifiers."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.classifiers._docstrings import document_parameters
from sklearn_heartkd.networks._recurrent import recurrent_network


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class LSTMClassifier(NetworkClassifier):
    """Long short-term memory after two convolutions over time.

    The recurrent layer is that of Hochreiter and Schmidhuber (1997). Large enough to serve as a teacher.

    Parameters
    ----------
    hidden_size : int, default=64
        Units of the recurrent layer, and maps of the convolutions before it.
    n_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether to add a second layer that reads the sequence backwards.
    """

    hidden_size: int = 64
    n_layers: int = 1
    bidirectional: bool = True

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def _build(self, **arguments):
        return recurrent_network(
            cell="lstm",
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            **arguments,
        )


@document_parameters
@dataclass(kw_only=True, eq=False, repr=False)
class RNNClassifier(NetworkClassifier):
    """Recurrent network of plain or gated units after two convolutions over time.

    The units are those of Elman (1990) and Cho et al. (2014). Large enough to serve as a teacher.

    Parameters
    ----------
    cell : {"gru", "tanh"}, default="gru"
        Gated recurrent units, or plain units with a hyperbolic tangent.
    hidden_size : int, default=64
        Units of the recurrent layer, and maps of the convolutions before it.
    n_layers : int, default=1
        Recurrent layers.
    bidirectional : bool, default=True
        Whether to add a second layer that reads the sequence backwards.
    """

    cell: str = "gru"
    hidden_size: int = 64
    n_layers: int = 1
    bidirectional: bool = True

    _parameter_constraints: ClassVar[dict] = {
        **NetworkClassifier._parameter_constraints,
        "cell": [StrOptions({"gru", "tanh"})],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
    }

    def _build(self, **arguments):
        return recurrent_network(
            cell=self.cell,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            **arguments,
        )
