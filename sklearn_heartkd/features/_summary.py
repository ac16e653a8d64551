"""Statistics over time: one table row for a recording of any length."""

import numpy as np

_QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
STATISTICS = ("mean", "std", "skew", "min", "max", *_QUANTILES)


def summarize(sequences, is_centered=False):
    """Describe each channel of (n_recordings, n_channels, n_frames), and its changes, over time.

    A row of the result is ordered as by `summary_names`. The changes of a single frame are 0, and so are
    the means where `is_centered`: a scaler after it would enlarge their rounding errors.
    """
    deltas = np.diff(sequences)
    if not deltas.size:
        deltas = np.zeros_like(sequences)
    table = np.concatenate([_statistics(sequences), _statistics(deltas)], axis=1)
    if is_centered:
        table[:, : table.shape[1] // 2 : len(STATISTICS)] = 0
    return table


def summary_names(channel_names):
    """Name what `summarize` returns."""
    return [
        f"{channel}{kind}_{statistic}"
        for kind in ("", "_delta")
        for channel in channel_names
        for statistic in STATISTICS
    ]


def quantiles(values, positions):
    """Return the values at positions, whole or between two, of the sorted last axis.

    They are those of :func:`numpy.quantile`, which takes several times as long for many short rows.
    """
    last = values.shape[-1] - 1
    ordered = np.sort(values)
    positions = np.clip(positions, 0, last)
    before = positions.astype(int)
    share = positions - before
    low, high = ordered[..., before], ordered[..., np.minimum(before + 1, last)]
    difference = high - low
    return np.where(share < 0.5, low + difference * share, high - difference * (1 - share))


def _statistics(values):
    mean = values.mean(axis=2)
    centered = values - mean[:, :, None]
    std = np.sqrt(np.mean(centered**2, axis=2))
    skew = np.divide(np.mean(centered**3, axis=2), std**3, out=np.zeros_like(std), where=std > 1e-6)
    found = quantiles(values, (values.shape[2] - 1) * np.array(list(_QUANTILES.values())))
    columns = [mean, std, skew, values.min(axis=2), values.max(axis=2)]
    table = np.concatenate([np.stack(columns, axis=2), found], axis=2)
    return table.astype(values.dtype, copy=False).reshape(len(values), -1)
