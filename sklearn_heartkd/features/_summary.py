"""Statistics over time: one table row for a recording of any length."""

import numpy as np

_QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
STATISTICS = ("mean", "std", "skew", "min", "max", *_QUANTILES)


def summarize(sequence):
    """Describe each channel of a (n_channels, n_frames) array, and its changes, over time.

    The result is one row, ordered as by `summary_names`. The changes of a single frame are 0.
    """
    deltas = np.diff(sequence, axis=1)
    if not deltas.size:
        deltas = np.zeros_like(sequence)
    return np.concatenate([_statistics(sequence), _statistics(deltas)])


def summary_names(channel_names):
    """Name what `summarize` returns."""
    return [
        f"{channel}{kind}_{statistic}"
        for kind in ("", "_delta")
        for channel in channel_names
        for statistic in STATISTICS
    ]


def _statistics(values):
    mean = values.mean(axis=1)
    centered = values - mean[:, None]
    std = np.sqrt(np.mean(centered**2, axis=1))
    skew = np.divide(np.mean(centered**3, axis=1), std**3, out=np.zeros_like(std), where=std > 1e-6)
    quantiles = np.quantile(values, list(_QUANTILES.values()), axis=1)
    columns = [mean, std, skew, values.min(axis=1), values.max(axis=1), *quantiles]
    return np.stack(columns, axis=1).astype(values.dtype, copy=False).ravel()
