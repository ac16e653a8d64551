import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, load_audio_folder


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
