"""Search for recordings that are copies of each other, or cuts of one longer recording."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import fft, sparse

_SCREEN_WIDTH = 140  # Hz: the lowest part of the band, where heart sounds have their energy
_STEP = 0.1  # s: the grid of lags on which the screen compares energies
_LOSS = 0.82  # what a peak halfway between two samples of the screen keeps, at the worst
_TILE = 64  # recordings: a tile of pairs takes a few megabytes
_CACHE = 256  # waveforms kept while the candidates are compared
_LOUDEST = 0.25  # s: a match must survive without its loudest part
_QUIET = 0.01  # an overlap with less than this share of the mean power proves nothing


@dataclass(frozen=True)
class NearDuplicates:
    """Result of :func:`find_near_duplicates`.

    Attributes
    ----------
    groups : ndarray of shape (n_recordings,)
        Integer label of the cluster of each recording: connected components of the pairs. A
        recording without a near-duplicate is a cluster of its own.
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
    min_overlap=2.0,
):
    """Find near-identical recordings, whatever their gain, offset, polarity or delay.

    Two recordings are near-duplicates if their band-passed signals reach an absolute normalised
    cross-correlation of `threshold` at some lag. The correlation is normalised by the energies
    of the parts that overlap at that lag, so two cuts of one longer recording are found too; and
    it must hold without the loudest quarter of a second, so a common click is no match.

    Parameters
    ----------
    recordings : array of shape (n_recordings, n_samples) or sequence of 1-D arrays
        Mono waveforms.
    sampling_rate : float or array of shape (n_recordings,)
        In Hz; one for all, or one per recording.
    threshold : float, default=0.8
        Smallest absolute correlation of a pair, between 0 and 1.
    low, high : float, default=60.0, 800.0
        Pass-band in Hz. `high` is lowered to half the smallest sampling rate.
    min_overlap : float, default=2.0
        Shortest common part in seconds. Of a recording shorter than that, nine tenths must
        overlap.

    Returns
    -------
    NearDuplicates
        With the attributes `groups` and `pairs`.

    Raises
    ------
    ValueError
        If a recording is not 1-D, is empty or holds NaN or infinity, or a parameter is out of
        range.

    Notes
    -----
    Every pair is screened by FFT in the lowest 140 Hz of the band, with the Cauchy-Schwarz bound
    for the rest of it; only pairs that the bound cannot exclude are compared in the whole band.
    Time grows with the square of the number of recordings, memory linearly.

    A silent recording has no near-duplicate.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd._near_duplicates import find_near_duplicates
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
    rows = [row for pair in search.candidates() if (row := search.compare(*pair)) is not None]
    columns = ["first", "second", "correlation", "lag_seconds", "overlap_seconds"]
    pairs = pd.DataFrame(rows, columns=columns).astype({"first": np.intp, "second": np.intp})
    pairs = pairs.sort_values("correlation", key=np.abs, ascending=False, ignore_index=True)
    return NearDuplicates(connected_groups(len(recordings), pairs["first"], pairs["second"]), pairs)


def connected_groups(n_items, first, second):
    """Label the connected components of the graph whose edges join `first` to `second`.

    Labels count from 0 in the order in which the components first appear.
    """
    edges = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(n_items, n_items))
    labels = sparse.csgraph.connected_components(edges, directed=False)[1]
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
        self.n_steps = (self.seconds / _STEP).astype(int)
        self.waveform = lru_cache(_CACHE)(self._waveform)
        self._prepare_screen()

    def _needed_overlap(self, i, j):
        return np.minimum(self.min_overlap, 0.9 * np.minimum(self.seconds[i], self.seconds[j]))

    def _spectrum(self, i):
        """Spectrum in the band on a grid of whole seconds, so that every rate has whole bins."""
        x = np.asarray(self.recordings[i], dtype=np.float32)
        x = x - x.mean()
        duration = int(np.ceil(self.seconds[i])) + 1
        bins = fft.rfft(x / (np.abs(x).max() or 1), round(duration * self.rates[i]))
        return bins[duration * self.low : duration * self.high], duration

    def _prepare_screen(self):
        """Analytic sub-band signals, and cumulative energies of the band and of its rest."""
        width = min(_SCREEN_WIDTH, self.high - self.low)
        self.step_samples = int(np.ceil(1.5 * width * _STEP))
        rate = round(self.step_samples / _STEP)
        full_rate = int(np.ceil((self.high - self.low) * _STEP) / _STEP)
        longest = self.n_steps.max(initial=0)
        self.band_energy = np.zeros((len(self.recordings), longest + 1), dtype=np.float32)
        self.rest_energy = np.zeros_like(self.band_energy)
        self.screen_signals = []
        for i, seconds in enumerate(self.seconds):
            bins, duration = self._spectrum(i)
            full = fft.ifft(bins, duration * full_rate) * full_rate
            part = fft.ifft(bins[: duration * width], duration * rate) * rate
            part = part[: int(np.ceil(seconds * rate))]
            energy = _cumulative_energy(full, full_rate, longest)
            total = energy[-1] or 1.0
            rest = energy - _cumulative_energy(part, rate, longest)
            self.band_energy[i] = energy / total
            self.rest_energy[i] = np.maximum(rest / total, 0)
            self.screen_signals.append(part / np.float32(np.sqrt(total * rate)))

    def candidates(self) -> Iterator[tuple[int, int]]:
        """Pairs that the screen cannot exclude, tile by tile of similar length."""
        audible = np.flatnonzero(self.band_energy[:, -1] > 0)
        order = audible[np.argsort(-self.seconds[audible], kind="stable")]
        tiles = [order[start : start + _TILE] for start in range(0, len(order), _TILE)]
        for a, rows in enumerate(tiles):
            for columns in tiles[a:]:
                yield from self._screen(rows, columns)

    def _screen(self, rows, columns):
        longest = [max(len(self.screen_signals[i]) for i in tile) for tile in (rows, columns)]
        n_lags = fft.next_fast_len(int(np.ceil(sum(longest) / self.step_samples)))
        spectra = [
            fft.fft(
                _stack([self.screen_signals[i] for i in tile], n_lags * self.step_samples), axis=1
            )
            for tile in (rows, columns)
        ]
        np.conj(spectra[1], out=spectra[1])
        diagonal = rows is columns
        for k, i in enumerate(rows):
            start = k + 1 if diagonal else 0
            others = columns[start:]
            if not len(others):
                continue
            correlation = fft.ifft(spectra[0][k] * spectra[1][start:], axis=1, overwrite_x=True)
            power = correlation.real**2 + correlation.imag**2
            peaks = power.reshape(len(others), n_lags, self.step_samples).max(axis=2)
            for j in others[self._possible(i, others, peaks)]:
                yield (int(min(i, j)), int(max(i, j)))

    def _possible(self, i, others, peaks):
        """Whether a correlation of `threshold` is possible: the proof by Cauchy-Schwarz.
        the energies in the overlap, and Cauchy-Schwarz for what lies outside the sub-band.
        """
        n_i, n_j = self.n_steps[i], self.n_steps[others][:, None]
        lags = np.arange(-n_j.max(initial=0), n_i)
        start_i, stop_i = np.maximum(lags + 1, 0), np.minimum(n_i, n_j + lags)
        start_j, stop_j = np.maximum(-lags, 0), np.minimum(n_j, n_i - lags - 1)
        steps = np.minimum(stop_i - start_i, stop_j - start_j)
        allowed = (steps + 2) * _STEP >= self._needed_overlap(i, others)[:, None]
        start_i, stop_i = np.broadcast_arrays(start_i, np.maximum(stop_i, start_i))
        start_j, stop_j = np.broadcast_arrays(start_j, np.maximum(stop_j, start_j))
        j = others[:, None]

        def product(energy):
            at_i = energy[i]
            return (at_i[stop_i] - at_i[start_i]) * (energy[j, stop_j] - energy[j, start_j])

        bound = np.sqrt(np.maximum(product(self.rest_energy), 0))
        needed = self.threshold * np.sqrt(np.maximum(product(self.band_energy), 0)) - bound
        reached = peaks[:, lags] >= np.maximum(_LOSS * needed, 0) ** 2
        return np.any(reached & allowed, axis=1)

    def _waveform(self, i):
        """Band-passed waveform at four times the upper edge of the band, and its energy."""
        bins, duration = self._spectrum(i)
        rate = 4 * self.high
        spectrum = np.zeros(duration * rate // 2 + 1, dtype=np.complex64)
        spectrum[duration * self.low : duration * self.low + len(bins)] = bins
        x = fft.irfft(spectrum, duration * rate)[: int(np.ceil(self.seconds[i] * rate))]
        energy = np.concatenate([[0.0], np.cumsum(x.astype(float) ** 2)])
        return x, energy

    def compare(self, first, second):
        """Row of the table for a pair, or None if it stays below the threshold."""
        rate = 4 * self.high
        (x, x_energy), (y, y_energy) = self.waveform(first), self.waveform(second)
        n_fft = fft.next_fast_len(len(x) + len(y), real=True)
        correlation = fft.irfft(fft.rfft(x, n_fft) * fft.rfft(y, n_fft).conj(), n_fft)
        needed = int(self._needed_overlap(first, second) * rate)
        lags = np.arange(needed - len(y), len(x) - needed + 1)
        start, stop = np.maximum(lags, 0), np.minimum(len(x), len(y) + lags)
        x_part = x_energy[stop] - x_energy[start]
        y_part = y_energy[stop - lags] - y_energy[start - lags]
        share = _QUIET * (stop - start)
        audible = (x_part > share * x_energy[-1] / len(x)) & (
            y_part > share * y_energy[-1] / len(y)
        )
        scale = np.sqrt(np.where(audible, x_part * y_part, np.inf))
        correlation = correlation[lags] / scale
        best = int(np.abs(correlation).argmax())
        peak, shift = _interpolated_peak(correlation, best)
        if abs(peak) < self.threshold:
            return None
        lag = lags[best]
        a, b = x[start[best] : stop[best]], y[start[best] - lag : stop[best] - lag]
        rest = _correlation_without_loudest(a, b, int(_LOUDEST * rate))
        if abs(rest * peak / correlation[best]) < self.threshold:
            return None
        return first, second, min(max(peak, -1.0), 1.0), (lag + shift) / rate, len(a) / rate


def _cumulative_energy(values, rate, n_steps):
    """Cumulative energy after 0 to `n_steps` steps, the last value being all of it."""
    per_step = round(rate * _STEP)
    energy = np.cumsum(values.real.astype(float) ** 2 + values.imag.astype(float) ** 2) / rate
    ends = np.minimum(np.arange(1, n_steps + 1) * per_step, len(values)) - 1
    cumulative = np.concatenate([[0.0], energy[ends]])
    cumulative[-1] = energy[-1]
    return cumulative


def _stack(signals, n_samples):
    stacked = np.zeros((len(signals), n_samples), dtype=np.complex64)
    for row, signal in zip(stacked, signals, strict=True):
        row[: len(signal)] = signal
    return stacked


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
