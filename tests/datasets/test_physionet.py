import shutil
import warnings

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, load_physionet2016


def write_noise(file, rate=4000, seconds=1.0):
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(file)))
    x = rng.normal(scale=0.1, size=round(seconds * rate))
    soundfile.write(file, x, rate, format="FLAC" if file.suffix == ".flac" else "WAV")


@pytest.fixture
def physionet(tmp_path):
    references = {
        "training-a": "a0001,1\na0002,-1\na0003,1\n",
        "training-b": "b0001,-1,1\nb0002,1,0\n",
        "training-f": "f0001,-1\n",
    }
    for folder, rows in references.items():
        for row in rows.split():
            write_noise(tmp_path / folder / f"{row.split(',')[0]}.wav", rate=2000)
        (tmp_path / folder / "REFERENCE.csv").write_text(rows)
    write_noise(tmp_path / "validation" / "a0001.wav")
    return tmp_path


def test_fields_of_the_bunch(physionet):
    bunch = load_physionet2016(physionet)
    assert bunch.frame["file"].tolist() == [
        "training-a/a0001.wav",
        "training-a/a0002.wav",
        "training-a/a0003.wav",
        "training-b/b0001.wav",
        "training-b/b0002.wav",
        "training-f/f0001.wav",
    ]
    assert bunch.frame["database"].tolist() == list("aaabbf")
    assert bunch.target.tolist() == [
        "abnormal",
        "normal",
        "abnormal",
        "normal",
        "abnormal",
        "normal",
    ]
    assert bunch.frame["quality"].tolist() == ["", "", "", "good", "poor", ""]
    assert bunch.groups.tolist()[:2] == ["a-a0001", "a-a0002"]
    assert bunch.target_names.tolist() == ["abnormal", "normal"]
    assert [recording.shape for recording in bunch.data] == [(2000,)] * 6
    assert "each recording is a separate group" in bunch.DESCR
    X, y = load_physionet2016(physionet, duration=0.5, return_X_y=True)
    assert X.shape == (6, 1000)
    assert y.tolist() == bunch.target.tolist()


def test_databases_and_subjects(physionet):
    bunch = load_physionet2016(physionet, databases="ba", subject=lambda name: name[-1])
    assert bunch.groups.tolist() == ["a-1", "a-2", "a-3", "b-1", "b-2"]
    with pytest.raises(ValueError, match="letters 'abcdef', got 'xa'"):
        load_physionet2016(physionet, databases="xa")
    with pytest.raises(ValueError, match="none of the folders training-a to training-f"):
        load_physionet2016(physionet, databases="c")
    with pytest.raises(ValueError, match="of one class, 'normal'"):
        load_physionet2016(physionet, databases="f")


def test_murmur_like_databases(physionet):
    bunch = load_physionet2016(physionet, murmur_like=True)
    assert set(bunch.frame["database"]) == {"a"}
    assert bunch.devices.tolist() == ["Welch Allyn Meditron"] * 3
    with pytest.raises(ValueError, match="murmur_like=True ask for"):
        load_physionet2016(physionet, databases="bf", murmur_like=True)


def test_wrong_folders_are_refused_with_advice(physionet, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_physionet2016(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="none of the folders training-a to training-f"):
        load_physionet2016(physionet / "training-a")
    (physionet / "training-b" / "REFERENCE.csv").unlink()
    with pytest.raises(ValueError, match=r"neither REFERENCE\.csv nor .*; restore one"):
        load_physionet2016(physionet)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("b0001,0\n", "gives 'b0001' the label '0'; it must be 1 or -1"),
        ("b0001,1,7\n", "gives 'b0001' the quality '7'; it must be 1 or 0"),
    ],
)
def test_wrong_references_are_refused(physionet, rows, complaint):
    (physionet / "training-b" / "REFERENCE.csv").write_text(rows)
    with pytest.raises(ValueError, match=complaint):
        load_physionet2016(physionet)


def test_references_and_recordings_that_miss_each_other(physionet):
    write_noise(physionet / "training-a" / "a0009.wav")
    with pytest.warns(UserWarning, match=r"1 sound files .* not in REFERENCE\.csv .*a0009"):
        load_physionet2016(physionet)
    (physionet / "training-a" / "a0009.wav").unlink()
    (physionet / "training-f" / "f0001.wav").unlink()
    with pytest.raises(UnreadableRecordingError, match=r"f0001\.wav: no such file"):
        load_physionet2016(physionet)


ROWS = "a0001,-1\na0002,1\na0003,-1\na0004,1\n"
TABLES = {
    "UTF-16": ROWS.encode("utf-16"),
    "BOM": ROWS.encode("utf-8-sig"),
    "CRLF": ROWS.replace("\n", "\r\n").encode(),
    "CR": ROWS.replace("\n", "\r").encode(),
    "blanks": ROWS.replace(",", " , ").encode(),
    "blank lines": ROWS.replace("\n", "\n\n").encode(),
    "semicolons": ROWS.replace(",", ";").encode(),
    "suffixes": ROWS.replace(",", ".wav,").encode(),
    "upper case": ROWS.upper().encode(),
    "folders": ROWS.replace("a000", "training-a/a000").encode(),
    "rows twice": (ROWS + "A0001.wav ,-1\n").encode(),
}


def write_database(folder, content, suffix=".wav", table="REFERENCE.csv"):
    for i in range(1, 5):
        write_noise(folder / "training-a" / f"a000{i}{suffix}", rate=2000)
    (folder / "training-a" / table).write_bytes(content)


@pytest.mark.parametrize("content", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("suffix", [".wav", ".WAV", ".flac"])
def test_tables_of_any_program(tmp_path, content, suffix):
    write_database(tmp_path, content, suffix)
    shutil.copytree(tmp_path / "training-a", tmp_path / "validation")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_physionet2016(tmp_path)
    assert bunch.target.tolist() == ["normal", "abnormal"] * 2
    assert bunch.frame["file"].tolist() == [f"training-a/a000{i}{suffix}" for i in range(1, 5)]
    assert bunch.groups.tolist() == [f"a-a000{i}" for i in range(1, 5)]
    assert set(bunch.frame["device"]) == {"Welch Allyn Meditron"}


def test_the_table_with_quality_alone(tmp_path):
    rows = ROWS.replace("\n", ",1\n").encode()
    write_database(tmp_path, rows, table="REFERENCE-SQI.csv")
    assert load_physionet2016(tmp_path).frame["quality"].tolist() == ["good"] * 4


def test_the_table_in_lower_case(tmp_path):
    write_database(tmp_path, ROWS.encode(), table="reference.csv")
    assert len(load_physionet2016(tmp_path).data) == 4


@pytest.mark.parametrize("again", ["a0001,1", "A0001,1", "a0001.wav,1", " a0001 ,1", "a0001,-1,1"])
def test_one_recording_with_two_rows_that_disagree(tmp_path, again):
    write_database(tmp_path, (ROWS + again).encode())
    with pytest.raises(
        ValueError, match=r"REFERENCE\.csv lists 'a0001' several times.*keep the right"
    ):
        load_physionet2016(tmp_path)


def test_an_empty_table(tmp_path):
    write_database(tmp_path, b"")
    with pytest.raises(ValueError, match=r"REFERENCE\.csv is empty; restore its rows"):
        load_physionet2016(tmp_path)


@pytest.mark.recordings
@pytest.mark.slow
def test_the_real_recordings_load(pascal_path):
    bunch = load_physionet2016(pascal_path.parent / "physionet2016", n_jobs=2)
    assert len(bunch.data) == 1312
    counts = bunch.frame.groupby("database")["label"].value_counts().unstack()["abnormal"]
    assert counts.to_dict() == {"a": 252, "c": 20, "d": 23, "e": 130, "f": 34}
    assert len(set(bunch.devices)) == 5
    murmurs = load_physionet2016(
        pascal_path.parent / "physionet2016", murmur_like=True, duration=1.0, n_jobs=2
    )
    assert murmurs.frame["database"].value_counts().to_dict() == {"a": 329, "c": 24}
