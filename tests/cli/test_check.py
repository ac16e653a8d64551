import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from sklearn_heartkd import MFCC
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import (
    load_audio_folder,
    load_physionet2016,
    make_heart_sounds,
    open_store,
    store,
)


def check(*arguments):
    return main(["check", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    sounds = make_heart_sounds(
        16, classes=["normal", "murmur"], n_subjects=16, duration=3.0, random_state=0
    )
    for i, (x, label) in enumerate(zip(sounds.data, sounds.target, strict=True)):
        (tmp_path / label).mkdir(exist_ok=True)
        x = 0.3 * x / np.abs(x).max() * (1 + i % 3)
        soundfile.write(tmp_path / label / f"{'abc'[i % 3]}{i // 4}_{i}.wav", x, 2000)
    return tmp_path


def test_a_copy_under_two_labels_is_a_problem(folder, capsys):
    original = sorted((folder / "normal").iterdir())[0]
    (folder / "murmur" / "zz.wav").write_bytes(original.read_bytes())
    (folder / "murmur" / "broken.wav").write_text("no sound")
    assert check(folder) == 1
    text = capsys.readouterr().out
    assert "conflicting labels" in text
    assert f"normal/{original.name}" in text
    assert "murmur/zz.wav" in text
    assert "murmur/broken.wav" in text
    assert check(folder, "--layout", "folder", "--json") == 1
    content = json.loads(capsys.readouterr().out)
    files = {f["check"]: f["files"] for f in content["findings"]}
    names = ("HKD001", "HKD002", "HKD016")
    assert check(folder, "--layout", "folder", "--ignore", *names, "--json") in (0, 1)
    rest = json.loads(capsys.readouterr().out)["findings"]
    assert not {finding["code"] for finding in rest} & set(names)
    assert sorted(files["conflicting labels"]) == ["murmur/zz.wav", f"normal/{original.name}"]
    assert files["unreadable file"] == ["murmur/broken.wav"]


def test_a_store_is_checked_like_its_recordings(folder, tmp_path, capsys):
    original = sorted((folder / "normal").iterdir())[0]
    (folder / "murmur" / "zz.wav").write_bytes(original.read_bytes())
    store(load_audio_folder(folder), tmp_path / "stored")
    assert check(tmp_path / "stored", "--json") == 1
    content = json.loads(capsys.readouterr().out)
    files = {f["check"]: sorted(f["files"]) for f in content["findings"]}
    assert files["conflicting labels"] == [str(folder / "murmur" / "zz.wav"), str(original)]
    features = store(open_store(tmp_path / "stored"), tmp_path / "bands", transformer=MFCC())
    assert features.data.ndim == 3
    assert check(tmp_path / "bands") == 2
    assert "give a store of recordings" in capsys.readouterr().err


def test_subjects_are_told_by_an_expression(folder, capsys):
    check(folder, "--subject", r"^(\w+)_", "--json")
    findings = json.loads(capsys.readouterr().out)["findings"]
    several = [f for f in findings if f["check"] == "subject with several labels"]
    assert several
    assert set(several[0]["values"]["subjects"]) <= {a + b for a in "abc" for b in "0123"}


def test_a_folder_of_unreadable_files_is_a_problem(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.wav").write_text("no sound")
    assert check(tmp_path) == 1
    assert capsys.readouterr().out.count("unreadable file") == 2


def test_the_layout_of_physionet_is_recognized(folder, capsys):
    lines = []
    for i, file in enumerate(sorted(folder.rglob("*.wav"))):
        target = folder / "training-a" / f"a{i:04d}.wav"
        target.parent.mkdir(exist_ok=True)
        lines.append(f"{target.stem},{1 if file.parent.name == 'murmur' else -1}")
        file.rename(target)
    (folder / "training-a" / "REFERENCE.csv").write_text("\n".join(lines))
    assert check(folder, "--json") in (0, 1)
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary["classes"] == {"abnormal": 8, "normal": 8}
    assert check(folder, "--json", "--subject", r"^a00(\d)") in (0, 1)
    assert "counts as a separate subject" not in capsys.readouterr().err
    data = load_physionet2016(folder, subject=r"^a00(\d)")
    assert sorted(set(data.groups)) == ["a-0", "a-1"]
    with pytest.raises(
        ValueError, match=r"subject='b\(\.\)' matches nothing in 16 of 16 file names"
    ):
        load_physionet2016(folder, subject="b(.)")
    with pytest.raises(ValueError, match="matches nothing in 10 of 16 file names"):
        load_physionet2016(folder, subject=r"^a00(1)?")


def test_a_report_without_problems_is_a_success(folder, monkeypatch, capsys):
    from sklearn_heartkd import model_selection

    class Report:
        n_problems = 0
        summary = {"layout": "pascal"}

    monkeypatch.setattr(model_selection, "check_folder", lambda *args, **kwargs: Report())
    assert check(folder) == 0


def test_wrong_usage_is_2(tmp_path, capsys):
    assert check(tmp_path / "nowhere") == 2
    assert "nowhere" in capsys.readouterr().err
    assert check(tmp_path) == 2
    assert "no sound files" in capsys.readouterr().err
    (tmp_path / "set_a").mkdir()
    (tmp_path / "set_a" / "normal__1.wav").write_text("")
    assert check(tmp_path, "--subject", "x") == 2
    assert "is not used for the layout 'pascal'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        check(tmp_path, "--layout", "kaggle")
    assert error.value.code == 2


def test_the_verb_imports_nothing_heavy():
    code = "import sys, sklearn_heartkd.cli._check; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pandas", "torch", "librosa"} & set(modules.stdout.split())


@pytest.mark.recordings
@pytest.mark.slow
def test_the_faults_of_pascal_are_found(pascal_path, capsys):
    assert check(pascal_path, "--json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]

    def of(name):
        return [f for f in findings if f["check"] == name]

    conflicts = [set(f["files"]) for f in of("conflicting labels")]
    assert {"set_a/murmur__201106141148.wav", "set_a/normal__201106141148.wav"} in conflicts
    assert {"set_a/extrahls__201104021355.wav", "set_a/murmur__201104021355.wav"} in conflicts
    assert [f["values"]["subjects"] for f in of("near-duplicates")].count(["103", "146"]) == 4
    lengths = {f["values"]["class"]: f for f in of("length of a class")}
    assert lengths["artifact"]["values"]["n_samples"] == 396_900
    assert len(lengths["artifact"]["files"]) == 40
    assert lengths["murmur"]["values"]["n_samples"] == 349_958
    assert len(lengths["murmur"]["files"]) == 23
    assert len(of("subject with several labels")[0]["values"]["subjects"]) == 35
    assert {f["values"]["class"] for f in of("class and source")} == {
        "artifact",
        "extrahls",
        "extrastole",
    }
    betrayed = {f["check"] for f in findings if f["severity"] == "problem"}
    assert {"class from recording length", "class from sampling rate"} <= betrayed
