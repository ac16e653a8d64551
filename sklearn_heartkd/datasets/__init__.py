"""Heart-sound recordings: real ones from folders, synthetic ones from a generator."""

from sklearn_heartkd.datasets._pascal import load_pascal
from sklearn_heartkd.datasets._reading import (
    UnreadableRecordingError,
    read_recording,
    read_recordings,
)

__all__ = [
    "UnreadableRecordingError",
    "load_pascal",
    "read_recording",
    "read_recordings",
]
