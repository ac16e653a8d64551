"""LogMelSpectrogram and MFCC."""

from numbers import Integral

from sklearn.utils._param_validation import Interval

from sklearn_heartkd.features._base import FMAX, FMIN, HOP_LENGTH, N_FFT, N_MELS, _SpectralFeatures
from sklearn_heartkd.features._front_end import dct_matrix


class LogMelSpectrogram(_SpectralFeatures):
    """Mel-band powers of heart sounds in decibels.

    Equal to ``librosa.feature.melspectrogram(center=False)`` followed by ``librosa.power_to_db`` of
    each recording [1]_. Nothing is learned from the data.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    n_fft : int, default=128
        Length of a frame, and of its DFT, in samples. A recording that is shorter is looped to
        one frame.
    hop_length : int, default=64
        Samples from one frame to the next. The frames start at the first sample and are not
        padded: their number is ``1 + (n_samples - n_fft) // hop_length``.
    n_mels : int, default=32
        Number of mel bands.
    fmin : float, default=20.0
        Lower edge of the lowest band in Hz.
    fmax : float or None, default=800.0
        Upper edge of the highest band in Hz; None means half the sampling rate.
    normalize : bool, default=True
        Whether to give each recording zero mean and unit variance first, so that its loudness
        does not matter. A constant recording becomes silence.
    amin : float, default=1e-10
        Smaller powers are raised to this value.
    top_db : float or None, default=80.0
        Dynamic range in decibels below the loudest value of the same recording; None means no limit.
    cmvn : bool, default=False
        Whether to apply cepstral mean and variance normalization [2]_: subtract the mean of each
        band over the recording (in a `WindowedClassifier`, over the window), and divide by its
        standard deviation plus 1 dB. That removes the gain and the stationary frequency response
        of a device. With ``output="summary"`` the statistics are those of the normalized
        bands: their means are 0, and their standard deviations below 1.
    output : {"sequence", "flat", "summary"}, default="sequence"
        What `transform` returns.

        - `"sequence"`: a 3-D array with time last, for the networks. It has neither feature names
          nor `set_output`.
        - `"flat"`: the same as a table, with names such as ``mel3_t12``.
        - `"summary"`: a table of statistics over time (mean, standard deviation, skewness,
          extremes, quantiles) of each band and of its change from frame to frame, with names such
          as ``mel3_mean`` and ``mel3_delta_std``. Needed for recordings of different length.
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
    MFCC : The discrete cosine transform of these bands.

    References
    ----------
    .. [1] B. McFee et al., "librosa: Audio and music signal analysis in Python", Proceedings of
       the 14th Python in Science Conference, 2015.
    .. [2] O. Viikki, K. Laurila, "Cepstral domain segmental feature vector normalization for noise
       robust speech recognition", Speech Communication 25, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import LogMelSpectrogram
    >>> X = np.random.default_rng(0).standard_normal((4, 10000))
    >>> LogMelSpectrogram().fit_transform(X).shape
    (4, 32, 155)
    """

    _channel = "mel"

    def __init__(
        self,
        *,
        sampling_rate: float = 2000,
        n_fft: int = N_FFT,
        hop_length: int = HOP_LENGTH,
        n_mels: int = N_MELS,
        fmin: float = FMIN,
        fmax: float | None = FMAX,
        normalize: bool = True,
        amin: float = 1e-10,
        top_db: float | None = 80.0,
        cmvn: bool = False,
        output: str = "sequence",
        n_jobs: int | None = None,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.normalize = normalize
        self.amin = amin
        self.top_db = top_db
        self.cmvn = cmvn
        self.output = output
        self.n_jobs = n_jobs


class MFCC(_SpectralFeatures):
    """Mel-frequency cepstral coefficients of heart sounds.

    Equal to ``librosa.feature.mfcc(center=False)`` of each recording [1]_, but faster. Nothing is
    learned from the data.

    Parameters
    ----------
    sampling_rate : float, default=2000
        Sampling rate of the recordings in Hz.
    n_mfcc : int, default=20
        Number of coefficients, at most `n_mels`.
    n_fft : int, default=128
        Length of a frame, and of its DFT, in samples. A recording that is shorter is looped to
        one frame.
    hop_length : int, default=64
        Samples from one frame to the next. The frames start at the first sample and are not
        padded: their number is ``1 + (n_samples - n_fft) // hop_length``.
    n_mels : int, default=32
        Number of mel bands.
    fmin : float, default=20.0
        Lower edge of the lowest band in Hz.
    fmax : float or None, default=800.0
        Upper edge of the highest band in Hz; None means half the sampling rate.
    normalize : bool, default=True
        Whether to give each recording zero mean and unit variance first, so that its loudness
        does not matter. A constant recording becomes silence.
    amin : float, default=1e-10
        Smaller powers are raised to this value.
    top_db : float or None, default=80.0
        Dynamic range in decibels below the loudest value of the same recording; None means no limit.
    cmvn : bool, default=False
        Whether to apply cepstral mean and variance normalization [2]_: subtract the mean of each
        coefficient over the recording (in a `WindowedClassifier`, over the window), and divide by its
        standard deviation plus 1 dB. That removes the gain and the stationary frequency response
        of a device. With ``output="summary"`` the statistics are those of the normalized
        coefficients: their means are 0, and their standard deviations below 1.
    output : {"sequence", "flat", "summary"}, default="sequence"
        What `transform` returns.

        - `"sequence"`: a 3-D array with time last, for the networks. It has neither feature names
          nor `set_output`.
        - `"flat"`: the same as a table, with names such as ``mfcc3_t12``.
        - `"summary"`: a table of statistics over time (mean, standard deviation, skewness,
          extremes, quantiles) of each coefficient and of its change from frame to frame, with
          names such as ``mfcc3_mean`` and ``mfcc3_delta_std``. Needed for recordings of different
          length.
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
    LogMelSpectrogram : The bands that these coefficients describe.

    References
    ----------
    .. [1] B. McFee et al., "librosa: Audio and music signal analysis in Python", Proceedings of
       the 14th Python in Science Conference, 2015.
    .. [2] O. Viikki, K. Laurila, "Cepstral domain segmental feature vector normalization for noise
       robust speech recognition", Speech Communication 25, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd import MFCC
    >>> X = np.random.default_rng(0).standard_normal((4, 10000))
    >>> MFCC().fit_transform(X).shape
    (4, 20, 155)
    >>> mfcc = MFCC(output="summary").set_output(transform="pandas")
    >>> mfcc.fit_transform(X).columns[:3].tolist()
    ['mfcc0_mean', 'mfcc0_std', 'mfcc0_skew']
    """

    _channel = "mfcc"
    _parameter_constraints: dict = {
        **_SpectralFeatures._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        sampling_rate: float = 2000,
        n_mfcc: int = 20,
        n_fft: int = N_FFT,
        hop_length: int = HOP_LENGTH,
        n_mels: int = N_MELS,
        fmin: float = FMIN,
        fmax: float | None = FMAX,
        normalize: bool = True,
        amin: float = 1e-10,
        top_db: float | None = 80.0,
        cmvn: bool = False,
        output: str = "sequence",
        n_jobs: int | None = None,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.n_mfcc = n_mfcc
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.normalize = normalize
        self.amin = amin
        self.top_db = top_db
        self.cmvn = cmvn
        self.output = output
        self.n_jobs = n_jobs

    def _steps(self):
        if self.n_mfcc > self.n_mels:
            raise ValueError(
                f"MFCC got n_mfcc={self.n_mfcc}, more than n_mels={self.n_mels}: lower n_mfcc or raise "
                "n_mels."
            )
        return super()._steps() | {"dct": dct_matrix(self.n_mfcc, self.n_mels)}
