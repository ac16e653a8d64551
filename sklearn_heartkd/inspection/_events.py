"""Where the heart sounds of real recordings are."""

from pathlib import Path

import pandas as pd

_RATE = 44100  # Hz, of the recordings that the table counts the samples of
_HALF = 0.03  # seconds that a sound is drawn to either side of its middle


def read_timing(path):
    r"""Read the heart sounds that were marked in PASCAL's set A.

    Parameters
    ----------
    path : path-like
        The file ``set_a_timing.csv``, or the folder that holds it.

    Returns
    -------
    DataFrame
        One row a sound, with the columns file (name without folder), kind ("S1" or "S2"), start and
        end (seconds, 30 ms to either side of the marked moment).

    Raises
    ------
    ValueError
        If the table lacks a column.

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
    table = pd.read_csv(path / "set_a_timing.csv" if path.is_dir() else path)
    missing = {"fname", "sound", "location"} - set(table.columns)
    if missing:
        raise ValueError(
            f"{path} lacks the column {min(missing)!r}; give PASCAL's set_a_timing.csv."
        )
    middle = table["location"] / _RATE
    return pd.DataFrame(
        {
            "file": [name.rsplit("/", 1)[-1] for name in table["fname"]],
            "kind": table["sound"],
            "start": (middle - _HALF).clip(lower=0),
            "end": middle + _HALF,
        }
    )


def events_of(events, recording):
    """Return the events of one recording of a table that has a column recording, or all of it."""
    if events is None or "recording" not in events:
        return events
    return events[events["recording"] == recording].drop(columns="recording")
