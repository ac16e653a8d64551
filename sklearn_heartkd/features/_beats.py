"""The computation of RhythmFeatures: from one waveform to its envelope, beats and their statistics."""

import numpy as np
from scipy import fft, signal

from sklearn_heartkd.features._front_end import standardize

RATE = 100  # of the envelope, in Hz
_SHORTEST = 0.5  # seconds; less cannot hold two heart sounds of one beat
_FLOOR = 1e-6  # of an envelope, in standard deviations of its recording
_QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_CHANGES = {"q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_OFF = 0.2  # distance from the median, in logarithm, from which a beat is early or late


def envelope(waveform, sampling_rate, band, smoothing):
    """Return the Hilbert envelope of a band at 100 Hz, or zeros if the waveform is too short.

    `band` is the band-pass filter, and `smoothing` the low-pass filter of the envelope, both as
    second-order sections.
    """
    n_samples = len(waveform)
    n_frames = max(1, int(np.ceil(n_samples * RATE / sampling_rate)))
    if n_samples < max(_SHORTEST * sampling_rate, 32):
        return np.zeros(n_frames)
    narrow = signal.sosfiltfilt(band, standardize(waveform.astype(np.float64)))
    power = np.abs(signal.hilbert(narrow, fft.next_fast_len(n_samples))[:n_samples])
    smooth = signal.sosfiltfilt(smoothing, power)
    times = np.arange(n_frames) * (sampling_rate / RATE)
    return np.interp(times, np.arange(n_samples), smooth)


def describe(envelope):
    """Describe the sounds in an envelope as a dict of numbers, the same names for any envelope."""
    envelope = np.maximum(envelope, _FLOOR)
    base, loud = np.quantile(envelope, [0.3, 0.95])
    peaks, found = signal.find_peaks(
        envelope,
        height=base + 0.25 * (loud - base),
        prominence=0.2 * (loud - base),
        distance=round(0.12 * RATE),
    )
    intervals = np.log(np.diff(peaks) / RATE)
    beats = np.log((peaks[2:] - peaks[:-2]) / RATE)
    levels = np.log(found["peak_heights"] / loud)
    columns: dict[str, float] = {}
    series = {
        "interval": intervals,
        "beat": beats,
        "level": levels,
        "prominence": found["prominences"] / loud,
    }
    for name, values in series.items():
        columns |= _quantiles(name, values, _QUANTILES)
        columns[f"{name}_std"] = values.std(ddof=1) if len(values) > 1 else 0.0
    for name, values in list(series.items())[:3]:
        for lag in (1, 2):
            columns |= _quantiles(f"{name}_change{lag}", _changes(values, lag), _CHANGES)
    for name, values in (("interval", intervals), ("level", levels)):
        for lag in (1, 2, 3):
            columns[f"{name}_autocorrelation{lag}"] = _correlation(values[lag:], values[:-lag])
    columns["interval_level_correlation"] = _correlation(intervals, levels[1:])
    columns |= _prematurity(beats)
    columns |= _quantiles("envelope", np.log(envelope / loud), _QUANTILES | {"q99": 0.99})
    columns |= _similarity(np.log(envelope / loud + 0.05), peaks)
    return columns


def _quantiles(name, values, levels):
    found = _quantile(values, list(levels.values())) if len(values) else np.zeros(len(levels))
    return {f"{name}_{level}": value for level, value in zip(levels, found, strict=True)}


def _quantile(values, levels, axis=None):
    return np.quantile(values, levels, axis=axis, method="median_unbiased")


def _changes(values, lag):
    return np.abs(values[lag:] - values[:-lag])


def _correlation(a, b):
    if len(a) < 3:
        return 0.0
    return np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std() + 1e-6)


def _prematurity(beats):
    """Describe how often and by how much a short beat is followed by a long one."""
    off = beats - np.median(beats) if len(beats) else beats
    pairs = np.minimum(-off[:-2], off[2:]).clip(0)
    return {
        "early_share": np.mean(off < -_OFF) if len(off) else 0.0,
        "late_share": np.mean(off > _OFF) if len(off) else 0.0,
        "prematurity_mean": pairs.mean() if len(pairs) else 0.0,
    }


def _similarity(levels, peaks):
    """Describe how much the half seconds around the peaks resemble each other (correlation)."""
    before, after = round(0.2 * RATE), round(0.3 * RATE)
    inside = peaks[(peaks >= before) & (peaks + after <= len(levels))]
    names = ("q10", "median", "q90", "next1", "next2", "next3", "typical_q10")
    if len(inside) < 4:
        return {f"similarity_{name}": 0.0 for name in names}
    pieces = levels[inside[:, np.newaxis] + np.arange(-before, after)]
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    pieces /= np.linalg.norm(pieces, axis=1, keepdims=True) + 1e-9
    similar = pieces @ pieces.T
    pairs = similar[np.triu_indices(len(similar), 1)]
    others = similar[~np.eye(len(similar), dtype=bool)].reshape(len(similar), -1)
    values = [
        *_quantile(pairs, [0.1, 0.5, 0.9]),
        *(np.diag(similar, lag).mean() for lag in (1, 2, 3)),
        _quantile(_quantile(others, 0.75, axis=1), 0.1),
    ]
    return {f"similarity_{name}": value for name, value in zip(names, values, strict=True)}
