"""The index of the short answers is complete."""

import re

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs/how-do-i"


def test_the_index_lists_every_answer_once():
    headings = {
        path.name: re.findall(r"^## (.*)$", path.read_text("utf-8"), re.MULTILINE)
        for path in FOLDER.glob("*.md")
        if path.name not in ("index.md", "wrong-uses.md")
    }
    answers = [
        f"{name}#{re.sub(r'[^\w\- ]', '', heading).lower().replace(' ', '-')}"
        for name, found in headings.items()
        for heading in found
    ]
    linked = re.findall(r"\]\(([\w-]+\.md#[^)]+)\)", (FOLDER / "index.md").read_text("utf-8"))
    assert sorted(linked) == sorted(answers)


def test_the_table_of_wrong_uses_lists_every_section_once():
    text = (FOLDER / "wrong-uses.md").read_text("utf-8")
    sections = [
        head.lower().replace(" ", "-") for head in re.findall(r"^## (.*)$", text, re.MULTILINE)
    ]
    assert re.findall(r"^\| \[[^\]]+\]\(#([^)]+)\)", text, re.MULTILINE) == sections
