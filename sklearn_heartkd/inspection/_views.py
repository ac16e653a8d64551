"""What is explained: grids of bands and frames, and the scores if cells of them are replaced."""

import numpy as np
import scipy.signal

_ROWS_AT_ONCE = 128  # bounds the memory
_LARGEST_GAIN = 40.0  # dB


class GridView:
    """A classifier of features, seen from the grids of bands and frames that it is given.

    The grids may also be rows of a table. `references` are the values that replace a cell; they
    broadcast to the grid. `predict` goes from a stack of grids to scores of shape (n, n_classes).
    """

    def __init__(self, grids, references, predict):
        self.grids = grids
        self.references = references
        self.predict = predict

    def score(self, row, keep):
        """Return the scores of recording `row` if only the cells of `keep`, (n, *grid.shape), stay."""
        grid, reference = self.grids[row], self.references[row]
        mixed = np.where(keep, grid, reference.astype(grid.dtype))
        starts = range(0, len(mixed), _ROWS_AT_ONCE)
        return np.concatenate([self.predict(mixed[i : i + _ROWS_AT_ONCE]) for i in starts])


class WaveformView(GridView):
    """A model of which only is known that it takes waveforms.

    Cells are replaced in the short-time Fourier transform of the waveform: they keep their phase
    and get the level of the reference. `predict` takes waveforms of shape (n, n_samples).
    """

    def __init__(self, grids, references, predict, recordings, front_end):
        super().__init__(grids, references, predict)
        self.recordings = recordings
        n_fft, hop = front_end.n_fft, front_end.hop_length
        window = scipy.signal.get_window("hann", n_fft)
        self.stft = scipy.signal.ShortTimeFFT(window, hop, front_end.sampling_rate, mfft=n_fft)
        bins = np.arange(front_end.mel.shape[1])
        centers = (front_end.mel @ bins) / front_end.mel.sum(axis=1)
        self.band_of_bin = np.abs(bins[:, None] - centers).argmin(axis=1)
        self.first_center = n_fft / 2  # of frame 0, in samples

    def score(self, row, keep):
        waveform, grid = self.recordings[row], self.grids[row]
        spectrum = self.stft.stft(waveform)
        # the transform pads the waveform, the grid does not: take the grid's nearest frame
        centers = self.stft.t(len(waveform)) * self.stft.fs
        nearest = np.rint((centers - self.first_center) / self.stft.hop).astype(int)
        nearest = nearest.clip(0, grid.shape[1] - 1)
        change = np.clip(self.references[row] - grid, -_LARGEST_GAIN, _LARGEST_GAIN)
        found = []
        for kept in keep:
            gain = 10 ** (np.where(kept, 0.0, change) / 20)
            mixed = spectrum * gain[self.band_of_bin][:, nearest]
            changed = self.stft.istft(mixed, k1=len(waveform)).astype(waveform.dtype)
            found.append(self.predict(changed[None])[0])
        return np.stack(found)


class WindowedView:
    """A classifier of windows, seen from whole recordings: it scores the mean of their windows.

    `inner` is the view of all windows, `source` the recording of each window, and `frames`, of shape
    (n_windows, n_window_frames), the frame of the recording that each frame of a window is.
    """

    def __init__(self, inner, source, frames):
        self.inner = inner
        self.source = source
        self.frames = frames
        self.grids = [
            self._spread(i, [inner.grids[w][None] for w in self._windows(i)], mean=True)[0]
            for i in range(source[-1] + 1)
        ]

    def score(self, row, keep):
        scores = [self.inner.score(w, keep[:, :, self.frames[w]]) for w in self._windows(row)]
        return np.mean(scores, axis=0)

    def join(self, values):
        """Put the values of all windows onto the recordings' grids, such that the sums stay."""
        return [
            self._spread(row, [values[window] for window in self._windows(row)], mean=False)
            for row in range(len(self.grids))
        ]

    def _windows(self, row):
        return np.flatnonzero(self.source == row)

    def _spread(self, row, values, *, mean):
        """Add values (k, n_bands, n_window_frames) at the recording's frames.

        They are divided by the number of windows over a frame, which is their mean there, or by the
        number of all windows, which keeps the sum of a mean score's values.
        """
        windows = self._windows(row)
        n_frames = self.frames[windows].max() + 1
        total = np.zeros((n_frames, *values[0].shape[:2]))
        count = np.zeros(n_frames)
        for window, value in zip(windows, values, strict=True):
            np.add.at(total, self.frames[window], np.moveaxis(value, 2, 0))
            np.add.at(count, self.frames[window], 1)
        return np.moveaxis(total, 0, 2) / (np.maximum(count, 1) if mean else len(windows))
