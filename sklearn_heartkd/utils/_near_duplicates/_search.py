"""The search for near-duplicates: candidates, comparison in the whole band, groups."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from scipy import fft, sparse

from sklearn_heartkd.utils._near_duplicates._fingerprints import Fingerprints

_CACHE = 80  # waveforms kept while the candidates are compared
_LOUDEST = 0.25  # s: a match must survive without its loudest part
_QUIET = 0.01  # an overlap with less than this share of the mean power proves nothing


@dataclass(frozen=True)
class NearDuplicates:
    """Result of :func:`find_near_duplicates`.

    Attributes
    ----------
    groups : ndarray of shape (n_recordings,)
        Integer label of the cluster of each recording: connected components of the pairs. A
        recording without a near-duplicate is a separate cluster.
    pairs : pandas.DataFrame
        One row per pair: ``first`` and ``second`` (positions, ``first < second``),
        ``correlation`` (signed: negative where the polarity is inverted), ``lag_seconds`` (what
        happens at time t in the second recording happens at ``t + lag_seconds`` in the first)
        and ``overlap_seconds``. Sorted by descending absolute correlation.
    """

    groups: np.ndarray
    pairs: pd.DataFrame


def find_near_duplicates(
    recordings,
    sampling_rate,
    *,
    threshold=0.8,
    low=60.0,
    high=800.0,
    min_overlap=3.0,
    n_jobs=None,
):
    """Find near-identical recordings, whatever their gain, offset, polarity or delay.

    The parameters are those of :func:`sklearn_heartkd.model_selection.near_duplicate_groups`.

    Two recordings are near-duplicates if their band-passed signals reach an absolute normalized
    cross-correlation of `threshold` at some lag. The correlation is normalized by the energies of the
    parts that overlap at that lag, so that two cuts of one longer recording are found too. It must hold
    without the loudest quarter of a second, so that a common click is not a match.

    Heart sounds are periodic: on a few beats, two recordings of one subject may correlate by their
    rhythm alone. So `threshold` suffices where twice `min_overlap`, or all of the shorter recording (but
    at least `min_overlap`), overlaps; a smaller overlap, as a fraction f of that, needs
    ``1 - (1 - threshold) * f**2``. True cuts and copies correlate at 0.98 and more.

    Only pairs that share a fingerprint of some second (see `Fingerprints`) are compared, and within a
    group that they form, all pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.utils._near_duplicates import find_near_duplicates
    >>> rng = np.random.default_rng(0)
    >>> first, other = rng.normal(size=(2, 10_000))
    >>> found = find_near_duplicates([first, other, 3 - 0.1 * first[1000:]], 2000)
    >>> found.groups
    array([0, 1, 0])
    >>> found.pairs.round(2)
       first  second  correlation  lag_seconds  overlap_seconds
    0      0       2         -1.0          0.5              4.5
    """
    recordings = list(recordings)
    rates = np.broadcast_to(np.asarray(sampling_rate, dtype=float), (len(recordings),))
    _check_parameters(recordings, rates, threshold, low, min_overlap)
    low = round(low)
    high = int(min([high, *(rates / 2)]))
    if high <= low:
        raise ValueError(
            f"the pass-band from {low} to {high} Hz is empty: lower `low`, raise `high` (at most "
            "half the sampling rate), or give recordings of a higher sampling rate"
        )
    search = _Search(recordings, rates, threshold, low, high, min_overlap)
    proposed = search.candidates(n_jobs)
    rows = search.compare_all(proposed, n_jobs)
    groups = connected_groups(len(recordings), [row[0] for row in rows], [row[1] for row in rows])
    # within a group, the pairs that were not proposed may be near-duplicates too
    members = pd.Series(range(len(groups))).groupby(groups)
    joined = {pair for _, group in members for pair in combinations(group.tolist(), 2)}
    rows += search.compare_all(sorted(joined - set(proposed)), n_jobs)
    columns = ["first", "second", "correlation", "lag_seconds", "overlap_seconds"]
    pairs = pd.DataFrame(rows, columns=columns).astype({"first": np.intp, "second": np.intp})
    pairs = pairs.sort_values("correlation", key=np.abs, ascending=False, ignore_index=True)
    return NearDuplicates(groups, pairs)


def connected_groups(n_items, first, second):
    """Label the connected components of the graph whose edges join `first` to `second`.

    Labels count from 0 in the order in which the components first appear.
    """
    edges = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(n_items, n_items))
    labels = sparse.csgraph.connected_components(edges, directed=False)[1]
    # number the components in the order of their first items
    _, start, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(start))[inverse]


def _check_parameters(recordings, rates, threshold, low, min_overlap):
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold!r}")
    if low < 1:
        raise ValueError(f"low must be at least 1 Hz, got {low!r}")
    if min_overlap <= 0:
        raise ValueError(f"min_overlap must be positive, in seconds, got {min_overlap!r}")
    if np.any(~(rates > 0)):
        raise ValueError(f"sampling_rate must be positive, in Hz, got {rates[~(rates > 0)][0]!r}")
    for i, recording in enumerate(recordings):
        shape = np.shape(recording)
        if len(shape) != 1 or not shape[0]:
            raise ValueError(f"recording {i} has shape {shape}; give non-empty 1-D waveforms")
        if not np.all(np.isfinite(recording)):
            raise ValueError(f"recording {i} holds NaN or infinity; leave it out or repair it")


class _Search:
    def __init__(self, recordings, rates, threshold, low, high, min_overlap):
        self.recordings = recordings
        self.rates = rates
        self.threshold = threshold
        self.low = low
        self.high = high
        self.min_overlap = min_overlap
        self.seconds = np.array([len(x) for x in recordings]) / rates
        self.waveform = lru_cache(_CACHE)(self._waveform)

    def candidates(self, n_jobs=None):
        """Pairs that fingerprints propose."""
        if not any(np.ptp(recording) for recording in self.recordings):
            return []
        fingerprints = Fingerprints(self._band_passed, len(self.recordings), 4 * self.high)
        return fingerprints.candidates(self.required, effective_n_jobs(n_jobs))

    def compare_all(self, pairs, n_jobs=None):
        """Rows of the table for the pairs that reach the threshold."""
        rows = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(self.compare)(*pair) for pair in pairs
        )
        return [row for row in rows if row is not None]

    def required(self, i, j, overlap):
        """Correlation that a pair must reach on an overlap in seconds; 2 if too short."""
        shorter = np.minimum(self.seconds[i], self.seconds[j])
        full = np.clip(shorter, self.min_overlap, 2 * self.min_overlap)
        required = 1 - (1 - self.threshold) * np.minimum(overlap / full, 1) ** 2
        shortest = np.minimum(self.min_overlap, 0.9 * shorter)
        return np.where(overlap >= shortest - 1e-9, required, 2.0)

    def _spectrum(self, i):
        """Spectrum in the band on a grid of whole seconds, so that every rate has whole bins."""
        x = np.asarray(self.recordings[i], dtype=np.float32)
        x = x - x.mean()
        duration = int(np.ceil(self.seconds[i])) + 1
        bins = fft.rfft(x / (np.abs(x).max() or 1), round(duration * self.rates[i]))
        return bins[duration * self.low : duration * self.high], duration

    def _waveform(self, i):
        x = self._band_passed(i)
        return x, np.concatenate([[0.0], np.cumsum(x.astype(float) ** 2)])

    def _band_passed(self, i):
        """Waveform in the band, at four times its upper edge."""
        bins, duration = self._spectrum(i)
        rate = 4 * self.high
        spectrum = np.zeros(duration * rate // 2 + 1, dtype=np.complex64)
        spectrum[duration * self.low : duration * self.low + len(bins)] = bins
        return fft.irfft(spectrum, duration * rate)[: int(np.ceil(self.seconds[i] * rate))]

    def compare(self, first, second):
        """Row of the table for a pair, or None if it stays below the threshold."""
        rate = 4 * self.high
        (x, x_energy), (y, y_energy) = self.waveform(first), self.waveform(second)
        # padded, so that no lag wraps around
        n_fft = fft.next_fast_len(len(x) + len(y), real=True)
        correlation = fft.irfft(fft.rfft(x, n_fft) * fft.rfft(y, n_fft).conj(), n_fft)
        shortest = min(self.min_overlap, 0.9 * self.seconds[[first, second]].min())
        shortest = int(np.ceil(shortest * rate))
        lags = np.arange(shortest - len(y), len(x) - shortest + 1)
        start, stop = np.maximum(lags, 0), np.minimum(len(x), len(y) + lags)
        x_part = x_energy[stop] - x_energy[start]
        y_part = y_energy[stop - lags] - y_energy[start - lags]
        # a silent overlap gives any correlation: it counts as none
        quiet = _QUIET * (stop - start)
        audible = (x_part * len(x) > quiet * x_energy[-1]) & (
            y_part * len(y) > quiet * y_energy[-1]
        )
        correlation = correlation[lags] / np.sqrt(np.where(audible, x_part * y_part, np.inf))
        required = self.required(first, second, (stop - start) / rate)
        # short overlaps need more: the best lag is the one with the smallest gap for its overlap
        best = int(((1 - np.abs(correlation)) / (1.001 - required)).argmin())
        # interpolation between samples cannot raise it by a tenth
        if abs(correlation[best]) < 0.9 * required[best]:
            return None
        # of two rhythms alone, the loudest beat would be a match: the rest must agree as well
        peak, shift = _interpolated_peak(correlation, best)
        lag = lags[best]
        a, b = x[start[best] : stop[best]], y[start[best] - lag : stop[best] - lag]
        robust = peak / correlation[best] * _correlation_without_loudest(a, b, int(_LOUDEST * rate))
        if min(abs(peak), abs(robust)) < required[best]:
            return None
        return first, second, min(max(peak, -1.0), 1.0), (lag + shift) / rate, len(a) / rate


def _interpolated_peak(values, best):
    """Height and position, relative to `best`, of the parabola through three values."""
    if not 0 < best < len(values) - 1:
        return float(values[best]), 0.0
    left, middle, right = values[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    if curvature == 0:
        return float(middle), 0.0
    shift = float(0.5 * (left - right) / curvature)
    if abs(shift) > 1:
        return float(middle), 0.0
    return float(middle - 0.25 * (left - right) * shift), shift


def _correlation_without_loudest(a, b, n_loudest):
    """Correlation of two aligned parts without their loudest `n_loudest` samples in a row."""
    a, b = a.astype(float), b.astype(float)
    if len(a) < 2 * n_loudest:
        n_loudest = len(a) // 2
    sums = np.cumsum(np.stack([a * a, b * b, a * b]), axis=1)
    windows = sums[:, n_loudest:] - sums[:, :-n_loudest]
    loudness = windows[0] / sums[0, -1] + windows[1] / sums[1, -1]
    aa, bb, ab = sums[:, -1] - windows[:, loudness.argmax()]
    return ab / np.sqrt(aa * bb) if aa > 0 and bb > 0 else 0.0
