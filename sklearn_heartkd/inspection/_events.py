"""Heart sounds that are marked in recordings."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from sklearn_heartkd.datasets._listing import read_columns, to_number
from sklearn_heartkd.utils._text import printable

_RATE = 44100  # Hz; the table counts samples at this rate
_HALF = 0.03  # seconds on each side of the marked moment


def read_timing(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read the heart sounds that are marked in PASCAL's set A.

    The table has the moment of each sound; it becomes an interval of 60 ms around that moment.

    Parameters
    ----------
    path : path-like
        The file ``set_a_timing.csv``, or its folder.

    Returns
    -------
    DataFrame
        One row per sound, with the columns file (name without folder), kind ("S1" or "S2"), start
        and end (seconds).

    See Also
    --------
    RecordingDisplay : Plot a recording with its heart sounds.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_heartkd.inspection import read_timing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "set_a_timing.csv"
    ...     _ = file.write_text("fname,cycle,sound,location\nset_a/normal__1.wav,1,S1,44100\n")
    ...     read_timing(folder)
                file kind  start   end
    0  normal__1.wav   S1   0.97  1.03
    """
    path = Path(path)
    path = path / "set_a_timing.csv" if path.is_dir() else path
    table = read_columns(path, ["fname", "sound", "location"])
    middle = table["location"].map(to_number) / _RATE
    if middle.isna().any():
        wrong = table.loc[middle.isna(), "location"].iloc[0]
        raise ValueError(f"{printable(path)} has the location {wrong!r}; it must be a number.")
    return pd.DataFrame(
        {
            "file": [name.rsplit("/", 1)[-1] for name in table["fname"]],
            "kind": table["sound"],
            "start": (middle - _HALF).clip(lower=0),
            "end": middle + _HALF,
        }
    )


def events_of(events, recording):
    """Return the events of one recording; all if the table has no column recording."""
    if events is None or "recording" not in events:
        return events
    return events[events["recording"] == recording].drop(columns="recording")
