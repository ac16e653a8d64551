"""Heart-sound recordings: real ones from folders and tables, synthetic ones from a generator.

The names are imported where they are first used: reading a file needs neither pandas nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn_heartkd.datasets._bmd_hs import load_bmd_hs as load_bmd_hs
    from sklearn_heartkd.datasets._circor import load_circor as load_circor
    from sklearn_heartkd.datasets._folders import load_audio_folder as load_audio_folder
    from sklearn_heartkd.datasets._pascal import load_pascal as load_pascal
    from sklearn_heartkd.datasets._physionet import load_physionet2016 as load_physionet2016
    from sklearn_heartkd.datasets._reading import (
        UnreadableRecordingError as UnreadableRecordingError,
    )
    from sklearn_heartkd.datasets._reading import read_recording as read_recording
    from sklearn_heartkd.datasets._reading import read_recordings as read_recordings
    from sklearn_heartkd.datasets._store import open_store as open_store
    from sklearn_heartkd.datasets._store import store as store
    from sklearn_heartkd.datasets._synthetic import make_heart_sounds as make_heart_sounds
    from sklearn_heartkd.datasets._table import load_table as load_table

_HOME_OF = {
    "UnreadableRecordingError": "_reading",
    "load_audio_folder": "_folders",
    "load_bmd_hs": "_bmd_hs",
    "load_circor": "_circor",
    "load_pascal": "_pascal",
    "load_physionet2016": "_physionet",
    "load_table": "_table",
    "make_heart_sounds": "_synthetic",
    "open_store": "_store",
    "read_recording": "_reading",
    "read_recordings": "_reading",
    "store": "_store",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
