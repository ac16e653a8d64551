"""The built site, in the folder HEARTKD_SITE: complete, small, and quiet in a browser."""

import importlib
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import sklearn_heartkd
from tests.docs.pages import ROOT

BROWSER = Path(__file__).parent / "browser"
EXAMPLES = sorted(path.stem for path in ROOT.glob("examples/*/*.py"))
NOTEBOOKS = ("leak_check", "losses_side_by_side", "what_the_model_heard")


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    if "HEARTKD_SITE" not in os.environ:
        pytest.skip("HEARTKD_SITE is not set")
    path = Path(os.environ["HEARTKD_SITE"])
    assert (path / "index.html").exists(), f"HEARTKD_SITE={path} holds no site"
    return path


class Page(HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        elif "src" in attrs or tag == "link":
            self.loaded.append(attrs.get("src") or attrs.get("href"))


@pytest.fixture(scope="session")
def html(site):
    """Every page of the site by its path."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


@pytest.fixture(scope="session")
def seen(site):
    """What a reader would notice in the browser."""
    if shutil.which("node") is None or not (BROWSER / "node_modules").is_dir():
        pytest.skip(f"node is not installed, or `npm ci` was not run in {BROWSER}")
    command = ["node", "check.mjs", str(site.resolve())]
    done = subprocess.run(command, cwd=BROWSER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def public_names():
    """Yield the name under which each public object is documented."""
    for package in sklearn_heartkd._SUBPACKAGES:
        for name in importlib.import_module(f"sklearn_heartkd.{package}").__all__:
            if name in sklearn_heartkd.__all__:
                yield f"sklearn_heartkd.{name}"
            elif (package, name) != ("deployment", "runtime"):  # a module; its names are listed
                yield f"sklearn_heartkd.{package}.{name}"


def test_every_public_name_has_a_page_with_an_example(site, html):
    pages = {path.stem: path for path in (site / "reference/generated").glob("*.html")}
    for name in public_names():
        if name.rpartition(".")[2].isupper() and name not in pages:  # a constant
            assert name in html["reference/comparison.html"].ids
            continue
        text = pages[name].read_text("utf-8")
        assert ">Examples<" in text or "sphx-glr-thumb" in text, name


def test_examples_have_a_picture_and_a_notebook(site):
    assert len(EXAMPLES) >= 20
    assert len(EXAMPLES) == len(set(EXAMPLES))
    for name in EXAMPLES:
        assert list(site.glob(f"_images/sphx_glr_{name}_001.png")), name
        assert list(site.glob(f"_downloads/*/{name}.ipynb")), name


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_run(site, name, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the notebook shows its pictures
    nbclient, nbformat = (pytest.importorskip(module) for module in ("nbclient", "nbformat"))
    (path,) = site.glob(f"_downloads/*/{name}.ipynb")
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_links_lead_somewhere(site, html):
    dead = []
    for name, page in html.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(name), unquote(target) or name))
            path = name if not target else path
            if path in html:
                alive = anchor in {"", *filter(None, html[path].ids)}
            else:
                alive = (site / path).is_file()
            if not alive:
                dead.append(f"{name}: {link}")
    assert dead == []


def test_nothing_is_loaded_from_elsewhere(html):
    elsewhere = re.compile(r"(https?:)?//")
    found = [
        (name, url) for name, page in html.items() for url in page.loaded if elsewhere.match(url)
    ]
    assert found == []


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) <= 20e6


@pytest.mark.parametrize("kind", ["console", "requests", "images", "sideways", "axe"])
def test_the_browser_complains_of_nothing(seen, kind):
    assert seen["pages"] > 200
    assert seen[kind] == []


def test_search_and_formulas_work_without_a_server(seen):
    assert seen["hits"] > 9
    assert seen["formulas"] > 0
