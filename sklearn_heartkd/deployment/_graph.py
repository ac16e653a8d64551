"""A small builder of ONNX graphs, so that the exporters read like the computation."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sklearn_heartkd._version import __version__

_OPSET, _IR_VERSION = 17, 8  # understood by onnxruntime 1.13 and later


class Graph:
    """Nodes and constants of a growing ONNX graph; values are known by their names."""

    def __init__(self):
        self.nodes = []
        self.constants = {}
        self.scope = "waveform"

    def constant(self, value, dtype=np.float32):
        """Add a constant, once, and return its name."""
        value = np.ascontiguousarray(value, dtype=dtype)
        key = (value.tobytes(), value.shape, value.dtype.str)
        if key not in self.constants:
            name = f"c{len(self.constants)}"
            self.constants[key] = numpy_helper.from_array(value, name)
        return self.constants[key].name

    def integers(self, *values):
        """Add a constant 1-D array of integers."""
        return self.constant(values, np.int64)

    def add(self, operator, *inputs, **attributes):
        """Add a node and return the name of its output."""
        name = f"{self.scope}/{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def model(self, output, n_classes, metadata, source="waveform", width="n_samples"):
        """Close the graph: from the source, (n, width), to "probabilities", (n, n_classes)."""
        self.nodes.append(helper.make_node("Identity", [output], ["probabilities"], name="output"))
        rows = "n_recordings" if source == "waveform" else "n_rows"
        given = helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, [rows, width])
        probabilities = helper.make_tensor_value_info(
            "probabilities", onnx.TensorProto.FLOAT, [rows, n_classes]
        )
        graph = helper.make_graph(
            self.nodes,
            "heart_sounds",
            [given],
            [probabilities],
            list(self.constants.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="sklearn_heartkd",
            producer_version=__version__,
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model
