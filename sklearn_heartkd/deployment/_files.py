"""Predictions for sound files with exported and saved models."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from sklearn_heartkd.deployment.runtime import HeartSoundModel, Prediction
from sklearn_heartkd.utils._audio_files import (
    READABLE_SUFFIXES,
    find_audio_files,
    unreadable_message,
)
from sklearn_heartkd.utils._text import printable
from sklearn_heartkd.utils._warnings import outside

_NO_SOUND = f"holds no sound files ({', '.join(sorted(READABLE_SUFFIXES))})"


class FilePrediction(NamedTuple):
    """The answer of a model for one file: a prediction, or the reason why it cannot be used."""

    file: str
    prediction: Prediction | None
    error: str | None


class _Stored(str):
    """The name of a recording in a store, which is read when it is predicted."""

    data: Any
    row: int
    rate: float


def _in_store(folder):
    """Return the names of the recordings in a store; an empty list if the folder is none."""
    if not all(os.path.isfile(os.path.join(folder, name)) for name in ("data.npy", "rows.csv")):
        return []
    from sklearn_heartkd.datasets import open_store

    store = open_store(folder)
    if store.data.ndim != 2 or store.sampling_rate is None:
        raise ValueError(
            f"The store {printable(folder)} holds rows of shape {store.data.shape[1:]}; give a store of "
            "recordings with their sampling rate."
        )
    names = [_Stored(os.path.join(folder, name)) for name in store.filenames]
    for row, name in enumerate(names):
        name.data, name.row, name.rate = store.data, row, store.sampling_rate
    return names


def load_fitted(path, *, trust=False):
    """Load the estimator of a file of `save_model`, or the model of an ``.onnx`` file.

    Returns it and the manifest of the file, for which the metadata of an ``.onnx`` file stand in. `trust`
    is that of `load_model`.
    """
    if str(path).lower().endswith(".onnx"):
        exported = HeartSoundModel.load(str(path))
        return exported, exported.metadata | {"channel": exported.channel}
    from sklearn_heartkd.deployment._persistence import load_with_manifest

    return load_with_manifest(path, trust=trust)


def load_any(path=None, *, trust=False):
    """Load a model as `load_fitted` does, by default the bundled one, for the runtime."""
    model, manifest = load_fitted(bundled_model() if path is None else path, trust=trust)
    if isinstance(model, HeartSoundModel):
        return model
    from sklearn_heartkd.deployment import runtime_model

    return runtime_model(model, **{key: manifest[key] for key in ("channel", "domain", "scope")})


def bundled_model():
    """Return the path of the bundled model, a student that tells murmur from normal."""
    return Path(__file__).parent / "models" / "murmur_student.onnx"


def find_recordings(names):
    """List files, the sound files of folders and of those in them, and rows of stores; "-" stays.

    A folder without sound files stays, too: `predict_file` reports it. A warning counts the audio files in
    folders that cannot be read.
    """
    found: list[str] = []
    empty: list[str] = []
    unreadable: list[Path] = []
    for name in names:
        if name == "-" or not os.path.isdir(name):
            found.append(name)
            continue
        if stored := _in_store(name):
            found += stored
            continue
        inside = find_audio_files(name)
        unreadable += inside.unreadable
        if not inside.readable:
            empty.append(name)
        found.extend(map(str, inside.readable or [name]))
    hint = unreadable_message(unreadable) if unreadable else ""
    if found and len(found) == len(empty):
        folders = " and ".join(map(printable, empty))
        raise ValueError(f"The folder {folders} {_NO_SOUND}. {hint}".strip())
    if hint:
        warnings.warn(f"{hint}.", stacklevel=outside())
    return found


def predict_file(model, name):
    """Predict one file; whatever it raises, it does not stop the prediction of others."""
    from sklearn_heartkd.datasets import UnreadableRecordingError
    from sklearn_heartkd.datasets._reading import read_at_own_rate

    try:
        if isinstance(name, _Stored):
            return FilePrediction(name, model.predict(name.data[name.row], name.rate), None)
        # the quality of the signal shows at the recording's rate
        waveform, rate = read_at_own_rate(_source(name), model.sampling_rate, channel=model.channel)
        return FilePrediction(name, model.predict(waveform, rate), None)
    except UnreadableRecordingError as error:
        return FilePrediction(name, None, "; ".join(error.reasons.values()))
    except ValueError as error:
        return FilePrediction(name, None, str(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # libraries written in Rust raise others than Exception
        text = " ".join(str(error).split())[:200]
        return FilePrediction(name, None, f"failed unexpectedly ({type(error).__name__}: {text})")


def _source(name):
    """Return what the reader takes for a name of `find_recordings`."""
    from sklearn_heartkd.datasets import UnreadableRecordingError

    if name != "-":
        if os.path.isdir(name):
            raise UnreadableRecordingError({name: f"the folder {_NO_SOUND}"})
        return name
    if sys.stdin is None or sys.stdin.closed:
        raise UnreadableRecordingError({name: "standard input is closed"})
    if sys.stdin.isatty():
        raise UnreadableRecordingError(
            {name: "standard input is a terminal; pass a sound file to it"}
        )
    return sys.stdin.buffer
