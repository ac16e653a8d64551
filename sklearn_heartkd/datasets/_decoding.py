"""One sound file to one mono waveform, in blocks, so that no file takes more memory than its waveform."""

import io
import os

import numpy as np
import soundfile
import soxr

from sklearn_heartkd.datasets._headers import compare_with_header
from sklearn_heartkd.utils._audio_files import UNREADABLE_SUFFIXES, conversion

SHORTEST = 0.1  # seconds
MOST_SAMPLES = 2**25  # after resampling: 4.6 hours at 2 kHz
_MOST_DECODED = (
    2**31
)  # of all channels, so that a small file cannot keep the decoder busy for minutes
_BLOCK = 2**20  # samples of all channels
_SLOWEST, _FASTEST = 100, 1_000_000  # Hz; a rate outside them comes from a damaged header
_LOUDEST = 1e10
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"}
_UNKNOWN_LENGTH = 2**62
_MP3_ROUNDING = 2304  # samples, two frames, by which the length in a header may be off
_FAINT = 0.1  # of the mean's level to that of the strongest channel, below which channels cancel
_CHANNELS = {"left": 0, "right": 1}
# what the codes of libsndfile mean; all others are about damage within one format
_MEANINGS = {
    1: "not a sound file of a kind that can be read",
    4: "a sound file of an encoding that cannot be read",
}


class UnusableError(Exception):
    """The reason why one file cannot be used."""


class TooLongError(UnusableError):
    """A recording takes more memory than allowed, but could be read at a lower sampling rate."""


def decode(file, n_bytes, *, sampling_rate, channel, repair):
    """Read one recording.

    Parameters
    ----------
    file : binary file that can seek
    n_bytes : int
        Its size.
    sampling_rate : float or None
        The rate in Hz to resample to; None keeps the file's own.
    channel : {"mean", "left", "right"} or int
    repair : bool
        Whether to use what is there of a RIFF or RF64 file that is not whole.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
    original_rate : int
    notes : list of str
        What the user should know about the recording.

    Raises
    ------
    UnusableError
        With the reason why it cannot be used.
    """
    if n_bytes == 0:
        raise UnusableError("empty file")
    found = compare_with_header(file, n_bytes, repair=repair)
    if found.error:
        raise UnusableError(found.error)
    notes = [found.note] if found.note else []
    try:
        waveform, original_rate, more, cancelled = _decode(
            file, found.patches, sampling_rate, channel
        )
        if cancelled is not None:
            waveform, *_ = _decode(file, found.patches, sampling_rate, cancelled)
            more.append(
                f"its channels cancel each other: channel {cancelled} was taken instead of their mean"
            )
    except soundfile.LibsndfileError as error:
        raise UnusableError(_meaning(error, file)) from error
    return waveform, original_rate, notes + more


class _Sound(soundfile.SoundFile):
    """A sound that is read from its beginning to its end, also where its length is not known."""

    def seekable(self):
        return False


def _open(file, patches):
    """Open a sound; the decoder reads a plain file itself, which Python can interrupt in between."""
    file.seek(0)
    if isinstance(file, io.FileIO) and not patches and os.name != "nt":
        return _Sound(file.fileno(), closefd=False)
    return _Sound(_Source(file, patches))


def _decode(file, patches, sampling_rate, channel):
    """Return waveform, original rate, notes and, where the mean is next to silent, the channel to take."""
    with _open(file, patches) as sound:
        rate, n_channels = sound.samplerate, sound.channels
        _check_header(sound)
        index = _index(channel, n_channels)
        n_known = sound.frames if sound.frames < _UNKNOWN_LENGTH else None
        _check_work(n_known or 0, n_channels)
        collected = _Waveform(rate, sampling_rate, n_known)
        levels = _Levels(n_channels)
        n_read, block = 0, np.empty((max(1, _BLOCK // n_channels), n_channels), dtype=np.float32)
        while len(samples := sound.read(out=block)):
            _check_samples(samples)
            n_read += len(samples)
            _check_work(n_read, n_channels)
            if index is None:
                channels = np.ascontiguousarray(samples.T)
                mono = channels.mean(axis=0)
                levels.add(channels, mono)
            else:
                mono = samples[:, index]
            collected.add(mono)
        is_mp3 = sound.format == "MP3"
    if n_known is not None and n_read < n_known - (_MP3_ROUNDING if is_mp3 else 0):
        raise UnusableError(f"cut off: {n_read} of {n_known} samples are there")
    if n_read == 0:
        raise UnusableError("no samples")
    if n_read < SHORTEST * rate:
        raise UnusableError(f"shorter than {SHORTEST} s ({n_read} samples)")
    notes = []
    if n_known is None:
        notes.append(f"unfinished: its header gives no length; {n_read} samples were read")
    return collected.finish(), rate, notes, levels.cancelled()


class _Waveform:
    """A waveform that grows by blocks, resampled on its way."""

    def __init__(self, rate, sampling_rate, n_known):
        self._ratio, self._n_read = 1.0, 0
        self._resampler = None
        if sampling_rate is not None and sampling_rate != rate:
            self._ratio = sampling_rate / rate
            self._resampler = soxr.ResampleStream(
                rate, sampling_rate, 1, dtype="float32", quality="HQ"
            )
        n_samples = MOST_SAMPLES
        if n_known is not None:
            n_samples = self._allowed(round(n_known * self._ratio)) + 16
        # memory that is not written to is not taken
        self._samples = np.empty(n_samples, dtype=np.float32)
        self._n = 0

    def add(self, samples):
        self._n_read += len(samples)
        self._allowed(round(self._n_read * self._ratio))
        self._append(self._resampled(samples, last=False))

    def finish(self):
        if self._resampler is not None:
            self._append(self._resampled(np.empty(0, dtype=np.float32), last=True))
            _check_samples(self._samples[: self._n])
        self._samples.resize(self._n, refcheck=False)
        return self._samples

    def _resampled(self, samples, *, last):
        if self._resampler is None:
            return samples
        return self._resampler.resample_chunk(np.ascontiguousarray(samples), last=last)

    def _append(self, samples):
        n = self._allowed(self._n + len(samples))
        self._samples[self._n : n] = samples
        self._n = n

    @staticmethod
    def _allowed(n_samples):
        if n_samples > MOST_SAMPLES:
            raise TooLongError(
                f"longer than {MOST_SAMPLES} samples after resampling; cut it into parts, or read it at a "
                "lower sampling rate"
            )
        return n_samples


class _Levels:
    """The levels of the channels and of their mean, without their offsets."""

    def __init__(self, n_channels):
        self._n_samples = 0
        self._sums = np.zeros((2, n_channels + 1))

    def add(self, channels, mean):
        for i, values in enumerate((*channels, mean)):
            values = values.astype(np.float64)
            self._sums[:, i] += values.sum(), values @ values
        self._n_samples += len(mean)

    def cancelled(self):
        """Return the strongest channel if the mean is far below it, else None."""
        mean, power = self._sums / max(self._n_samples, 1)
        levels = np.sqrt(np.maximum(power - mean**2, 0))
        strongest = int(np.argmax(levels[:-1]))
        return strongest if levels[-1] < _FAINT * levels[strongest] else None


class _Source:
    """A file with some of its bytes replaced, in which a damaged header cannot seek anywhere."""

    def __init__(self, file, patches):
        self._file = file
        self._patches = patches

    def read(self, n=-1):
        at = self._file.tell()
        content = self._file.read(n)
        for position, new in self._patches:
            if position < at + len(content) and position + len(new) > at:
                whole = bytearray(content)
                for i, byte in enumerate(new, position - at):
                    if 0 <= i < len(whole):
                        whole[i] = byte
                content = bytes(whole)
        return content

    def seek(self, offset, whence=os.SEEK_SET):
        try:
            return self._file.seek(offset, whence)
        except (ValueError, OverflowError, OSError):
            return self.tell()

    def tell(self):
        return self._file.tell()


def _index(channel, n_channels):
    """Return which channel to take; None for the mean of several."""
    if n_channels == 1:
        return 0
    if channel == "mean":
        return None
    index = _CHANNELS.get(channel, channel)
    if index >= n_channels:
        raise UnusableError(f"no channel {index}: it has {n_channels} channels, counted from 0")
    return index


def _check_header(sound):
    if sound.format not in _FORMATS:
        raise UnusableError(f"unsupported format {sound.format}; convert it to WAV")
    if not _SLOWEST <= sound.samplerate <= _FASTEST:
        raise UnusableError(
            f"sampling rate of {sound.samplerate} Hz, outside {_SLOWEST} to {_FASTEST} Hz"
        )


def _check_work(n_samples, n_channels):
    if n_samples * n_channels > _MOST_DECODED:
        raise UnusableError(f"more than {_MOST_DECODED} samples; cut it into parts")


def _check_samples(samples):
    if len(samples) and not (samples.max() < _LOUDEST and samples.min() > -_LOUDEST):
        raise UnusableError("NaN, infinite or absurdly large samples")


def _meaning(error, file):
    """Return what an error of libsndfile means to somebody with a file."""
    file.seek(4)
    name = str(getattr(file, "name", "recording.m4a"))
    is_mpeg4 = file.read(4) == b"ftyp"
    if is_mpeg4 or os.path.splitext(name)[1].lower() in UNREADABLE_SUFFIXES:
        return f"{_MEANINGS[1]}; convert it with {conversion(name)}"
    return _MEANINGS.get(error.code, "a sound file that is damaged or incomplete")
