"""ONNX nodes from features to probabilities."""

import numpy as np

from sklearn_heartkd.deployment._layers import (
    Convolution,
    GroupNorm,
    Image,
    MaxPool,
    Recurrent,
    Relu,
    Sum,
    layers_of,
)

# torch's order of the gates in the order of ONNX
_GATES = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


def add_network(graph, features, module, scalers=()):
    """Compute logits and embeddings of features, (n, n_channels, n_frames), scaled first."""
    mean, scale = _array(module.standardize.mean), _array(module.standardize.scale)
    for scaler in reversed(scalers):
        own = scaler.scale_[:, np.newaxis] if scaler.with_std else 1.0
        mean = own * mean + (scaler.mean_[:, np.newaxis] if scaler.with_mean else 0.0)
        scale = own * scale
    centered = graph.add("Sub", features, graph.constant(mean))
    standardized = graph.add("Mul", centered, graph.constant(1 / scale))
    graph.scope = "network"
    sequence = _add_layers(graph, standardized, layers_of(module.body))
    if module.pools:
        average = graph.add("ReduceMean", sequence, axes=[2], keepdims=0)
        maximum = graph.add("ReduceMax", sequence, axes=[2], keepdims=0)
        embedding = graph.add("Concat", average, maximum, axis=1)
    else:
        embedding = graph.add("Flatten", sequence)
    head = [graph.constant(_array(value)) for value in (module.head.weight, module.head.bias)]
    logits = graph.add("Gemm", embedding, *head, transB=1)
    graph.scope = "decision"
    return logits, embedding


def add_clusters(graph, probabilities, embedding, clusters):
    """Average probabilities with those of the nearest cluster."""
    rows = graph.add("Unsqueeze", embedding, graph.integers(1))
    differences = graph.add("Sub", rows, graph.constant(clusters.centers))
    squares = graph.add("Mul", differences, differences)
    distances = graph.add("ReduceSum", squares, graph.integers(2), keepdims=0)
    nearest = graph.add("ArgMin", distances, axis=1, keepdims=0)
    of_clusters = graph.add("Gather", graph.constant(clusters.weight * clusters.table), nearest)
    own = graph.add("Mul", probabilities, graph.constant(1 - clusters.weight))
    return graph.add("Add", own, of_clusters)


def _add_layers(graph, x, layers):
    for layer in layers:
        x = _ADDERS[type(layer)](graph, x, layer)
    return x


def _add_convolution(graph, x, layer):
    x = graph.add(
        "Conv",
        x,
        graph.constant(layer.weight),
        graph.constant(layer.bias),
        strides=layer.stride,
        pads=layer.padding * 2,
        dilations=layer.dilation,
        group=layer.groups,
    )
    return graph.add("Relu", x) if layer.relu else x


def _add_group_norm(graph, x, layer):
    shape = graph.add("Shape", x)
    grouped = graph.add("Reshape", x, graph.integers(0, layer.n_groups, -1))
    mean = graph.add("ReduceMean", grouped, axes=[2], keepdims=1)
    centered = graph.add("Sub", grouped, mean)
    variance = graph.add("ReduceMean", graph.add("Mul", centered, centered), axes=[2], keepdims=1)
    std = graph.add("Sqrt", graph.add("Add", variance, graph.constant(layer.eps)))
    maps = graph.add(
        "Reshape", graph.add("Div", centered, std), graph.integers(0, len(layer.bias), -1)
    )
    maps = graph.add("Mul", maps, graph.constant(layer.weight[:, np.newaxis]))
    maps = graph.add("Add", maps, graph.constant(layer.bias[:, np.newaxis]))
    return graph.add("Reshape", maps, shape)


def _add_max_pool(graph, x, layer):
    return graph.add(
        "MaxPool",
        x,
        kernel_shape=layer.kernel,
        strides=layer.stride,
        pads=layer.padding * 2,
        ceil_mode=int(layer.ceil_mode),
    )


def _add_relu(graph, x, layer):
    return graph.add("Relu", x)


def _add_image(graph, x, layer):
    image = graph.add("Unsqueeze", x, graph.integers(1))
    maps = _add_layers(graph, image, layer.layers)
    return graph.add("ReduceMean", maps, axes=[2], keepdims=0)


def _add_sum(graph, x, layer):
    return graph.add("Add", *(_add_layers(graph, x, part) for part in (layer.first, layer.second)))


def _add_recurrent(graph, x, layer):
    x = graph.add("Transpose", x, perm=[2, 0, 1])  # (n_steps, n, n_maps), as ONNX has it
    for directions in layer.weights:
        hidden_size = directions[0]["weight_hh"].shape[1]
        gates = _GATES[layer.kind]

        def stack(name, directions=directions, gates=gates, hidden_size=hidden_size):
            arrays = [direction[name] for direction in directions]
            shape = (len(gates), hidden_size, *arrays[0].shape[1:])
            return np.stack([a.reshape(shape)[gates].reshape(a.shape) for a in arrays])

        bias = np.concatenate([stack("bias_ih"), stack("bias_hh")], axis=1)
        attributes = {"linear_before_reset": 1} if layer.kind == "GRU" else {}
        steps = graph.add(
            layer.kind,
            x,
            graph.constant(stack("weight_ih")),
            graph.constant(stack("weight_hh")),
            graph.constant(bias),
            hidden_size=hidden_size,
            direction="bidirectional" if len(directions) == 2 else "forward",
            **attributes,
        )  # (n_steps, n_directions, n, hidden_size)
        steps = graph.add("Transpose", steps, perm=[0, 2, 1, 3])
        x = graph.add("Reshape", steps, graph.integers(0, 0, len(directions) * hidden_size))
    return graph.add("Transpose", x, perm=[1, 2, 0])


_ADDERS = {
    Convolution: _add_convolution,
    GroupNorm: _add_group_norm,
    Image: _add_image,
    MaxPool: _add_max_pool,
    Recurrent: _add_recurrent,
    Relu: _add_relu,
    Sum: _add_sum,
}


def _array(tensor):
    return tensor.detach().cpu().numpy().astype(np.float64)
