"""Quantization of the exported network to 8 bits."""

import logging
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sklearn_heartkd.deployment.runtime import import_onnxruntime


def quantize_network(model, recordings):
    """Quantize the weights and values of the network, not the front end, to 8 bits.

    The names of the network's nodes begin with "network/". The ranges of the recordings calibrate the
    scales, of which each channel of the weights has one.
    """
    import onnx

    import_onnxruntime()
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    metadata = {entry.key: entry.value for entry in model.metadata_props}
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    # without it onnxruntime warns that shapes were not inferred, which it does by itself
    onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    nodes = [node for node in model.graph.node if node.name.startswith("network/")]
    with tempfile.TemporaryDirectory() as folder, _untouched_logging():
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(prepared, source)
        quantize_static(
            source,
            target,
            _Recordings(recordings),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=[node.name for node in nodes],
        )
        quantized = onnx.load(target)
    onnx.helper.set_model_props(quantized, metadata)
    return quantized


class _Recordings:
    """The recordings one after another, as onnxruntime's calibration asks for them."""

    def __init__(self, recordings):
        self._rows = iter(recordings)

    def get_next(self):
        row = next(self._rows, None)
        return None if row is None else {"waveform": row[np.newaxis]}

    def __iter__(self):
        return iter(self.get_next, None)


@contextmanager
def _untouched_logging():
    """Drop the handler that onnxruntime's use of the root logger would leave behind."""
    handlers = logging.root.handlers[:]
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
