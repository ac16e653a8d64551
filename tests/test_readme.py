import re
from pathlib import Path

import pytest

from sklearn_heartkd import distillation
from sklearn_heartkd.distillation.losses._registry import LOSSES, SOFTENED, resolve_losses

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DISTILLATION = ROOT / "docs" / "distillation.md"


@pytest.mark.slow
def test_the_ten_lines_work(capsys):
    code = re.search(r"## Ten lines\s+```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    exec(compile(code.group(1), "README.md", "exec"), {})
    scores = [float(number) for number in re.findall(r"[01]\.\d*", capsys.readouterr().out)]
    assert len(scores) == 3
    assert min(scores) > 0.5


@pytest.mark.slow
def test_the_examples_of_distillation_work_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the memory is a folder
    blocks = re.findall(r"```python\n(.*?)```", DISTILLATION.read_text("utf-8"), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, DISTILLATION.name, "exec"), names)
    assert set(names["search"].cv_results_["param_distilled__losses"]) == {
        "kd",
        "kd+infonce",
        "hint",
    }
    assert (tmp_path / "teachers").is_dir()


@pytest.mark.slow
def test_the_example_of_pretraining_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "pretraining.md").read_text("utf-8")
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "pretraining.md", "exec"), names)
    assert len(names["student"].pretraining_history_) == 10
    assert (tmp_path / "pretraining").is_dir()


def test_a_temperature_is_refused_where_the_page_says_so():
    for name, row in losses_on_the_page().items():
        if row["temperature"] == "–":
            with pytest.raises(ValueError, match="softens probabilities"):
                resolve_losses(name, None, 2.0, 3)
        else:
            terms = resolve_losses(name, None, 3.5, 3)
            assert dict((name, loss) for name, loss, _ in terms)[name].temperature == 3.5


def losses_on_the_page():
    section = DISTILLATION.read_text("utf-8").partition("## Losses\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_the_table_of_losses_is_that_of_the_code():
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


def test_the_sums_on_the_page_of_distillation_are_those_of_the_code():
    page = DISTILLATION.read_text("utf-8")
    called = {"ce": "cross-entropy", "kd": "soft targets", "infonce": "InfoNCE"}
    for losses in (distillation.DistilledClassifier(None).losses, "kd"):
        terms = resolve_losses(losses, None, None, 2)
        text = " + ".join(f"{weight} · {called[name]}" for name, _, weight in terms)
        assert re.search(re.escape(text).replace(r"\ ", r"\s+"), page)
    terms = resolve_losses(distillation.SoftTargets(), None, None, 2)
    assert [weight for _, _, weight in terms] == [0.3, 0.7]


def test_the_docstring_of_the_package_lists_every_loss():
    lines = re.findall(r'^"(\w+)"\s+`(\w+)`\s+([0-9.]+) ', distillation.__doc__, re.MULTILINE)
    assert {name: (kind, float(weight)) for name, kind, weight in lines} == {
        name: (loss.__name__, loss.default_weight) for name, loss in LOSSES.items()
    }
