"""BandPassFilter."""

from numbers import Integral, Real

import numpy as np
from scipy import signal
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.preprocessing._base import _Filter


class BandPassFilter(_Filter):
    """Keep the band of the heart sounds, without delay.

    Each recording is filtered separately; one that is too short for the filter is returned unchanged.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    low, high : float, default=25.0 and 400.0
        Edges of the band in Hz. The defaults are those of [1]_.
    method : {"iir", "fir"}, default="iir"
        - `"iir"`: a Butterworth filter, run forwards and backwards, with zero phase. At the
          edges of the band a quarter of the power remains.
        - `"fir"`: a symmetric (linear-phase) windowed-sinc filter whose delay is taken out. It is
          a single convolution, which can be exported.
    order : int, default=2
        Order of each slope of the Butterworth filter in one direction.
    fir_length : float, default=0.2
        Length of the symmetric filter in seconds; longer is steeper. The slopes are about
        ``3.3 / fir_length`` Hz wide.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of a data frame seen in `fit`.

    See Also
    --------
    SpikeRemover : Removal of friction spikes.

    Notes
    -----
    At both ends the recording is extended by its odd reflection: by at least a period of `low` with
    ``method="iir"``, and by half of `fir_length` with ``method="fir"``. A recording that is not longer
    than this is returned unchanged.

    References
    ----------
    .. [1] D. B. Springer, L. Tarassenko, G. D. Clifford, "Logistic regression-HSMM-based heart
       sound segmentation", IEEE Transactions on Biomedical Engineering 63(4), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import BandPassFilter
    >>> t = np.arange(4000) / 2000
    >>> heart, hum = np.sin(2 * np.pi * 80 * t), np.sin(2 * np.pi * 5 * t)
    >>> filtered = BandPassFilter().fit_transform([heart + hum])
    >>> float(np.abs(filtered[0] - heart)[500:-500].max()) < 0.02
    True
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "low": [Interval(Real, 0, None, closed="neither")],
        "high": [Interval(Real, 0, None, closed="neither")],
        "method": [StrOptions({"iir", "fir"})],
        "order": [Interval(Integral, 1, None, closed="left")],
        "fir_length": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        sampling_rate: float = 2000,
        low: float = 25.0,
        high: float = 400.0,
        method: str = "iir",
        order: int = 2,
        fir_length: float = 0.2,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.low = low
        self.high = high
        self.method = method
        self.order = order
        self.fir_length = fir_length

    def _check_parameters(self):
        if self.high >= self.sampling_rate / 2:
            raise ValueError(
                f"BandPassFilter got high={self.high} Hz, but a sampling_rate of "
                f"{self.sampling_rate} Hz reaches only {self.sampling_rate / 2:g} Hz: lower high."
            )
        if self.low >= self.high:
            raise ValueError(
                f"BandPassFilter got low={self.low} Hz, which is not below high={self.high} Hz: "
                "lower low."
            )

    def _filter(self):
        return self._iir() if self.method == "iir" else self._fir()

    def _iir(self):
        band = (self.low, self.high)
        sos = signal.butter(self.order, band, "bandpass", fs=self.sampling_rate, output="sos")
        n_edge = max(round(self.sampling_rate / self.low), 3 * (2 * len(sos) + 1))

        def apply(waveform):
            if len(waveform) <= n_edge:
                return waveform
            return signal.sosfiltfilt(sos, waveform.astype(np.float64), padlen=n_edge)

        return apply

    def _taps(self):
        """Return the symmetric impulse response, of odd length, for the exporters too."""
        n_edge = max(1, round(self.fir_length * self.sampling_rate / 2))
        band = (self.low, self.high)
        return signal.firwin(2 * n_edge + 1, band, pass_zero=False, fs=self.sampling_rate)

    def _fir(self):
        taps = self._taps()
        n_edge = len(taps) // 2

        def apply(waveform):
            if len(waveform) <= n_edge:
                return waveform
            extended = np.pad(
                waveform.astype(np.float64), n_edge, mode="reflect", reflect_type="odd"
            )
            return signal.oaconvolve(extended, taps, mode="valid")

        return apply
