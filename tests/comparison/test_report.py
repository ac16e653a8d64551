import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.utils import Bunch

from sklearn_heartkd import comparison
from sklearn_heartkd.comparison._decisions import decision_html, leaders, reliability_html
from sklearn_heartkd.comparison._leaks import find_leaks
from sklearn_heartkd.comparison._subgroups import subgroups, subgroups_html
from sklearn_heartkd.comparison._worst_errors import worst_errors
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import compare_models, oof_frame

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# tells the frame around the page what a reader would meet
PROBE = """<script>addEventListener("load", async () => {
  const players = [...document.querySelectorAll("audio")];
  await Promise.all(players.map(p => p.readyState > 0 ? 0 : new Promise(done => {
    p.onloadedmetadata = p.onerror = done; p.load(); })));
  document.querySelectorAll("details").forEach(d => d.open = true);
  const pictures = [...document.images];
  pictures.forEach(i => i.loading = "eager");
  const inside = [...document.querySelectorAll("body *:not(.skip)")].filter(e => !e.closest(".wide"));
  const focusable = [...document.querySelectorAll("a[href], summary, audio, [tabindex]")];
  const reached = focusable.filter(e => { e.focus(); return document.activeElement === e; });
  parent.postMessage(JSON.stringify({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    width: innerWidth,
    cut: inside.filter(e => e.getBoundingClientRect().right > innerWidth + 1).length,
    scrolled: [...document.querySelectorAll(".wide")].filter(e => e.scrollWidth > e.clientWidth).length,
    pictures: pictures.length, seen: pictures.filter(i => i.naturalWidth > 0).length,
    players: players.length, seconds: players.map(p => p.duration),
    focusable: focusable.length, reached: reached.length,
    names: players.every(p => p.ariaLabel) && pictures.every(i => i.alt),
  }), "*");
})</script>"""


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    data = make_heart_sounds(
        24, classes=("normal", "murmur"), n_subjects=12, duration=5.0, random_state=3
    )
    recipe = comparison.Recipe(max_epochs=1, n_estimators=10, window=3.0, hop=2.0)
    result = comparison.compare(
        data, folds=2, models=["student", "forest"], recipe=recipe, out=folder, n_jobs=1
    )
    source = "24 synthetic recordings <script>alert(1)</script>"
    path = comparison.write_results(result, data, folder, source=source, recipe=recipe)
    return path, result, data


def test_the_report_holds_everything_and_loads_nothing(reported):
    path, result, _ = reported
    page = path.read_text(encoding="utf-8")
    anchors = re.findall(r'<section id="(\w+)">', page)
    assert anchors == [
        *("data", "leaks", "scores", "size", "recall"),
        *("confusion", "reliability", "decision", "subgroups", "errors"),
    ]
    assert all(f'<a href="#{anchor}">' in page for anchor in anchors)
    links = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(" not in page
    assert "<script" not in page  # and the name of the data is escaped
    assert "No leak found" in page
    for name in map(comparison.display_name, result.table.index):
        assert page.count(name) >= 4
    value = result.table.loc["forest", "balanced_accuracy"]
    assert f"{value:.3f} <small>(" in page


def test_the_worst_errors_can_be_heard(reported):
    path, result, data = reported
    errors = worst_errors(result.predictions, "student", 5)
    assert (errors["y_true"] != errors["y_pred"]).all()
    assert errors["confidence"].is_monotonic_decreasing
    assert errors["y_true"].value_counts().max() <= 2
    sounds = re.findall(r'src="data:audio/wav;base64,([^"]+)"', path.read_text(encoding="utf-8"))
    assert len(sounds) == len(errors) > 0
    wave, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0])))
    assert rate == 8000
    assert len(wave) / rate == pytest.approx(3.0)
    original = data.data[errors.iloc[0]["recording"]]
    down = wave[::4]
    likeness = np.correlate(original / np.linalg.norm(original), down / np.linalg.norm(down))
    assert likeness.max() > 0.5


def test_gains_are_over_the_student_that_lacks_the_teacher_alone(tmp_path):
    data = make_heart_sounds(
        16, classes=("normal", "murmur"), n_subjects=8, duration=1.0, random_state=3
    )
    recipe = comparison.Recipe(max_epochs=1, n_estimators=5, window=1.0, hop=1.0, n_synthetic=10)
    models = ["student", "student_pretrained", "student_of_conv1d"]
    result = comparison.compare(data, folds=2, models=models, recipe=recipe, out=tmp_path, n_jobs=1)
    path = comparison.write_results(result, data, tmp_path, source="16 recordings", recipe=recipe)
    page = path.read_text(encoding="utf-8")
    assert "minus student, pretrained" in page
    assert (
        "All networks except the student from scratch are pretrained on 10 synthetic recordings."
        in page
    )
    figure = comparison.quality_against_size_figure(result.table)
    legend = figure.axes[0].get_legend()
    kinds = {text.get_text() for text in legend.get_texts()}
    assert {"pretrained student", "student from scratch", "distilled student"} <= kinds
    assert "classical" not in kinds


def test_only_the_style_of_the_page_is_allowed(reported):
    page = reported[0].read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; media-src data:"
    )
    assert " style=" not in page  # the policy would drop it


def test_the_structure_is_what_a_screen_reader_needs(reported):
    page = reported[0].read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    for landmark in ("header", "nav", "main", "footer"):
        assert len(re.findall(rf"<{landmark}[ >]", page)) == 1
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(re.findall(r'<img alt="([^"]*)"', page))
    heads = re.findall(r"<th scope=\"(?:col|row)\" role=\"\w+\">(.*?)</th>", page)
    assert len(heads) == page.count("<th ")
    assert all(heads)
    assert page.count("<caption>") == page.count("<table ") > 8
    ids = re.findall(r' id="(\w+)"', page)
    assert len(ids) == len(set(ids))


def test_colors_have_enough_contrast():
    style = (files("sklearn_heartkd.comparison") / "report.css").read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w+)", part)) for part in style.split("@media", 2)[:2]
    )
    for colors in (light, light | dark):
        for background in ("page", "hover", "good", "bad"):
            assert _contrast(colors["text"], colors[background]) >= 4.5
        for front in ("muted", "link"):
            assert _contrast(colors[front], colors["page"]) >= 4.5
        assert _contrast(colors["focus"], colors["page"]) >= 3


def _contrast(one, other):
    """Return the ratio of WCAG 2."""

    def luminance(color):
        digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
        parts = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
        parts = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return parts @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_subgroups_are_shown_with_counts_and_intervals():
    truth, who = np.tile(["normal", "murmur"], 24), np.arange(48) // 2
    guess = np.where(np.arange(48) % 5, truth, "normal")
    rows = {"recording": np.arange(48), "y_true": truth, "y_pred": guess}
    predictions = oof_frame("forest", seed=0, fold=0, **rows)
    scores = comparison.score_models(predictions, who)
    device = np.repeat(["phone", "digital <b>", "old"], [20, 16, 12])
    frame = pd.DataFrame({"device": device, "age": who * 7.0, "site": "", "sex": truth})
    data = Bunch(groups=who, frame=frame)
    found = subgroups(data)
    assert list(found) == ["device", "sex", "age"]
    assert set(found["age"]) == {
        "0 to under 1",
        "1 to under 18",
        "18 to under 40",
        "40 to under 65",
    } | {"65 and older"}
    html = subgroups_html(predictions, scores, data)
    phone = compare_models(predictions[:20], who, n_resamples=300, random_state=0).iloc[1]
    assert f"{phone['value']:.3f} <small>({phone['low']:.3f} to {phone['high']:.3f})" in html
    assert '<td role="cell" data-label="recordings">20</td>' in html
    assert "one class" in html  # by sex, which is the class here
    # 16 recordings are enough, their 8 subjects are not
    groups = re.findall('role="rowheader">(.*?)</th>', html)
    assert groups == ["phone", "murmur", "normal", "65 and older"]
    captions = re.findall("<caption>(.*?)</caption>", html)
    assert captions[0].endswith("Left out: 2 groups with fewer than 10 recordings or subjects.")
    assert captions[1].endswith("subjects.")
    assert "Left out" not in captions[1]
    assert "Left out: 4 groups" in captions[2]
    data.frame = frame[["device"]].replace("phone", "digital <b>")
    assert "digital &lt;b&gt;" in subgroups_html(predictions, scores, data)
    data.frame = pd.DataFrame({"device": np.arange(48) // 4})
    html = subgroups_html(predictions, scores, data)
    assert "Left out: 12 groups" in html
    assert "<table" not in html
    data.frame = frame[["site"]]
    assert "name no sites" in subgroups_html(predictions, scores, data)


def test_the_best_model_of_each_kind_leads():
    scores = pd.DataFrame(
        {"model": ["svm", "conv1d+kmeans", "forest", "conv1d", "lstm", "student"]}
    )
    assert leaders(scores) == ["svm", "conv1d", "student"]


def test_a_class_that_a_model_did_not_learn_has_no_probability(reported):
    _, result, _ = reported
    predictions = result.predictions.copy()
    scores = pd.DataFrame({"model": predictions["model"].unique()})
    columns = [name for name in predictions if name.startswith("p_")]
    predictions.loc[predictions["fold"] == 0, columns[0]] = np.nan
    filled = predictions.fillna(dict.fromkeys(columns, 0.0))
    for html in (reliability_html, decision_html):
        assert html(predictions, scores) == html(filled, scores)
    predictions.loc[predictions["fold"] == 0, columns] = np.nan
    assert "nan" not in reliability_html(predictions, scores)


def test_leaks_are_found(reported):
    _, result, data = reported
    clean = find_leaks(data, result.predictions)
    assert clean.shared_subjects == []
    assert len(clean.shared_pairs) == 0
    random = result.predictions.copy()
    random["fold"] = (random["recording"] >= 12).astype(int)  # each subject has a row in both
    assert len(find_leaks(data, random).shared_subjects) == 12
    copied = Bunch(**data)
    folds = result.predictions.groupby("recording")["fold"].first()
    one, other = folds[folds == 0].index[0], folds[folds == 1].index[0]
    copied.data = data.data.copy()
    copied.data[other] = -0.3 * data.data[one]
    pairs = find_leaks(copied, result.predictions).shared_pairs
    assert pairs[["first", "second"]].to_numpy().tolist() == [sorted([one, other])]


def test_recordings_that_are_files_are_checked_too(tmp_path):
    data = make_heart_sounds(
        12, classes=("normal", "murmur"), n_subjects=12, duration=3.0, random_state=0
    )
    data.data[11] = data.data[0]
    data.filenames = [str(tmp_path / name) for name in data.filenames]
    for name, waveform in zip(data.filenames, data.data, strict=True):
        soundfile.write(name, waveform / 2, 2000)
    folds = pd.DataFrame({"seed": 0, "recording": range(12), "fold": [0] * 6 + [1] * 6})
    leaks = find_leaks(data, folds)
    assert "conflicting labels" in [finding.check for finding in leaks.findings]
    assert leaks.n_pairs == 1
    assert leaks.shared_pairs[["first", "second"]].to_numpy().tolist() == [[0, 11]]


def test_the_errors_of_a_model_without_errors():
    perfect = pd.DataFrame({"model": ["a"], "seed": [0], "y_true": ["x"], "y_pred": ["x"]})
    assert worst_errors(perfect, "a", 5).empty


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_in_a_browser(reported, tmp_path, width):
    import json
    from html import unescape

    page = reported[0].read_text(encoding="utf-8")
    probed = tmp_path / "probed.html"
    page = re.sub(r"<meta http-equiv[^>]+>", "", page)  # which forbids the probe
    # a frame, because a headless window is never narrower than 500 pixels
    probed.write_text(page.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe src="probed.html" style="width:{width}px;height:900px;border:0"></iframe><script>'
        'addEventListener("message", e => document.body.dataset.probe = e.data)</script>'
    )
    dom = subprocess.run(
        [
            CHROMIUM,
            *OPTIONS,
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1400,1000",
            "--virtual-time-budget=10000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    ).stdout
    found = json.loads(unescape(re.search(r'data-probe="([^"]*)"', dom).group(1)))
    assert found["width"] == width
    assert found["overflow"] <= 0
    assert found["cut"] == found["scrolled"] == 0
    assert found["seen"] == found["pictures"] > 4
    assert found["players"] > 0
    assert found["seconds"] == pytest.approx([3.0] * found["players"], abs=0.01)
    assert found["reached"] == found["focusable"] > 10
    assert found["names"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_browser_applies_the_style(reported, tmp_path):
    log = subprocess.run(
        [
            CHROMIUM,
            *OPTIONS,
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            reported[0].as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    ).stderr
    assert "Content Security Policy" not in log
