"""Markdown tables between markers of a page, and the numbers in their cells."""

import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"


def markdown(table):
    """Return a data frame of strings as a Markdown table; its index becomes the first column."""
    head = [table.index.name or "", *table.columns]
    rows = [[name, *row] for name, row in zip(table.index, table.to_numpy(), strict=True)]
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def rows_as_markdown(rows):
    """Return a list of dicts as a Markdown table, the first key as the first column."""
    table = pd.DataFrame(rows)
    return markdown(table.set_index(table.columns[0]))


def mean_and_spread(value, spread):
    """Return "mean ± standard deviation", without the latter where it is unknown."""
    return f"{value:.3f}" if pd.isna(spread) else f"{value:.3f} ± {spread:.3f}"


def interval(difference, low, high):
    """Return a difference with its 95 % interval."""
    return f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"


def replaced(text, name, table):
    """Return the text of a page with the table between the markers of that name."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.escape(start) + ".*?" + re.escape(end)
    if len(re.findall(pattern, text, re.DOTALL)) != 1:
        raise ValueError(f"The page needs the markers {start} and {end} once.")
    return re.sub(pattern, lambda _: f"{start}\n{table}\n{end}", text, flags=re.DOTALL)


def write_tables(tables):
    """Write tables into pages: Markdown by (path from the root, name of the markers)."""
    for (page, name), table in tables.items():
        path = ROOT / page
        path.write_text(replaced(path.read_text("utf-8"), name, table), encoding="utf-8")
