"""Pairs of recordings that share a part, by a nearest-neighbor search."""

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.spatial import KDTree
from sklearn.utils.extmath import randomized_svd

_APART = 0.2  # s: a peak is the loudest sample within this time on either side
_STEP = 2  # samples: waveforms come at twice the rate that their band needs
_SEGMENT = 0.7  # s
_N_COMPONENTS = 64
_N_INDEXED = 8  # components: a tree of more is hardly faster than a comparison with all
_N_NEIGHBORS = 16
_SLACK = (
    0.5  # a neighbor may be this share farther than one that is overlooked, for a third of the time
)
_LEAF = 32  # segments of a leaf of the tree
_FARTHEST = 0.6  # between fingerprints; a correlation of 0.82 at least
_SHARE = 0.5  # of the required correlation: the lag is only known to a sample
_N_LEARNED = 2000  # segments
_BLOCK = 2**14  # segments whose neighbors are found at a time


class Fingerprints:
    """Fingerprints of the part around each peak of the recordings.

    A peak is found at the same sound in every copy, whatever the delay; divided by its signed norm,
    the part around it does not depend on gain and polarity either. Principal components make it
    short. Fingerprints that are near each other propose a pair of recordings and a lag, which cost one
    scalar product to check, where a comparison at all lags costs several Fourier transforms.

    Parameters
    ----------
    waveform : callable
        Called with the position of a recording, returns it band-passed, at `rate`.
    n_recordings : int
    rate : int
        In Hz, four times the upper edge of the band.
    """

    def __init__(self, waveform, n_recordings, rate):
        self.rate = rate
        learned, n_segments = [], 0
        for i in np.random.default_rng(0).permutation(n_recordings):
            learned.append(self._segments(waveform(i))[1])
            n_segments += len(learned[-1])
            if n_segments >= _N_LEARNED:
                break
        sample = np.concatenate(learned)
        n_components = min(_N_COMPONENTS, *sample.shape)
        components = randomized_svd(sample, n_components, random_state=0)[2].T
        owners, peaks, values = [], [], []
        self.waveforms = []
        for i in range(n_recordings):
            x = waveform(i)
            self.waveforms.append(x[::_STEP].copy())
            found, segments = self._segments(x)
            owners.append(np.full(len(found), i))
            peaks.append(found)
            values.append(segments @ components)
        self.owners, self.peaks = np.concatenate(owners), np.concatenate(peaks)
        self.values = np.concatenate(values)

    def _segments(self, x):
        """Peaks, and the segments around them at unit norm and positive polarity."""
        loudness = np.abs(x)
        largest = maximum_filter1d(loudness, 2 * round(_APART * self.rate) + 1)
        peaks = np.flatnonzero((loudness == largest) & (loudness > 0))
        half = round(_SEGMENT / 2 * self.rate)
        segments = np.pad(x, half)[peaks[:, None] + np.arange(0, 2 * half, _STEP)]
        norms = np.linalg.norm(segments, axis=1, keepdims=True)
        return peaks, segments / (norms * np.sign(x[peaks, None]))

    def candidates(self, required, n_jobs=1):
        """Pairs whose correlation at a proposed lag comes near to what is required.

        `required` is called with arrays of positions and an overlap in seconds.
        """
        first, second, lags = self._proposals(n_jobs)
        lengths = np.array([len(x) for x in self.waveforms])
        starts = np.maximum(lags, 0)
        stops = np.minimum(lengths[first], lengths[second] + lags)
        needed = _SHARE * required(first, second, (stops - starts) * _STEP / self.rate)
        pairs = set()
        for i, j, lag, start, stop, least in zip(
            *(column.tolist() for column in (first, second, lags, starts, stops, needed)),
            strict=True,
        ):
            if least <= _SHARE and (i, j) not in pairs:
                a, b = self.waveforms[i][start:stop], self.waveforms[j][start - lag : stop - lag]
                if (a @ b) ** 2 >= least**2 * (a @ a) * (b @ b):
                    pairs.add((i, j))
        return sorted(pairs)

    def _proposals(self, n_jobs):
        """First and second recordings, and lags, that near fingerprints propose."""
        tree = KDTree(self.values[:, :_N_INDEXED], leafsize=_LEAF)
        k = min(_N_NEIGHBORS, len(self.values))
        found = [np.empty((0, 3), dtype=int)]
        for start in range(0, len(self.values), _BLOCK):
            # in the order of the leaves: the next segment visits what is still in the cache
            block = tree.indices[start : start + _BLOCK]
            near = tree.query(tree.data[block], range(1, k + 1), eps=_SLACK, workers=n_jobs)[1]
            one, other = np.repeat(block, k), near.ravel()
            foreign = self.owners[one] != self.owners[other]
            one, other = one[foreign], other[foreign]
            distances = np.linalg.norm(self.values[one] - self.values[other], axis=1)
            one, other = one[distances <= _FARTHEST], other[distances <= _FARTHEST]
            swapped = self.owners[one] > self.owners[other]
            one, other = np.where(swapped, other, one), np.where(swapped, one, other)
            lags = (self.peaks[one] - self.peaks[other]) // _STEP
            found.append(np.stack([self.owners[one], self.owners[other], lags], axis=1))
        return np.unique(np.concatenate(found), axis=0).T
