"""The computation of the features: from waveforms to log-mel bands and what is made of them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

from sklearn_heartkd.utils._recordings import fit_length

_FRAMES_AT_ONCE = 1024  # so that the spectra of a chunk stay in the processor's cache


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """The parameters of the features, from which exporters rebuild them outside of Python.

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
    8. if `dct` is not None: multiply by `dct`;
    9. if `cmvn`: subtract the mean of each channel over time and divide by its (population) standard
       deviation plus 1;
    10. if `n_lags` is not None: `autocorrelate` each channel.
    """

    sampling_rate: float  # in Hz
    n_fft: int
    hop_length: int
    window: np.ndarray  # the periodic Hann window
    mel: np.ndarray  # librosa's filters, (n_mels, 1 + n_fft // 2), float32
    amin: float
    normalize: bool = False
    top_db: float | None = None
    # the first rows of the orthonormal DCT-II, (n_mfcc, n_mels); None for log-mel bands
    dct: np.ndarray | None = None
    cmvn: bool = False
    n_lags: int | None = None

    @property
    def n_channels(self):
        """The number of mel bands or of coefficients."""
        return len(self.mel if self.dct is None else self.dct)

    def n_frames(self, n_samples):
        """Count the frames of a waveform of `n_samples`."""
        return 1 + max(n_samples - self.n_fft, 0) // self.hop_length


class Kernel:
    """A front end for one floating-point type; called with recordings of one length."""

    def __init__(self, front_end, dtype):
        # only the bins between the lowest and the highest band are squared
        used = np.flatnonzero(front_end.mel.any(axis=0))
        first, stop = (used[0], used[-1] + 1) if used.size else (0, 1)
        self.bins = slice(first, stop)
        self.front_end = front_end
        self.window = front_end.window.astype(dtype)
        self.mel = scipy.sparse.csr_array(front_end.mel[:, first:stop].astype(dtype))

    def chunks(self, n_recordings, n_samples):
        """Yield slices of recordings whose spectra fit into the processor's cache."""
        step = max(1, _FRAMES_AT_ONCE // self.front_end.n_frames(n_samples))
        for start in range(0, n_recordings, step):
            yield slice(start, start + step)

    def __call__(self, waveforms):
        """Return the features, of shape (n_recordings, n_channels, n_frames or n_lags)."""
        front_end = self.front_end
        if front_end.normalize:
            waveforms = np.stack([standardize(waveform) for waveform in waveforms])
        if waveforms.shape[1] < front_end.n_fft:
            waveforms = np.stack([fit_length(waveform, front_end.n_fft) for waveform in waveforms])
        n_recordings, n_samples = waveforms.shape
        n_frames = front_end.n_frames(n_samples)
        row, sample = waveforms.strides
        # a view of overlapping frames, which takes no memory
        frames = np.lib.stride_tricks.as_strided(
            waveforms,
            (n_recordings, n_frames, front_end.n_fft),
            (row, front_end.hop_length * sample, sample),
            writeable=False,
        )
        features = np.empty((len(front_end.mel), n_recordings, n_frames), self.window.dtype)
        for start in range(0, n_frames, _FRAMES_AT_ONCE):
            block = slice(start, start + _FRAMES_AT_ONCE)
            power = self._power(frames[:, block])
            # the mel bands are narrow: as a sparse matrix they take a fraction of the time
            bands = self.mel @ power.reshape(len(power), -1)
            features[:, :, block] = bands.reshape(-1, *power.shape[1:])
        np.maximum(features, front_end.amin, out=features)
        np.log10(features, out=features)
        features *= 10
        features = features.transpose(1, 0, 2)
        if front_end.top_db is not None:
            floor = features.max(axis=(1, 2), keepdims=True) - front_end.top_db
            np.maximum(features, floor, out=features)
        return finish(front_end, features)

    def _power(self, frames):
        """Return the powers of the bins that the mel bands use, of shape (bins, rows, frames)."""
        # over the first axis: the bins come out in rows, as the mel bands need them
        windowed = (frames * self.window).transpose(2, 0, 1)
        spectra = scipy.fft.rfft(windowed, axis=0)[self.bins]
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        return power


def finish(front_end, features):
    """Return what a front end makes of log-mel bands of shape (n_recordings, n_mels, n_frames)."""
    if front_end.dct is not None:
        if front_end.cmvn:
            # less the first frame: a product of matrices may round equal columns differently, so that
            # silence would become the deviations of rounding errors
            features = features - features[..., :1]
        features = front_end.dct.astype(features.dtype) @ features
    if front_end.cmvn:
        features = _center(features)
        features /= np.sqrt(np.square(features).mean(axis=-1, keepdims=True)) + 1
    return features if front_end.n_lags is None else autocorrelate(features, front_end.n_lags)


def autocorrelate(curves, n_lags):
    """Return the autocorrelation over time at lags 1 to `n_lags`, divided by the variance plus 1.

    A sum over n - k products is divided by n - k, and lags k above n / 2 are 0.
    """
    n_frames, dtype = curves.shape[-1], curves.dtype
    centered = _center(curves)
    found = np.zeros((*curves.shape[:-1], n_lags), dtype)
    lags = np.arange(1, min(n_lags, n_frames // 2) + 1)
    if lags.size:
        # as many zeros as lags keep the ends of the circle apart
        n_circle = scipy.fft.next_fast_len(n_frames + len(lags), real=True)
        spectra = scipy.fft.rfft(centered, n_circle)
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        sums = scipy.fft.irfft(power, n_circle)[..., : len(lags) + 1]
        variance = sums[..., :1] / n_frames
        found[..., : len(lags)] = sums[..., 1:] / (n_frames - lags).astype(dtype) / (variance + 1)
    return found


def _center(curves):
    # less the first value, so that a constant gives zeros and not the rounding errors of its mean
    centered = curves - curves[..., :1]
    centered -= centered.mean(axis=-1, keepdims=True)
    return centered


def standardize(waveform):
    """Return the waveform with zero mean and unit variance; a constant one becomes zeros."""
    mean = waveform.mean()
    centered = waveform - mean
    std = np.sqrt(np.square(centered).mean())
    # the mean of a constant waveform is inexact, so that its deviations are rounding errors, not 0
    rounding = 32 * np.finfo(waveform.dtype).eps * abs(mean)
    return np.divide(centered, std, out=centered) if std > rounding else np.zeros_like(waveform)


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
