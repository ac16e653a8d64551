"""Sound files to float32 waveforms at one sampling rate."""

import io
import os
import warnings

import numpy as np
import soundfile
import soxr
from joblib import Parallel, delayed
from tqdm import tqdm

_SHORTEST = 0.1  # seconds
_SLOWEST, _FASTEST = 100, 1_000_000  # Hz; a rate outside them comes from a damaged header
_LOUDEST = 1e10
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG"}
_COMPRESSED = {"FLAC", "OGG"}  # a byte of these may hold any number of samples
_MOST_SAMPLES = 2**27
_MOST_SAMPLES_PER_BYTE = 8


class UnreadableRecordingError(ValueError):
    """Raised for recordings that cannot be used.

    Parameters
    ----------
    reasons : dict of str to str
        For each unusable file its name and the reason.

    Attributes
    ----------
    reasons : dict of str to str
    """

    def __init__(self, reasons):
        self.reasons = dict(reasons)
        super().__init__(_listing("cannot be used; repair, remove or skip them", self.reasons))

    def __reduce__(self):
        return type(self), (self.reasons,)


def read_recording(file, sampling_rate=None):
    """Read one recording as a mono float32 waveform.

    Parameters
    ----------
    file : path-like or binary file-like
        A WAV (16, 24 or 32 bit, or float), FLAC, OGG, AIFF, AU or CAF file of any sampling
        rate. Several channels are averaged.
    sampling_rate : float, default=None
        The rate in Hz to resample to (soxr, high quality); None keeps the file's own.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
    original_rate : int
        The file's own sampling rate in Hz.

    Raises
    ------
    ValueError
        If `sampling_rate` is not positive.
    UnreadableRecordingError
        If the file does not exist, is no sound file, is damaged, holds no samples, NaN, infinite
        or absurdly large samples, or is shorter than a tenth of a second.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import soundfile
    >>> from sklearn_heartkd.datasets import read_recording
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.sin(np.arange(4000)), 4000, format="WAV")
    >>> waveform, original_rate = read_recording(io.BytesIO(file.getvalue()), sampling_rate=2000)
    >>> waveform.shape, original_rate
    ((2000,), 4000)
    """
    waveform, original_rate, reason = _attempt(file, sampling_rate)
    if reason:
        raise UnreadableRecordingError({_name(file): reason})
    return waveform, original_rate


def read_recordings(files, sampling_rate=None, *, on_error="raise", n_jobs=None, verbose=0):
    """Read many recordings, and report all that cannot be used at once.

    Parameters
    ----------
    files : sequence of path-like or binary file-like
        See :func:`read_recording`.
    sampling_rate : float, default=None
        The rate in Hz to resample to; None keeps each file's own.
    on_error : {"raise", "skip"}, default="raise"
        What to do if there are files that cannot be used: raise one error, or leave them out with
        one warning. Either names each of them with the reason.
    n_jobs : int, default=None
        The number of threads; None means 1.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    waveforms : list of ndarray of shape (n_samples,), float32
    original_rates : ndarray of shape (n_read,), int
        The files' own sampling rates in Hz.
    indices : ndarray of shape (n_read,), int
        The positions in `files` of those that were read.

    Raises
    ------
    UnreadableRecordingError
        With ``on_error="raise"`` if any file, with ``on_error="skip"`` if every file cannot be
        used.

    Examples
    --------
    >>> import io
    >>> from sklearn_heartkd.datasets import read_recordings
    >>> read_recordings([io.BytesIO(b"a text"), "nowhere.wav"], sampling_rate=2000)
    Traceback (most recent call last):
    sklearn_heartkd.datasets._reading.UnreadableRecordingError: 2 recordings cannot be used...
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}.")
    files = list(files)
    results = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_attempt)(file, sampling_rate)
        for file in tqdm(files, desc="Reading", unit="file", disable=not verbose)
    )
    reasons = {
        _name(file): reason for file, (_, _, reason) in zip(files, results, strict=True) if reason
    }
    indices = np.array([i for i, result in enumerate(results) if result[2] is None], dtype=int)
    if reasons:
        if on_error == "raise" or not len(indices):
            raise UnreadableRecordingError(reasons)
        warnings.warn(_listing("left out because they cannot be used", reasons), stacklevel=3)
    waveforms = [results[i][0] for i in indices]
    return waveforms, np.array([results[i][1] for i in indices], dtype=int), indices


class _UnusableError(Exception):
    """The reason why one file cannot be used."""


def _attempt(file, sampling_rate):
    """Return the waveform, its original rate and None, or None, None and the reason."""
    if sampling_rate is not None and not sampling_rate > 0:
        raise ValueError(f"sampling_rate must be above 0 Hz or None, got {sampling_rate!r}.")
    try:
        return *_read(file, sampling_rate), None
    except _UnusableError as reason:
        return None, None, str(reason)
    except soundfile.LibsndfileError as error:
        return None, None, f"no sound file that can be decoded ({error.error_string.rstrip('.')})"
    except OSError as error:
        return None, None, f"cannot be opened ({error.strerror or error})"
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, MemoryError) as error:
        return None, None, f"no sound file that can be decoded ({error})"


def _read(file, sampling_rate):
    source, n_bytes = _open(file)
    if n_bytes == 0:
        raise _UnusableError("empty file")
    with soundfile.SoundFile(source) as sound:
        original_rate = sound.samplerate
        _check_header(sound, n_bytes)
        channels = sound.read(dtype="float32", always_2d=True)
        if len(channels) < sound.frames:
            raise _UnusableError(f"cut off: {len(channels)} of {sound.frames} samples are there")
    if len(channels) == 0:
        raise _UnusableError("no samples")
    if len(channels) < _SHORTEST * original_rate:
        raise _UnusableError(f"shorter than {_SHORTEST} s ({len(channels)} samples)")
    _check_samples(channels)
    waveform = channels[:, 0] if channels.shape[1] == 1 else channels.mean(axis=1)
    if sampling_rate is not None and sampling_rate != original_rate:
        waveform = soxr.resample(waveform, original_rate, sampling_rate, quality="HQ")
        _check_samples(waveform)
    return waveform, original_rate


def _open(file):
    """Return what soundfile can open, and its size in bytes."""
    if hasattr(file, "read"):
        source = _Stream(file.read())
        return source, len(source.getbuffer())
    path = os.fspath(file)
    if not os.path.exists(path):
        raise _UnusableError("no such file or folder; check the path")
    if not os.path.isfile(path):
        raise _UnusableError("not a file")
    return path, os.path.getsize(path)


class _Stream(io.BytesIO):
    """A file in memory on which a damaged header cannot seek to where nothing is."""

    def seek(self, offset, whence=io.SEEK_SET):
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def _check_header(sound, n_bytes):
    if sound.format not in _FORMATS:
        raise _UnusableError(f"unsupported format {sound.format}")
    if not _SLOWEST <= sound.samplerate <= _FASTEST:
        raise _UnusableError(
            f"sampling rate of {sound.samplerate} Hz, outside {_SLOWEST} to {_FASTEST} Hz"
        )
    n_samples = sound.frames * sound.channels
    if sound.format not in _COMPRESSED and n_samples > _MOST_SAMPLES_PER_BYTE * n_bytes:
        raise _UnusableError(f"damaged header: {n_samples} samples in {n_bytes} bytes")
    if n_samples > _MOST_SAMPLES:
        raise _UnusableError(f"{n_samples} samples, more than the {_MOST_SAMPLES} supported")


def _check_samples(samples):
    if not np.abs(samples).max() < _LOUDEST:
        raise _UnusableError("NaN, infinite or absurdly large samples")


def _name(file):
    return str(getattr(file, "name", "<stream>") if hasattr(file, "read") else os.fspath(file))


def _listing(verdict, reasons):
    plural = "recordings" if len(reasons) > 1 else "recording"
    lines = "".join(f"\n  {name}: {reason}" for name, reason in reasons.items())
    return f"{len(reasons)} {plural} {verdict}:{lines}"
