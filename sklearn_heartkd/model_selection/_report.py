"""What is wrong with a data set, as text, table and JSON."""

import json
import textwrap
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from sklearn_heartkd.utils._text import printable

_SEVERITIES = ("problem", "warning", "note")
_SHOWN_FILES = 4
CODES = {  # of the checks; a code is never given to another check
    "unreadable file": "HKD001",
    "conflicting labels": "HKD002",
    "near-duplicates": "HKD003",
    "subject with several labels": "HKD004",
    "several recordings of a subject": "HKD005",
    "clipping": "HKD006",
    "silence": "HKD007",
    "silent part": "HKD008",
    "class and source": "HKD009",
    "length of a class": "HKD010",
    "class from recording length": "HKD011",
    "class from loudness": "HKD012",
    "class from sampling rate": "HKD013",
    "class from source": "HKD014",
    "class from file name": "HKD015",
    "names and tables": "HKD016",
}


@dataclass(frozen=True)
class Finding:
    """One thing that the check of a data set found.

    The findings of a check are in the `findings` of its report.

    Parameters
    ----------
    check : str
        What was checked, such as "conflicting labels". Each check has a `code`, such as "HKD002".
    severity : {"problem", "warning", "note"}
        A problem makes scores meaningless unless it is dealt with.
    message : str
        What was found, in a sentence.
    files : list of str
        The recordings that it concerns.
    values : dict
        The figures behind the message.

    See Also
    --------
    DatasetReport : The result of a check.

    Examples
    --------
    >>> from sklearn_heartkd.model_selection import Finding
    >>> finding = Finding("clipping", "warning", "2 recordings are clipped.", ["a.wav", "b.wav"])
    >>> finding.code, len(finding.files)
    ('HKD006', 2)
    """

    check: str
    severity: str
    message: str
    files: list[str] = field(default_factory=list)
    values: dict = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Code of the check, with which it can be left out."""
        return CODES[self.check]


def left_out(findings, ignore):
    """Return the findings without those whose code is in `ignore`."""
    if unknown := sorted(set(ignore) - set(CODES.values())):
        raise ValueError(
            f"{unknown[0]!r} is not the code of a check; use codes from {min(CODES.values())} to "
            f"{max(CODES.values())}."
        )
    return [finding for finding in findings if finding.code not in ignore]


@dataclass(frozen=True)
class DatasetReport:
    """Result of `check_dataset`.

    ``str(report)`` is for reading; names are shown without control characters.

    Parameters
    ----------
    findings : list of Finding
        The problems first.
    summary : dict
        Number of recordings, seconds, and recordings by class.
    pairs : pandas.DataFrame
        The near-duplicates: first_file, second_file, correlation, lag_seconds, overlap_seconds,
        first_label, second_label, labels_disagree.
    groups : ndarray of int of shape (n_readable,)
        For a group splitter: subjects united with clusters of near-duplicates.
    filenames : list of str
        The recordings that could be read, in the order of `groups`.

    See Also
    --------
    check_dataset : Check files with given labels and subjects.
    check_folder : Check a folder whose layout tells labels and subjects.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_heartkd.model_selection import DatasetReport
    >>> summary = {"recordings": 2, "seconds": 60.0, "classes": {"normal": 2}}
    >>> print(DatasetReport([], summary, pd.DataFrame(), np.array([0, 1]), ["a.wav", "b.wav"]))
    2 recordings, 1.0 minutes: normal 2
    <BLANKLINE>
    Nothing found.
    """

    findings: list[Finding]
    summary: dict
    pairs: pd.DataFrame
    groups: np.ndarray
    filenames: list[str]

    @property
    def n_problems(self) -> int:
        """Number of findings of severity "problem"."""
        return sum(finding.severity == "problem" for finding in self.findings)

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table.

        Returns
        -------
        DataFrame
            With the columns code, check, severity, message, n_files and files.
        """
        columns = ["code", "check", "severity", "message", "n_files", "files"]
        rows = [
            (f.code, f.check, f.severity, f.message, len(f.files), f.files) for f in self.findings
        ]
        return pd.DataFrame(rows, columns=columns)

    def to_json(self, indent: int | None = 2) -> str:
        """Return summary, findings and near-duplicates as JSON.

        Parameters
        ----------
        indent : int or None, default=2
            Blanks before each level; None writes one line.

        Returns
        -------
        str
            A JSON object with summary, n_problems, findings and near_duplicates.
        """
        content = {
            "summary": self.summary,
            "n_problems": self.n_problems,
            "findings": [{"code": f.code} | asdict(f) for f in self.findings],
            "near_duplicates": json.loads(self.pairs.to_json(orient="records")),
        }
        return json.dumps(content, indent=indent, default=lambda value: value.item())

    def __str__(self) -> str:
        classes = ", ".join(f"{printable(name)} {n}" for name, n in self.summary["classes"].items())
        lines = [
            f"{self.summary['recordings']} recordings, {self.summary['seconds'] / 60:.1f} minutes"
            + (f": {classes}" if classes else "")
        ]
        for severity in _SEVERITIES:
            chosen = [finding for finding in self.findings if finding.severity == severity]
            if chosen:
                lines += ["", f"{len(chosen)} {severity}{'s' if len(chosen) > 1 else ''}"]
            for finding in chosen:
                lines += _paragraph(finding)
        if not self.findings:
            lines += ["", "Nothing found."]
        return "\n".join(lines)


def _paragraph(finding):
    text = printable(f"{finding.code} {finding.check}: {finding.message}")
    lines = textwrap.wrap(text, 96, initial_indent="  - ", subsequent_indent="    ")
    shown = finding.files[:_SHOWN_FILES]
    lines += [f"      {printable(name)}" for name in shown]
    if len(finding.files) > len(shown):
        lines.append(f"      … and {len(finding.files) - len(shown)} more")
    return lines
