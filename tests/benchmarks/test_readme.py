import re

import pandas as pd

from benchmarks import noise_robustness, readme_table

ROOT = readme_table.ROOT
README = (ROOT / "README.md").read_text("utf-8")
FIGURE = r"[+-]\d\.\d{3} \([+-]\d\.\d{3} to [+-]\d\.\d{3}\)"


def test_the_readme_says_of_noise_what_its_page_says():
    paragraph = re.search(r"^Distillation pays where there is noise\..*$", README, re.MULTILINE)
    clean, at_10 = paragraph.group().split("At a signal-to-noise ratio of 10 dB")
    page = (ROOT / "docs" / "noise.md").read_text("utf-8")
    scores = page.partition("## White noise\n")[2].partition("\n## ")[0]
    for model, figures in zip(
        ("student of that teacher", "teacher \\(Conv2D\\)"),
        re.findall(r"0\.\d{3} / 0\.\d{3}", clean),
        strict=True,
    ):
        assert re.search(rf"\| {model} \| with noise \| {figures} \|", scores)
    taught = page.partition("## What the teacher adds\n")[2]
    rows = re.findall(r"^\| (\w+) \| (with noise|as recorded) \|(.*)\|$", taught, re.MULTILINE)
    cells = {(noise, how): re.findall(FIGURE, row) for noise, how, row in rows}
    order = [(noise, how) for how in ("with noise", "as recorded") for noise in
             ("white", "pink", "ambience")]  # fmt: skip
    assert re.findall(FIGURE, at_10) == [cells[key][2] for key in order]
    assert re.findall(FIGURE, clean)[1] == cells["white", "with noise"][0]
    assert paragraph.group() == readme_table.reading_of_noise()


def test_the_page_of_noise_is_that_of_the_stored_scores():
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "noise_robustness.csv")
    taught = pd.read_csv(ROOT / "benchmarks" / "results" / "noise_teaching.csv")
    page = (ROOT / "docs" / "noise.md").read_text("utf-8")
    stored = noise_robustness.report(table, taught, ("white", "pink", "ambience"))
    assert f"<!-- results -->\n{stored}\n<!-- end of results -->" in page


def test_kmeans_helps_where_the_readme_says():
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "when_kmeans_helps.csv")
    above = table[(table["difference_low"] > 0) & (table["model"] != "unrefined")]
    found = above.groupby(["condition", "metric"])["model"].agg(set)
    assert found.to_dict() == {
        ("wrong20", "balanced_accuracy"): {"20, 0.25", "20, 0.5"},
        ("wrong40", "balanced_accuracy"): {"20, 0.25"},
        ("short", "accuracy"): {"20, 0.25", "20, 0.5", "20, 1.0"},
    }
    sentence = "with 20 clusters, one seed, it raises the accuracy of a student of 2 epochs"
    assert sentence in README
