"""Sound files to float32 waveforms at one sampling rate."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np
import soundfile

from sklearn_heartkd.datasets._decoding import TooLongError, check_kind, decode
from sklearn_heartkd.datasets._headers import UnusableError
from sklearn_heartkd.utils._files import require_regular_file
from sklearn_heartkd.utils._text import printable
from sklearn_heartkd.utils._warnings import warn

ON_ERROR = ("raise", "skip", "repair")
_STREAM_BLOCK = 2**20  # bytes
_MOST_STREAMED = 2**26  # bytes; a stream has to be held in memory beside its waveform


class UnreadableRecordingError(ValueError):
    """Error for recordings that cannot be used.

    Its message lists the files and the reasons.

    Parameters
    ----------
    reasons : dict of str to str
        The reason for each file that cannot be used, by its name.

    Attributes
    ----------
    reasons : dict of str to str
        As given.

    See Also
    --------
    read_recordings : Read many recordings, with a choice of what to do about these files.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording
    >>> try:
    ...     read_recording("nowhere.wav")
    ... except UnreadableRecordingError as error:
    ...     print(error.reasons)
    {'nowhere.wav': 'no such file or folder; check the path'}
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(_listing("cannot be used; repair, remove or skip them", self.reasons))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the error anew."""
        return type(self), (self.reasons,)


def read_recording(
    file: str | os.PathLike[str] | BinaryIO,
    sampling_rate: float | None = None,
    *,
    channel: str | int = "mean",
    on_error: str = "raise",
) -> tuple[np.ndarray, int]:
    """Read one recording as a mono float32 waveform.

    All kinds of files that libsndfile knows are read, such as WAV (also RF64, W64), FLAC, Ogg (Vorbis,
    Opus), MP3, AIFF, AU and CAF, of any sampling rate and depth. A warning is raised for a recording that
    was never finished, for channels that cancel each other, and for rare kinds of files, which do not
    tell whether they were cut off.

    Parameters
    ----------
    file : path-like or binary file-like
        The recording.
    sampling_rate : float, default=None
        The rate in Hz to resample to (soxr, high quality); None keeps the file's own.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel to use of a recording with several: their mean, or one of them, counted from 0. Where
        the mean has less than a tenth of the level of the strongest channel, because the channels are of
        opposite phase, that channel is used instead.
    on_error : {"raise", "repair"}, default="raise"
        "repair" uses what is left of a damaged WAV file, with a warning.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        The samples; full scale is 1.
    original_rate : int
        The file's own sampling rate in Hz.

    Raises
    ------
    UnreadableRecordingError
        If the file does not exist, is not a sound file, is damaged or cut off, lacks the channel, is
        shorter than 0.1 s or longer than 2 ** 25 samples after resampling, or contains NaN, infinite or
        absurdly large samples.

    See Also
    --------
    read_recordings : Read many recordings.

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
    _check_options(sampling_rate, channel, on_error, ("raise", "repair"))
    return _finish(file, _attempt(file, sampling_rate, channel, repair=on_error == "repair"))


def read_recordings(
    files: Iterable[str | os.PathLike[str] | BinaryIO],
    sampling_rate: float | None = None,
    *,
    channel: str | int = "mean",
    on_error: str = "raise",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Read many recordings, and report all that cannot be used at once.

    One warning lists the recordings that are used although they are not whole.

    Parameters
    ----------
    files : sequence of path-like or binary file-like
        The recordings, see :func:`read_recording`.
    sampling_rate : float, default=None
        The rate in Hz to resample to; None keeps each file's own.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel to use, see :func:`read_recording`.
    on_error : {"raise", "skip", "repair"}, default="raise"
        What to do about files that cannot be used: raise one error, or leave them out with one warning.
        "repair" uses what is left of damaged WAV files, with a warning, and raises for all others.
    n_jobs : int, default=None
        The number of threads; None means 1.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    waveforms : list of ndarray of shape (n_samples,), float32
        The recordings.
    original_rates : ndarray of shape (n_read,), int
        The files' own sampling rates in Hz.
    indices : ndarray of shape (n_read,), int
        The positions in `files` of those that were read.

    Raises
    ------
    UnreadableRecordingError
        If any file cannot be used; with ``on_error="skip"``, if none can.

    See Also
    --------
    load_audio_folder : Load a data set with one folder for each class.

    Examples
    --------
    >>> import io
    >>> from sklearn_heartkd.datasets import read_recordings
    >>> read_recordings([io.BytesIO(b"a text"), "nowhere.wav"], sampling_rate=2000)
    Traceback (most recent call last):
    sklearn_heartkd.datasets._reading.UnreadableRecordingError: 2 recordings cannot be used...
    """
    from joblib import Parallel, delayed  # here, because heartkd predict reads without them
    from tqdm import tqdm

    _check_options(sampling_rate, channel, on_error, ON_ERROR)
    files = list(files)
    results = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_attempt)(file, sampling_rate, channel, repair=on_error == "repair")
        for file in tqdm(files, desc="Reading", unit="file", disable=not verbose)
    )
    reasons, notes = {}, {}
    for file, (_, _, noted, reason) in zip(files, results, strict=True):
        if reason:
            reasons[_name(file)] = reason
        elif noted:
            notes[_name(file)] = "; ".join(noted)
    indices = np.array([i for i, result in enumerate(results) if result[3] is None], dtype=int)
    if reasons:
        if on_error != "skip" or not len(indices):
            raise UnreadableRecordingError(reasons)
        warn(_listing("cannot be used; left out", reasons))
    if notes:
        warn(_listing("read, but worth a look", notes))
    waveforms = [results[i][0] for i in indices]
    return waveforms, np.array([results[i][1] for i in indices], dtype=int), indices


def read_at_own_rate(file, other_rate, *, channel="mean"):
    """Read a recording at its own sampling rate or, where it is too long for that, at another one.

    Return the waveform and its rate.
    """
    return _finish(file, _attempt(file, None, channel, repair=False, other_rate=other_rate))


def _finish(file, result):
    """Return the waveform and its rate, with a warning where it is not as it should be, or raise."""
    waveform, rate, notes, reason = result
    if reason:
        raise UnreadableRecordingError({_name(file): reason})
    if notes:
        warn(f"{printable(_name(file))}: {'; '.join(notes)}.")
    return waveform, rate


def _attempt(file, sampling_rate, channel, *, repair, other_rate=None):
    """Return waveform, rate, notes and None, or three times None and the reason."""
    try:
        source, n_bytes = _open(file)
        options = {"channel": channel, "repair": repair}
        with source:
            try:
                return *decode(source, n_bytes, sampling_rate=sampling_rate, **options), None
            except TooLongError:
                if other_rate is None:
                    raise
                waveform, _, notes = decode(source, n_bytes, sampling_rate=other_rate, **options)
                return waveform, other_rate, notes, None
    except UnusableError as error:
        reason = str(error)
    except FileNotFoundError:
        reason = "no such file or folder; check the path"
    except IsADirectoryError:
        reason = "not a file, but a folder"
    except OSError as error:
        reason = f"cannot be opened ({error.strerror or error})"
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, MemoryError) as error:
        reason = f"a sound file that cannot be decoded ({error})"
    return None, None, None, reason


def _open(file):
    """Return a binary file that can seek, and its size in bytes."""
    if hasattr(file, "read"):
        source = _read_stream(file)
        return source, len(source.getbuffer())
    try:
        n_bytes = require_regular_file(file)
    except ValueError:
        raise UnusableError("not a regular file, but a pipe or a device") from None
    return open(file, "rb", buffering=0), n_bytes


def _read_stream(file):
    """Read a stream into memory; refuse what is not a sound, such as endless zeros, at once."""
    content = file.read(_STREAM_BLOCK)
    if content:
        check_kind(io.BytesIO(content))
    source = io.BytesIO()
    while content:
        source.write(content)
        if source.tell() > _MOST_STREAMED:
            raise UnusableError(
                f"more than {_MOST_STREAMED >> 20} MiB; save it as a file, and pass its path"
            )
        content = file.read(_STREAM_BLOCK)
    return source


def _check_options(sampling_rate, channel, on_error, known):
    if on_error not in known:
        raise ValueError(f"on_error must be one of {known}, got {on_error!r}.")
    if sampling_rate is not None and not sampling_rate > 0:
        raise ValueError(f"sampling_rate must be above 0 Hz or None, got {sampling_rate!r}.")
    is_number = isinstance(channel, (int, np.integer)) and not isinstance(channel, bool)
    if not (channel >= 0 if is_number else channel in ("mean", "left", "right")):
        raise ValueError(
            f"channel must be 'mean', 'left', 'right' or the number of a channel from 0, got {channel!r}."
        )


def _name(file):
    return str(getattr(file, "name", "<stream>") if hasattr(file, "read") else os.fsdecode(file))


def _listing(verdict, reasons):
    plural = "recordings" if len(reasons) > 1 else "recording"
    lines = "".join(f"\n  {printable(name)}: {reason}" for name, reason in reasons.items())
    return f"{len(reasons)} {plural} {verdict}:{lines}"
