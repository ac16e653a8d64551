import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import (
    UnreadableRecordingError,
    load_audio_folder,
    load_physionet2016,
)


def write_noise(file, rate=4000, seconds=1.0):
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(file)))
    soundfile.write(file, rng.normal(scale=0.1, size=round(seconds * rate)), rate)


@pytest.fixture
def class_folders(tmp_path):
    for name in (
        "healthy/p01_a.wav",
        "healthy/p01_b.WAV",
        "healthy/visit 2/p02_a.flac",
        "ill/p03_a.wav",
        "ill/.hidden.wav",
    ):
        write_noise(tmp_path / name)
    (tmp_path / "ill" / "notes.txt").write_text("not a recording")
    return tmp_path


def test_audio_folder(class_folders):
    bunch = load_audio_folder(class_folders, sampling_rate=1000)
    assert bunch.frame["file"].tolist() == [
        "healthy/p01_a.wav",
        "healthy/p01_b.WAV",
        "healthy/visit 2/p02_a.flac",
        "ill/p03_a.wav",
    ]
    assert bunch.target.tolist() == ["healthy"] * 3 + ["ill"]
    assert bunch.target_names.tolist() == ["healthy", "ill"]
    assert [recording.shape for recording in bunch.data] == [(1000,)] * 4
    assert all(recording.dtype == np.float32 for recording in bunch.data)
    assert bunch.frame["original_sampling_rate"].tolist() == [4000] * 4
    assert len(set(bunch.groups)) == 4
    assert "each recording is a group of its own" in bunch.DESCR
    assert load_audio_folder(class_folders, duration=3.0).data.shape == (4, 6000)
    X, y = load_audio_folder(class_folders, return_X_y=True)
    assert len(X) == len(y) == 4


@pytest.mark.parametrize(
    "subject",
    [r"^(p\d+)_", r"p\d+", lambda file: file.split("/")[-1][:3]],
    ids=["group", "match", "callable"],
)
def test_subjects_of_an_audio_folder(class_folders, subject):
    bunch = load_audio_folder(class_folders, subject=subject)
    assert bunch.groups.tolist() == ["p01", "p01", "p02", "p03"]
    assert bunch.frame["subject"].tolist() == bunch.groups.tolist()
    assert "the subjects" in bunch.DESCR


def test_wrong_audio_folders_are_refused_with_advice(class_folders, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; check the path"):
        load_audio_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no sound files"):
        load_audio_folder(tmp_path / "empty")
    loose = class_folders / "healthy"
    with pytest.raises(
        ValueError, match=r"2 sound files \(such as 'p01_a.wav'\) .* one folder for"
    ):
        load_audio_folder(loose)
    one_class = tmp_path / "one"
    write_noise(one_class / "healthy" / "p01.wav")
    with pytest.raises(
        ValueError, match="of one class, 'healthy'; a classifier needs at least two"
    ):
        load_audio_folder(one_class)


def test_a_pattern_that_misses_names_is_refused(class_folders):
    with pytest.raises(ValueError, match=r"matches nothing in 1 of 4 file names .*'p03_a\.wav'"):
        load_audio_folder(class_folders, subject="p0[12]")


def test_unreadable_files_of_an_audio_folder(class_folders):
    (class_folders / "ill" / "p05.wav").write_text("no sound")
    with pytest.raises(UnreadableRecordingError, match=r"p05\.wav: not a sound file"):
        load_audio_folder(class_folders)
    with pytest.warns(UserWarning, match=r"p05\.wav"):
        bunch = load_audio_folder(class_folders, on_error="skip")
    assert bunch.groups.tolist() == bunch.frame["file"].tolist()
    assert len(bunch.data) == 4


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


def test_physionet(physionet):
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
    assert "each recording is a group of its own" in bunch.DESCR
    X, y = load_physionet2016(physionet, duration=0.5, return_X_y=True)
    assert X.shape == (6, 1000)
    assert y.tolist() == bunch.target.tolist()


def test_databases_and_subjects_of_physionet(physionet):
    bunch = load_physionet2016(physionet, databases="ba", subject=lambda name: name[-1])
    assert bunch.groups.tolist() == ["a-1", "a-2", "a-3", "b-1", "b-2"]
    with pytest.raises(ValueError, match="letters 'abcdef', got 'xa'"):
        load_physionet2016(physionet, databases="xa")
    with pytest.raises(ValueError, match="none of the folders training-a to training-f"):
        load_physionet2016(physionet, databases="c")
    with pytest.raises(ValueError, match="of one class, 'normal'"):
        load_physionet2016(physionet, databases="f")


def test_wrong_physionet_folders_are_refused_with_advice(physionet, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_physionet2016(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="none of the folders training-a to training-f"):
        load_physionet2016(physionet / "training-a")
    (physionet / "training-b" / "REFERENCE.csv").unlink()
    with pytest.raises(ValueError, match=r"REFERENCE\.csv' is missing; .* restore it"):
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
    with pytest.warns(UserWarning, match=r"1 recordings are not in REFERENCE\.csv .*a0009"):
        load_physionet2016(physionet)
    (physionet / "training-a" / "a0009.wav").unlink()
    (physionet / "training-f" / "f0001.wav").unlink()
    with pytest.raises(UnreadableRecordingError, match=r"f0001\.wav: no such file"):
        load_physionet2016(physionet)
