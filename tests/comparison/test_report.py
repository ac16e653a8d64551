import base64
import io
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.utils import Bunch

from sklearn_heartkd import comparison
from sklearn_heartkd.comparison._leaks import find_leaks
from sklearn_heartkd.comparison._worst_errors import worst_errors
from sklearn_heartkd.datasets import make_heart_sounds

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
  const focusable = [...document.querySelectorAll("a[href], summary, audio, [tabindex]")];
  const reached = focusable.filter(e => { e.focus(); return document.activeElement === e; });
  parent.postMessage(JSON.stringify({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    width: innerWidth,
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
    assert anchors == ["data", "leaks", "scores", "size", "recall", "confusion", "errors"]
    assert all(f'<a href="#{anchor}">' in page for anchor in anchors)
    links = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(" not in page
    assert "<script" not in page  # and the name of the data is escaped
    assert "No leak found" in page
    for name in map(comparison.display_name, result.table.index):
        assert page.count(name) >= 3
    value = result.table.loc["forest", "balanced_accuracy"]
    assert f"{value:.3f} (" in page


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
    assert "balanced accuracy above student, pretrained" in page
    assert (
        "All networks except the student from scratch are pretrained on 10 synthetic recordings."
        in page
    )
    figure = comparison.quality_against_size_figure(result.table)
    legend = figure.axes[0].get_legend()
    kinds = {text.get_text() for text in legend.get_texts()}
    assert {"pretrained student", "student from scratch", "distilled student"} <= kinds
    assert "classical" not in kinds


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
    assert found["seen"] == found["pictures"] > 4
    assert found["players"] > 0
    assert found["seconds"] == pytest.approx([3.0] * found["players"], abs=0.01)
    assert found["reached"] == found["focusable"] > 10
    assert found["names"]
