"""Heart-sound recordings: real ones from folders, synthetic ones from a generator."""

from sklearn_heartkd.datasets._pascal import load_pascal
from sklearn_heartkd.datasets._reading import (
    UnreadableRecordingError,
    read_recording,
    read_recordings,
)
from sklearn_heartkd.datasets._synthetic import make_heart_sounds

__all__ = [
    "UnreadableRecordingError",
    "load_pascal",
    "make_heart_sounds",
    "read_recording",
    "read_recordings",
]
