import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.comparison._storage import locked
from tests.comparison.helpers import run, spy_on_fits


def test_an_interrupted_comparison_continues(data, comparison, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        done = spy_on_fits(patch, stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            run(data, out=tmp_path)
    rest = spy_on_fits(monkeypatch)
    result = run(data, out=tmp_path)
    assert len(done) == 5
    assert len(rest) == 3
    assert not set(done) & set(rest)
    pd.testing.assert_frame_equal(result.predictions, comparison.predictions)
    scores = [name for name in result.table if "accuracy" in name or "f1" in name]
    pd.testing.assert_frame_equal(result.table[scores], comparison.table[scores])
    run(data, out=tmp_path)
    assert len(rest) == 3
    more = run(data, out=tmp_path, models=["forest", "student"])
    assert rest[3:] == ["forest-seed0-fold0", "forest-seed0-fold1"]
    assert set(more.predictions["model"].str.removesuffix("+kmeans")) == {"forest", "student"}


def fail_after_half(path, content):
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
    raise KeyboardInterrupt


def test_a_half_written_result_does_not_count(data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail_after_half)
        with pytest.raises(KeyboardInterrupt):
            run(data, out=tmp_path, models=["svm"])
    done = spy_on_fits(monkeypatch)
    assert len(run(data, out=tmp_path, models=["svm"]).table) == 2
    assert len(done) == 2


@pytest.mark.parametrize("end", ["predictions", "model"])
@pytest.mark.parametrize("content", [b"", b"half of it"])
def test_a_damaged_fit_is_computed_again(end, content, data, tmp_path, monkeypatch):
    whole = run(data, out=tmp_path, models=["forest"]).predictions
    path = tmp_path / "parts" / f"forest-seed0-fold1.{end}"
    path.write_bytes(content)
    done = spy_on_fits(monkeypatch)
    with pytest.warns(UserWarning, match=rf"forest-seed0-fold1.{end} is damaged"):
        again = run(data, out=tmp_path, models=["forest"]).predictions
    assert done == ["forest-seed0-fold1"]
    pd.testing.assert_frame_equal(again, whole)


@pytest.mark.parametrize("content", ["", '{"recipe": "Rec'])
def test_damaged_settings_do_not_stop_whole_fits(content, data, tmp_path, monkeypatch):
    run(data, out=tmp_path, models=["forest"])
    settings = tmp_path / "settings.json"
    whole = settings.read_text()
    settings.write_text(content)
    done = spy_on_fits(monkeypatch)
    with pytest.warns(UserWarning, match=r"settings\.json is damaged"):
        run(data, out=tmp_path, models=["forest"])
    assert not done
    assert settings.read_text() == whole


def test_fits_of_other_data_are_no_longer_used_without_settings(data, tmp_path, monkeypatch):
    run(data, out=tmp_path, models=["forest"])
    (tmp_path / "settings.json").unlink()
    other = type(data)(**data)
    other.data = 2 * data.data
    done = spy_on_fits(monkeypatch)
    with pytest.warns(UserWarning, match="belongs to another comparison"):
        run(other, out=tmp_path, models=["forest"])
    assert len(done) == 2


def test_one_folder_is_for_one_comparison_at_a_time(data, tmp_path):
    with locked(tmp_path), pytest.raises(ValueError, match="Another comparison is running in"):
        run(data, out=tmp_path, models=["svm"])
    run(data, out=tmp_path, models=["svm"])


SCRIPT = """
import sys
from pathlib import Path
from sklearn_heartkd.comparison._storage import locked
from sklearn_heartkd.datasets import make_heart_sounds
from tests.comparison.helpers import run

data = make_heart_sounds(
    16, classes=("normal", "murmur"), n_subjects=16, duration=1.0, random_state=0
)
run(data, out=sys.argv[1], models=["forest", "student"])
"""


def start(folder, **options):
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    return subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, **options)


@pytest.mark.slow
def test_a_second_process_is_kept_out(data, tmp_path):
    process = start(tmp_path)
    while not list(tmp_path.glob("settings.json")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    with pytest.raises(ValueError, match="Another comparison is running in"):
        run(data, out=tmp_path, models=["forest"])
    _, error = process.communicate()
    assert process.returncode == 0, error


@pytest.mark.slow
def test_a_killed_comparison_continues(data, tmp_path, monkeypatch):
    process = start(tmp_path)
    while not list(tmp_path.glob("parts/*.predictions")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.kill()
    process.communicate()
    n_done = len(list(tmp_path.glob("parts/*.predictions")))
    left = [tmp_path / name for name in ("parts/.svm-1.model", ".table-x1.csv", ".report-x.html")]
    for path in left:
        path.write_bytes(b"half")
    done = spy_on_fits(monkeypatch)
    result = run(data, out=tmp_path, models=["forest", "student"])
    assert len(done) == 4 - n_done
    assert not any(path.exists() for path in left)
    whole = run(data, models=["forest", "student"])
    pd.testing.assert_frame_equal(result.predictions, whole.predictions)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="resource limits are POSIX")
def test_a_full_disk_leaves_whole_files(data, tmp_path):
    import resource

    run(data, out=tmp_path, models=["forest"])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    size = (20_000, 20_000)  # the forest and settings fit in, the student does not
    process = start(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, size))
    assert b"File too large" in process.communicate()[1]
    assert process.returncode == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_recordings_that_were_moved_are_the_same(data, tmp_path, monkeypatch):
    run(data, out=tmp_path, models=["svm"])
    moved = type(data)(**data)
    moved.filenames = [f"elsewhere/{Path(name).name}" for name in data.filenames]
    done = spy_on_fits(monkeypatch)
    run(moved, out=tmp_path, models=["svm"])
    assert not done


@pytest.mark.parametrize("change", ["folds", "recipe", "labels", "names", "groups", "sound"])
def test_a_folder_of_another_comparison_is_refused(change, data, tmp_path):
    run(data, out=tmp_path, models=["svm"])
    options = {"folds": 3} if change == "folds" else {}
    if change == "recipe":
        options["recipe"] = Recipe(n_estimators=4)
    if change == "labels":
        data = type(data)(**data)
        data.target = data.target[::-1]
    if change == "groups":
        options["splits"] = split_by_subject(data.target, data.groups, 2)
        data = type(data)(**data)
        data.groups = data.groups[::-1]
    if change == "sound":
        data = type(data)(**data)
        data.data = data.data.copy()
        data.data[3, 5] += 1e-3
    if change == "names":
        data = type(data)(**data)
        data.filenames = [f"other_{Path(name).name}" for name in data.filenames]
    with pytest.raises(
        ValueError, match="other recordings, folds or settings; choose another folder"
    ):
        run(data, out=tmp_path, models=["svm"], **options)
