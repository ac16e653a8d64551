"""Cost of a torch module: multiply-accumulates, bytes, live memory."""

import weakref
from copy import deepcopy

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


def _lstm_layer_flops(x_shape, w_ih_shape, w_hh_shape, *_, **__):
    """Count one LSTM layer in one direction; torch's counter does not know oneDNN's kernel."""
    n_steps, n_rows = x_shape[:2]
    per_step = w_ih_shape[0] * w_ih_shape[1] + w_hh_shape[0] * w_hh_shape[1]
    return 2 * n_steps * n_rows * per_step


def count_macs(module, input_shape):
    """Count the multiply-accumulates of a forward pass over zeros of `input_shape`.

    A copy runs on the CPU in float32, so the count depends neither on the device nor on the dtype.
    Matrix products and convolutions count, element-wise operations do not.
    """
    module = deepcopy(module).to(device="cpu", dtype=torch.float32).eval()
    formulas = {torch.ops.aten.mkldnn_rnn_layer: _lstm_layer_flops}
    counter = FlopCounterMode(display=False, custom_mapping=formulas)
    with torch.no_grad(), counter:
        module(torch.zeros(input_shape))
    return counter.get_total_flops() // 2


def count_parameters(module):
    """Count the trainable parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_bytes(module):
    """Return the bytes of the weights as float32 and as int8.

    Floating-point buffers (running statistics, standardization) belong to both. In int8, each
    weight of at least two dimensions takes a byte per number and a float32 scale per output
    channel; biases, norm parameters and buffers keep four bytes per number.
    """
    buffers = sum(4 * buffer.numel() for buffer in module.buffers() if buffer.is_floating_point())
    float32 = int8 = buffers
    for parameter in module.parameters():
        float32 += 4 * parameter.numel()
        if parameter.ndim >= 2:
            int8 += parameter.numel() + 4 * parameter.shape[0]
        else:
            int8 += 4 * parameter.numel()
    return float32, int8


class LiveTensors(TorchDispatchMode):
    """Track the bytes of all tensors created inside that are still alive.

    Workspaces inside a kernel are not seen. `on_change` is called with the live bytes after each
    operation.
    """

    def __init__(self, on_change):
        super().__init__()
        self.on_change = on_change
        self._live = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = {id(storage) for storage in _storages((args, kwargs))}
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            key = id(storage)
            if key not in given and key not in self._live:
                self._live[key] = storage.nbytes()
                weakref.finalize(storage, self._live.pop, key, None)
        self.on_change(sum(self._live.values()))
        return result


def _storages(tree):
    return [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
