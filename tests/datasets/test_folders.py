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
    assert "each recording is a separate group" in bunch.DESCR
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
        ValueError, match=r"2 sound files \(such as p01_a\.wav.* one folder for each class"
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


def test_links_to_class_folders(class_folders, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write_noise(elsewhere / "p09.wav")
    (class_folders / "unclear").symlink_to(elsewhere)
    bunch = load_audio_folder(class_folders)
    assert bunch.target.tolist() == ["healthy"] * 3 + ["ill", "unclear"]


def test_audio_that_cannot_be_read_is_reported(class_folders):
    for name in ("a.m4a", "b.M4A", "c.amr"):
        (class_folders / "ill" / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"3 audio files .*1 \.amr, 2 \.m4a.*ffmpeg -i") as caught:
        bunch = load_audio_folder(class_folders)
    assert len(bunch.data) == 4
    assert caught[0].filename == __file__


@pytest.fixture
def splits(tmp_path):
    for split, n in (("train", 3), ("Val", 1), ("test", 2)):
        for i in range(n):
            for label in ("normal", "murmur"):
                write_noise(tmp_path / split / label / f"{split}_{i}.wav")
    return tmp_path


def test_splits_are_not_taken_for_classes(splits):
    with pytest.raises(ValueError, match=r'look like splits.*split="all"'):
        load_audio_folder(splits)
    bunch = load_audio_folder(splits, split="val")
    assert sorted(bunch.target) == ["murmur", "normal"]
    assert bunch.frame["split"].tolist() == ["Val", "Val"]
    bunch = load_audio_folder(splits, split="all", subject=r"_(\d)")
    assert bunch.target_names.tolist() == ["murmur", "normal"]
    assert bunch.frame["split"].value_counts().to_dict() == {"train": 6, "Val": 2, "test": 4}
    assert bunch.frame["file"][0] == "Val/murmur/Val_0.wav"
    assert load_audio_folder(splits, split=False).target_names.tolist() == ["Val", "test", "train"]
    with pytest.raises(ValueError, match=r"'dev' is not a folder; choose from .*'Val'"):
        load_audio_folder(splits, split="dev")


@pytest.mark.parametrize(
    "names", [("fold1", "fold2"), ("Training_set", "test set"), ("train1", "val")]
)
def test_splits_that_differ_in_their_classes(tmp_path, names):
    for name, label in zip((*names, names[0]), ("normal", "normal", "murmur"), strict=True):
        write_noise(tmp_path / name / label / f"{label}.wav")
    with pytest.raises(ValueError, match="look like splits"):
        load_audio_folder(tmp_path)
    bunch = load_audio_folder(tmp_path, split=names[0].lower())
    assert bunch.target.tolist() == ["murmur", "normal"]


def test_a_split_without_labels_beside_one_with_labels(tmp_path):
    for name in ("test/1.wav", "train/normal/2.wav", "train/murmur/3.wav"):
        write_noise(tmp_path / name)
    with pytest.raises(ValueError, match="split='train'"):
        load_audio_folder(tmp_path)
    bunch = load_audio_folder(tmp_path, split="train")
    assert bunch.target.tolist() == ["murmur", "normal"]
    with pytest.raises(ValueError, match="in the folder of a class"):
        load_audio_folder(tmp_path, split="all")


def test_any_names_of_splits(tmp_path):
    for fold in ("fold 1", "fold 2"):
        for label in ("normal", "murmur"):
            write_noise(tmp_path / "folds" / fold / label / "1.wav")
            write_noise(tmp_path / "sites" / label / fold / "1.wav")
            write_noise(tmp_path / "patients" / label / f"{label} {fold}" / "1.wav")
            write_noise(tmp_path / "flat" / label / "wav" / f"{fold}.wav")
    with pytest.raises(ValueError, match="look like splits"):
        load_audio_folder(tmp_path / "folds")
    with pytest.raises(ValueError, match=r"look like splits.* pass split=False"):
        load_audio_folder(tmp_path / "sites")
    for name, options in (("sites", {"split": False}), ("patients", {}), ("flat", {})):
        bunch = load_audio_folder(tmp_path / name, **options)
        assert bunch.target_names.tolist() == ["murmur", "normal"]
        assert "split" not in bunch.frame


def test_splits_without_classes(tmp_path):
    for split in ("train", "test"):
        write_noise(tmp_path / split / f"{split}.wav")
    with pytest.raises(ValueError, match=r"2 sound files .* do not lie in the folder of a class"):
        load_audio_folder(tmp_path)


def test_spellings_of_a_class_are_joined(class_folders):
    write_noise(class_folders / "Healthy " / "p07.wav")
    write_noise(class_folders / "ILL" / "p08.wav")
    with pytest.warns(UserWarning, match="class names differ .*joined"):
        bunch = load_audio_folder(class_folders)
    assert set(bunch.target) <= {"healthy", "ill", "ILL"}
    assert len(bunch.target_names) == 2
    assert len(bunch.data) == 6


def test_channel_and_repair(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("normal", "murmur"):
        (tmp_path / label).mkdir()
        sound = rng.normal(scale=0.1, size=(4000, 2))
        soundfile.write(tmp_path / label / "1.wav", sound, 4000, subtype="FLOAT")
    left, right, mean = (
        load_audio_folder(tmp_path, channel=channel, sampling_rate=4000).data
        for channel in ("left", 1, "mean")
    )
    np.testing.assert_allclose((left[0] + right[0]) / 2, mean[0], atol=1e-7)
    path = tmp_path / "normal" / "1.wav"
    path.write_bytes(path.read_bytes()[:-8000])
    with pytest.raises(UnreadableRecordingError, match="cut off"):
        load_audio_folder(tmp_path)
    with pytest.warns(UserWarning, match="repaired"):
        bunch = load_audio_folder(tmp_path, on_error="repair")
    assert [len(waveform) for waveform in bunch.data] == [2000, 1500]
