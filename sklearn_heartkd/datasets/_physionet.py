"""The PhysioNet/Computing in Cardiology Challenge 2016."""

from collections.abc import Callable
from os import PathLike
from typing import Any

import pandas as pd

from sklearn_heartkd.datasets._assemble import (
    Reading,
    assemble,
    audio_files,
    find_subjects,
    validated,
)
from sklearn_heartkd.datasets._listing import (
    by_name,
    find_table,
    merge_rows,
    plain,
    read_rows,
    warn_of_unlisted,
    without_suffix,
)

_TABLES = ("REFERENCE.csv", "REFERENCE-SQI.csv")
_LABELS = {"1": "abnormal", "-1": "normal"}
_QUALITIES = {"1": "good", "0": "poor"}

_DESCR = """\
PhysioNet/Computing in Cardiology Challenge 2016

Phonocardiograms of several databases ("training-a" to "training-f"), at 2 kHz, labeled normal
or abnormal, in some copies with a signal quality (good, poor).

Groups: {groups}

The databases differ in their devices, their patients and their share of abnormal recordings:
report them one by one, or leave one out at a time (frame["database"]). What they call abnormal
differs, too: murmurs and valve diseases in a and c, coronary artery disease in b and e, not given in d
and f.

C. Liu, D. Springer, Q. Li and others: An open access database for the evaluation of heart sound
algorithms, Physiological Measurement 37(12), 2016, doi:10.1088/0967-3334/37/12/2181
"""
_NO_SUBJECTS = (
    "each recording is a separate group, because the layout does not tell the patients, of whom some "
    "have several recordings; give `subject`, or scores by these groups are too good."
)
_MURMUR_LIKE = "ac"
_DEVICES = {
    "a": "Welch Allyn Meditron",
    "b": "3M Littmann E4000",
    "c": "AUDIOSCOPE",
    "d": "Infral prototype",
    "e": "MLT201 or 3M Littmann",
    "f": "JABES",
}


@validated(databases=[str], murmur_like=["boolean"], subject=[str, callable, None])
def load_physionet2016(
    path: str | PathLike[str],
    *,
    databases: str = "abcdef",
    murmur_like: bool = False,
    subject: str | Callable[[str], str] | None = None,
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    """Load the training recordings of the PhysioNet/CinC challenge of 2016.

    The tables may be saved by any program: the text encoding, the separator, and suffixes and case of
    the names do not matter. Recordings may be of any format that :func:`read_recording` reads.

    Parameters
    ----------
    path : path-like
        The folder that holds ``training-a`` to ``training-f``, each with its recordings and
        ``REFERENCE.csv`` (or ``REFERENCE-SQI.csv``): name, 1 (abnormal) or -1 (normal), and in some
        copies the signal quality, 1 (good) or 0 (poor).
    databases : str, default="abcdef"
        The letters of the databases to load; those that `path` does not hold are left out.
    murmur_like : bool, default=False
        True loads only those of the databases whose abnormal recordings are of patients with murmurs or
        valve diseases, a and c (see Notes), to be joined with data sets that label murmurs.
    subject : str or callable, default=None
        How to find the subject in a name such as ``"a0001"``, see :func:`load_audio_folder`.
    sampling_rate, duration, on_error, channel, return_X_y, n_jobs, verbose : optional
        As in :func:`load_audio_folder`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As of :func:`load_audio_folder`, with

        - target : ndarray of str of shape (n_recordings,), "abnormal" or "normal".
        - groups : ndarray of str of shape (n_recordings,): "<database>-<subject>".
        - frame : DataFrame with the columns file (relative to `path`), database (its letter),
          label, quality ("good", "poor" or "" if unknown), subject, site (""), device, seconds,
          original_sampling_rate.
        - devices : ndarray of str of shape (n_recordings,), the stethoscopes.

    Raises
    ------
    ValueError
        If a table is missing, holds other values or gives a recording two labels, if there are
        recordings of less than two classes, or if `subject` matches nothing in some names.

    See Also
    --------
    load_circor : Load the recordings of the challenge of 2022.
    sklearn_heartkd.metrics.physionet2016_scores : Compute the scores of this challenge.

    Notes
    -----
    "abnormal" is the diagnosis of a patient, and means something else in each database [1]_:

    ========  =======================  =======================================================
    database  place                    abnormal
    ========  =======================  =======================================================
    a         MIT, Boston              mitral valve prolapse, benign murmurs, aortic and other
                                       diseases
    b         Aalborg                  coronary artery disease, by angiography
    c         Thessaloniki             aortic stenosis, mitral regurgitation
    d         Mulhouse (Haute-Alsace)  patients, diseases not given
    e         Dalian                   coronary artery disease; recorded with another device
                                       than the normal recordings
    f         Shiraz                   patients, diseases not given
    ========  =======================  =======================================================

    References
    ----------
    .. [1] C. Liu et al., "An open access database for the evaluation of heart sound algorithms",
       Physiological Measurement 37(12), 2016.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import load_physionet2016
    >>> cinc = load_physionet2016("path/to/training", databases="ab")  # doctest: +SKIP
    >>> cinc.target_names  # doctest: +SKIP
    array(['abnormal', 'normal'], dtype='<U8')
    """
    root, files = audio_files(path)
    unknown = set(databases) - set("abcdef")
    if unknown or not databases:
        raise ValueError(f"databases must be some of the letters 'abcdef', got {databases!r}.")
    if murmur_like:
        databases = "".join(sorted(set(databases) & set(_MURMUR_LIKE)))
    letters = [letter for letter in sorted(databases) if (root / f"training-{letter}").is_dir()]
    if not letters:
        raise ValueError(
            f"The folder {str(root)!r} holds none of the folders training-a to training-f that "
            f"databases={databases!r} and murmur_like={murmur_like} ask for; give the folder that holds "
            "them, or choose other databases."
        )
    table = pd.concat([_references(root, letter, files) for letter in letters], ignore_index=True)
    folders = [root / f"training-{letter}" for letter in letters]
    warn_of_unlisted(folders, files, table["path"], root, "REFERENCE.csv")
    table["subject"] = find_subjects(subject, table["name"].tolist())
    table["group"] = table["database"] + "-" + table["subject"]
    table = table.assign(site="", device=table["database"].map(_DEVICES)).drop(columns="name")
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    descr = _DESCR.format(groups="the subjects." if subject is not None else _NO_SUBJECTS)
    bunch = assemble(table, root, reading, descr)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _references(root, letter, files):
    """Return the recordings that the table of a database lists."""
    folder = root / f"training-{letter}"
    reference = next((found for name in _TABLES if (found := find_table(folder, name))), None)
    if reference is None:
        raise ValueError(
            f"{str(folder)!r} holds neither {' nor '.join(_TABLES)}, which hold the labels; restore "
            "one of them."
        )
    rows = [[*row, "", ""][:3] for row in read_rows(reference)]
    rows = pd.DataFrame(rows, columns=["name", "label", "quality"])
    for column, meaning in (("label", _LABELS), ("quality", _QUALITIES)):
        strange = ~rows[column].isin([*meaning, ""] if column == "quality" else list(meaning))
        if strange.any():
            name, value = rows.loc[strange, ["name", column]].iloc[0]
            raise ValueError(
                f"{str(reference)!r} gives {name!r} the {column} {value!r}; it "
                f"must be {' or '.join(meaning)}."
            )
        rows[column] = rows[column].map(meaning).fillna("")
    rows["name"] = [without_suffix(name).rpartition("/")[2] for name in rows["name"]]
    rows = merge_rows(rows, "name", reference)
    found = by_name(files, folder)
    paths = [found.get(plain(name), folder / f"{name}.wav") for name in rows["name"]]
    return pd.DataFrame(
        {
            "path": [str(file) for file in paths],
            "file": [file.relative_to(root).as_posix() for file in paths],
            "database": letter,
            "label": rows["label"],
            "quality": rows["quality"],
            "name": [file.stem for file in paths],
        }
    )
