import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.model_selection import DatasetReport, Finding, check_dataset, check_folder
from sklearn_heartkd.model_selection._metadata import label_findings
from sklearn_heartkd.model_selection._report import CODES

RATE = 2000


def write(folder, name, x, rate=RATE):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.clip(x, -1, 1), rate, subtype="FLOAT")
    return file


@pytest.fixture(scope="module")
def clean():
    """Recordings of which the metadata say nothing about the class."""
    sounds = make_heart_sounds(
        40, classes=["normal", "murmur"], n_subjects=40, duration=3.0, random_state=0
    )
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.02, 0.2, size=(40, 1))
    data = sounds.data - sounds.data.mean(axis=1, keepdims=True)
    data = np.clip(data / data.std(axis=1, keepdims=True) * levels, -0.99, 0.99)
    return [x[: rng.integers(5000, 6000)] for x in data], list(sounds.target)


def checks(report, severity=None):
    return {f.check for f in report.findings if severity in (None, f.severity)}


def test_a_clean_data_set_has_no_problems(tmp_path, clean):
    files = [write(tmp_path, f"{'xy'[i % 2]}.{i}.wav", x) for i, x in enumerate(clean[0])]
    report = check_dataset(files, clean[1], names=["x"] * 40)
    assert report.n_problems == 0, str(report)
    assert checks(report, "warning") <= {"clipping"}
    assert "0 problems" not in str(report)


def test_each_fault_is_found_and_named(tmp_path, clean):
    data, labels = list(clean[0]), list(clean[1])
    data += [-0.5 * data[0], 0.1 * data[1], np.zeros(4000)]
    labels += ["normal" if labels[0] == "murmur" else "murmur", labels[1], "normal"]
    data[2] = np.clip(20 * data[2], -0.5, 0.5)
    data[3] = np.concatenate([data[3], np.zeros(3000)])
    files = [write(tmp_path, f"{i:02d}.wav", x) for i, x in enumerate(data)]
    (tmp_path / "text.wav").write_text("no sound")
    names = [file.name for file in files] + ["text.wav"]
    subjects = [str(i) for i in range(len(data))] + [None]
    subjects[4], subjects[5] = "same", "same"
    labels[4], labels[5] = "normal", "murmur"
    report = check_dataset(
        [*files, tmp_path / "text.wav"], [*labels, None], subjects=subjects, names=names
    )
    found = {f.check: f.files for f in report.findings}
    assert found["unreadable file"] == ["text.wav"]
    assert found["conflicting labels"] == ["00.wav", "40.wav"]
    assert found["near-duplicates"] == ["01.wav", "41.wav"]
    assert found["subject with several labels"] == ["04.wav", "05.wav"]
    assert found["silence"] == ["42.wav"]
    assert "03.wav" in found["silent part"]
    assert "02.wav" in found["clipping"]
    assert report.n_problems >= 4
    assert len(report.groups) == len(report.filenames) == 43
    assert report.groups[0] == report.groups[40]
    assert report.groups[4] == report.groups[5]


@pytest.mark.parametrize(
    "leak", ["recording length", "loudness", "sampling rate", "source", "file name"]
)
def test_what_metadata_betray_is_found(tmp_path, clean, leak):
    data, labels = clean
    files, sources = [], []
    for i, (x, label) in enumerate(zip(data, labels, strict=True)):
        odd = label == "murmur"
        rate = RATE
        if leak == "recording length" and odd:
            x = x[:4800]
        if leak == "loudness" and odd:
            x = x / 50
        if leak == "sampling rate" and odd:
            rate = 2200
        number = 2012000000 + i if leak == "file name" and odd else 2011000000 + i
        files.append(write(tmp_path, f"{number if leak == 'file name' else 'x'}/{i}.wav", x, rate))
        sources.append(("east" if odd else "west") if leak == "source" else "one")
    names = [f"{f.parent.name}.wav" for f in files]
    report = check_dataset(files, labels, sources=sources, names=names)
    problems = checks(report, "problem")
    assert f"class from {leak}" in problems
    assert {name for name in problems if name.startswith("class from")} <= {
        f"class from {leak}",
        "class from recording length",  # a sampling rate changes the seconds
    }
    if leak == "source":
        assert "class and source" in problems
    if leak == "recording length":
        assert "length of a class" in problems


def test_report_as_table_and_json(tmp_path, clean):
    data, labels = clean
    files = [write(tmp_path, f"{i}.wav", x) for i, x in enumerate([*data[:6], data[0]])]
    report = check_dataset(files, [*labels[:6], "other"], names=[f.name for f in files])
    frame = report.to_frame()
    assert list(frame.columns) == ["code", "check", "severity", "message", "n_files", "files"]
    assert frame.set_index("check")["code"]["conflicting labels"] == "HKD002"
    content = json.loads(report.to_json())
    assert content["summary"]["recordings"] == 7
    assert content["n_problems"] == report.n_problems
    assert content["near_duplicates"][0]["labels_disagree"] is True
    assert {f["check"]: f["code"] for f in content["findings"]} == dict(
        zip(frame["check"], frame["code"], strict=True)
    )
    assert "HKD002 conflicting labels" in str(report)
    assert "0.wav" in str(report)
    assert "other" in str(report)


def test_checks_are_left_out_by_their_codes(tmp_path, clean):
    data, labels = clean
    files = [write(tmp_path, f"{i}.wav", x) for i, x in enumerate([*data[:6], data[0]])]
    labels = [*labels[:6], "other"]
    codes = {finding.code for finding in check_dataset(files, labels).findings}
    assert "HKD002" in codes
    rest = check_dataset(files, labels, ignore=["HKD002"])
    assert {finding.code for finding in rest.findings} == codes - {"HKD002"}
    assert len(set(CODES.values())) == len(CODES)
    with pytest.raises(ValueError, match="'clipping' is not the code of a check"):
        check_dataset(files, labels, ignore=["clipping"])


def test_bad_arguments_are_named(tmp_path, clean):
    with pytest.raises(ValueError, match="filenames is empty"):
        check_dataset([])
    with pytest.raises(ValueError, match="2 values of subject for 1 files"):
        check_dataset(["a.wav"], subjects=["a", "b"])
    write(tmp_path, "normal/a.wav", clean[0][0])
    with pytest.raises(ValueError, match="layout must be one of"):
        check_folder(tmp_path, layout="kaggle")


def test_all_files_unreadable(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    report = check_dataset([tmp_path / "a.wav"], ["normal"])
    assert checks(report) == {"unreadable file"}
    assert json.loads(report.to_json())["summary"]["readable"] == 0


def name_findings(names, labels):
    table = pd.DataFrame({"file": names, "label": labels, "source": ""})
    lengths = ["n_samples", "seconds", "rms_db", "peak_db", "sampling_rate"]
    table[lengths] = 1.0
    return list(label_findings(table, np.arange(len(table)), 0))


def test_labels_in_names_are_noted():
    labels = ["AS", "N"] * 10
    names = [f"New_{label}_{i // 2:03d}.wav" for i, label in enumerate(labels)]
    [finding] = name_findings(names, labels)
    assert finding.check == "class from file name"
    assert finding.severity == "note"
    assert "words in the names tell the class" in finding.message


def test_numbers_that_start_again_are_undecided():
    labels = ["AS", "N"] * 10
    [finding] = name_findings([f"{i // 2:03d}.wav" for i in range(20)], labels)
    assert finding.values["balanced_accuracy"] < 0.3
    assert "does not tell" not in finding.message
    assert "cannot decide" in finding.message


def test_numbers_that_tell_the_class_are_a_problem():
    labels = ["AS"] * 10 + ["N"] * 10
    [finding] = name_findings([f"{i:03d}.wav" for i in range(20)], labels)
    assert finding.severity == "problem"


def test_the_text_holds_no_control_characters():
    finding = Finding("clipping", "warning", "of \x1b[2J", ["a\nb.wav"])
    summary = {"recordings": 1, "seconds": 1.0, "classes": {"\x1b[31m": 1}}
    text = str(DatasetReport([finding], summary, pd.DataFrame(), np.zeros(1), ["a"]))
    assert "\x1b" not in text
    assert r"a\nb.wav" in text


def test_a_folder_of_circor_is_recognized(tmp_path):
    """A miniature of the layout, with noise for recordings."""
    rng = np.random.default_rng(0)
    rows = ["Patient ID,Murmur,Outcome,Campaign"]
    for i, murmur in enumerate(["Present", "Absent"] * 3):
        rows.append(f"{100 + i},{murmur},Normal,CC2014")
        for site in ("AV", "MV"):
            write(tmp_path, f"training_data/{100 + i}_{site}.wav", rng.normal(scale=0.1, size=3000))
    (tmp_path / "training_data.csv").write_text("\n".join(rows))
    report = check_folder(tmp_path)
    assert report.summary["layout"] == "circor"
    assert report.summary["classes"] == {"absent": 6, "present": 6}
    assert report.summary["subjects"] == 6
    assert "several recordings of a subject" in checks(report, "warning")
