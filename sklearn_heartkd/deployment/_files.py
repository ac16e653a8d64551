"""Predictions for sound files, with whatever model there is."""

import io
import sys
from pathlib import Path
from typing import NamedTuple

from sklearn_heartkd.deployment.runtime import HeartSoundModel, Prediction

_SOUND = {".wav", ".flac", ".ogg", ".aif", ".aiff", ".au", ".caf"}
_NO_SOUND = f"holds no sound files ({', '.join(sorted(_SOUND))})"


class FilePrediction(NamedTuple):
    """What a model says about a file.

    Attributes
    ----------
    file : str
    prediction : Prediction or None
        None for a file that cannot be used.
    error : str or None
        The reason why.
    """

    file: str
    prediction: Prediction | None
    error: str | None


def load_any(path=None):
    """Load an exported or a saved model as one for prediction.

    Parameters
    ----------
    path : path-like, default=None
        A file of `export_onnx` (``.onnx``) or of `save_model`; None is the model in the box, a
        student trained on the PASCAL recordings.

    Returns
    -------
    HeartSoundModel

    Raises
    ------
    ValueError
        If the file is no such model.
    OSError
        If it cannot be opened.
    """
    if path is None:
        path = box_path()
    if str(path).lower().endswith(".onnx"):
        return HeartSoundModel.load(str(path))
    from sklearn_heartkd.deployment import load_model, runtime_model

    return runtime_model(load_model(path))


def box_path():
    """Return where the model in the box is."""
    return Path(__file__).parent / "models" / "pascal_student.onnx"


def find_recordings(names):
    """List files, and the sound files of folders and of the folders in them; "-" stays.

    A folder without sound files stays, too: `read_file` says what is wrong with it.

    Raises
    ------
    ValueError
        If there is nothing but folders without sound files.
    """
    found: list[str] = []
    empty: list[str] = []
    for name in names:
        path = Path(name)
        if name == "-" or not path.is_dir():
            found.append(name)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SOUND and p.is_file())
        if not inside:
            empty.append(name)
        found.extend(map(str, inside or [name]))
    if found and len(found) == len(empty):
        raise ValueError(f"The folder {' and '.join(empty)} {_NO_SOUND}.")
    return found


def read_file(name, sampling_rate=None):
    """Read a recording of `find_recordings`, or one in memory.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
    original_rate : int

    Raises
    ------
    UnreadableRecordingError
        If it cannot be used.
    """
    from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording

    if isinstance(name, str) and Path(name).is_dir():
        raise UnreadableRecordingError({name: f"the folder {_NO_SOUND}"})
    return read_recording(name, sampling_rate)


def predict_file(model, name):
    """Predict one file; "-" is the standard input.

    Returns
    -------
    FilePrediction
    """
    from sklearn_heartkd.datasets import UnreadableRecordingError

    try:
        source = io.BytesIO(sys.stdin.buffer.read()) if name == "-" else name
        waveform, rate = read_file(source)
        return FilePrediction(name, model.predict(waveform, rate), None)
    except UnreadableRecordingError as error:
        return FilePrediction(name, None, "; ".join(error.reasons.values()))
    except ValueError as error:
        return FilePrediction(name, None, str(error))
