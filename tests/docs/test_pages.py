"""README and documentation: links lead somewhere, pictures are used, tables agree with the code."""

import re
from urllib.parse import unquote

import pytest

from sklearn_heartkd import distillation
from sklearn_heartkd.distillation.losses._registry import LOSSES, SOFTENED, resolve_losses
from tests.docs.pages import ROOT, pages

PAGES = pages()
DISTILLATION = ROOT / "docs/guide/distillation.md"


def anchors(path):
    heads = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}


def source_of(target):
    """Return the file of the gallery that a page of it is made of, which exists only after a build."""
    gallery = ROOT / "docs" / "examples"
    if gallery not in target.parents:
        return target
    source = ROOT / "examples" / target.relative_to(gallery)
    if source.stem == "index":
        return source.with_name("GALLERY_HEADER.rst")
    return source.with_suffix(".py")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page):
    path = ROOT / page
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = source_of((path.parent / unquote(name)).resolve()) if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES)
def test_no_merge_is_left_open(page):
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", (ROOT / page).read_text("utf-8"), re.MULTILINE)


def test_every_picture_is_on_a_page_with_an_alternative_text():
    text = "".join((ROOT / page).read_text("utf-8") for page in PAGES)
    found = re.findall(r"!\[([^\]]*)\]\(\S*images/(\S+)\)", text)
    assert {name for _, name in found} == {path.name for path in (ROOT / "docs/images").iterdir()}
    assert [name for alternative, name in found if not alternative] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 600


def losses_on_the_page():
    section = DISTILLATION.read_text("utf-8").partition("## Losses\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_losses_use_a_temperature_where_the_table_shows_one():
    for name, row in losses_on_the_page().items():
        if row["temperature"] == "–":
            with pytest.raises(ValueError, match="temperature"):
                resolve_losses(name, None, 2.0, 3)
        else:
            terms = resolve_losses(name, None, 3.5, 3)
            assert dict((name, loss) for name, loss, _ in terms)[name].temperature == 3.5


def test_the_table_of_losses_agrees_with_the_classes():
    table = losses_on_the_page()
    assert set(table) == set(LOSSES)
    for name, loss in LOSSES.items():
        row = table[name]
        assert row["class"] == loss.__name__
        assert float(row["weight"]) == loss.default_weight
        temperature = f"{loss().temperature:g}" if issubclass(loss, SOFTENED) else "–"
        assert row["temperature"] == temperature
        assert ("three classes" in row["needs"]) == (loss.min_classes == 3)
        assert ("single network" in row["needs"]) == loss.needs_sequence
        author, year = re.match(r"(?:van den )?(\w+).*\((\d{4})\)", row["after"]).groups()
        assert author in loss.__doc__
        assert year in loss.__doc__


def test_the_docstring_of_distillation_lists_every_loss():
    lines = re.findall(r'^"(\w+)"\s+`(\w+)`\s+([0-9.]+) ', distillation.__doc__, re.MULTILINE)
    assert {name: (kind, float(weight)) for name, kind, weight in lines} == {
        name: (loss.__name__, loss.default_weight) for name, loss in LOSSES.items()
    }
