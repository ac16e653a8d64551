import re

import pandas as pd
import pytest

from benchmarks._tables import RESULTS, ROOT, markdown, replaced, rows_as_markdown
from benchmarks.write_tables import MODULES, all_tables

NUMBER = r"[+-]?\d+\.\d{1,4}"
PAGES = ["README.md", "docs/**/*.md", "sklearn_heartkd/deployment/models/*.md"]


def test_a_table_is_written_between_its_markers():
    page = "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->"
    written = replaced(page, "one", "new")
    assert written == page.replace("old\n", "new\n")
    assert replaced(written, "one", "new") == written
    with pytest.raises(ValueError, match="three"):
        replaced(page, "three", "new")


def test_rows_become_a_markdown_table():
    expected = "| a | b |\n|---|---|\n| x | 1 |\n| y | 2 |"
    assert rows_as_markdown([{"a": "x", "b": 1}, {"a": "y", "b": 2}]) == expected
    assert markdown(pd.DataFrame({"b": [1, 2]}, pd.Index(["x", "y"], name="a"))) == expected


@pytest.mark.slow
def test_tables_on_the_pages_are_those_of_the_stored_results():
    tables = all_tables()
    for (page, name), table in tables.items():
        text = (ROOT / page).read_text("utf-8")
        stored = re.search(f"<!-- {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)
        assert re.sub(NUMBER, "", stored.group(1)) == re.sub(NUMBER, "", f"{table}\n"), name
        found, expected = (
            [float(number) for number in re.findall(NUMBER, part)]
            for part in (stored.group(1), table)
        )
        assert found == pytest.approx(expected, abs=1.1e-3), name  # rounding of other processors


@pytest.mark.slow
def test_every_marked_table_is_generated():
    marked = {
        (path.relative_to(ROOT).as_posix(), name)
        for pattern in PAGES
        for path in ROOT.glob(pattern)
        for name in re.findall("<!-- end of (.*?) -->", path.read_text("utf-8"))
    }
    assert marked == set(all_tables())


def test_every_benchmark_with_tables_is_listed():
    folder = ROOT / "benchmarks"
    having = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if "\ndef tables():" in path.read_text("utf-8")
    }
    assert having == set(MODULES)
    assert RESULTS.is_dir()


def test_benchmarks_use_public_names_only():
    private = re.compile(r"^\s*(from|import) sklearn_heartkd\S*(\._[a-z]| import _[a-z])", re.M)
    for path in (ROOT / "benchmarks").rglob("*.py"):
        assert not private.search(path.read_text("utf-8")), path.name
