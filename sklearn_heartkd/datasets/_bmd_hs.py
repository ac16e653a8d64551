"""The BUET Multi-disease Heart Sound data set (BMD-HS)."""

from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import StrOptions

from sklearn_heartkd.datasets._assemble import Reading, assemble, audio_files, validated
from sklearn_heartkd.datasets._layouts import BMD_HS_NAME
from sklearn_heartkd.datasets._listing import (
    by_name,
    find_table,
    merge_rows,
    plain,
    read_columns,
    require_distinct,
    to_number,
    warn_of_unlisted,
    without_suffix,
)
from sklearn_heartkd.utils._text import printable

_DISEASES = ("AS", "AR", "MR", "MS")
_RECORDINGS = [f"recording_{i}" for i in range(1, 9)]
_POSITIONS = {"sup": "supine", "sit": "sitting"}
_FIRST = ["path", "file", "label", "quality", "subject", "site", "position", "device"]
_COLUMNS = {"Age": "age", "Gender": "sex", "Smoker": "smoker", "Lives": "lives"}
_LIVES = {"U": "urban", "R": "rural", "F": "rural"}

_DESCR = """\
BUET Multi-disease Heart Sound data set (BMD-HS)

Eight recordings of each patient, at four sites, lying and sitting, 20 s at 4 kHz. AS and AR are
stenosis and regurgitation of the aortic valve, MS and MR of the mitral valve; a patient may have
several. Labels come from train.csv: the prefix of a file's name is not its label.

Groups: the patients. The labels are those of the patient.

S. N. Ali, A. Zahin, S. B. Shuvo and others: BUET Multi-disease Heart Sound Dataset: A Comprehensive
Auscultation Dataset for Developing Computer-Aided Diagnostic Systems, 2024, arXiv:2409.00724
"""


@validated(target=[StrOptions({"single", "multi"})])
def load_bmd_hs(
    path: str | PathLike[str],
    *,
    target: str = "single",
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    """Load the BMD-HS recordings of valvular heart diseases.

    Labels come from ``train.csv`` and hold for the patient, of whom there are eight recordings. The
    prefix of a file's name is not its label: patient_022 is normal, its files begin with ``MD_``.

    Parameters
    ----------
    path : path-like
        The folder that holds ``train``, ``train.csv`` and ``additional_metadata.csv``; the last may be
        missing.
    target : {"single", "multi"}, default="single"
        The labels: one of "normal", "AS", "AR", "MR", "MS" and "multiple" (several diseases), or a
        matrix with a column for each disease.
    sampling_rate, duration, on_error, channel, return_X_y, n_jobs, verbose : optional
        As in :func:`load_audio_folder`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As of :func:`load_audio_folder`, with

        - target : ndarray of str of shape (n_recordings,), or with ``target="multi"`` ndarray of int
          of shape (n_recordings, 4).
        - groups : ndarray of str of shape (n_recordings,), the patients.
        - frame : DataFrame with the columns file (relative to `path`), label, quality (""), subject,
          site ("Mit", "Tri", "Pul" or "Aor"), position ("supine" or "sitting"), device, AS, AR, MR,
          MS (0 or 1), age (NaN if unknown), sex, smoker, lives ("urban" or "rural"), seconds,
          original_sampling_rate.
        - target_names : ndarray of str, the classes, or with ``target="multi"`` the diseases.

    Raises
    ------
    ValueError
        If a table is missing or not as described, or the recordings are of one class only.

    See Also
    --------
    load_circor : Load the recordings of the PhysioNet challenge of 2022.
    load_table : Load the recordings that a table lists.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import load_bmd_hs
    >>> bmd_hs = load_bmd_hs("path/to/BMD-HS-Dataset", target="multi")  # doctest: +SKIP
    >>> bmd_hs.target_names  # doctest: +SKIP
    array(['AS', 'AR', 'MR', 'MS'], dtype='<U2')
    """
    root, files = audio_files(path)
    csv = find_table(root, "train.csv")
    if csv is None:
        raise ValueError(
            f"{str(root)!r} holds no train.csv, the table of the labels; give the folder that holds it "
            "and the folder train."
        )
    rows = read_columns(csv, ["patient_id", *_DISEASES, "N", *_RECORDINGS])
    rows = merge_rows(rows, "patient_id", csv)
    metadata = _metadata(root)
    found = by_name(files, root / "train")
    table = pd.DataFrame(
        [
            _describe(root, name, found) | labels | metadata.get(plain(row["patient_id"]), {})
            for row in rows.to_dict("records")
            for labels in [{"subject": row["patient_id"], **_labels(row, csv)}]
            for name in map(without_suffix, (row[column] for column in _RECORDINGS))
            if name
        ]
    )
    require_distinct(table["path"], csv)
    warn_of_unlisted([root / "train"], files, table["path"], root, csv.name)
    table = table.assign(quality="", device="BMD-HS stethoscope", group=table["subject"])
    table = table[[*_FIRST, *(column for column in table if column not in _FIRST)]]
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    bunch = assemble(table, root, reading, _DESCR)
    if target == "multi":
        bunch.target = bunch.frame[list(_DISEASES)].to_numpy()
        bunch.target_names = np.array(_DISEASES)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _labels(row, csv):
    """Return the label and the diseases of a patient."""
    flags = {column: row[column].removesuffix(".0") for column in (*_DISEASES, "N")}
    diseases = [disease for disease in _DISEASES if flags[disease] == "1"]
    if not set(flags.values()) <= {"0", "1"} or (flags["N"] == "1") == bool(diseases):
        raise ValueError(
            f"{printable(csv)} gives patient {row['patient_id']!r} {flags}; each must be "
            "0 or 1, and N must be 1 exactly where all the others are 0."
        )
    label = "normal" if not diseases else diseases[0] if len(diseases) == 1 else "multiple"
    return {"label": label, **{disease: int(disease in diseases) for disease in _DISEASES}}


def _describe(root, name, found):
    """Return what the name of a recording tells: the file, the site and the position."""
    match = BMD_HS_NAME.fullmatch(name)
    if match is None:
        raise ValueError(
            f"train.csv lists the recording {name!r}; names must be such as MR_002_sup_Mit."
        )
    file = found.get(plain(name), root / "train" / f"{name}.wav")
    return {
        "path": str(file),
        "file": file.relative_to(root).as_posix(),
        "site": match["site"].title(),
        "position": _POSITIONS[match["position"].lower()],
    }


def _metadata(root):
    """Return what ``additional_metadata.csv`` tells of each patient; unknown without that file."""
    csv = find_table(root, "additional_metadata.csv")
    if csv is None:
        return {}
    rows = read_columns(csv, ["patient_id", *_COLUMNS])
    rows = rows[["patient_id", *_COLUMNS]].rename(columns=_COLUMNS)
    rows = merge_rows(rows, "patient_id", csv).assign(
        age=lambda table: table["age"].map(to_number),
        smoker=lambda table: table["smoker"].map({"0": False, "1": True}),
        lives=lambda table: table["lives"].map(lambda place: _LIVES.get(place, place)),
    )
    keys = rows.pop("patient_id").map(plain)
    return dict(zip(keys, rows.to_dict("records"), strict=True))
