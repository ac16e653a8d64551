"""One sound file to one mono waveform, in blocks, so that no file takes more memory than its waveform."""

import io
import os

import numpy as np
import soundfile
import soxr

from sklearn_heartkd.datasets._headers import UnusableError, compare_with_header
from sklearn_heartkd.utils._audio_files import UNREADABLE_SUFFIXES, conversion

SHORTEST = 0.1  # seconds
MOST_SAMPLES = 2**25  # after resampling: 4.6 hours at 2 kHz
_MOST_DECODED = 2**31  # of all channels: a small file must not keep the decoder busy for minutes
_BLOCK = 2**20  # samples of all channels
_SLOWEST, _FASTEST = 100, 1_000_000  # Hz; a rate outside them comes from a damaged header
_LOUDEST = 1e10
# of all others, libsndfile does not tell whether they were cut off
_CHECKED = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "SVX", "FLAC", "OGG", "MP3"}
_UNKNOWN_LENGTH = 2**62
_MP3_ROUNDING = 2304  # samples, two frames, by which the length in a header may be off
_FAINT = 0.1  # of the mean's level to that of the strongest channel, below which channels cancel
_CHANNELS = {"left": 0, "right": 1}
# what the codes of libsndfile mean; all others are about damage within one format
_MEANINGS = {
    1: "not a sound file of a kind that can be read",
    4: "a sound file of an encoding that cannot be read",
}


class TooLongError(UnusableError):
    """A recording takes more memory than allowed, but could be read at a lower sampling rate."""


def decode(file, n_bytes, *, sampling_rate, channel, repair):
    """Return the waveform, the original rate and a list of what to say about the recording."""
    if n_bytes == 0:
        raise UnusableError("empty file")
    note, patch = compare_with_header(file, n_bytes, repair=repair)
    try:
        waveform, original_rate, notes, cancelled = _decode(file, patch, sampling_rate, channel)
        if cancelled is not None:
            waveform, *_ = _decode(file, patch, sampling_rate, cancelled)
            notes.append(
                f"its channels cancel each other: channel {cancelled} was taken instead of their mean"
            )
    except soundfile.LibsndfileError as error:
        raise UnusableError(_meaning(error, file)) from error
    return waveform, original_rate, [note, *notes] if note else notes


def check_kind(file):
    """Refuse what is not a sound, as far as its beginning shows."""
    try:
        _Sound(_Source(file, 0, b"")).close()
    except soundfile.LibsndfileError as error:
        if error.code in _MEANINGS:
            raise UnusableError(_meaning(error, file)) from error


class _Sound(soundfile.SoundFile):
    """A sound that is read from its beginning to its end, also where its length is not known."""

    def seekable(self):
        return False


def _open(file, patch):
    """Open a sound; the decoder reads a plain file itself, which Python can interrupt in between."""
    file.seek(0)
    if isinstance(file, io.FileIO) and not patch[1] and os.name != "nt":
        return _Sound(file.fileno(), closefd=False)
    return _Sound(_Source(file, *patch))


def _decode(file, patch, sampling_rate, channel):
    """Return waveform, original rate, notes and, where the mean is next to silent, the channel to take."""
    with _open(file, patch) as sound:
        rate, n_channels = sound.samplerate, sound.channels
        if not _SLOWEST <= rate <= _FASTEST:
            raise UnusableError(f"sampling rate of {rate} Hz, outside {_SLOWEST} to {_FASTEST} Hz")
        if (
            sound.format == "SDS"
        ):  # damaged ones keep libsndfile busy, and it prints to the terminal
            raise UnusableError("unsupported format SDS; convert it to WAV")
        index = _index(channel, n_channels)
        ratio = (sampling_rate or rate) / rate
        n_known = sound.frames if sound.frames < _UNKNOWN_LENGTH else None
        _check_length(n_known or 0, n_channels, ratio)
        parts: list[np.ndarray] = []
        n_read, sums, resampler, is_last = 0, np.zeros((n_channels + 1, 2)), None, False
        while not is_last:
            size = max(1, _BLOCK // n_channels)
            if n_known is not None:  # libsndfile fills with zeros what is asked for beyond the end
                size = max(1, min(size, n_known - n_read + 1))
            samples = sound.read(size, dtype="float32", always_2d=True)
            is_last = len(samples) < size
            _check_samples(samples)
            n_read += len(samples)
            _check_length(n_read, n_channels, ratio)
            if index is None:
                channels = np.ascontiguousarray(samples.T)
                mono = channels.mean(axis=0)
                sums += [_moments(values) for values in (*channels, mono)]
            else:
                mono = np.ascontiguousarray(samples[:, index])
            if ratio != 1 and is_last and not parts:  # the same values as below, but sooner
                mono = soxr.resample(mono, rate, sampling_rate, quality="HQ")
            elif ratio != 1:
                resampler = resampler or soxr.ResampleStream(rate, sampling_rate, 1, quality="HQ")
                mono = resampler.resample_chunk(mono, last=is_last)
            parts.append(mono)
        notes = []
        if n_known is None:
            notes.append(f"unfinished: its header gives no length; {n_read} samples were read")
        elif n_read < n_known - (_MP3_ROUNDING if sound.format == "MP3" else 0):
            raise UnusableError(f"cut off: {n_read} of {n_known} samples are there")
        if sound.format not in _CHECKED:
            notes.append(f"whether a file of the kind {sound.format} was cut off cannot be known")
    if n_read == 0:
        raise UnusableError("no samples")
    if n_read < SHORTEST * rate:
        raise UnusableError(f"shorter than {SHORTEST} s ({n_read} samples)")
    waveform = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return waveform, rate, notes, _cancelled(sums / n_read) if index is None else None


def _moments(values):
    values = values.astype(np.float64)
    return values.sum(), values @ values


def _cancelled(moments):
    """Return the strongest channel if the level of the mean is far below it, else None."""
    mean, power = moments.T
    levels = np.sqrt(np.maximum(power - mean**2, 0))  # without the microphones' offsets
    strongest = int(np.argmax(levels[:-1]))
    return strongest if levels[-1] < _FAINT * levels[strongest] else None


class _Source:
    """A file with other bytes at one position, in which a damaged header cannot seek anywhere."""

    def __init__(self, file, position, new):
        self._file, self._position, self._new = file, position, new

    def read(self, n=-1):
        first = self._position - self._file.tell()
        content = bytearray(self._file.read(n))
        for i, byte in enumerate(self._new, first):
            if 0 <= i < len(content):
                content[i] = byte
        return bytes(content)

    def seek(self, offset, whence=os.SEEK_SET):
        try:
            return self._file.seek(offset, whence)
        except (ValueError, OverflowError, OSError):
            return self.tell()

    def tell(self):
        return self._file.tell()


def _index(channel, n_channels):
    """Return which channel to take, None for the mean of several; the names suit mono files, too."""
    if n_channels == 1 and isinstance(channel, str):
        return 0
    if channel == "mean":
        return None
    index = _CHANNELS.get(channel, channel)
    if index >= n_channels:
        plural = "channels" if n_channels > 1 else "channel"
        raise UnusableError(f"no channel {index}: it has {n_channels} {plural}, counted from 0")
    return index


def _check_length(n_samples, n_channels, ratio):
    if n_samples * n_channels > _MOST_DECODED:
        raise UnusableError(f"more than {_MOST_DECODED} samples; cut it into parts")
    if round(n_samples * ratio) > MOST_SAMPLES:
        raise TooLongError(
            f"longer than {MOST_SAMPLES} samples after resampling; cut it into parts, or read it at a "
            "lower sampling rate"
        )


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
