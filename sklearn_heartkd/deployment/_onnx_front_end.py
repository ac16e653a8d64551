"""ONNX nodes from waveforms to windows and from windows to features."""

import math

import numpy as np

_DB = 10 / np.log(10)  # decibels per unit of the natural logarithm


def add_steps(graph, waveforms, steps):
    """Filter, loop and crop waveforms of any length, (n, n_samples)."""
    for step in steps:
        if isinstance(step, np.ndarray):
            waveforms = _add_filter(graph, waveforms, step)
        else:
            waveforms = _add_looped(graph, waveforms, step)
            waveforms = _add_slice(graph, waveforms, graph.integers(0), graph.integers(step))
    return waveforms


def add_windows(graph, waveforms, n_window, n_hop):
    """Cut windows: (n, n_samples) to (n * n_windows, n_window).

    The last window is moved back so that it ends with the recording; a recording shorter than a
    window is looped.
    """
    waveforms = _add_looped(graph, waveforms, n_window)
    one, hop = graph.integers(1), graph.integers(n_hop)
    rest = graph.add("Sub", _length(graph, waveforms), graph.integers(n_window))
    hops = graph.add("Div", rest, hop)
    stop = graph.add("Add", graph.add("Mul", hops, hop), graph.integers(n_window))
    # windows and hops are whole numbers of blocks, which are copied faster than samples
    block = math.gcd(n_window, n_hop)
    blocks = _add_slice(graph, waveforms, graph.integers(0), stop)
    blocks = graph.add("Reshape", blocks, graph.integers(0, -1, block))
    numbers = graph.add(
        "Range",
        graph.constant(0, np.int64),
        graph.add("Squeeze", graph.add("Add", hops, one)),
        graph.constant(1, np.int64),
    )
    first = graph.add("Mul", numbers, graph.integers(n_hop // block))
    first = graph.add("Unsqueeze", first, one)
    indices = graph.add("Add", first, graph.integers(*range(n_window // block)))
    windows = graph.add("Gather", blocks, indices, axis=1)
    windows = graph.add("Reshape", windows, graph.integers(0, -1, n_window))
    end = graph.integers(np.iinfo(np.int64).max)
    last = _add_slice(graph, waveforms, graph.integers(-n_window), end)
    is_left = graph.add("Min", graph.add("Mod", rest, hop), one)
    last = graph.add("Unsqueeze", last, one)
    last = _add_slice(graph, last, graph.integers(0), is_left)
    windows = graph.add("Concat", windows, last, axis=1)
    return graph.add("Reshape", windows, graph.integers(-1, n_window))


def add_features(graph, windows, front_end, flat):
    """Compute the features of windows: (n, n_samples) to (n, n_channels, n_frames or n_lags)."""
    if front_end.normalize:
        windows = _add_standardized(graph, windows)
    windows = _add_looped(graph, windows, front_end.n_fft)
    kernel, mel = _add_band_limited_dft(graph, front_end)
    waveform = graph.add("Unsqueeze", windows, graph.integers(1))
    spectrum = graph.add("Conv", waveform, kernel, strides=[front_end.hop_length])
    squares = graph.add("Mul", spectrum, spectrum)
    power = graph.add("MatMul", mel, squares)
    logarithm = graph.add("Log", graph.add("Max", power, graph.constant(front_end.amin)))
    features = graph.add("Mul", logarithm, graph.constant(_DB))
    if front_end.top_db is not None:
        loudest = graph.add("ReduceMax", features, axes=[1, 2], keepdims=1)
        floor = graph.add("Sub", loudest, graph.constant(front_end.top_db))
        features = graph.add("Max", features, floor)
    if front_end.dct is not None:
        features = graph.add("MatMul", graph.constant(front_end.dct), features)
    if front_end.cmvn:
        features = _add_centered(graph, features)
        std = graph.add("Sqrt", _add_mean_square(graph, features))
        features = graph.add("Div", features, graph.add("Add", std, graph.constant(1.0)))
    if front_end.n_lags is not None:
        features = _add_autocorrelation(graph, features, front_end.n_lags)
    return graph.add("Reshape", features, graph.integers(0, -1, 1)) if flat else features


def _add_centered(graph, features):
    """Subtract the mean over time, and before it the first value: a constant becomes zeros."""
    first = _add_slice(graph, features, graph.integers(0), graph.integers(1), axis=2)
    features = graph.add("Sub", features, first)
    return graph.add("Sub", features, graph.add("ReduceMean", features, axes=[2], keepdims=1))


def _add_mean_square(graph, features):
    squares = graph.add("Mul", features, features)
    return graph.add("ReduceMean", squares, axes=[2], keepdims=1)


def _add_autocorrelation(graph, curves, n_lags):
    """Correlate each channel with itself, for any number of frames.

    The frames are cut into blocks of `n_lags`. The products of all frames of a block with those of the same
    and of the next one, summed over the blocks, are a matrix whose diagonals belong to the lags.
    """
    centered = _add_centered(graph, curves)
    n_frames = graph.add("Shape", centered, start=2, end=3)
    block = graph.integers(n_lags)
    n_missing = graph.add("Mod", graph.add("Neg", n_frames), block)
    n_zeros = graph.add("Add", n_missing, block)  # the last block has a next one, too
    pads = graph.add("Concat", graph.integers(0, 0, 0, 0, 0), n_zeros, axis=0)
    blocks = graph.add("Pad", centered, pads)
    blocks = graph.add("Reshape", blocks, graph.integers(0, 0, -1, n_lags))
    end = graph.integers(np.iinfo(np.int64).max)
    same = _add_slice(graph, blocks, graph.integers(0), graph.integers(-1), axis=2)
    following = _add_slice(graph, blocks, graph.integers(1), end, axis=2)
    both = graph.add("Concat", same, following, axis=3)
    products = graph.add("MatMul", graph.add("Transpose", same, perm=[0, 1, 3, 2]), both)
    products = graph.add("Reshape", products, graph.integers(0, 0, -1))
    lags = np.arange(1, n_lags + 1)
    starts = graph.constant((2 * n_lags + 1) * np.arange(n_lags)[:, np.newaxis], np.int64)
    diagonals = graph.add("Add", starts, graph.integers(*lags))  # (n_lags, n_lags)
    products = graph.add("Gather", products, diagonals, axis=2)
    sums = graph.add("ReduceSum", products, graph.integers(2), keepdims=0)
    counts = graph.add("Sub", n_frames, graph.integers(*lags))
    counts = graph.add("Max", counts, graph.integers(1))
    means = graph.add("Div", sums, graph.add("Cast", counts, to=1))  # float32
    variance = graph.add("Add", _add_mean_square(graph, centered), graph.constant(1.0))
    is_kept = graph.add("LessOrEqual", graph.integers(*2 * lags), n_frames)
    return graph.add("Where", is_kept, graph.add("Div", means, variance), graph.constant(0.0))


def _add_standardized(graph, windows):
    mean = graph.add("ReduceMean", windows, axes=[1], keepdims=1)
    centered = graph.add("Sub", windows, mean)
    variance = graph.add("ReduceMean", graph.add("Mul", centered, centered), axes=[1], keepdims=1)
    std = graph.add("Sqrt", variance)
    factor = graph.constant(32 * np.finfo(np.float32).eps)
    varies = graph.add("Greater", std, graph.add("Mul", graph.add("Abs", mean), factor))
    divisor = graph.add("Where", varies, std, graph.constant(np.inf))  # a constant gives zeros
    return graph.add("Div", centered, divisor)


def _add_band_limited_dft(graph, front_end):
    """Return the windowed DFT of the bins that the mel filters use, and these filters.

    The real parts come before the imaginary ones. Both constants are made of a table of one turn
    of the cosine when the file is loaded, so that they take no room in it.
    """
    n_fft = front_end.n_fft
    used = np.flatnonzero(front_end.mel.any(axis=0))
    bins = np.arange(used[0], used[-1] + 1) if len(used) else np.arange(1)
    samples = graph.integers(*range(n_fft))
    turns = graph.add("Mul", graph.constant(bins[:, np.newaxis], np.int64), samples)
    turn = 2 * np.pi * np.arange(n_fft) / n_fft
    parts = [
        graph.add("Gather", graph.constant(table), graph.add("Mod", turns, graph.integers(n_fft)))
        for table in (np.cos(turn), -np.sin(turn))
    ]
    kernel = graph.add("Concat", *parts, axis=0)
    kernel = graph.add("Mul", kernel, graph.constant(front_end.window))
    mel = graph.constant(front_end.mel[:, bins])
    return graph.add("Unsqueeze", kernel, graph.integers(1)), graph.add("Concat", mel, mel, axis=1)


def _add_filter(graph, waveforms, taps):
    """Convolve with symmetric taps; at the ends, the signal is mirrored through its end point."""
    n_edge = len(taps) // 2
    length, one = _length(graph, waveforms), graph.integers(1)
    last = graph.add("Sub", length, one)
    before = graph.add("Min", graph.integers(*range(n_edge, 0, -1)), last)
    after = graph.add("Sub", last, graph.integers(*range(1, n_edge + 1)))
    after = graph.add("Max", after, graph.integers(0))
    edges = []
    for end, indices in ((graph.integers(0), before), (last, after)):
        end_point = graph.add("Gather", waveforms, end, axis=1)
        twice = graph.add("Add", end_point, end_point)
        edges.append(graph.add("Sub", twice, graph.add("Gather", waveforms, indices, axis=1)))
    extended = graph.add("Concat", edges[0], waveforms, edges[1], axis=1)
    extended = graph.add("Unsqueeze", extended, one)
    kernel = graph.constant(taps[np.newaxis, np.newaxis])
    filtered = graph.add("Squeeze", graph.add("Conv", extended, kernel), one)
    long_enough = graph.add("Greater", length, graph.integers(n_edge))
    return graph.add("Where", long_enough, filtered, waveforms)


def _add_looped(graph, waveforms, n_samples):
    """Repeat waveforms that are shorter than `n_samples` up to that length."""
    length, wanted = _length(graph, waveforms), graph.integers(n_samples)
    repeats = graph.add("Div", graph.integers(n_samples - 1), length)
    repeats = graph.add("Add", repeats, graph.integers(1))
    looped = graph.add("Tile", waveforms, graph.add("Concat", graph.integers(1), repeats, axis=0))
    return _add_slice(graph, looped, graph.integers(0), graph.add("Max", length, wanted))


def _add_slice(graph, x, start, stop, axis=1):
    return graph.add("Slice", x, start, stop, graph.integers(axis))


def _length(graph, waveforms):
    return graph.add("Gather", graph.add("Shape", waveforms), graph.integers(1), axis=0)
