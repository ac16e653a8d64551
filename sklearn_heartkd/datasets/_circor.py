"""The CirCor DigiScope data set, of the George B. Moody PhysioNet Challenge 2022."""

import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import StrOptions

from sklearn_heartkd.datasets._assemble import Reading, assemble, audio_files, validated
from sklearn_heartkd.datasets._layouts import CIRCOR_NAME, none_named_so
from sklearn_heartkd.datasets._listing import (
    drop_copies,
    find_table,
    listing,
    merge_rows,
    read_columns,
    read_rows,
    to_number,
    warn_of_left_out,
)
from sklearn_heartkd.utils._near_duplicates import connected_groups
from sklearn_heartkd.utils._text import printable
from sklearn_heartkd.utils._warnings import warn

_TABLE = "training_data.csv"
_SITES = {site.lower(): site for site in ("AV", "PV", "TV", "MV", "Phc")}
_TARGETS = {"murmur": ("present", "absent", "unknown"), "outcome": ("abnormal", "normal")}
_STATES = {1: "S1", 2: "systole", 3: "S2", 4: "diastole"}
_LOCATIONS = "Recording locations:"
_COLUMNS = {
    "Age": "age_group",
    "Sex": "sex",
    "Height": "height",
    "Weight": "weight",
    "Pregnancy status": "pregnancy_status",
    "Murmur locations": "murmur_locations",
    "Campaign": "campaign",
    _LOCATIONS: "locations",
}

_DESCR = """\
The CirCor DigiScope Phonocardiogram Dataset (George B. Moody PhysioNet Challenge 2022)

Recordings of children and young adults at up to five locations, at 4 kHz. Murmur and outcome are
known for the patient, not for the recording: a murmur that is present need not be heard at every
location (frame["murmur_locations"]).

Groups: the patients. A child who took part in both campaigns has two numbers, "Patient ID" and
"Additional ID", and is one group.

J. Oliveira, F. Renna, P. D. Costa and others: The CirCor DigiScope Dataset: From Murmur Detection to
Murmur Classification, IEEE Journal of Biomedical and Health Informatics 26(6), 2022,
doi:10.1109/JBHI.2021.3137048
"""


@validated(target=[StrOptions(set(_TARGETS))])
def load_circor(
    path: str | PathLike[str],
    *,
    target: str = "murmur",
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    """Load the CirCor DigiScope recordings of the PhysioNet challenge of 2022.

    Labels come from ``training_data.csv`` or, without it, from the patients' files ``ID.txt``. They
    hold for the patient, of whom there are several recordings: combine the predictions of a patient
    with :func:`~sklearn_heartkd.metrics.aggregate_by_patient`.

    Parameters
    ----------
    path : path-like
        The folder that holds ``training_data`` and ``training_data.csv``, or ``training_data``
        itself. Recordings have names such as ``2530_AV.wav`` or, repeated, ``2530_AV_1.wav``.
    target : {"murmur", "outcome"}, default="murmur"
        The labels: murmur "present", "absent" or "unknown", or outcome "abnormal" or "normal".
    sampling_rate, duration, on_error, channel, return_X_y, n_jobs, verbose : optional
        As in :func:`load_audio_folder`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As of :func:`load_audio_folder`, with

        - groups : ndarray of str of shape (n_recordings,), the patients; the two numbers of a child
          who took part in both campaigns are one group.
        - frame : DataFrame with the columns file (relative to `path`), label, quality (""), subject,
          site ("AV", "PV", "TV", "MV" or "Phc"), device, murmur, outcome, age_group, sex, height
          (cm) and weight (kg), NaN if unknown, pregnancy_status, murmur_locations, campaign,
          seconds, original_sampling_rate.
        - events : DataFrame with the columns recording (row in `data`), kind ("S1", "systole",
          "S2" or "diastole"), start and end (seconds in the whole recording), from the ``.tsv``
          files that are there.

    Raises
    ------
    ValueError
        If the folder holds recordings of less than two classes, or a label or a ``.tsv`` file is not as
        described.

    See Also
    --------
    load_physionet2016 : Load the recordings of the challenge of 2016.
    sklearn_heartkd.metrics.circor_weighted_accuracy : Score the murmur as the challenge does.
    sklearn_heartkd.metrics.circor_outcome_cost : Score the outcome as the challenge does.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import load_circor
    >>> circor = load_circor("path/to/circor", duration=5.0)  # doctest: +SKIP
    >>> circor.target_names  # doctest: +SKIP
    array(['absent', 'present', 'unknown'], dtype='<U7')
    """
    root, files = audio_files(path)
    matches = {file: CIRCOR_NAME.fullmatch(file.stem) for file in files}
    if not any(matches.values()):
        raise ValueError(none_named_so("circor", root, files))
    patients = _patients(root, [file for file, match in matches.items() if match])
    rows, others = [], []
    for file, match in matches.items():
        name = file.relative_to(root).as_posix()
        if match is None or match["patient"] not in patients:
            others.append(name)
            continue
        patient = patients[match["patient"]]
        description = {
            "path": str(file),
            "file": name,
            "label": patient[target],
            "quality": "",
            "subject": match["patient"],
            "site": _SITES[match["site"].lower()],
            "device": "Littmann 3200 with DigiScope Collector",
        }
        rows.append(description | patient)
    there = {(row["subject"], site) for row in rows for site in (row["site"], "")}
    missing = [
        f"{number}_{site}".rstrip("_")
        for number, patient in patients.items()
        for site in patient["locations"].split("+")
        if (number, site) not in there
    ]
    if missing:
        warn(f"{len(missing)} listed recordings are not in {str(root)!r} ({listing(missing)}).")
    reason = "not named as in CirCor DigiScope, or of patients that are not listed,"
    warn_of_left_out(others, root, reason)
    if not rows:
        raise ValueError(f"The labels in {str(root)!r} are of other patients; restore their table.")
    table = pd.DataFrame(rows)
    table = drop_copies(table, table["file"].str.rpartition("/")[2].str.lower(), root)
    table = table.assign(group=_join_patients(table)).drop(columns=["additional_id", "locations"])
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    bunch = assemble(table, root, reading, _DESCR)
    bunch.events = _events(bunch.filenames)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _patients(root, files):
    """Return what is known of each patient, by number."""
    folders = {root, *(file.parent for file in files)}
    places = (root, root.parent, *sorted(folders))
    csv = next((found for folder in places if (found := find_table(folder, _TABLE))), None)
    if csv is not None:
        source = csv
        rows = read_columns(csv, ["Patient ID", "Murmur", "Outcome"])
    else:
        source = root
        texts = sorted(text for folder in folders for text in folder.glob("*.txt"))
        rows = pd.DataFrame([_read_patient(text) for text in texts if text.stem.isdigit()])
        if rows.empty:
            raise ValueError(
                f"{str(root)!r} holds neither {_TABLE} nor a patient's file such as 2530.txt, which "
                "hold the labels; give the folder that holds them."
            )
    rows = merge_rows(rows.replace("nan", "").fillna(""), "Patient ID", source)
    return {_number(row["Patient ID"]): _describe(row, source) for row in rows.to_dict("records")}


def _read_patient(file):
    """Read a file ``ID.txt``: first the recordings, then lines such as "#Murmur: Absent"."""
    rows = file.read_text(encoding="utf-8", errors="replace").splitlines()
    sites = [row.split()[0] for row in rows[1:] if row.strip() and not row.startswith("#")]
    known = {"Patient ID": file.stem, "Murmur": "", "Outcome": "", _LOCATIONS: "+".join(sites)}
    for row in rows:
        if row.startswith("#"):
            name, _, value = row[1:].partition(":")
            known[name.strip()] = "" if value.strip() == "nan" else value.strip()
    return known


def _describe(row, source):
    patient = {}
    for column, labels in _TARGETS.items():
        patient[column] = row[column.title()].lower()
        if patient[column] not in labels:
            raise ValueError(
                f"{printable(source)} gives patient {row['Patient ID']!r} the {column} "
                f"{row[column.title()]!r}; it must be {' or '.join(labels)}."
            )
    for column, name in _COLUMNS.items():
        patient[name] = row.get(column, "")
    for column in ("height", "weight"):
        patient[column] = to_number(patient[column])
    pregnant = patient["pregnancy_status"].lower()
    patient["pregnancy_status"] = {"true": True, "false": False}.get(pregnant)
    return patient | {"additional_id": _number(row.get("Additional ID", ""))}


def _number(text):
    """Return a patient's number as text, also where a program wrote it as a float."""
    return re.sub(r"\.0+$", "", text)


def _join_patients(table):
    """Return a name for each person: the first of the numbers that belong together."""
    pairs = table.loc[table["additional_id"] != "", ["subject", "additional_id"]]
    numbers, names = pd.factorize(
        np.concatenate([table["subject"], pairs["subject"], pairs["additional_id"]])
    )
    first, second = np.split(numbers[len(table) :], 2)
    persons = connected_groups(len(names), first, second)
    first_name = pd.Series(names).groupby(persons).transform("min").to_numpy()
    return first_name[numbers[: len(table)]]


def _events(paths):
    """Return the heart sounds that the files ``.tsv`` beside the recordings mark."""
    rows = []
    for i, file in enumerate(Path(path).with_suffix(".tsv") for path in paths):
        for row in read_rows(file) if file.is_file() and file.stat().st_size else ():
            try:
                start, end, state = float(row[0]), float(row[1]), int(float(row[2]))
                if not 0 <= start <= end < np.inf:
                    raise ValueError("no interval")
            except (ValueError, IndexError) as error:
                raise ValueError(
                    f"{printable(file)} holds the row {row}; it must be start, end and state (0 to 4)."
                ) from error
            if state in _STATES:  # 0 marks a part that nobody annotated
                rows.append((i, _STATES[state], start, end))
    return pd.DataFrame(rows, columns=["recording", "kind", "start", "end"])
