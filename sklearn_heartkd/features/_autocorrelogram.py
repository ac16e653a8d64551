"""Autocorrelogram."""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_heartkd.features._base import FMAX, FMIN, HOP_LENGTH, N_FFT, N_MELS, _SpectralFeatures

_SHARED = _SpectralFeatures._parameter_constraints
_OTHERS = {"normalize", "top_db", "cmvn"}  # these look at the whole recording first


class Autocorrelogram(_SpectralFeatures):
    r"""Autocorrelation over time of the level of each mel band.

    It shows how the sounds of a band last and return within some hundred milliseconds, whatever the
    device: gain and stationary frequency response move a band's curve in decibels up or down, and the
    mean of the curve is subtracted. Recordings of any length give an array of one shape. Nothing is
    learned from the data.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    n_lags : int, default=24
        Number of lags, each of `hop_length` samples: the default reaches 0.77 s at 2 kHz.
    n_fft : int, default=128
        Length of a frame, and of its DFT, in samples. A recording that is shorter is looped to
        one frame.
    hop_length : int, default=64
        Samples from one frame to the next, and from one lag to the next; 32 ms at 2 kHz.
    n_mels : int, default=32
        Number of mel bands.
    fmin : float, default=20.0
        Lower edge of the lowest band in Hz.
    fmax : float or None, default=800.0
        Upper edge of the highest band in Hz; None means half the sampling rate.
    amin : float, default=1e-10
        Smaller powers are raised to this value. The default is about the noise of 16-bit recordings
        at full scale 1.
    output : {"sequence", "flat"}, default="sequence"
        What `transform` returns.

        - `"sequence"`: a 3-D array of bands and lags, for the networks. It has neither feature names
          nor `set_output`.
        - `"flat"`: the same as a table, with names such as ``mel3_lag12``, which are known without
          `fit`.
    n_jobs : int or None, default=None
        Number of threads; None means 1 unless in a :obj:`joblib.parallel_backend` context.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a recording, if all have the same length.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names of a data frame seen in `fit`.

    See Also
    --------
    LogMelSpectrogram : The curves; ``cmvn=True`` removes gain and frequency response too.
    RhythmFeatures : Statistics of the single heart sounds.

    Notes
    -----
    With :math:`x` a band's `LogMelSpectrogram` of :math:`n` frames, without ``normalize`` and
    ``top_db``, less its mean over the recording, a feature is

    .. math:: \frac{r_k}{r_0 + (1\,\mathrm{dB})^2}, \qquad
       r_k = \frac{1}{n - k} \sum_{t=1}^{n-k} x_t \, x_{t+k},

    the unbiased estimate of the autocorrelation [1]_. With :math:`1 / n` instead, long lags of short
    recordings would be smaller, and the length could be read from them. Lags above :math:`n / 2`, for
    which there are few products, are 0, and so is silence. The values of short recordings scatter more.

    The autocorrelation of the outputs of a bank of filters is the correlogram of [2]_, here at the
    rate of the heart and not of a voice.

    References
    ----------
    .. [1] G. Box, G. Jenkins, G. Reinsel, G. Ljung, "Time series analysis: forecasting and control",
       5th edition, Wiley, 2015.
    .. [2] M. Slaney, R. F. Lyon, "A perceptual pitch detector", Proceedings of the IEEE International
       Conference on Acoustics, Speech and Signal Processing, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import Autocorrelogram
    >>> rng = np.random.default_rng(0)
    >>> ragged = [rng.standard_normal(n) for n in (10000, 7000)]
    >>> Autocorrelogram().fit_transform(ragged).shape
    (2, 32, 24)
    >>> table = Autocorrelogram(n_mels=8, n_lags=23, output="flat")
    >>> len(table.get_feature_names_out())
    184
    """

    _channel = "mel"
    _parameter_constraints: dict = {
        **{name: kinds for name, kinds in _SHARED.items() if name not in _OTHERS},
        "n_lags": [Interval(Integral, 1, None, closed="left")],
        "output": [StrOptions({"sequence", "flat"})],
    }

    def __init__(
        self,
        *,
        sampling_rate: float = 2000,
        n_lags: int = 24,
        n_fft: int = N_FFT,
        hop_length: int = HOP_LENGTH,
        n_mels: int = N_MELS,
        fmin: float = FMIN,
        fmax: float | None = FMAX,
        amin: float = 1e-10,
        output: str = "sequence",
        n_jobs: int | None = None,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.n_lags = n_lags
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.amin = amin
        self.output = output
        self.n_jobs = n_jobs

    def _steps(self):
        return {"n_lags": self.n_lags}

    def _check_lengths(self, recordings):
        """Take recordings of any length."""
