"""Exclude pairs of recordings that cannot correlate, before the others are compared in full."""

from collections.abc import Iterator

import numpy as np
from joblib import Parallel, delayed
from scipy import fft

_STEP = 0.2  # s: the grid of lags on which energies are compared
_OVERSAMPLING = 1.5
_LOSS = 0.82  # what a peak halfway between two samples keeps at this oversampling, at the worst
_TILE = 64  # recordings: a tile of pairs takes a few megabytes
_QUIET = 0.002  # share of the mean power below which an overlap is no evidence


class CorrelationScreen:
    """Pairs of recordings that may reach a correlation.

    The correlation of two recordings is the sum of the correlations of their parts in frequency. That
    of the lowest part of the band is computed at every lag, for which a few complex samples per second
    suffice; that of the part above it is at most the geometric mean of the two energies there
    (Cauchy-Schwarz inequality). A pair whose sum stays below what is required at every lag cannot be
    near-duplicates. The other pairs are screened again with a wider part.

    Parameters
    ----------
    spectrum : callable
        Called with the position of a recording, returns the bins of its spectrum in the band and
        the reciprocal of their distance in whole seconds.
    seconds : ndarray of shape (n_recordings,)
        Lengths of the recordings.
    required : callable
        Called with two positions (or arrays of them) and an overlap in seconds, returns the
        correlation that a pair must reach there.
    widths : sequence of int
        Widths of the parts in Hz, in ascending order; the last one is that of the whole band,
        and only its energy is used.
    """

    def __init__(self, spectrum, seconds, required, widths):
        self.seconds = seconds
        self.required = required
        self.n_steps = (seconds / _STEP).astype(int)
        # energies are cumulated, so that the energy of any overlap is one difference
        self.energy = np.zeros((len(seconds), self.n_steps.max(initial=0) + 1), dtype=np.float32)
        *self.parts, whole = [_Part(width, np.zeros_like(self.energy)) for width in widths]
        n_values = self.energy.shape[1]
        for i in range(len(seconds)):
            bins, duration = spectrum(i)
            energy = whole.cumulated_energy(whole.signal(bins, duration, seconds[i]), n_values)
            total = energy[-1] or 1.0  # divided by, so that the gain does not matter
            self.energy[i] = energy / total
            for part in self.parts:
                signal = part.signal(bins, duration, seconds[i]) / np.float32(np.sqrt(total))
                part.signals.append(signal)
                # the bands are orthogonal over the whole recording, not in a piece of it: the
                # difference may be slightly negative there
                rest = self.energy[i] - part.cumulated_energy(signal, n_values)
                part.rest_energy[i] = np.maximum(rest, 0)

    def candidates(self, n_jobs: int | None = None) -> Iterator[tuple[int, int]]:
        """Pairs that cannot be excluded, tile by tile of similar length.

        The spectra of a tile are computed once for all its pairs, and padded to its longest recording,
        which costs least where the lengths are alike.
        """
        audible = np.flatnonzero(self.energy[:, -1] > 0)
        order = audible[np.argsort(-self.seconds[audible], kind="stable")]
        tiles = [order[start : start + _TILE] for start in range(0, len(order), _TILE)]
        found = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            delayed(self._screen)(rows, columns)
            for a, rows in enumerate(tiles)
            for columns in tiles[a:]
        )
        for pairs in found:
            yield from pairs

    def _screen(self, rows, columns):
        pairs = []
        of_rows, of_columns = self.parts[0].spectra(rows, columns)
        for k, i in enumerate(rows):
            first = k + 1 if columns is rows else 0  # within one tile, each pair once
            if first == len(columns):
                continue
            peaks = self.parts[0].peaks(of_rows[k], of_columns[first:])
            others = columns[first:][self._possible(0, i, columns[first:], peaks)]
            for level in range(1, len(self.parts)):
                if len(others):
                    of_row, of_others = self.parts[level].spectra([i], others)
                    peaks = self.parts[level].peaks(of_row[0], of_others)
                    others = others[self._possible(level, i, others, peaks)]
            pairs += [(int(min(i, j)), int(max(i, j))) for j in others]
        return pairs

    def _possible(self, level, i, others, peaks):
        """Whether the required correlation can be reached at any step of lag.

        A step of lag stands for all lags within it. So that the bound holds for each of them, the
        energies are those of the smallest overlap, and the required correlation is that of the largest.
        """
        n_i, n_j = self.n_steps[i], self.n_steps[others][:, None]
        lags = np.arange(-n_j.max(initial=0), n_i)
        # the parts that overlap: i from start_i to stop_i with j from start_j to stop_j, in steps
        start_i, stop_i = np.maximum(lags + 1, 0), np.minimum(n_i, n_j + lags)
        start_j, stop_j = np.maximum(-lags, 0), np.minimum(n_j, n_i - lags - 1)
        steps = np.minimum(stop_i - start_i, stop_j - start_j)
        stop_i, stop_j = np.maximum(stop_i, start_i), np.maximum(stop_j, start_j)
        j = others[:, None]
        energy_i = self.energy[i, stop_i] - self.energy[i, start_i]
        energy_j = self.energy[j, stop_j] - self.energy[j, start_j]
        # where one of them is nearly silent, any correlation would be that of noise
        quiet = (energy_i < _QUIET * steps / max(n_i, 1)) | (
            energy_j < _QUIET * steps / np.maximum(n_j, 1)
        )
        rest = self.parts[level].rest_energy
        rest_i = rest[i, stop_i] - rest[i, start_i]
        rest_j = rest[j, stop_j] - rest[j, start_j]
        required = self.required(i, j, (steps + 3) * _STEP)
        # what the low part must contribute, after the most that the rest can
        needed = required * np.sqrt(energy_i * energy_j) - np.sqrt(np.maximum(rest_i * rest_j, 0))
        # peaks are squared and may lie between two samples; negative lags count from the end of the FFT
        reached = peaks[:, lags] >= np.maximum(_LOSS * needed, 0) ** 2
        return np.any(reached & ~quiet & (required <= 1), axis=1)


class _Part:
    """The lowest `width` Hz of the band, as analytic signals shifted to 0 Hz.

    Shifted down and complex, `width` Hz need `width` samples a second, whatever their place in the band;
    the magnitude of the correlation does not change. A little more than that keeps peaks between samples.
    """

    def __init__(self, width, rest_energy):
        self.width = width
        self.step = int(np.ceil(_OVERSAMPLING * width * _STEP))  # samples
        self.rate = round(self.step / _STEP)
        self.signals: list[np.ndarray] = []
        self.rest_energy = rest_energy  # of the band above it, until each step

    def signal(self, bins, duration, seconds):
        # the factor makes energies independent of the rate of the part
        signal = fft.ifft(bins[: duration * self.width], duration * self.rate)
        return signal[: int(np.ceil(seconds * self.rate))] * np.float32(np.sqrt(self.rate))

    def cumulated_energy(self, signal, n_values):
        """Energy until each step; the last value is all of it."""
        energy = np.cumsum(signal.real.astype(float) ** 2 + signal.imag.astype(float) ** 2)
        ends = np.minimum(np.arange(n_values) * self.step, len(signal))
        ends[-1] = len(signal)
        return np.concatenate([[0.0], energy])[ends]

    def spectra(self, rows, columns):
        """Spectra of the rows and, conjugated, of the columns, for all lags between them."""
        longest = sum(max(len(self.signals[i]) for i in tile) for tile in (rows, columns))
        n_fft = fft.next_fast_len(int(np.ceil(longest / self.step))) * self.step
        of_rows, of_columns = self._stacked(rows, n_fft), self._stacked(columns, n_fft)
        return fft.fft(of_rows, axis=1), fft.fft(of_columns, axis=1).conj()

    def _stacked(self, tile, n_fft):
        stacked = np.zeros((len(tile), n_fft), dtype=np.complex64)
        for row, i in zip(stacked, tile, strict=True):
            row[: len(self.signals[i])] = self.signals[i]
        return stacked

    def peaks(self, of_row, of_columns):
        """Largest squared correlation of one recording with others, by step of lag."""
        correlation = fft.ifft(of_row * of_columns, axis=1, overwrite_x=True)
        power = correlation.real**2 + correlation.imag**2
        return power.reshape(len(of_columns), -1, self.step).max(axis=2)
