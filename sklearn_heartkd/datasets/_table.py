"""Recordings that a table lists."""

from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_heartkd.datasets._assemble import Reading, assemble_folder, validated
from sklearn_heartkd.datasets._listing import (
    by_name,
    join_spellings,
    key,
    merge_rows,
    plain,
    read_columns,
    require_distinct,
)
from sklearn_heartkd.utils._audio_files import find_audio_files
from sklearn_heartkd.utils._text import printable

_OURS = ("path", "group", "file", "label", "subject", "seconds", "original_sampling_rate")


@validated(file=[str], target=[str], subject=[str, None])
def load_table(
    path: str | PathLike[str],
    *,
    file: str,
    target: str,
    subject: str | None = None,
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    r"""Load the recordings that a table lists, with their labels.

    The table has a header and a row for each recording. Commas, semicolons or tabs separate its
    columns; the text encoding does not matter.

    Parameters
    ----------
    path : path-like
        The table, a text file such as ``labels.csv``.
    file : str
        The column of the recordings: paths relative to the folder of the table, with or without
        suffix. The folders may be missing where the name is found once below that folder.
    target : str
        The column of the labels.
    subject : str, default=None
        The column of the subjects. None treats each recording as a separate subject.
    sampling_rate, duration, on_error, channel, return_X_y, n_jobs, verbose : optional
        As in :func:`load_audio_folder`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As of :func:`load_audio_folder`, with

        - frame : DataFrame with the columns file, label, subject, quality and site ("" unless the table
          has them), the other columns of the table, seconds, original_sampling_rate.
        - devices : ndarray of str of shape (n_recordings,), the column "device" of the table, or None.

    Raises
    ------
    ValueError
        If the table lacks one of the columns, or a cell of them is empty, or if it lists a recording
        with two labels or all recordings with one.

    See Also
    --------
    load_audio_folder : Load a folder that holds one folder for each class.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import soundfile
    >>> from sklearn_heartkd.datasets import load_table, make_heart_sounds
    >>> sounds = make_heart_sounds(4, classes=["normal", "murmur"], random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = ["recording,diagnosis"]
    ...     for i, (label, waveform) in enumerate(zip(sounds.target, sounds.data)):
    ...         soundfile.write(Path(folder, f"{i}.wav"), waveform, 2000)
    ...         rows.append(f"{i}.wav,{label}")
    ...     table = Path(folder, "labels.csv")
    ...     _ = table.write_text("\n".join(rows))
    ...     loaded = load_table(table, file="recording", target="diagnosis", duration=3.0)
    >>> loaded.data.shape, loaded.target.tolist()
    ((4, 6000), ['normal', 'murmur', 'normal', 'murmur'])
    """
    path = Path(path)
    columns = [file, target] if subject is None else [file, target, subject]
    rows = read_columns(path, columns)
    for column in columns:
        if (rows[column] == "").any():
            row = int((rows[column] == "").to_numpy().argmax())
            raise ValueError(
                f"Row {row + 2} of {printable(path)} has no {column!r}; complete or remove it."
            )
    rows = merge_rows(rows, file, path)
    paths = _find(path.parent, rows[file])
    require_distinct(paths, path)
    names = [name.replace("\\", "/") for name in rows[file]]
    others = rows.drop(columns=columns)
    table = pd.DataFrame(
        {
            "path": paths,
            "file": names,
            "label": join_spellings(rows[target]),
            "quality": "",
            "subject": names if subject is None else rows[subject],
            "site": "",
        }
    ).assign(**others.drop(columns=[column for column in _OURS if column in others]))
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    bunch = assemble_folder(table, path, reading, subject)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _find(folder, names):
    """Return the paths of recordings, given relative to a folder or, if unique, by their name."""
    files = find_audio_files(folder).readable
    paths = by_name(files, folder)
    stems: dict[str, list[Path]] = {}
    for file in files:
        stems.setdefault(plain(file.stem), []).append(file)
    found = []
    for name in names:
        file = folder / name.replace("\\", "/")
        if not file.is_file():
            alike = stems.get(key(name), [])
            file = paths.get(key(name)) or (alike[0] if len(alike) == 1 else file)
        found.append(str(file))
    return found
