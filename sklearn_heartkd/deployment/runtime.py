"""Run an exported heart-sound model: numpy and onnxruntime, nothing else.

This module also works as a single file beside the model. Only for recordings at another sampling
rate than the model's it needs soxr.
"""

import hashlib
import json
import re
from collections import deque
from typing import NamedTuple

import numpy as np

UNSURE = "unsure"
_SILENCE = 1e-4  # standard deviation of a waveform whose full scale is 1
_CLIPPED = 0.002  # share of the samples on a flat top
_RHYTHM = 0.2  # of 461 + 84 real recordings 4 % stay below, of white noise 90 %
_BEAT_PERIODS = 0.27, 1.5  # seconds
_LOUDEST = 1e10
_WINDOWS_AT_ONCE = 16
UNSEALED = b"sha256:" + 64 * b"0"


class Quality(NamedTuple):
    """The quality of a signal.

    Attributes
    ----------
    silent : bool
        Whether there is no signal.
    clipped : bool
        Whether loud parts are cut off.
    rhythm : float
        How alike the envelope is to itself one beat later: near 0 for noise, 1 for a regular heart.
    """

    silent: bool
    clipped: bool
    rhythm: float

    @property
    def problems(self):
        """What is wrong with the signal: some of "silence", "clipping" and "no heart rhythm"."""
        if self.silent:
            return ["silence"]
        found = ["clipping"] if self.clipped else []
        return found if self.rhythm >= _RHYTHM else [*found, "no heart rhythm"]

    def __str__(self):
        return ", ".join(self.problems) or "good"


class Prediction(NamedTuple):
    """What a model says about a recording.

    Attributes
    ----------
    label : str
        The most probable class, or "unsure" where the quality is bad or the probability low.
    best : str
        The most probable class.
    probability : float
        Its probability.
    probabilities : ndarray of shape (n_classes,)
    quality : Quality
    """

    label: str
    best: str
    probability: float
    probabilities: np.ndarray
    quality: Quality


class StreamResult(NamedTuple):
    """What a stream says after each hop.

    Attributes
    ----------
    time : float
        The end of the window, in seconds since the start of the stream.
    probabilities : ndarray of shape (n_classes,)
        Of this window alone.
    smoothed : Prediction
        From the mean of the last windows' probabilities, and the quality of this window.
    """

    time: float
    probabilities: np.ndarray
    smoothed: Prediction


class HeartSoundModel:
    """A model that was exported to ONNX.

    Parameters
    ----------
    run : callable
        Maps waveforms, a float32 array of shape (1, n_samples), to probabilities of shape
        (1, n_classes).
    metadata : dict of str to str
        As the exporter writes it.

    Attributes
    ----------
    classes : list of str
    sampling_rate : float
        In Hz.
    window, hop : float
        In seconds.
    unsure_below : float
        The smallest probability that is an answer.
    metadata : dict of str to str

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.deployment import export_onnx
    >>> from sklearn_heartkd.deployment.runtime import HeartSoundModel
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> fitted = make_pipeline(MFCC(), StudentClassifier(max_epochs=2, random_state=0))
    >>> fitted = fitted.fit(sounds.data, sounds.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export_onnx(fitted, Path(folder) / "student.onnx")
    ...     model = HeartSoundModel.load(report.path)
    >>> model.predict_proba(sounds.data[0]).shape
    (2,)
    """

    def __init__(self, run, metadata):
        self._run = run
        self.metadata = dict(metadata)
        if self.metadata.get("format") != "sklearn_heartkd 1":
            raise ValueError("The file is no model written by sklearn_heartkd's export_onnx.")
        self.classes = json.loads(self.metadata["classes"])
        self.sampling_rate = float(self.metadata["sampling_rate"])
        self.window = float(self.metadata["window"])
        self.hop = float(self.metadata["hop"])
        self.unsure_below = float(self.metadata["unsure_below"])

    @classmethod
    def load(cls, path):
        """Load a model.

        Parameters
        ----------
        path : path-like
            A file written by `export_onnx`.

        Returns
        -------
        model : HeartSoundModel

        Raises
        ------
        ValueError
            If the file is no such model, or is damaged.
        OSError
            If it cannot be opened.
        """
        import onnxruntime

        with open(path, "rb") as file:
            content = file.read()
        if not is_sealed(content):
            raise ValueError(
                f"{path} is no model written by export_onnx, or is damaged: export it again."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            metadata = session.get_modelmeta().custom_metadata_map
            return cls(lambda x: session.run(["probabilities"], {"waveform": x})[0], metadata)
        except Exception as error:
            raise ValueError(f"{path} does not run with this onnxruntime ({error}).") from error

    def predict_proba(self, waveform, sampling_rate=None):
        """Return the probabilities of the classes.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
            One recording. Integers are scaled by their full range.
        sampling_rate : float, default=None
            Its sampling rate in Hz; None is the model's own.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,), float32
            In the order of `classes`.

        Raises
        ------
        ValueError
            If the waveform is empty, not 1-D, or holds NaN, infinite or absurdly large values, or
            the sampling rate is no positive number.
        """
        rate = self._check_rate(sampling_rate)
        waveform = _check_waveform(waveform)
        if rate != self.sampling_rate:
            waveform = _check_waveform(_resample(waveform, rate, self.sampling_rate))
        if self.metadata.get("in_parts") != "yes":
            return self._run(waveform[np.newaxis])[0]
        total, n_windows = np.zeros(len(self.classes)), 0
        for part, count in self._parts(waveform):
            total += count * self._run(part[np.newaxis])[0]
            n_windows += count
        return (total / n_windows).astype(np.float32)

    def _parts(self, waveform):
        """Split a long recording, for less memory, into parts that share no window."""
        window, hop = (round(t * self.sampling_rate) for t in (self.window, self.hop))
        rest = max(len(waveform) - window, 0)
        n_windows = -(-rest // hop) + 1
        for first in range(0, n_windows, _WINDOWS_AT_ONCE):
            count = min(_WINDOWS_AT_ONCE, n_windows - first)
            stop = (first + count - 1) * hop + window
            yield waveform[min(first * hop, rest) : stop], count

    def predict(self, waveform, sampling_rate=None):
        """Return the class, or "unsure", with probability and signal quality.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
        sampling_rate : float, default=None
            In Hz; None is the model's own.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        rate = self._check_rate(sampling_rate)
        return self._decide(self.predict_proba(waveform, rate), signal_quality(waveform, rate))

    def _check_rate(self, rate):
        """Return a sampling rate of the user's; the model's own for None."""
        if rate is None:
            return self.sampling_rate
        if not _is_number(rate) or not 0 < rate < np.inf:
            raise ValueError(
                f"sampling_rate={rate!r} must be a positive number in Hz, or None for the model's "
                f"own, {self.sampling_rate:g} Hz."
            )
        return rate

    def _decide(self, probabilities, quality):
        best = int(np.argmax(probabilities))
        probability = float(probabilities[best])
        is_sure = probability >= self.unsure_below and not quality.problems
        label = self.classes[best] if is_sure else UNSURE
        return Prediction(label, self.classes[best], probability, probabilities, quality)

    def stream(self, sampling_rate=None, *, hop=None, n_smoothed=3):
        """Return a stream that takes samples as they come.

        Parameters
        ----------
        sampling_rate : float, default=None
            Of the samples, in Hz; None is the model's own.
        hop : float, default=None
            Seconds from one result to the next; None is the model's own.
        n_smoothed : int, default=3
            Number of the last windows whose probabilities are averaged.

        Returns
        -------
        HeartSoundStream

        Raises
        ------
        ValueError
            If the sampling rate is no positive number, the hop is not above 0 or longer than the
            window, or the number of windows is no whole number from 1 on.
        """
        rate = self._check_rate(sampling_rate)
        return HeartSoundStream(self, rate, self.hop if hop is None else hop, n_smoothed)


class HeartSoundStream:
    """Predictions for a stream of samples, in memory that does not grow.

    Made by `HeartSoundModel.stream`.
    """

    def __init__(self, model, sampling_rate, hop, n_smoothed):
        self._model = model
        self._rates = sampling_rate, model.sampling_rate
        self._n_window = round(model.window * model.sampling_rate)
        self._n_hop = round(hop * model.sampling_rate) if _is_number(hop) and abs(hop) < 1e9 else 0
        if not 1 <= self._n_hop <= self._n_window:
            raise ValueError(
                f"hop={hop!r} s must be above 0 and at most the window, {model.window} s."
            )
        if not _is_number(n_smoothed) or n_smoothed < 1 or n_smoothed != n_smoothed // 1:
            raise ValueError(
                f"n_smoothed={n_smoothed!r} must be a whole number of windows, 1 for no smoothing."
            )
        self._buffer = np.zeros(self._n_window, dtype=np.float32)
        self._recent: deque = deque(maxlen=int(n_smoothed))
        self.reset()

    def reset(self):
        """Forget all samples, as if the stream began now."""
        self._n_held = self._n_seen = 0
        self._recent.clear()
        self._resampler = None
        if self._rates[0] != self._rates[1]:
            import soxr

            self._resampler = soxr.ResampleStream(*self._rates, 1, dtype="float32")

    def push(self, samples):
        """Take samples and return the results of the windows that they complete.

        Parameters
        ----------
        samples : array-like of shape (n_samples,)
            Any number, also none. Integers are scaled by their full range.

        Returns
        -------
        results : list of StreamResult
            Usually empty or of one element.
        """
        if np.size(samples) == 0:
            return []
        samples = _check_waveform(samples)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        results = []
        while len(samples):
            taken = samples[: self._n_window - self._n_held]
            samples = samples[len(taken) :]
            self._buffer[self._n_held : self._n_held + len(taken)] = taken
            self._n_held += len(taken)
            self._n_seen += len(taken)
            if self._n_held == self._n_window:
                results.append(self._predict())
                self._n_held -= self._n_hop
                self._buffer[: self._n_held] = self._buffer[self._n_hop :].copy()
        return results

    def _predict(self):
        model = self._model
        probabilities = model.predict_proba(self._buffer)
        self._recent.append(probabilities)
        smoothed = np.mean(self._recent, axis=0)
        quality = signal_quality(self._buffer, model.sampling_rate)
        time = self._n_seen / model.sampling_rate
        return StreamResult(time, probabilities, model._decide(smoothed, quality))


def seal_of(content):
    """Return the checksum of an unsealed file in the form in which it stands in the file."""
    return b"sha256:" + hashlib.sha256(content).hexdigest().encode()


def is_sealed(content):
    """Return whether this is an intact file of `export_onnx`."""
    seal = re.search(rb"sha256:[0-9a-f]{64}", content)
    return seal is not None and seal_of(content.replace(seal[0], UNSEALED)) == seal[0]


def signal_quality(waveform, sampling_rate):
    """Judge a recording: silence, clipping and heart rhythm.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
    sampling_rate : float
        In Hz.

    Returns
    -------
    Quality

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.deployment.runtime import signal_quality
    >>> str(signal_quality(np.zeros(4000), 2000))
    'silence'
    """
    waveform = _check_waveform(waveform)
    waveform = waveform - waveform.mean()
    if waveform.std() < _SILENCE:
        return Quality(True, False, 0.0)
    magnitude = np.abs(waveform)
    is_top = (magnitude[1:] > 0.98 * magnitude.max()) & (np.diff(waveform) == 0)
    clipped = bool(is_top.mean() > _CLIPPED) if len(is_top) else False
    return Quality(False, clipped, _rhythm(waveform, sampling_rate))


def _rhythm(waveform, sampling_rate):
    """Return the highest peak of the envelope's autocorrelation at the periods of a heart."""
    block = max(1, round(sampling_rate / 100))
    rate, n = sampling_rate / block, len(waveform) // block
    shortest, longest = (round(period * rate) for period in _BEAT_PERIODS)
    if n <= 1.5 * shortest:
        return 0.0
    envelope = np.sqrt(np.abs(waveform[: n * block]).reshape(n, block).mean(axis=1))
    smoothing = np.hanning(7)
    envelope = np.convolve(envelope, smoothing, "same")
    envelope -= envelope.mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(envelope, 2 * n)) ** 2)[:n]
    if correlation[0] <= 0:
        return 0.0
    correlation = correlation / correlation[0] * (n / np.arange(n, 0, -1))
    part = correlation[shortest : min(longest, 2 * n // 3) + 1]
    is_peak = (part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])
    return float(np.clip(part[1:-1][is_peak].max(initial=0.0), 0.0, 1.0))


def _check_waveform(waveform):
    """Return a 1-D float32 waveform; integers are scaled to -1 … 1."""
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or waveform.size == 0:
        raise ValueError(f"A recording must be a 1-D array of samples, got shape {waveform.shape}.")
    if waveform.dtype.kind not in "fiu":
        raise ValueError(f"A recording must be an array of numbers, got dtype {waveform.dtype}.")
    if waveform.dtype.kind in "iu":
        bounds = np.iinfo(waveform.dtype)
        middle = 0 if waveform.dtype.kind == "i" else (bounds.max + 1) // 2
        waveform = (waveform.astype(np.float64) - middle) / (bounds.max - middle + 1)
    if not np.abs(waveform).max() < _LOUDEST:
        raise ValueError("The recording holds NaN, infinite or absurdly large samples.")
    return waveform.astype(np.float32, copy=False)


def _is_number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _resample(waveform, rate, wanted):
    import soxr

    return soxr.resample(waveform, rate, wanted, quality="HQ")
