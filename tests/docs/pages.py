"""The pages of the documentation and the code blocks in them."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GENERATED = ("docs/examples/", "docs/reference/generated/", "docs/reference/backreferences/")
FENCE = re.compile(r"^( *)(`{3,}|:{3,})([^\n]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced code block."""

    page: str
    line: int
    language: str
    text: str


def pages(*patterns):
    """Return the pages that people write, as paths from the root."""
    found = {
        path.relative_to(ROOT).as_posix()
        for pattern in patterns or ("*.md", "docs/**/*.md")
        for path in ROOT.glob(pattern)
    }
    return sorted(page for page in found if not page.startswith(GENERATED))


def blocks(page, text=None, first_line=1):
    """Return the code blocks of a page, also those inside directives such as tabs and admonitions."""
    text = (ROOT / page).read_text("utf-8") if text is None else text
    found = []
    for match in FENCE.finditer(text):
        indent, _, language, body = match.groups()
        line = first_line + text[: match.start()].count("\n")
        body = re.sub(f"^{indent}", "", body, flags=re.MULTILINE)
        if language.startswith("{"):
            found += blocks(page, body, line + 1)
        else:
            found.append(Block(page, line, language.strip(), body))
    return found


def not_run():
    """Return the blocks that cannot run: page, beginning and reason of each."""
    return tomllib.loads((ROOT / "docs/blocks_not_run.toml").read_text("utf-8"))["block"]
