"""The lists of the short answers and of the wrong uses are complete."""

import re

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs/how-do-i"
TEXTS = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md"))}


def sections(name):
    heads = re.findall(r"^## (.*)$", TEXTS[name], re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads]


def test_the_index_lists_every_answer_once():
    pages = TEXTS.keys() - {"index.md", "wrong-uses.md"}
    answers = [f"{page}#{section}" for page in pages for section in sections(page)]
    assert sorted(re.findall(r"\]\(([\w-]+\.md#[^)]+)\)", TEXTS["index.md"])) == sorted(answers)


def test_the_table_of_wrong_uses_lists_every_section_once():
    rows = re.findall(r"^\| \[[^\]]+\]\(#([^)]+)\)", TEXTS["wrong-uses.md"], re.MULTILINE)
    assert rows == sections("wrong-uses.md")
