"""The layers of a trained network, as the exporters take them: arrays and small numbers."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from sklearn_heartkd.deployment._description import ExportError
from sklearn_heartkd.networks._common import SeededDropout
from sklearn_heartkd.networks._conv1d import _Residual
from sklearn_heartkd.networks._conv2d import ImageBody
from sklearn_heartkd.networks._dense import DenseBody
from sklearn_heartkd.networks._recurrent import _RecurrentBody


@dataclass
class Convolution:
    """A convolution over one or two dimensions, with the batch norm after it folded in."""

    weight: np.ndarray  # (n_out, n_in // groups, *kernel)
    bias: np.ndarray
    stride: tuple
    padding: tuple
    dilation: tuple
    groups: int
    relu: bool = False  # whether negative results become 0


@dataclass
class GroupNorm:
    """Normalization of groups of maps over themselves."""

    n_groups: int
    weight: np.ndarray
    bias: np.ndarray
    eps: float


@dataclass
class MaxPool:
    """The maximum of each cell; with `ceil_mode` the last cell may be smaller."""

    kernel: tuple
    stride: tuple
    padding: tuple
    ceil_mode: bool


@dataclass
class Relu:
    """Negative values become 0."""


@dataclass
class Image:
    """Layers on (n, 1, n_channels, n_frames), then the mean over the rows."""

    layers: list


@dataclass
class Sum:
    """The sum of two branches."""

    first: list
    second: list


@dataclass
class Recurrent:
    """A recurrent layer over the last dimension.

    For each layer and direction, `weights` has the arrays "weight_ih", "weight_hh", "bias_ih" and
    "bias_hh" of torch.
    """

    kind: str  # "LSTM", "GRU" or "RNN"
    weights: list


def layers_of(body):
    """List the layers of a network's body; raise an ExportError for any other layer."""
    layers: list = []
    for module in _flatten(body):
        _append(layers, module)
    return layers


def _flatten(module):
    if isinstance(module, nn.Sequential):
        return [leaf for child in module for leaf in _flatten(child)]
    return [module]


def _append(layers, module):
    """Append one module's layer, or fold it into the layer before."""
    last = layers[-1] if layers else None
    if isinstance(module, nn.Identity | SeededDropout | nn.Dropout):
        return
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        layers.append(_convolution(module))
    elif isinstance(module, nn.Linear):
        weight, bias = _array(module.weight)[:, :, np.newaxis], _array(module.bias)
        layers.append(Convolution(weight, bias, (1,), (0,), (1,), 1))
    elif isinstance(module, DenseBody):
        layers.extend(layers_of(module.layers))
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        n_dimensions = 1 if isinstance(module, nn.BatchNorm1d) else 2
        if not isinstance(last, Convolution) or last.relu:
            last = _identity_convolution(module.num_features, n_dimensions)
            layers.append(last)
        _fold(last, module)
    elif isinstance(module, nn.GroupNorm):
        arrays = _array(module.weight), _array(module.bias)
        layers.append(GroupNorm(module.num_groups, *arrays, module.eps))
    elif isinstance(module, nn.ReLU):
        if isinstance(last, Convolution):
            last.relu = True
        else:
            layers.append(Relu())
    elif isinstance(module, nn.MaxPool1d | nn.MaxPool2d):
        n = 1 if isinstance(module, nn.MaxPool1d) else 2
        kernel, stride = _tuple(module.kernel_size, n), _tuple(module.stride, n)
        layers.append(MaxPool(kernel, stride, _tuple(module.padding, n), module.ceil_mode))
    elif isinstance(module, nn.LSTM | nn.GRU | nn.RNN):
        layers.append(_recurrent(module))
    elif isinstance(module, ImageBody):
        layers.append(Image(layers_of(module.layers)))
    elif isinstance(module, _Residual):
        branches = nn.Sequential(module.first, module.second), nn.Sequential(module.shortcut)
        layers.append(Sum(*map(layers_of, branches)))
        layers.extend(layers_of(nn.Sequential(module.activation, module.pool)))
    elif isinstance(module, _RecurrentBody):
        layers.extend(layers_of(nn.Sequential(module.stem, module.recurrent)))
    else:
        raise ExportError(
            f"The layer {type(module).__name__} cannot be exported: use a network of convolutions, "
            "linear layers, batch or group norms, ReLU, maximum pooling and recurrent layers."
        )


def _convolution(module):
    n = module.weight.ndim - 2
    if module.padding_mode != "zeros" or isinstance(module.padding, str):
        raise ExportError(
            f"A convolution with padding={module.padding!r} and padding_mode="
            f"{module.padding_mode!r} cannot be exported: give the padding with zeros as a number."
        )
    bias = np.zeros(len(module.weight)) if module.bias is None else _array(module.bias)
    return Convolution(
        _array(module.weight),
        bias,
        _tuple(module.stride, n),
        _tuple(module.padding, n),
        _tuple(module.dilation, n),
        module.groups,
    )


def _identity_convolution(n_maps, n_dimensions):
    ones = (1,) * n_dimensions
    weight = np.ones((n_maps, 1, *ones))
    return Convolution(weight, np.zeros(n_maps), ones, (0,) * n_dimensions, ones, n_maps)


def _fold(convolution, norm):
    """Fold a batch norm into the convolution before it."""
    gain = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    shape = (-1,) + (1,) * (convolution.weight.ndim - 1)
    convolution.weight = convolution.weight * gain.reshape(shape)
    convolution.bias = (convolution.bias - _array(norm.running_mean)) * gain + _array(norm.bias)


def _recurrent(module):
    if getattr(module, "nonlinearity", "tanh") != "tanh":
        raise ExportError(f"An RNN with {module.nonlinearity!r} cannot be exported: use 'tanh'.")
    suffixes = ["", "_reverse"] if module.bidirectional else [""]
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = [
        [
            {name: _array(getattr(module, f"{name}_l{layer}{suffix}")) for name in names}
            for suffix in suffixes
        ]
        for layer in range(module.num_layers)
    ]
    return Recurrent(type(module).__name__, weights)


def _array(tensor):
    return tensor.detach().cpu().numpy().astype(np.float64)


def _tuple(value, n):
    return tuple(value) if isinstance(value, tuple | list) else (value,) * n
