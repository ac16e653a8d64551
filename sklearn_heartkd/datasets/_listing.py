"""Tables that list recordings, as people write them, and the files that they mean."""

import csv
import io
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

import pandas as pd

from sklearn_heartkd.utils._audio_files import READABLE_SUFFIXES
from sklearn_heartkd.utils._files import require_regular_file
from sklearn_heartkd.utils._text import printable, unguard_cell
from sklearn_heartkd.utils._warnings import warn

_MISSING = ["nan", "NaN", "NAN"]


def read_rows(path):
    """Return the rows of a table that any program wrote, without empty ones.

    Commas, semicolons or tabs separate the cells; the text is UTF-8, UTF-16 or that of Windows.
    """
    require_regular_file(path)
    content = Path(path).read_bytes()
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise ValueError(f"{printable(path)} is not a text; save the table as CSV.")
    first_line = next(iter(text.splitlines()), "")
    separator = max(",;\t", key=first_line.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=None), delimiter=separator))
    except csv.Error as error:
        raise ValueError(
            f"{printable(path)} cannot be read as a table ({error}); save it as CSV."
        ) from error
    rows = [[str(unguard_cell(cell.strip())) for cell in row] for row in rows]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ValueError(f"The table {printable(path)} is empty; restore its rows.")
    return rows


def read_columns(path, columns):
    """Return a table with a header as a DataFrame of str; `columns` must be among its columns.

    Cells of a missing number, "nan", are empty.
    """
    header, *rows = read_rows(path)
    missing = [column for column in columns if column not in header]
    if missing:
        raise ValueError(
            f"The table {printable(path)} lacks the column {missing[0]!r}; its columns are {header}."
        )
    repeated = [column for column in header if column and header.count(column) > 1]
    if repeated:
        raise ValueError(
            f"The table {printable(path)} has several columns {repeated[0]!r}; rename or remove one."
        )
    if not rows:
        raise ValueError(f"The table {printable(path)} has a header only; restore its rows.")
    width = len(header)
    table = pd.DataFrame([(row + [""] * width)[:width] for row in rows], columns=header)
    table = table.drop(columns="", errors="ignore")  # separators at the end of the rows
    return table.replace(_MISSING, "")


def to_number(text):
    """Return a cell with a decimal point or comma as a number, NaN where it is none."""
    return pd.to_numeric(text.replace(",", "."), errors="coerce")


def find_table(folder, name):
    """Return the file of this name in a folder, in upper or lower case, or None."""
    found = (file for file in sorted(folder.iterdir()) if file.name.lower() == name.lower())
    return next(found, None)


def without_suffix(name):
    """Return a recording's path, with ``/`` between folders, without the suffix of a sound file."""
    name = name.strip().replace("\\", "/")
    base, _, suffix = name.rpartition(".")
    return base if base and f".{suffix.lower()}" in READABLE_SUFFIXES else name


def plain(text):
    """Return a text in the form in which spellings are compared: case, blanks and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def key(name):
    """Return the form in which names of recordings are compared."""
    return plain(without_suffix(name))


def by_name(files, folder):
    """Return the files below a folder by their plain path in it, without suffix."""
    inside = [file for file in files if file.is_relative_to(folder)]
    return {key(file.relative_to(folder).as_posix()): file for file in reversed(inside)}


def merge_rows(table, column, path):
    """Keep one of several equal rows on a name; refuse rows that disagree."""
    keys = table[column].map(key)
    first = ~table.assign(**{column: keys}).duplicated()
    table, keys = table[first], keys[first]
    repeated = keys[keys.duplicated()]
    if len(repeated):
        rows = table[keys == repeated.iloc[0]]
        values = " and ".join(", ".join(filter(None, row)) for row in rows.to_numpy(dtype=str))
        raise ValueError(
            f"{printable(path)} lists {rows[column].iloc[0]!r} several times, with different "
            f"values ({printable(values)}); keep the right row."
        )
    return table.reset_index(drop=True)


def require_distinct(files, path):
    """Refuse a table with several rows on one file."""
    files = pd.Series(files)
    if files.duplicated().any():
        file = files[files.duplicated()].iloc[0]
        raise ValueError(
            f"{printable(path)} lists the recording {printable(file)} several times; keep the right row."
        )


def drop_copies(table, keys, root):
    """Keep one of several recordings with equal keys, as where a folder was unpacked into itself."""
    # of two copies of a folder, one inside the other, the outer one is kept
    outermost_first = table["file"].str.count("/").sort_values(kind="stable").index
    repeated = keys.loc[outermost_first].duplicated().sort_index()
    if repeated.any():
        names = table.loc[repeated, "file"].tolist()
        warn(
            f"Copies of recordings in {str(root)!r}, of the same name, are left out: {len(names)} "
            f"({listing(names)}); remove them."
        )
    return table[~repeated].reset_index(drop=True)


def join_spellings(labels):
    """Return labels in which those that differ by case, blanks or Unicode form are one.

    The most frequent spelling is kept; a warning shows the others.
    """
    counts = pd.Series(list(labels), dtype=object).value_counts()
    chosen: dict[str, str] = {}
    for label in sorted(
        counts.index, key=lambda label: (-counts[label], label != label.strip(), label)
    ):
        chosen.setdefault(plain(label), label)
    joined = [chosen[plain(label)] for label in labels]
    others = sorted(set(labels) - set(joined))
    if others:
        examples = ", ".join(f"{x!r} as {chosen[plain(x)]!r}" for x in others[:3])
        warn(
            f"{len(others)} class names differ from another only by case, blanks or Unicode form and "
            f"are joined ({examples})."
        )
    return joined


def listing(names, limit=3):
    """Return the first of some names, to show in a message."""
    shown = ", ".join(printable(name) for name in names[:limit])
    return shown + (", …" if len(names) > limit else "")


def warn_of_left_out(names, root, reason):
    """Warn of sound files of which a loader makes nothing."""
    if names:
        warn(
            f"{len(names)} sound files in {str(root)!r} are {reason} and left out ({listing(names)})."
        )


def warn_of_unlisted(folders, files, paths, root, table):
    """Warn of sound files in some folders that are not among the paths that a table lists."""
    unlisted = {str(file) for file in files if file.parent in folders} - set(paths)
    warn_of_left_out(sorted(unlisted), root, f"not in {table}")
