"""The constants of a model as C source: front end, layers, head and clusters."""

import string

import numpy as np

from sklearn_heartkd.deployment._description import ExportError
from sklearn_heartkd.deployment._layers import Convolution, Image, MaxPool, layers_of

_DB = 10 / np.log(10)  # decibels per unit of the natural logarithm


def array(name, values, ctype="float"):
    """Return the definition of a constant array."""
    values = np.asarray(values).ravel()
    shown = [number(value) if ctype == "float" else str(int(value)) for value in values]
    lines = [", ".join(shown[i : i + 8]) for i in range(0, len(shown), 8)]
    body = ",\n    ".join(lines)
    return f"static const {ctype} {name}[{len(values)}] = {{\n    {body}}};\n"


def number(value):
    """Return a float constant."""
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


def text(value):
    r"""Return a string constant in which only letters and digits are not octal escapes.

    That keeps out trigraphs, line ends, comments and names that are replaced; the bytes are UTF-8.

    Examples
    --------
    >>> print(text('a"??/'))
    "a\042\077\077\057"
    """
    data = str(value).encode()
    if len(data) > 4000:  # C99 need not take longer string constants
        return f"(const char[]){{{', '.join(map(str, data))}, 0}}"
    plain = string.ascii_letters + string.digits
    return '"' + "".join(chr(b) if chr(b) in plain else f"\\{b:03o}" for b in data) + '"'


def front_end_tables(front_end, standardize, n_window):
    """Return the definitions of the front end, and its macros."""
    n_fft = front_end.n_fft
    used = np.flatnonzero(front_end.mel.any(axis=0))
    is_radix_2 = n_fft >= 4 and n_fft & (n_fft - 1) == 0
    n_frames = 1 + (max(n_window, n_fft) - n_fft) // front_end.hop_length
    macros = {
        "NORMALIZE": int(front_end.normalize),
        "RADIX_2": int(is_radix_2),
        "HOP_LENGTH": front_end.hop_length,
        "N_FRAMES": n_frames,
        "FIRST_BIN": used[0],
        "LAST_BIN": used[-1],
        "AMIN": number(front_end.amin),
        "HAS_TOP_DB": int(front_end.top_db is not None),
        "DYNAMIC_RANGE": number(10 ** (-(front_end.top_db or 0) / 10)),
        "DCT": int(front_end.dct is not None),
        "CMVN": int(front_end.cmvn),
    }
    turn = 2 * np.pi * np.arange(n_fft) / n_fft
    first, counts, weights = [], [], []
    for band in front_end.mel:
        bins = np.flatnonzero(band)
        first.append(bins[0] if len(bins) else 0)
        counts.append(bins[-1] - bins[0] + 1 if len(bins) else 0)
        weights.extend(band[first[-1] : first[-1] + counts[-1]])
    tables = [
        array("heartkd_cosine", np.cos(turn)),
        "" if is_radix_2 else array("heartkd_sine", np.sin(turn)),
        array("heartkd_window", front_end.window),
        array("heartkd_mel_first", first, "uint16_t"),
        array("heartkd_mel_count", counts, "uint16_t"),
        array("heartkd_mel_weights", weights),
    ]
    mean, scale = (value.detach().cpu().numpy().astype(float) for value in standardize.buffers())
    factor = _DB / scale
    if front_end.cmvn or front_end.n_lags:  # these come before the standardization of the network
        factor = np.full_like(scale, _DB)
        tables.append(array("heartkd_scale", 1 / scale))
    if front_end.dct is None:
        tables.append(array("heartkd_decibels", factor))
    else:
        tables.append(array("heartkd_dct", front_end.dct * factor))
    tables.append(array("heartkd_offset", -mean / scale))
    return macros, "".join(tables)


def network_tables(module, n_channels):
    """Return the definitions of the layers, their number, the floats they work in and the last shape."""
    body = layers_of(module.body)
    if len(body) != 1 or not isinstance(body[0], Image):
        raise ExportError(
            "Only a chain of 2-D convolutions can be exported to C: use "
            "StudentClassifier or Conv2DClassifier, or export to ONNX."
        )
    source, rows, n_work = [], [], 0
    n_maps, n_rows = 1, n_channels
    for i, layer in enumerate(body[0].layers):
        kernel, stride, padding = _geometry(layer)
        is_pool = isinstance(layer, MaxPool)
        ceil_mode = is_pool and layer.ceil_mode
        n_out = n_maps if is_pool else len(layer.bias)
        n_rows_out = _n_out(n_rows, kernel[0], stride[0], padding[0], ceil_mode)
        ring, n_work = n_work, n_work + kernel[1] * n_maps * n_rows
        out, n_work = n_work, n_work + n_out * n_rows_out
        if is_pool:
            weights = "NULL, NULL"
        else:
            # in the order in which the engine reads them
            source.append(array(f"heartkd_weights_{i}", layer.weight))
            source.append(array(f"heartkd_bias_{i}", layer.bias))
            weights = f"heartkd_weights_{i}, heartkd_bias_{i}"
        groups, relu = (1, 0) if is_pool else (layer.groups, int(layer.relu))
        numbers = (
            *(int(is_pool), int(ceil_mode), relu, groups),
            *(n_maps, n_out, n_rows, n_rows_out),
            *(kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]),
            *(ring, out),
        )
        rows.append(f"    {{{', '.join(map(str, numbers))}, {weights}}}")
        n_maps, n_rows = n_out, n_rows_out
    layers = ",\n".join(rows)
    source.append(f"static const heartkd_layer heartkd_layers[] = {{\n{layers}}};\n")
    source.append(array("heartkd_head", module.head.weight.detach().cpu().numpy()))
    source.append(array("heartkd_head_bias", module.head.bias.detach().cpu().numpy()))
    return "".join(source), len(rows), n_work, n_maps, n_rows


LAYER = """\
typedef struct {
    int32_t is_pool, ceil_mode, relu, n_groups;
    int32_t n_in, n_out, n_rows_in, n_rows_out;
    int32_t kernel_rows, kernel_columns, stride_rows, stride_columns, pad_rows, pad_columns;
    uint32_t ring, out; /* where they lie in the working memory */
    const float *weights, *bias;
} heartkd_layer;
"""


def _geometry(layer):
    if not isinstance(layer, Convolution | MaxPool):
        raise ExportError(
            f"The layer {type(layer).__name__} cannot be exported to C: use norm='batch' and ReLU "
            "right after a convolution, or export to ONNX."
        )
    if isinstance(layer, Convolution):
        if any(step != 1 for step in layer.dilation):
            raise ExportError("A dilated convolution cannot be exported to C: export to ONNX.")
        return layer.weight.shape[2:], layer.stride, layer.padding
    return layer.kernel, layer.stride, layer.padding


def _n_out(n, kernel, stride, padding, ceil_mode):
    if not ceil_mode:
        return (n + 2 * padding - kernel) // stride + 1
    n_out = -((n + 2 * padding - kernel) // -stride) + 1
    return n_out - ((n_out - 1) * stride >= n + padding)


def cluster_tables(clusters):
    """Return the definitions of the refinements, and the calls that apply them."""
    source, calls = [], []
    for i, cluster in enumerate(clusters):
        source.append(array(f"heartkd_centers_{i}", cluster.centers))
        source.append(array(f"heartkd_table_{i}", cluster.weight * cluster.table))
        names, n_clusters = f"heartkd_centers_{i}, heartkd_table_{i}", len(cluster.centers)
        calls.append(f"    refine(state, {names}, {n_clusters}, {number(1 - cluster.weight)});\n")
    return "".join(source), "".join(calls)
