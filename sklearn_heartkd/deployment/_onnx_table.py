"""The export of a model of a table to ONNX."""

import json

import numpy as np

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._borders import predict_with_borders
from sklearn_heartkd.deployment._graph import Graph
from sklearn_heartkd.deployment._onnx import ExportReport
from sklearn_heartkd.deployment._onnx_check import agreement, open_session
from sklearn_heartkd.deployment._onnx_network import add_clusters, add_network
from sklearn_heartkd.utils._files import replace_files


def export_table(model, description, path, X, **more):
    """Write a model of a table, which must agree with the model on the rows X; `more` is metadata."""
    if X is None or np.ndim(X) != 2 or len(X) == 0:
        raise ValueError(
            "recordings must be rows of the table on which the file is compared with the model, got "
            f"{'None' if X is None else f'an array of shape {np.shape(X)}'}."
        )
    graph = Graph()
    columns = graph.add("Unsqueeze", "X", graph.integers(2))
    module = description.network.module_
    logits, embedding = add_network(graph, columns, module, description.scalers)
    probabilities = graph.add("Softmax", logits, axis=1)
    for clusters in description.clusters:
        probabilities = add_clusters(graph, probabilities, embedding, clusters)
    metadata = {
        "format": "sklearn_heartkd table 1",
        "version": __version__,
        "classes": json.dumps(description.classes),
        **more,
    }
    if description.decision is not None:
        metadata["decision"] = json.dumps(description.decision)
    if description.reject_below > 0:
        metadata["unsure_below"] = repr(float(description.reject_below))
    n_columns = np.shape(X)[1]
    onnx_model = graph.model(probabilities, len(description.classes), metadata, "X", n_columns)
    expected, on_border = predict_with_borders(model, description, X)
    found = open_session(onnx_model).run(None, {"X": np.asarray(X, dtype=np.float32)})[0]
    difference, on_border = agreement(found, expected, on_border)
    content = onnx_model.SerializeToString()
    with replace_files(path) as (made,):
        made.write_bytes(content)
    return ExportReport(path, len(content), difference, on_border=tuple(on_border))
