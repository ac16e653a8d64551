"""What is explained: a grid of bands and frames, and the scores where cells of it are replaced."""

import numpy as np
import scipy.signal

from sklearn_heartkd.inspection import _steps

_ROWS_AT_ONCE = 128
_LARGEST_GAIN = 40.0  # dB


class GridView:
    """A classifier of features, seen from the log-mel bands (or the sequences) it is given.

    Parameters
    ----------
    grids : list of ndarray of shape (n_bands, n_frames)
    references : list of ndarray of shape (n_bands, 1)
        What a cell is replaced by.
    parts : Parts
    flat : bool
        Whether the classifier takes the sequences as a flat table.
    """

    def __init__(self, grids, references, parts, *, flat=False):
        self.grids = grids
        self.references = references
        self.parts = parts
        self.flat = flat

    def score(self, row, keep):
        """Return the scores of a recording where some cells are replaced.

        Parameters
        ----------
        row : int
        keep : ndarray of bool of shape (n, n_bands, n_frames)

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        grid, reference = self.grids[row], self.references[row]
        mixed = np.where(keep, grid, reference.astype(grid.dtype))
        found = [
            self._scores(mixed[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(mixed), _ROWS_AT_ONCE)
        ]
        return np.concatenate(found)

    def _scores(self, mixed):
        parts = self.parts
        if parts.features is not None:
            mixed = _steps.features_from_log_mel(parts.features, mixed)
        elif self.flat:
            mixed = mixed.reshape(len(mixed), -1)
        return _steps.scores(parts.classifier, _steps.transform(parts.after, mixed))


class WindowedView:
    """A classifier of windows, seen from whole recordings: it scores the mean of their windows.

    Parameters
    ----------
    view : GridView or WaveformView
        Of all windows.
    source : ndarray of shape (n_windows,)
        The recording of each window.
    frames : ndarray of shape (n_windows, n_window_frames)
        The frame of the recording that each frame of a window is.
    """

    def __init__(self, view, source, frames):
        self.view = view
        self.source = source
        self.frames = frames
        self.grids = [
            self.spread(i, [view.grids[w][None] for w in self.windows(i)])[0]
            for i in range(source[-1] + 1)
        ]

    def windows(self, row):
        """Return the windows of a recording."""
        return np.flatnonzero(self.source == row)

    def spread(self, row, values, *, mean=True):
        """Put values on the windows' grids onto the recording's: the mean, or the share of each.

        Parameters
        ----------
        row : int
        values : list of ndarray of shape (k, n_bands, n_window_frames)
        mean : bool
            False divides by the number of windows instead, which keeps the sum.
        """
        windows = self.windows(row)
        n_frames = self.frames[windows].max() + 1
        total = np.zeros((n_frames, *values[0].shape[:2]))
        count = np.zeros(n_frames)
        for window, value in zip(windows, values, strict=True):
            np.add.at(total, self.frames[window], np.moveaxis(value, 2, 0))
            np.add.at(count, self.frames[window], 1)
        return np.moveaxis(total, 0, 2) / (np.maximum(count, 1) if mean else len(windows))

    def score(self, row, keep):
        """Return the mean scores of the windows, see `GridView.score`."""
        windows = self.windows(row)
        found = [self.view.score(w, keep[:, :, self.frames[w]]) for w in windows]
        return np.mean(found, axis=0)


class WaveformView:
    """A model of which nothing is known but that it takes waveforms.

    Cells are replaced in the short-time Fourier transform of the waveform: they keep their phase
    and get the level of the reference.

    Parameters
    ----------
    recordings : list of ndarray of shape (n_samples,)
    grids, references
        As in `GridView`.
    front_end : FrontEnd
        Of the grids.
    predict : callable
        From waveforms (n, n_samples) to scores (n, n_classes).
    """

    def __init__(self, recordings, grids, references, front_end, predict):
        self.recordings = recordings
        self.grids = grids
        self.references = references
        self.predict = predict
        n_fft, hop = front_end.n_fft, front_end.hop_length
        window = scipy.signal.get_window("hann", n_fft)
        rate = front_end.sampling_rate
        self.stft = scipy.signal.ShortTimeFFT(window, hop, rate, mfft=n_fft)
        bins = np.arange(front_end.mel.shape[1])
        centres = (front_end.mel @ bins) / front_end.mel.sum(axis=1)
        self.band_of_bin = np.abs(bins[:, None] - centres).argmin(axis=1)
        self.first_centre = n_fft / 2  # of frame 0, in samples

    def score(self, row, keep):
        """Return the scores of a recording where some cells are replaced."""
        waveform, grid = self.recordings[row], self.grids[row]
        spectrum = self.stft.stft(waveform)
        centres = self.stft.t(len(waveform)) * self.stft.fs
        nearest = np.rint((centres - self.first_centre) / self.stft.hop).astype(int)
        nearest = nearest.clip(0, grid.shape[1] - 1)
        change = np.clip(self.references[row] - grid, -_LARGEST_GAIN, _LARGEST_GAIN)
        found = []
        for kept in keep:
            gain = 10 ** (np.where(kept, 0.0, change) / 20)
            mixed = spectrum * gain[self.band_of_bin][:, nearest]
            changed = self.stft.istft(mixed, k1=len(waveform)).astype(waveform.dtype)
            found.append(self.predict(changed[None])[0])
        return np.stack(found)


class TableView:
    """A classifier of a table, whose columns are the cells."""

    def __init__(self, table, reference, classifier, after):
        self.table = table
        self.reference = reference
        self.classifier = classifier
        self.after = after

    def score(self, row, keep):
        """Return the scores of a row where some columns are replaced, `keep` is (n, n_columns)."""
        mixed = np.where(keep, self.table[row], self.reference)
        return _steps.scores(self.classifier, _steps.transform(self.after, mixed))
