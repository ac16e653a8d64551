"""The arithmetic of the features: from one waveform to its log-mel bands or its MFCC."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

from sklearn_heartkd._recordings import fit_length

_FRAMES_PER_BLOCK = 512  # frames, spectra and powers of a block stay in the processor's cache
_CONSTANT = 1e-7  # a standard deviation below this share of the mean is rounding, not sound


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """Everything an exporter needs to repeat the features outside of Python.

    The steps on one waveform, in order:

    1. if `normalize`: subtract the mean and divide by the (population) standard deviation; a
       constant waveform becomes zeros;
    2. if it is shorter than `n_fft`, loop it to `n_fft` samples;
    3. cut frames of `n_fft` samples every `hop_length` from sample 0, without padding, so that
       their number is ``1 + (n_samples - n_fft) // hop_length``;
    4. multiply by `window`, take the real DFT of size `n_fft` and its squared magnitude;
    5. multiply by `mel`;
    6. ``10 * log10(max(power, amin))``;
    7. if `top_db` is not None: raise what is below the waveform's maximum minus `top_db` to that;
    8. if `dct` is not None: multiply by `dct`.

    Attributes
    ----------
    sampling_rate : float
        In Hz.
    normalize : bool
        Whether step 1 is done.
    n_fft, hop_length : int
        In samples.
    window : ndarray of shape (n_fft,), float64
        The periodic Hann window.
    mel : ndarray of shape (n_mels, 1 + n_fft // 2), float32
        librosa's mel filters.
    amin : float
        The smallest power told from silence.
    top_db : float or None
        The dynamic range in decibels.
    dct : ndarray of shape (n_mfcc, n_mels), float64, or None
        The first rows of the orthonormal DCT-II; None for log-mel bands.
    """

    sampling_rate: float
    normalize: bool
    n_fft: int
    hop_length: int
    window: np.ndarray
    mel: np.ndarray
    amin: float
    top_db: float | None
    dct: np.ndarray | None = None

    @property
    def n_channels(self):
        """The number of mel bands or of coefficients."""
        return len(self.mel if self.dct is None else self.dct)

    def n_frames(self, n_samples):
        """Count the frames of a waveform of `n_samples`."""
        return 1 + max(n_samples - self.n_fft, 0) // self.hop_length


class Kernel:
    """A front end made ready for one floating-point type; called with one waveform."""

    def __init__(self, front_end, dtype):
        used = np.flatnonzero(front_end.mel.any(axis=0))
        self.bins = slice(used[0], used[-1] + 1) if used.size else slice(0, 1)
        self.front_end = front_end
        self.window = front_end.window.astype(dtype)
        self.mel = scipy.sparse.csr_array(front_end.mel[:, self.bins].astype(dtype))
        self.dct = None if front_end.dct is None else front_end.dct.astype(dtype)

    def __call__(self, waveform):
        """Return the features, of shape (n_channels, n_frames)."""
        front_end = self.front_end
        if front_end.normalize:
            waveform = standardize(waveform)
        if len(waveform) < front_end.n_fft:
            waveform = fit_length(waveform, front_end.n_fft)
        frames = np.lib.stride_tricks.sliding_window_view(waveform, front_end.n_fft)
        frames = frames[:: front_end.hop_length]
        blocks = [
            self.mel @ self._power(frames[start : start + _FRAMES_PER_BLOCK])
            for start in range(0, len(frames), _FRAMES_PER_BLOCK)
        ]
        features = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
        np.maximum(features, front_end.amin, out=features)
        np.log10(features, out=features)
        features *= 10
        if front_end.top_db is not None:
            np.maximum(features, features.max() - front_end.top_db, out=features)
        return features if self.dct is None else self.dct @ features

    def _power(self, frames):
        """Return the power spectrum with time last, as the mel matrix takes it."""
        spectrum = scipy.fft.rfft(frames * self.window, axis=1, overwrite_x=True)[:, self.bins]
        power = np.empty(spectrum.shape[::-1], dtype=self.window.dtype)
        return np.add(np.square(spectrum.real).T, np.square(spectrum.imag).T, out=power)


def standardize(waveform):
    """Return the waveform with zero mean and unit variance; a constant one becomes zeros."""
    mean = waveform.mean(dtype=np.float64)
    centred = waveform - mean
    std = np.sqrt(np.mean(np.square(centred)))
    if not std > _CONSTANT * abs(mean):
        return np.zeros_like(waveform)
    return (centred / std).astype(waveform.dtype)


@lru_cache(maxsize=32)
def mel_filters(sampling_rate, n_fft, n_mels, fmin, fmax):
    """Return librosa's mel filters, of shape (n_mels, 1 + n_fft // 2), read-only."""
    import librosa

    filters = librosa.filters.mel(
        sr=sampling_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax
    )
    filters.flags.writeable = False
    return filters


def hann_window(n_fft):
    """Return the periodic Hann window."""
    return scipy.signal.get_window("hann", n_fft, fftbins=True)


def dct_matrix(n_mfcc, n_mels):
    """Return the first rows of the orthonormal DCT-II."""
    return scipy.fft.dct(np.eye(n_mels), axis=0, norm="ortho")[:n_mfcc]
