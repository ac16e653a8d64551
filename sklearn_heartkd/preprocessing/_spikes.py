"""SpikeRemover."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from sklearn_heartkd.preprocessing._base import _Filter


class SpikeRemover(_Filter):
    """Remove short spikes of friction or knocks, after Schmidt et al. [1]_.

    A recording is cut into windows. While the highest peak of a window exceeds `threshold` times the
    median of all peaks, the spike between the zero crossings around it is set to zero. Each recording is
    treated separately.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    window : float, default=0.5
        Length of a window in seconds; the last one may be shorter.
    threshold : float, default=3.0
        Ratio to the median peak above which a peak is a spike.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of a data frame seen in `fit`.

    See Also
    --------
    BandPassFilter : Use it before, because an offset hides the zero crossings.

    Notes
    -----
    A recording of a single window, or that is silent in more than half of its windows, is returned
    unchanged, because the median is of no use. A spike ends with its window.

    References
    ----------
    .. [1] S. E. Schmidt, C. Holst-Hansen, C. Graff, E. Toft, J. J. Struijk, "Segmentation of heart
       sound recordings by a duration-dependent hidden Markov model", Physiological Measurement
       31(4), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import SpikeRemover
    >>> recording = np.sin(2 * np.pi * 50 * np.arange(10000) / 2000)
    >>> recording[4010:4015] = 30.0
    >>> float(np.abs(SpikeRemover().fit_transform([recording])).max())
    1.0
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "window": [Interval(Real, 0, None, closed="neither")],
        "threshold": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(
        self, *, sampling_rate: float = 2000, window: float = 0.5, threshold: float = 3.0
    ) -> None:
        self.sampling_rate = sampling_rate
        self.window = window
        self.threshold = threshold

    def _filter(self):
        n_window = max(1, round(self.window * self.sampling_rate))
        return lambda waveform: _remove_spikes(waveform, n_window, self.threshold)


def _remove_spikes(waveform, n_window, threshold):
    """Return the waveform without spikes; itself where it has none."""
    starts = np.arange(0, len(waveform), n_window)
    peaks = np.maximum.reduceat(np.abs(waveform), starts)
    limit = threshold * np.median(peaks)
    if limit == 0 or peaks.max() <= limit:
        return waveform
    waveform = waveform.copy()
    while peaks.max() > threshold * np.median(peaks) > 0:
        loudest = int(np.argmax(peaks))
        window = waveform[starts[loudest] : starts[loudest] + n_window]
        first, stop = _half_wave(window, int(np.argmax(np.abs(window))))
        window[first:stop] = 0
        peaks[loudest] = np.abs(window).max()
    return waveform


def _half_wave(window, top):
    """Return where the half wave around a sample begins and where it has ended."""
    ends = np.flatnonzero(np.sign(window) != np.sign(window[top]))
    before, after = ends[ends < top], ends[ends > top]
    return (before[-1] + 1 if before.size else 0), (after[0] if after.size else len(window))
