"""Run an exported heart-sound model with numpy and onnxruntime only.

This module also works as a single file beside the model. It needs soxr where the sampling rate of a
recording is not the model's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

UNSURE, POOR = "unsure", "poor recording"
_SILENCE = 1e-4  # standard deviation of a waveform whose full scale is 1
# share of the samples on a flat top: clipping changes 0.2 % of the answers of a student at 0.008,
# and from 0.016 on as many as noise at 30 dB does (benchmarks/clipping.py)
_CLIPPED = 0.015
_RHYTHM = 0.2  # of 461 + 84 real recordings 4 % stay below, of white noise 90 %
_BEAT_PERIODS = 0.27, 1.5  # seconds
_N_BANDS, _BAND_EDGES = 16, (30, 800)  # of the statistics of a sound, in Hz
_FRAME, _LONGEST_LAG = 0.032, 48  # seconds from one frame to the next, and frames
_LOUDEST = 1e10
_WINDOWS_AT_ONCE = 16
_BLOCK = 2**16  # samples of a long recording that are judged at once, to save memory
# bounds for models of strangers
MOST_SAMPLES = 2**25  # 4.6 hours at 2 kHz
_MOST_CLASSES = 1000
_HIGHEST_RATE = 1e6  # Hz
_MOST_DEVICES = 1000
_MOST_OVERLAPS = 1000  # windows around one sample; more would take very long
MOST_BYTES = 2**27  # of a file; onnxruntime needs several times as much
_TELEMETRY = "ORT_DISABLE_TELEMETRY"
UNSEALED = b"sha256:" + 64 * b"0"


class Quality(NamedTuple):
    """The quality of a signal.

    `rhythm` is the similarity of the envelope to itself one beat later: near 0 for noise, 1 for a regular
    heart.
    """

    silent: bool  # whether there is no signal
    clipped: bool  # whether loud parts are cut off
    rhythm: float

    @property
    def problems(self) -> list[str]:
        """The problems of the signal: some of "silence", "clipping" and "no heart rhythm"."""
        if self.silent:
            return ["silence"]
        found = ["clipping"] if self.clipped else []
        return found if self.rhythm >= _RHYTHM else [*found, "no heart rhythm"]

    def __str__(self) -> str:
        return ", ".join(self.problems) or "good"


class Prediction(NamedTuple):
    """The answer of a model for one recording.

    `label` is the most probable class, or of two classes the one that the threshold of the model chooses;
    "poor recording" where the quality is bad or the sound unlike those of the training, and "unsure" where
    the probability is low.
    """

    label: str
    best: str  # the class, whatever the quality
    probability: float  # of `best`; with a threshold, among the two classes
    probabilities: np.ndarray
    quality: Quality
    distance: float | None = (
        None  # to the training recordings; above 1 they are unlike; None if unknown
    )

    @property
    def problems(self) -> str:
        """The problems of the signal and the distance, where they rule out an answer, or "good"."""
        found = self.quality.problems
        if self.distance is not None and self.distance > 1:
            found = [*found, f"unlike the training recordings ({self.distance:.1f})"]
        return ", ".join(found) or "good"


class StreamResult(NamedTuple):
    """The answer of a stream after each hop.

    `smoothed` is made from the mean probabilities of the last windows, and the quality of this one.
    """

    time: float  # end of the window, in seconds since the start of the stream
    probabilities: np.ndarray  # of this window alone
    smoothed: Prediction


class HeartSoundModel:
    """A model that was exported to ONNX.

    It takes one recording at a time, and also judges the quality of the signal.

    Parameters
    ----------
    run : callable
        Maps waveforms, a float32 array of shape (1, n_samples), to probabilities of shape
        (1, n_classes).
    metadata : dict of str to str
        The metadata that the exporter writes.

    Attributes
    ----------
    classes : list of str
        Class names, in the order of the probabilities.
    sampling_rate : float
        Sampling rate in Hz.
    window, hop : float
        Length of a window, and the time from one to the next, in seconds.
    unsure_below : float
        Below this probability the answer is "unsure".
    decision : tuple of (str, str, float) or None
        Positive and negative class, and the threshold of p(positive) / (p(positive) + p(negative)).
    domain : dict or None
        What a `DomainDetector` knows of the training recordings.
    channel : str or int
        Channel of a stereo recording that the model takes: "mean", "left", "right" or a number.
    metadata : dict of str to str
        The metadata as given.

    Raises
    ------
    ValueError
        If the metadata are wrong.

    Examples
    --------
    >>> from importlib.resources import files
    >>> import numpy as np
    >>> from sklearn_heartkd.deployment.runtime import HeartSoundModel
    >>> path = files("sklearn_heartkd.deployment") / "models" / "murmur_student.onnx"
    >>> model = HeartSoundModel.load(str(path))
    >>> str(model.predict(np.zeros(10_000)).quality)
    'silence'
    """

    def __init__(self, run: Callable[[np.ndarray], ArrayLike], metadata: Mapping[str, str]) -> None:
        self._run = run
        self.metadata = dict(metadata)
        try:
            self._read(self.metadata)
        except KeyError as error:
            raise ValueError(f"The metadata of the model lack {error}.") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"The metadata of the model are wrong: {_first_line(error)}."
            ) from error

    def _read(self, metadata):
        """Read the metadata, which a stranger may have written."""
        if metadata.get("format") != "sklearn_heartkd 1":
            raise ValueError("the file was not written by export_onnx of sklearn_heartkd")
        self.classes = json.loads(metadata["classes"])
        if not isinstance(self.classes, list) or not 1 <= len(self.classes) <= _MOST_CLASSES:
            raise ValueError(f"classes must be a list of 1 to {_MOST_CLASSES} names")
        if any(not isinstance(name, str) for name in self.classes):
            raise ValueError("the names of the classes must be texts")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have one name")
        "".join(self.classes).encode()  # half of a surrogate pair cannot be printed
        rate = self.sampling_rate = _number(metadata, "sampling_rate", 1, _HIGHEST_RATE)
        self.window = _number(metadata, "window", 1 / rate, MOST_SAMPLES / rate)
        shortest = max(1 / rate, self.window / _MOST_OVERLAPS)
        self.hop = _number(metadata, "hop", shortest, self.window)
        self.unsure_below = _number(metadata, "unsure_below", 0, 1)
        self.decision = _read_decision(metadata.get("decision"), self.classes)
        self.domain = read_domain(metadata.get("domain"))
        self.channel = check_channel(metadata.get("channel", "mean"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> HeartSoundModel:
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
            If the file is not such a model, is damaged, or its metadata are wrong.
        OSError
            If the file cannot be opened.
        """
        content = read_model_file(path, MOST_BYTES)
        name = _printable(path)
        if not is_sealed(content):
            raise ValueError(
                f"{name} is not a model written by export_onnx, or is damaged: export it again."
            )
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            metadata = session.get_modelmeta().custom_metadata_map
            shape = {output.name: output.shape for output in session.get_outputs()}["probabilities"]
        except Exception as error:  # onnxruntime has no common class of errors
            raise ValueError(
                f"{name} does not run with this onnxruntime ({_first_line(error)})."
            ) from error
        try:
            model = cls(lambda x: session.run(["probabilities"], {"waveform": x})[0], metadata)
        except ValueError as error:
            raise ValueError(f"{name} cannot be used. {error}") from error
        if shape[1:] != [len(model.classes)]:
            raise ValueError(
                f"{name} cannot be used. It has {len(model.classes)} class names, and an output of "
                f"shape {shape}."
            )
        return model

    def predict_proba(self, waveform: ArrayLike, sampling_rate: float | None = None) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
            One recording. Integers are scaled by their full range.
        sampling_rate : float, default=None
            Sampling rate of the recording in Hz; None is that of the model.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,), float32
            In the order of `classes`.

        Raises
        ------
        ValueError
            If the waveform is empty, not 1-D, or contains NaN, infinite or very large values, if
            the sampling rate is not a positive number, or if the model fails.
        """
        return self._ask(self._at_own_rate(waveform, self._check_rate(sampling_rate)))

    def _at_own_rate(self, waveform, rate):
        samples = _check_waveform(waveform)
        if rate == self.sampling_rate:
            return samples
        return _check_waveform(_resample(samples, rate, self.sampling_rate))

    def _ask(self, samples):
        if self.metadata.get("in_parts") != "yes":
            return self._answer(samples)
        total, n_windows = np.zeros(len(self.classes)), 0
        for part, count in self._parts(samples):
            total += count * self._answer(part)
            n_windows += count
        return (total / n_windows).astype(np.float32)

    def _answer(self, waveform):
        """Run the model and check that the answer is one probability for each class."""
        try:
            answer = np.asarray(self._run(waveform[np.newaxis]))
        except Exception as error:  # onnxruntime has no common class of errors
            raise ValueError(f"The model fails on the recording: {_first_line(error)}.") from error
        is_whole = answer.dtype.kind == "f" and answer.shape == (1, len(self.classes))
        # with NaN, no comparison is true
        if not (is_whole and answer.min() >= -1e-3 and abs(answer.sum() - 1) <= 1e-3):
            raise ValueError(
                f"The model does not give one probability for each of its {len(self.classes)} classes; "
                "export it again."
            )
        return answer[0]

    def _parts(self, waveform):
        """Split a long recording into parts of several windows, to save memory."""
        window, hop = (round(t * self.sampling_rate) for t in (self.window, self.hop))
        rest = max(len(waveform) - window, 0)
        n_windows = -(-rest // hop) + 1
        for first in range(0, n_windows, _WINDOWS_AT_ONCE):
            count = min(_WINDOWS_AT_ONCE, n_windows - first)
            stop = (first + count - 1) * hop + window
            yield waveform[min(first * hop, rest) : stop], count

    def predict(self, waveform: ArrayLike, sampling_rate: float | None = None) -> Prediction:
        """Return the class, "poor recording" or "unsure", with probability and signal quality.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
            One recording. Integers are scaled by their full range.
        sampling_rate : float, default=None
            Sampling rate of the recording in Hz; None is that of the model.

        Returns
        -------
        prediction : Prediction
            The class and its probability.

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        rate = self._check_rate(sampling_rate)
        samples = self._at_own_rate(waveform, rate)
        return self._decide(self._ask(samples), signal_quality(waveform, rate), samples)

    def _check_rate(self, rate):
        """Return the user's sampling rate, or that of the model for None."""
        if rate is None:
            return self.sampling_rate
        if not _is_number(rate) or not 0 < rate < np.inf:
            raise ValueError(
                f"sampling_rate={rate!r} must be a positive number in Hz, or None for that of the "
                f"model, {self.sampling_rate:g} Hz."
            )
        return rate

    def _decide(self, probabilities, quality, samples):
        best = self.classes[int(np.argmax(probabilities))]
        probability = float(np.max(probabilities))
        if self.decision is not None:
            positive, negative, threshold = self.decision
            p, q = (float(probabilities[self.classes.index(x)]) for x in (positive, negative))
            best = positive if p >= threshold * (p + q) else negative
            probability = (p if best == positive else q) / max(p + q, 1e-30)
        distance = None
        if self.domain is not None:
            statistics = sound_statistics(samples, self.sampling_rate)
            distance = float(domain_distances(self.domain, statistics[np.newaxis])[0])
        label = best if probability >= self.unsure_below else UNSURE
        found = Prediction(label, best, probability, probabilities, quality, distance)
        return found if found.problems == "good" else found._replace(label=POOR)

    def stream(
        self, sampling_rate: float | None = None, *, hop: float | None = None, n_smoothed: int = 3
    ) -> HeartSoundStream:
        """Return a stream that takes samples as they come.

        Parameters
        ----------
        sampling_rate : float, default=None
            Sampling rate of the samples in Hz; None is that of the model.
        hop : float, default=None
            Seconds from one result to the next; None is the hop of the model.
        n_smoothed : int, default=3
            Number of the last windows whose probabilities are averaged.

        Returns
        -------
        stream : HeartSoundStream
            A new stream, without samples.

        Raises
        ------
        ValueError
            If one of the parameters is out of its range.
        """
        rate = self._check_rate(sampling_rate)
        return HeartSoundStream(self, rate, self.hop if hop is None else hop, n_smoothed)


class HeartSoundStream:
    """Predictions for a stream of samples, in memory that does not grow.

    Made by `HeartSoundModel.stream`.
    """

    def __init__(
        self, model: HeartSoundModel, sampling_rate: float, hop: float, n_smoothed: int
    ) -> None:
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

    def reset(self) -> None:
        """Forget all samples, as if the stream began now."""
        self._n_held = self._n_seen = 0
        self._recent.clear()
        self._resampler: Any = None
        if self._rates[0] != self._rates[1]:
            import soxr

            self._resampler = soxr.ResampleStream(*self._rates, 1, dtype="float32")

    def push(self, samples: ArrayLike) -> list[StreamResult]:
        """Take samples and return the results of the windows that they complete.

        Parameters
        ----------
        samples : array-like of shape (n_samples,)
            Any number of samples, also 0. Integers are scaled by their full range.

        Returns
        -------
        results : list of StreamResult
            Usually empty or of one element.
        """
        if np.size(samples) == 0:
            return []
        rest = _check_waveform(samples)
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest)
        results = []
        while len(rest):
            taken, rest = np.split(rest, [self._n_window - self._n_held])
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
        return StreamResult(time, probabilities, model._decide(smoothed, quality, self._buffer))


def import_onnxruntime() -> Any:
    """Import onnxruntime with its telemetry switched off.

    On import, onnxruntime starts to report to its vendor, unless an environment variable forbids it.
    The variable is set here, unless the user has set it.
    """
    if _TELEMETRY not in os.environ:
        if "onnxruntime" in sys.modules:
            warnings.warn(
                "onnxruntime was imported before sklearn_heartkd could switch off its telemetry, which "
                f"contacts its vendor: set the environment variable {_TELEMETRY}=1.",
                stacklevel=3,
            )
        os.environ[_TELEMETRY] = "1"
    import onnxruntime

    return onnxruntime


def read_model_file(path: str | os.PathLike[str], largest: int) -> bytes:
    """Return the content of a file; raise for a pipe, a device or more than `largest` bytes."""
    with open(path, "rb", opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{_printable(path)} is not a regular file; give the file of a model.")
        if status.st_size > largest:
            raise ValueError(
                f"{_printable(path)} has {status.st_size} bytes, more than the {largest} of the largest "
                "model."
            )
        return file.read(status.st_size)


def _open_at_once(path, flags):
    # without O_NONBLOCK, opening a pipe waits until somebody writes to it
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def check_channel(value: str | int) -> str | int:
    """Return a choice of the channel of a recording: "mean", "left", "right" or its number."""
    if value in ("mean", "left", "right"):
        return value
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,3}", str(value)):
        raise ValueError(
            f"channel={value!r} must be 'mean', 'left', 'right' or the number of a channel, from 0 on"
        )
    return int(value)


def _read_decision(text, classes):
    if text is None:
        return None
    positive, negative, threshold = json.loads(text)
    if positive == negative or not {positive, negative} <= set(classes):
        raise ValueError("the decision must name two of the classes")
    return positive, negative, _number({"threshold": threshold}, "threshold", 0, 1)


def read_domain(text: str | None) -> dict[str, Any] | None:
    """Return what `DomainDetector.to_json` wrote, checked; None stays."""
    if text is None:
        return None
    found = json.loads(text)
    centers, whitening = (np.asarray(found[name], float) for name in ("centers", "whitening"))
    n = len(SOUND_STATISTICS)
    if centers.ndim != 2 or not 1 <= len(centers) <= _MOST_DEVICES or centers.shape[1] != n:
        raise ValueError(f"the centers of the domain must be rows of {n} numbers")
    if whitening.shape != (n, n) or not np.isfinite([*centers, *whitening]).all():
        raise ValueError(f"the whitening of the domain must be {n} rows of {n} numbers")
    limit = _number(found, "limit", 1e-12, 1e12)
    return {"centers": centers, "whitening": whitening, "limit": limit}


def _number(metadata, name, lowest, highest):
    value = float(metadata[name])
    if not lowest <= value <= highest:
        raise ValueError(f"{name}={value:g} must be from {lowest:g} to {highest:g}")
    return value


def _first_line(error):
    """Return the message of an error as one line that is safe to show."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _printable(lines[0])[:300].rstrip(". ")


def _printable(text):
    """Return a text with control characters as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def seal_of(content: bytes) -> bytes:
    """Return the checksum of an unsealed file in the form in which it stands in the file."""
    return b"sha256:" + hashlib.sha256(content).hexdigest().encode()


def is_sealed(content: bytes) -> bool:
    """Return whether this is an intact file of `export_onnx`."""
    seal = re.search(rb"sha256:[0-9a-f]{64}", content)
    return seal is not None and seal_of(content.replace(seal[0], UNSEALED)) == seal[0]


def signal_quality(waveform: ArrayLike, sampling_rate: float) -> Quality:
    """Judge a recording: silence, clipping and heart rhythm.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        One recording. Integers are scaled by their full range.
    sampling_rate : float
        Sampling rate in Hz.

    Returns
    -------
    quality : Quality
        What was measured; as text, the problems or "good".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_heartkd.deployment.runtime import signal_quality
    >>> str(signal_quality(np.zeros(4000), 2000))
    'silence'
    """
    samples = _check_waveform(waveform)
    if samples.std() < _SILENCE:
        return Quality(True, False, 0.0)
    samples = samples - samples.mean()
    is_clipped = clipped_share(samples) > _CLIPPED
    envelope, rate = _envelope(samples, sampling_rate)
    del samples  # a long recording is large
    return Quality(False, is_clipped, _rhythm(envelope, rate))


# names of what `sound_statistics` returns
SOUND_STATISTICS = (
    "depth", "roughness", "decay", "dip", "recurrence", "coherence", "wide_coherence", "rhythm",
)  # fmt: skip


def sound_statistics(waveform: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Describe how a sound changes with time, whatever its gain and stationary frequency response.

    Of the level curves in dB of 16 bands from 30 to 800 Hz, each without its mean: logarithm of their
    mean depth (standard deviation) and of how it differs between bands; autocorrelation, averaged over
    the bands, 32 ms later ("decay"), at its lowest from 0.1 to 0.5 s ("dip") and at its highest from 0.3
    to 1.5 s ("recurrence"); correlation with the next band and with the one eight bands higher; and the
    rhythm of `signal_quality`.
    """
    curves = _level_curves(waveform, sampling_rate)
    curves -= curves.mean(axis=1, keepdims=True)
    n_frames = curves.shape[1]
    power = np.square(curves).mean(axis=1) + 1  # dB², so that noise of measurement does not count
    depth = np.sqrt(power)
    scaled = curves / depth[:, np.newaxis]
    # the sum over the bands of their autocorrelations
    spectrum = np.square(np.abs(np.fft.rfft(scaled, 2 * n_frames))).sum(axis=0)
    known = np.arange(1, min(_LONGEST_LAG, n_frames // 2 + 1))
    lags = np.zeros(_LONGEST_LAG)
    lags[known] = np.fft.irfft(spectrum)[known] / (n_frames - known) / _N_BANDS
    coherence = [
        np.einsum("bt,bt->", scaled[:-apart], scaled[apart:]) / scaled[apart:].size
        for apart in (1, _N_BANDS // 2)
    ]
    centered = waveform - waveform.mean()
    rhythm = _rhythm(*_envelope(centered, sampling_rate))
    levels = np.log(depth.mean()), np.log(depth.std() + 0.1)
    return np.array([*levels, lags[1], lags[3:17].min(), lags[9:].max(), *coherence, rhythm])


def _level_curves(waveform, rate):
    """Return the level of each band in dB, (n_bands, n_frames)."""
    hop = max(1, round(_FRAME * rate))
    waveform = np.pad(waveform, (0, max(0, 2 * hop - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, 2 * hop)[::hop]
    window = np.hanning(2 * hop + 1)[:-1]
    frequencies = np.arange(hop + 1) * rate / (2 * hop)
    edges = np.searchsorted(frequencies, np.geomspace(*_BAND_EDGES, _N_BANDS + 1))
    starts = np.minimum(edges[:-1], hop)
    widths = np.maximum(np.minimum(edges[1:], hop + 1) - starts, 1)
    parts = []
    for i in range(0, len(frames), _BLOCK // hop):
        power = np.abs(np.fft.rfft(frames[i : i + _BLOCK // hop] * window)) ** 2
        sums = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
        parts.append((sums[:, starts + widths] - sums[:, starts]) / widths)
    return 10 * np.log10(np.maximum(np.concatenate(parts).T, 0) + 1e-10)


def domain_distances(domain: Mapping[str, Any], statistics: np.ndarray) -> np.ndarray:
    """Return the distance of each row to the nearest device of the training; 1 is the limit."""
    whitened = statistics @ domain["whitening"]
    to_each = whitened[:, np.newaxis] - domain["centers"] @ domain["whitening"]
    return np.sqrt(np.square(to_each).sum(axis=2).min(axis=1)) / domain["limit"]


def clipped_share(waveform: np.ndarray) -> float:
    """Return the share of the samples of a waveform that are cut off, by their flat tops."""
    # a clipped top is flat: neighbors of exactly the same, nearly the largest, value
    top = 0.98 * max(waveform.max(), -waveform.min())
    n_tops = 0
    for start in range(0, len(waveform) - 1, _BLOCK):
        part = waveform[start : start + _BLOCK + 1]
        n_tops += int(np.count_nonzero((np.abs(part[1:]) > top) & (np.diff(part) == 0)))
    return float(n_tops / max(len(waveform) - 1, 1))


def _envelope(waveform, sampling_rate):
    """Return the envelope and its sampling rate, about 100 Hz."""
    block = max(1, round(sampling_rate / 100))
    n = len(waveform) // block
    rows = waveform[: n * block].reshape(n, block)
    means = [np.abs(rows[i : i + _BLOCK]).mean(axis=1) for i in range(0, n, _BLOCK)]
    # a power of the magnitude below 1 keeps a single click from ruling it
    return np.sqrt(np.concatenate(means or [waveform[:0]])), sampling_rate / block


def _rhythm(envelope, rate):
    """Return the highest peak of the envelope's autocorrelation at the periods of a heart."""
    n = len(envelope)
    shortest, longest = (round(period * rate) for period in _BEAT_PERIODS)
    if n <= 1.5 * shortest:
        return 0.0
    smoothing = np.hanning(7)
    envelope = np.convolve(envelope, smoothing, "same")
    envelope -= envelope.mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(envelope, 2 * n)) ** 2)[:n]
    if correlation[0] <= 0:
        return 0.0
    # longer lags have fewer products: without this factor slow hearts would look irregular
    correlation = correlation / correlation[0] * (n / np.arange(n, 0, -1))
    part = correlation[shortest : min(longest, 2 * n // 3) + 1]
    is_peak = (part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])
    return float(np.clip(part[1:-1][is_peak].max(initial=0.0), 0.0, 1.0))


def _check_waveform(waveform: ArrayLike) -> np.ndarray:
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
    if not max(waveform.max(), -waveform.min()) < _LOUDEST:  # also where it is NaN
        raise ValueError("The recording contains NaN, infinite or very large samples.")
    return waveform.astype(np.float32, copy=False)


def _is_number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _resample(waveform, rate, wanted):
    if len(waveform) * wanted / rate > MOST_SAMPLES:
        raise ValueError(
            f"The recording would have more than {MOST_SAMPLES} samples at the {wanted:g} Hz of the "
            "model: cut it into parts."
        )
    import soxr

    return soxr.resample(waveform, rate, wanted, quality="HQ")
