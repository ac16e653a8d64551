"""Heart-sound recordings: real ones from folders, synthetic ones from a generator."""

from sklearn_heartkd.datasets._folders import load_audio_folder
from sklearn_heartkd.datasets._pascal import load_pascal
from sklearn_heartkd.datasets._physionet import load_physionet2016
from sklearn_heartkd.datasets._reading import (
    UnreadableRecordingError,
    read_recording,
    read_recordings,
)
from sklearn_heartkd.datasets._synthetic import make_heart_sounds

__all__ = [
    "UnreadableRecordingError",
    "load_audio_folder",
    "load_pascal",
    "load_physionet2016",
    "make_heart_sounds",
    "read_recording",
    "read_recordings",
]
