"""Predictions for sound files with exported and saved models."""

import io
import sys
from pathlib import Path
from typing import NamedTuple

from sklearn_heartkd.deployment.runtime import HeartSoundModel, Prediction

_SOUND = {".wav", ".flac", ".ogg", ".aif", ".aiff", ".au", ".caf"}
_NO_SOUND = f"holds no sound files ({', '.join(sorted(_SOUND))})"


class FilePrediction(NamedTuple):
    """The answer of a model for one file.

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


def load_any(path=None, *, trust=False):
    """Load an exported or a saved model for prediction.

    Parameters
    ----------
    path : path-like, default=None
        A file of `export_onnx` (``.onnx``) or of `save_model`; None is the bundled model, a student
        trained on the PASCAL recordings.
    trust : bool, default=False
        Whether to load saved models of any kind, see `load_model`.

    Returns
    -------
    HeartSoundModel

    Raises
    ------
    ValueError
        If the file is not such a model.
    OSError
        If the file cannot be opened.
    """
    if path is None:
        path = bundled_model()
    if str(path).lower().endswith(".onnx"):
        return HeartSoundModel.load(str(path))
    from sklearn_heartkd.deployment import runtime_model
    from sklearn_heartkd.deployment._persistence import load_with_manifest

    model, manifest = load_with_manifest(path, trust=trust)
    return runtime_model(model, channel=manifest["channel"])


def bundled_model():
    """Return the path of the bundled model."""
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
