"""The computation of RhythmFeatures: from waveforms to envelopes, beats and their statistics."""

import numpy as np
from scipy import fft, signal

from sklearn_heartkd.features._front_end import standardize
from sklearn_heartkd.features._summary import quantiles

RATE = 100  # of the envelope, in Hz
_SHORTEST = 0.5  # seconds; less cannot hold two heart sounds of one beat
_FLOOR = 1e-6  # of an envelope, in standard deviations of its recording
_QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_CHANGES = {"q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_OFF = 0.2  # distance from the median, in logarithm, from which a beat is early or late


def envelope(waveforms, sampling_rate, band, smoothing):
    """Return Hilbert envelopes of a band at 100 Hz, or zeros if the waveforms are too short.

    A few recordings of shape (n_recordings, n_samples) at a time stay in the processor's cache. `band`
    is the band-pass filter, and `smoothing` the low-pass filter of the envelope, both as second-order
    sections.
    """
    n_recordings, n_samples = waveforms.shape
    n_frames = max(1, int(np.ceil(n_samples * RATE / sampling_rate)))
    if n_samples < max(_SHORTEST * sampling_rate, 32):
        return np.zeros((n_recordings, n_frames))
    standard = np.stack([standardize(row.astype(np.float64)) for row in waveforms])
    narrow = signal.sosfiltfilt(band, standard)
    power = np.abs(signal.hilbert(narrow, fft.next_fast_len(n_samples))[:, :n_samples])
    smooth = signal.sosfiltfilt(smoothing, power)
    times = np.arange(n_frames) * (sampling_rate / RATE)
    before = times.astype(int)
    after = np.minimum(before + 1, n_samples - 1)
    return smooth[:, before] + (times - before) * (smooth[:, after] - smooth[:, before])


def describe(envelopes):
    """Describe the sounds in each envelope: columns by name, the same names for any envelopes.

    Parameters
    ----------
    envelopes : sequence of 1-D ndarrays
    """
    envelopes = [np.maximum(envelope, _FLOOR) for envelope in envelopes]
    levels = _by_length(_levels, [(envelope,) for envelope in envelopes])
    sounds, surroundings = [], []
    for envelope, base, loud in zip(envelopes, levels.pop("base"), levels.pop("loud"), strict=True):
        peaks, found = signal.find_peaks(
            envelope,
            height=base + 0.25 * (loud - base),
            prominence=0.2 * (loud - base),
            distance=round(0.12 * RATE),
        )
        sounds.append((peaks, found["peak_heights"] / loud, found["prominences"] / loud))
        surroundings.append((_around(peaks, envelope / loud),))
    return _by_length(_rhythm, sounds) | levels | _by_length(_similarity, surroundings)


def _by_length(function, rows):
    """Return the columns that a function gives for rows, calling it with those of one length stacked.

    Rows of different length cannot be padded: the order in which their values are summed up, and so the
    last bits of the sum, would depend on the other rows.
    """
    groups: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(len(row[0]), []).append(i)
    columns: dict[str, np.ndarray] = {}
    for members in groups.values():
        stacked = (np.stack(part) for part in zip(*(rows[i] for i in members), strict=True))
        for name, values in function(*stacked).items():
            columns.setdefault(name, np.empty(len(rows)))[members] = values
    return columns


def _levels(envelopes):
    last = envelopes.shape[1] - 1
    base, loud = quantiles(envelopes, last * np.array([0.3, 0.95])).T
    relative = np.log(envelopes / loud[:, np.newaxis])
    return {"base": base, "loud": loud} | _quantiles(
        "envelope", relative, _QUANTILES | {"q99": 0.99}
    )


def _rhythm(peaks, heights, prominences):
    intervals = np.log(np.diff(peaks) / RATE)
    beats = np.log((peaks[:, 2:] - peaks[:, :-2]) / RATE)
    levels = np.log(heights)
    columns: dict[str, np.ndarray | float] = {}
    series = {"interval": intervals, "beat": beats, "level": levels, "prominence": prominences}
    for name, values in series.items():
        columns |= _quantiles(name, values, _QUANTILES)
        columns[f"{name}_std"] = values.std(axis=1, ddof=1) if values.shape[1] > 1 else 0.0
    for name, values in list(series.items())[:3]:
        for lag in (1, 2):
            changes = np.abs(values[:, lag:] - values[:, :-lag])
            columns |= _quantiles(f"{name}_change{lag}", changes, _CHANGES)
    for name, values in (("interval", intervals), ("level", levels)):
        for lag in (1, 2, 3):
            columns[f"{name}_autocorrelation{lag}"] = _correlation(
                values[:, lag:], values[:, :-lag]
            )
    columns["interval_level_correlation"] = _correlation(intervals, levels[:, 1:])
    return columns | _prematurity(beats)


def _quantiles(name, values, levels):
    found = _quantile(values, list(levels.values())).T if values.shape[1] else np.zeros(len(levels))
    return {f"{name}_{level}": value for level, value in zip(levels, found, strict=True)}


def _quantile(values, levels):
    """Return ``numpy.quantile(..., method="median_unbiased")`` of each row."""
    levels = np.asarray(levels)
    return quantiles(values, values.shape[-1] * levels + (1 / 3 + levels * (1 - 1 / 3 - 1 / 3)) - 1)


def _correlation(a, b):
    if a.shape[1] < 3:
        return 0.0
    products = (a - a.mean(axis=1, keepdims=True)) * (b - b.mean(axis=1, keepdims=True))
    return products.mean(axis=1) / (a.std(axis=1) * b.std(axis=1) + 1e-6)


def _prematurity(beats):
    """Describe how often and by how much a short beat is followed by a long one."""
    if not beats.shape[1]:
        return {"early_share": 0.0, "late_share": 0.0, "prematurity_mean": 0.0}
    off = beats - np.median(beats, axis=1, keepdims=True)
    pairs = np.minimum(-off[:, :-2], off[:, 2:]).clip(0)
    return {
        "early_share": np.mean(off < -_OFF, axis=1),
        "late_share": np.mean(off > _OFF, axis=1),
        "prematurity_mean": pairs.mean(axis=1) if pairs.shape[1] else 0.0,
    }


def _around(peaks, envelope):
    """Return the half second around each peak that has one."""
    before, after = round(0.2 * RATE), round(0.3 * RATE)
    inside = peaks[(peaks >= before) & (peaks + after <= len(envelope))]
    return envelope[inside[:, np.newaxis] + np.arange(-before, after)]


def _similarity(surroundings):
    """Describe how much the surroundings of the peaks resemble each other (correlation)."""
    names = ("q10", "median", "q90", "next1", "next2", "next3", "typical_q10")
    n = surroundings.shape[1]
    if n < 4:
        return {f"similarity_{name}": 0.0 for name in names}
    pieces = np.log(surroundings + 0.05)
    pieces -= pieces.mean(axis=2, keepdims=True)
    pieces /= np.linalg.norm(pieces, axis=2, keepdims=True) + 1e-9
    similar = pieces @ pieces.transpose(0, 2, 1)
    first, second = np.triu_indices(n, 1)
    others = similar[:, ~np.eye(n, dtype=bool)].reshape(-1, n, n - 1)
    values = [
        *_quantile(similar[:, first, second], [0.1, 0.5, 0.9]).T,
        *(np.diagonal(similar, lag, 1, 2).mean(axis=1) for lag in (1, 2, 3)),
        _quantile(_quantile(others, 0.75), 0.1),
    ]
    return {f"similarity_{name}": value for name, value in zip(names, values, strict=True)}
