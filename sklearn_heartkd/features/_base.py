"""What the transformers to spectral features share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.utils import gen_even_slices
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from sklearn_heartkd.features._front_end import FrontEnd, Kernel, hann_window, mel_filters
from sklearn_heartkd.features._summary import STATISTICS, summarize, summary_names
from sklearn_heartkd.utils._recordings import check_recordings, is_ragged
from sklearn_heartkd.utils._stateless import Stateless

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

# The defaults of the estimators, for heart sounds at 2 kHz and small enough for a device.
N_FFT = 128
HOP_LENGTH = 64
N_MELS = 32
FMIN = 20.0
FMAX = 800.0


def _is_tabular(estimator):
    if estimator.output == "sequence":
        raise AttributeError(
            f"{type(estimator).__name__}(output='sequence') gives a 3-D array, which has neither "
            "feature names nor set_output: use another output for a table."
        )
    return True


class _SpectralFeatures(Stateless):
    """Base of the transformers from waveforms to spectral features.

    A subclass gives its parameters in `__init__` and `_channel` (the prefix of its feature names), and
    may extend `_steps()`.
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "n_fft": [Interval(Integral, 2, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": ["boolean"],
        "amin": [Interval(Real, 0, None, closed="neither")],
        "top_db": [Interval(Real, 0, None, closed="left"), None],
        "cmvn": ["boolean"],
        "output": [StrOptions({"sequence", "flat", "summary"})],
        "n_jobs": [None, Integral],
    }

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Compute the features of each recording.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms; of different length where the class and `output` allow it.

        Returns
        -------
        features : ndarray of shape (n_recordings, n_channels, n_steps) or (n_recordings, n_features)
            3-D with ``output="sequence"``, else 2-D. float32 for float32 recordings, else float64.
        """
        self._validate_params()
        front_end = self._front_end()
        recordings = check_recordings(self, X, reset=False)
        self._check_lengths(recordings)
        ragged = is_ragged(recordings)
        dtype = np.result_type(*{row.dtype for row in recordings}) if ragged else recordings.dtype
        if self.output == "summary":
            shape: tuple[int, ...] = (2 * front_end.n_channels * len(STATISTICS),)
        else:
            n_frames = front_end.n_frames(len(recordings[0]))
            shape = (front_end.n_channels, front_end.n_lags or n_frames)
        features = np.empty((len(recordings), *shape), dtype=dtype)
        n_jobs = min(effective_n_jobs(self.n_jobs), len(recordings))
        if n_jobs == 1:
            _fill(features, recordings, front_end)
        else:
            Parallel(n_jobs=n_jobs, prefer="threads", require="sharedmem")(
                delayed(_fill)(features[part], recordings[part], front_end)
                for part in gen_even_slices(len(recordings), n_jobs)
            )
        return features.reshape(len(recordings), -1) if self.output == "flat" else features

    @available_if(_is_tabular)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of a table.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Must be the names seen in `fit`, if given.

        Returns
        -------
        names : ndarray of str objects
            Such as ``mfcc3_t12`` (coefficient 3, frame 12) or ``mel3_lag12`` with ``output="flat"``,
            and ``mfcc3_mean`` with ``output="summary"``.
        """
        _check_feature_names_in(self, input_features, generate_names=False)
        front_end = self._front_end()
        channels = [f"{self._channel}{i}" for i in range(front_end.n_channels)]
        if self.output == "summary":
            return np.asarray(summary_names(channels), dtype=object)
        if front_end.n_lags:
            steps = [f"lag{lag}" for lag in range(1, front_end.n_lags + 1)]
        else:
            check_is_fitted(self, "n_features_in_")
            steps = [f"t{frame}" for frame in range(front_end.n_frames(self.n_features_in_))]
        return np.asarray([f"{c}_{step}" for c in channels for step in steps], dtype=object)

    @available_if(_is_tabular)
    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container of a table.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            None keeps the current choice.

        Returns
        -------
        self : object
            The transformer itself.
        """
        return super().set_output(transform=transform)

    def _check_parameters(self):
        self._front_end()

    def _front_end(self):
        """Return the steps as a `FrontEnd`, for the exporters."""
        name, nyquist = type(self).__name__, self.sampling_rate / 2
        fmax = nyquist if self.fmax is None else self.fmax
        if fmax > nyquist:
            raise ValueError(
                f"{name} got fmax={self.fmax} Hz, but a sampling_rate of {self.sampling_rate} Hz "
                f"reaches only {nyquist:g} Hz: lower fmax or set it to None."
            )
        if self.fmin >= fmax:
            raise ValueError(
                f"{name} got fmin={self.fmin} Hz, which is not below fmax={fmax:g} Hz: lower fmin."
            )
        return FrontEnd(
            sampling_rate=self.sampling_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=hann_window(self.n_fft),
            mel=mel_filters(self.sampling_rate, self.n_fft, self.n_mels, self.fmin, fmax),
            amin=self.amin,
            **self._steps(),
        )

    def _steps(self):
        """Return the steps that not all front ends have, as arguments of `FrontEnd`."""
        return {"normalize": self.normalize, "top_db": self.top_db, "cmvn": self.cmvn}

    def _check_lengths(self, recordings):
        if is_ragged(recordings) and self.output != "summary":
            lengths = sorted({len(row) for row in recordings})
            got = " to ".join(str(length) for length in lengths[:: max(1, len(lengths) - 1)])
            known = (
                f", {self.n_features_in_} samples in fit" if hasattr(self, "n_features_in_") else ""
            )
            raise ValueError(
                f"{type(self).__name__}(output={self.output!r}) takes recordings of one length"
                f"{known}, got {got} samples: put FixedLength before "
                "it, use output='summary', or wrap the pipeline in WindowedClassifier."
            )


def _fill(features, recordings, front_end):
    """Write the features of each recording into the array.

    Ragged recordings go one by one; those of one length in chunks whose spectra stay in the cache.
    """

    def compute(kernel, rows):
        sequences = kernel(rows)
        return summarize(sequences, front_end.cmvn) if features.ndim == 2 else sequences

    if is_ragged(recordings):
        kernels = {dtype: Kernel(front_end, dtype) for dtype in {row.dtype for row in recordings}}
        for i, row in enumerate(recordings):
            features[i] = compute(kernels[row.dtype], row[np.newaxis])[0]
        return
    kernel = Kernel(front_end, recordings.dtype)
    for chunk in kernel.chunks(*recordings.shape):
        features[chunk] = compute(kernel, np.asarray(recordings[chunk]))
