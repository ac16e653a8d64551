"""RhythmFeatures."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_feature_names_in

from sklearn_heartkd.features._beats import ZeroPhaseFilter, describe, envelope
from sklearn_heartkd.utils._recordings import check_recordings, is_ragged
from sklearn_heartkd.utils._stateless import Stateless

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_AT_ONCE = 2  # recordings of one length: the FFT takes a pair at once, more leave the cache
_DESCRIBED_AT_ONCE = 500  # recordings, so that their envelopes take little memory


class RhythmFeatures(Stateless):
    """Statistics of the timing and the loudness of the heart sounds in a recording.

    Spectral features of a few seconds hardly show a premature beat. These features describe the whole
    recording: the peaks of its envelope, the intervals between them, their loudness, and how much each
    sound resembles the others. Changes from one interval to the next keep the order. They do not depend
    on the loudness of the recording, and little on its length (see Notes). Nothing is learned from the
    data.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    low, high : float, default=60.0 and 400.0
        Edges in Hz of the band whose envelope is used. Lower bands contain movements of the body,
        higher ones hardly contain the second sound.
    smoothing : float, default=12.0
        Cut-off in Hz of the low-pass filter of the envelope. Sounds closer than about
        ``1 / smoothing`` seconds are taken for one.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of a data frame seen in `fit`.

    See Also
    --------
    MFCC : Spectral statistics, with ``output="summary"``, which these complement.

    Notes
    -----
    The recording is standardized and band-passed; the magnitude of its analytic signal is
    low-passed and sampled at 100 Hz. Sounds are its peaks (:func:`scipy.signal.find_peaks`) that
    rise above the 30 % quantile by a quarter of the way to the 95 % quantile, 0.12 s or more
    apart. First and second sounds are not distinguished. The columns:

    - ``interval_*``: natural logarithm of the time in seconds from one sound to the next;
      ``beat_*``: to the next but one, which is the heart's period where two sounds make a beat;
      ``level_*``: logarithm of the height of the peak over the 95 % quantile of the envelope;
      ``prominence_*``: the peak's prominence over the same. Five quantiles and the standard
      deviation of each.
    - ``interval_change1_*``, ``interval_change2_*`` and so on: quantiles of the absolute change to
      the next value and to the next but one. Where systole and diastole alternate regularly the
      first is large and the second small.
    - ``interval_autocorrelation1`` to ``3``, the same of the levels, and
      ``interval_level_correlation``, of a level with the interval before it.
    - ``early_share`` and ``late_share``: share of the beats that are shorter or longer than the
      median by more than 0.2 in logarithm; ``prematurity_mean``: a short beat and the long one
      after it: the smaller of their distances from the median. It is 0 where no long beat follows
      a short one: a pause follows premature beats, but not a beat shortened by the breath [1]_.
    - ``envelope_*``: quantiles of the logarithm of the envelope over its 95 % quantile, which show
      the level between the sounds.
    - ``similarity_*``: correlation of the logarithmic envelope from 0.2 s before to 0.3 s after a
      sound with that around the other sounds: quantiles over all pairs, mean over neighbors 1 to
      3 apart, and ``typical_q10``, the 10 % quantile over the sounds of how much each resembles
      the most similar quarter of the others [2]_.

    A statistic for which there are too few sounds is 0, and all are 0 for silence and for
    recordings shorter than 0.5 s.

    No column is a sum, a maximum or a minimum over the recording: correlations are Pearson's,
    quantiles median-unbiased. A model can still infer something about the length: statistics of few
    sounds scatter more, rare events are missing from short recordings, and zeros for too few sounds
    reveal recordings below 3 s. On synthetic hearts, a single column separates 12 s from parts of 3 s
    with an AUC of up to 0.77, and a support vector machine on all columns with 0.96; for parts of 6 s
    these are 0.62 and 0.69.

    References
    ----------
    .. [1] A. Bauer et al., "Heart rate turbulence: standards of measurement, physiological
       interpretation, and clinical use", Journal of the American College of Cardiology 52(17),
       2008: a premature beat is 20 % too early, with a pause 20 % too long after it.
    .. [2] G. Amit, N. Gavriely, N. Intrator, "Cluster analysis and classification of heart
       sounds", Biomedical Signal Processing and Control 4(1), 2009: beats compared by their
       envelopes.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.features import RhythmFeatures
    >>> sounds = make_heart_sounds(10, classes=["normal", "extrastole"], random_state=0)
    >>> rhythm = RhythmFeatures().set_output(transform="pandas")
    >>> table = rhythm.fit_transform(sounds.data)
    >>> medians = table.groupby(sounds.target)["prematurity_mean"].median()
    >>> {label: round(float(median), 2) for label, median in medians.items()}
    {'extrastole': 0.08, 'normal': 0.0}
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "low": [Interval(Real, 0, None, closed="neither")],
        "high": [Interval(Real, 0, None, closed="neither")],
        "smoothing": [Interval(Real, 0, 50, closed="neither")],
    }

    def __init__(
        self,
        *,
        sampling_rate: float = 2000,
        low: float = 60.0,
        high: float = 400.0,
        smoothing: float = 12.0,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.low = low
        self.high = high
        self.smoothing = smoothing

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Compute the features of each recording.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays
            Waveforms, also of different length.

        Returns
        -------
        features : ndarray of shape (n_recordings, n_features)
            The columns of `get_feature_names_out`; float32 for float32 recordings, else float64.
        """
        self._validate_params()
        filters = self._filters()
        recordings = check_recordings(self, X, reset=False)
        step = 1 if is_ragged(recordings) else _AT_ONCE
        tables = []
        for start in range(0, len(recordings), _DESCRIBED_AT_ONCE):
            stop = min(start + _DESCRIBED_AT_ONCE, len(recordings))
            envelopes = [
                row
                for i in range(start, stop, step)
                for row in envelope(
                    np.stack(recordings[i : min(i + step, stop)]), self.sampling_rate, *filters
                )
            ]
            tables.append(np.stack(list(describe(envelopes).values()), axis=1))
        dtype = np.result_type(*{row.dtype for row in recordings})
        return np.concatenate(tables).astype(dtype, copy=False)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Must be the names seen in `fit`, if given.

        Returns
        -------
        names : ndarray of str objects
            Such as ``interval_median`` and ``prematurity_mean``.
        """
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.asarray(list(describe([np.zeros(1)])), dtype=object)

    def _check_parameters(self):
        self._filters()

    def _filters(self):
        nyquist = self.sampling_rate / 2
        if self.high >= nyquist:
            raise ValueError(
                f"RhythmFeatures got high={self.high} Hz, but a sampling_rate of "
                f"{self.sampling_rate} Hz reaches only {nyquist:g} Hz: lower high."
            )
        if self.low >= self.high:
            raise ValueError(
                f"RhythmFeatures got low={self.low} Hz, which is not below high={self.high} Hz: "
                "lower low."
            )
        band = signal.butter(
            2, (self.low, self.high), "bandpass", fs=self.sampling_rate, output="sos"
        )
        smoothing = signal.butter(
            2, min(self.smoothing, 0.9 * nyquist), fs=self.sampling_rate, output="sos"
        )
        return ZeroPhaseFilter(band), ZeroPhaseFilter(smoothing)
