import os
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, load_audio_folder, load_pascal

# Names as on the challenge's own site: the labels are in the folders.
CHALLENGE = {
    "Atraining_normal/201101070538.wav": ("a", "normal", ""),
    "Atraining_murmur/201101051104.wav": ("a", "murmur", ""),
    "Atraining_extrahls/201101070953.wav": ("a", "extrahls", ""),
    "Atraining_artifact/201012172012.wav": ("a", "artifact", ""),
    "Training B Normal/103_1305031931979_B.wav": ("b", "normal", ""),
    "Training B Normal/Btraining_noisynormal/101_1305030823364_E.wav": ("b", "normal", "noisy"),
    "Btraining_murmur/112_1306243000964_A.wav": ("b", "murmur", ""),
    "Btraining_murmur/Btraining_noisymurmur/162_1307101835989_B_1.wav": ("b", "murmur", "noisy"),
    "Btraining_extrasystole/127_1306764300147_C2.wav": ("b", "extrastole", ""),
}
CHALLENGE_TEST = {
    "Aunlabelledtest/201106061104.wav": ("a", None, ""),
    "Bunlabelledtest/139_1306519274653_C.wav": ("b", None, ""),
}
KAGGLE = {
    "set_a/normal__201101070538.wav": ("a", "normal", ""),
    "set_a/murmur__201101051104.wav": ("a", "murmur", ""),
    "set_b/normal__103_1305031931979_B.wav": ("b", "normal", ""),
    "set_b/normal_noisynormal_101_1305030823364_E.wav": ("b", "normal", "noisy"),
    "set_b/extrastole__127_1306764300147_C2.wav": ("b", "extrastole", ""),
    "set_b/Bunlabelledtest__139_1306519274653_C.wav": ("b", None, ""),
}


@pytest.fixture
def write(tmp_path):
    """Write recordings of the given names; each has its own noise."""

    def write(names, root=tmp_path, seconds=1.0):
        rng = np.random.default_rng(0)
        for name in names:
            rate = 44100 if name.startswith(("A", "set_a")) else 4000
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name, rng.normal(scale=0.1, size=round(seconds * rate)), rate)
        return root

    return write


def described(bunch):
    columns = bunch.frame[["set", "label", "quality"]]
    values = columns.astype(object).where(columns.notna(), None)
    return dict(zip(bunch.frame["file"], values.itertuples(index=False, name=None), strict=True))


def test_layout_of_the_challenge_site(write):
    root = write([*CHALLENGE, *CHALLENGE_TEST, "__MACOSX/._201101070538.wav"])
    labeled = load_pascal(root)
    assert described(labeled) == CHALLENGE
    subjects = labeled.frame.set_index("file")["subject"]
    assert subjects["Btraining_extrasystole/127_1306764300147_C2.wav"] == "127"
    assert subjects.isna().sum() == 4
    sites = labeled.frame.set_index("file")["site"]
    assert sites["Training B Normal/Btraining_noisynormal/101_1305030823364_E.wav"] == "E"
    unlabeled = load_pascal(root, labeled=False)
    assert described(unlabeled) == CHALLENGE_TEST
    assert unlabeled.target is None
    assert len(unlabeled.target_names) == 0


@pytest.mark.recordings
def test_the_challenge_site_on_real_recordings(pascal_path, tmp_path):
    chosen = {
        "set_a/normal__201101070538.wav": "Atraining_normal/201101070538.wav",
        "set_a/murmur__201101051104.wav": "Atraining_murmur/201101051104.wav",
        "set_b/normal__103_1305031931979_B.wav": "Training B Normal/103_1305031931979_B.wav",
        "set_b/extrastole__127_1306764300147_C2.wav": (
            "Btraining_extrasystole/127_1306764300147_C2.wav"
        ),
    }
    for kaggle, challenge in chosen.items():
        for layout, name in (("kaggle", kaggle), ("challenge", challenge)):
            (tmp_path / layout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pascal_path / kaggle, tmp_path / layout / name)
    kaggle, challenge = load_pascal(tmp_path / "kaggle"), load_pascal(tmp_path / "challenge")
    order = {name: i for i, name in enumerate(challenge.frame["file"])}
    for i, name in enumerate(kaggle.frame["file"]):
        j = order[chosen[name]]
        assert kaggle.target[i] == challenge.target[j]
        assert kaggle.groups[i] == challenge.groups[j]
        np.testing.assert_array_equal(kaggle.data[i], challenge.data[j])


def test_fields_of_the_bunch(write):
    bunch = load_pascal(write(KAGGLE), sampling_rate=1000)
    assert described(bunch) == {name: row for name, row in KAGGLE.items() if row[1]}
    assert isinstance(bunch.data, list)
    assert all(recording.dtype == np.float32 for recording in bunch.data)
    assert [len(recording) for recording in bunch.data] == [1000] * 5
    assert bunch.sampling_rate == 1000
    assert bunch.target.tolist() == bunch.frame["label"].tolist()
    assert bunch.target_names.tolist() == ["extrastole", "murmur", "normal"]
    assert [os.path.isfile(name) for name in bunch.filenames] == [True] * 5
    assert sorted(bunch.groups) == ["a-201101051104", "a-201101070538", "b-101", "b-101", "b-127"]
    assert sorted(bunch.frame["original_sampling_rate"]) == [4000] * 3 + [44100] * 2
    np.testing.assert_allclose(bunch.frame["seconds"], 1.0)
    assert set(zip(bunch.frame["set"], bunch.devices, strict=True)) == {
        ("a", "iStethoscope Pro"),
        ("b", "DigiScope"),
    }
    assert "patients of set A are unknown" in bunch.DESCR
    assert list(bunch.frame.columns) == [
        "file",
        "set",
        "label",
        "quality",
        "subject",
        "site",
        "device",
        "seconds",
        "original_sampling_rate",
    ]


@pytest.mark.parametrize("duration", [0.4, 2.5])
def test_duration_crops_or_loops_and_never_pads(write, duration):
    root = write(KAGGLE)
    ragged, even = load_pascal(root), load_pascal(root, duration=duration)
    n_samples = round(duration * 2000)
    assert even.data.shape == (5, n_samples)
    assert even.data.dtype == np.float32
    for recording, row in zip(ragged.data, even.data, strict=True):
        np.testing.assert_array_equal(row, np.tile(recording, 3)[:n_samples])


def test_return_X_y(write):
    root = write(KAGGLE)
    X, y = load_pascal(root, duration=0.5, return_X_y=True)
    bunch = load_pascal(root, duration=0.5)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def test_near_duplicates_of_set_a_share_a_group(write, tmp_path):
    root = write([*KAGGLE, "set_a/extrahls__201201010101.wav"], seconds=3.0)
    original, _ = soundfile.read(root / "set_a/normal__201101070538.wav")
    soundfile.write(root / "set_a/extrahls__201201010101.wav", -0.5 * original, 44100)
    for sampling_rate in (1000, 2000):
        bunch = load_pascal(root, subset="a", sampling_rate=sampling_rate)
        groups = dict(zip(bunch.frame["file"], bunch.groups, strict=True))
        assert groups["set_a/extrahls__201201010101.wav"] == "a-201201010101"
        assert groups["set_a/normal__201101070538.wav"] == "a-201201010101"
        assert groups["set_a/murmur__201101051104.wav"] == "a-201101051104"


def write_tables(root, names, labels):
    frame = pd.DataFrame({"dataset": "b", "fname": names, "label": labels, "sublabel": ""})
    frame.to_csv(root / "set_b.csv", index=False)


def test_names_of_the_tables_that_miss_the_files_do_not_warn(write):
    root = write(KAGGLE)
    names = [
        "set_b/Btraining_normal_103_1305031931979_B.wav",
        "set_b/Btraining_normal_Btraining_noisynormal_101_1305030823364_E.wav",
        "set_b/Btraining_extrastole_127_1306764300147_C2.wav",
        "set_b/Bunlabelledtest_139_1306519274653_C.wav",
    ]
    write_tables(root, names, ["normal", "normal", "extrastole", None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_pascal(root)


def test_labels_that_disagree_with_the_tables_cause_one_warning(write):
    root = write(KAGGLE)
    names = [
        "set_b/Btraining_normal_103_1305031931979_B.wav",
        "set_b/Btraining_murmur_127_1306764300147_C2.wav",
    ]
    write_tables(root, names, ["normal", "murmur"])
    with pytest.warns(UserWarning, match="disagree with the labels in use on 1 files") as caught:
        bunch = load_pascal(root)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "set_b/extrastole__127_1306764300147_C2.wav is 'extrastole', not 'murmur'" in message
    assert "extrastole" in bunch.target


def test_labels_that_disagree_with_the_folders_cause_one_warning(write):
    root = write([*CHALLENGE, "Atraining_normal/murmur__201101010101.wav"])
    with pytest.warns(UserWarning, match=r"The folders disagree .* is 'murmur', not 'normal'"):
        load_pascal(root)


@pytest.mark.parametrize(
    "name",
    [
        "set_b/abnormal__300_1305031931979_B.wav",
        "set_b/not_normal__300_1305031931979_B.wav",
        "set_b/normal_abnormal_300_1305031931979_B.wav",
        "Btraining_abnormal/300_1305031931979_B.wav",
        "Btraining_abnormal/normal__300_1305031931979_B.wav",
        "Training B Not Normal/300_1305031931979_B.wav",
        "set_b/abnormal/300_1305031931979_B.wav",
        "set_b/murmurs__300_1305031931979_B.wav",
    ],
)
def test_a_label_is_a_whole_word(write, name):
    root = write([*KAGGLE, name])
    known = "artifact, extrahls, extrastole, murmur, normal"
    with pytest.raises(ValueError, match=rf"{name[:7]}.* has the unknown label '\w+'.*{known}"):
        load_pascal(root)


def test_a_name_with_two_labels_is_refused(write):
    root = write([*KAGGLE, "set_b/normal_noisymurmur_300_1305031931979_B.wav"])
    with pytest.raises(ValueError, match=r"has the labels murmur and normal; rename it"):
        load_pascal(root)


def test_folders_of_labels_in_a_set(write):
    root = write(
        ["set_b/Normal/300_1305031931979_B.wav", "set_b/noisy murmur/301_1305031931979_B.wav"]
    )
    assert described(load_pascal(root, subset="b")) == {
        "set_b/Normal/300_1305031931979_B.wav": ("b", "normal", ""),
        "set_b/noisy murmur/301_1305031931979_B.wav": ("b", "murmur", "noisy"),
    }


def test_other_words_in_folders_do_not_matter(write):
    names = [name.replace("/", "/old copy/") for name in KAGGLE]
    assert len(load_pascal(write(names)).data) == 5


@pytest.mark.parametrize("copy", ["set_a/set_a", "heartbeat-sounds/set_a"])
def test_a_folder_unpacked_into_itself_counts_once(write, copy):
    root = write(KAGGLE)
    shutil.copytree(root / "set_a", root / "copy")
    (root / copy).parent.mkdir(exist_ok=True)
    shutil.move(root / "copy", root / copy)
    with pytest.warns(UserWarning, match=r"Copies of .* are left out: 2 ") as caught:
        bunch = load_pascal(root)
    assert len(caught) == 1
    assert described(bunch) == {name: row for name, row in KAGGLE.items() if row[1]}


def test_the_loader_of_class_folders_explains_the_layout(write):
    root = write([name.partition("/")[2] for name in KAGGLE if "unlabelled" not in name])
    with pytest.raises(ValueError, match=r"looks like the layout 'pascal' .* with load_pascal"):
        load_audio_folder(root)
    assert len(load_pascal(root).data) == 5


TABLE = "dataset,fname,label\nb,set_b/Btraining_murmur_127_1306764300147_C2.wav,murmur\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE.replace(",", ";").encode(),
        TABLE.encode("utf-16"),
        TABLE.replace("label", "klass").encode(),
        b"",
        b"\xff\xfe\x00",
        b'"' * 101,
    ],
    ids=["semicolons", "UTF-16", "columns", "empty", "no text", "quotes"],
)
def test_a_damaged_table_does_not_stop_the_loading(write, content):
    root = write(KAGGLE)
    (root / "set_b.csv").write_bytes(content)
    with pytest.warns(
        UserWarning, match=r"set_b\.csv cannot be read, so its labels are not compared"
    ):
        assert len(load_pascal(root).data) == 5


@pytest.mark.parametrize(("old", "new"), [("/", "\\"), (".wav", ".WAV"), ("murmur\n", "Murmur \n")])
def test_labels_are_compared_whatever_the_spelling(write, old, new):
    root = write(KAGGLE)
    (root / "set_b.csv").write_text(TABLE.replace(old, new))
    with pytest.warns(UserWarning, match="is 'extrastole', not 'murmur'"):
        load_pascal(root)


def test_other_sound_files_are_left_out_with_a_warning(write):
    root = write([*KAGGLE, "set_b/my own.wav"])
    with pytest.warns(UserWarning, match=r"1 sound files .* left out \(my own\.wav\)"):
        assert len(load_pascal(root).data) == 5


def test_unreadable_files(write):
    root = write(KAGGLE)
    (root / "set_b/murmur__112_1306243000964_A.wav").write_text("no sound")
    with pytest.raises(UnreadableRecordingError, match="112_1306243000964_A"):
        load_pascal(root)
    with pytest.warns(UserWarning, match="112_1306243000964_A"):
        bunch = load_pascal(root, on_error="skip")
    assert len(bunch.data) == len(bunch.frame) == len(bunch.groups) == len(bunch.target) == 5


def test_wrong_folders_are_refused_with_advice(write, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'.*nowhere' does not exist; check the path"):
        load_pascal(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no sound files; give the folder"):
        load_pascal(tmp_path / "empty")
    write(["normal/patient one.wav"], root=tmp_path / "other")
    with pytest.raises(ValueError, match=r"None of the 1 sound files .* with load_audio_folder"):
        load_pascal(tmp_path / "other")
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        load_pascal(tmp_path / "other" / "normal" / "patient one.wav")
    write(["set_a/normal__201101070538.wav"], root=tmp_path / "one")
    with pytest.raises(ValueError, match=r"no recordings of set B; .* another subset than 'ab'"):
        load_pascal(tmp_path / "one")
    with pytest.raises(ValueError, match="no unlabeled recordings of subset 'a'"):
        load_pascal(tmp_path / "one", subset="a", labeled=False)
    with pytest.raises(ValueError, match="of one class, 'normal'; a classifier needs"):
        load_pascal(tmp_path / "one", subset="a")


@pytest.mark.parametrize(
    "wrong",
    [{"subset": "c"}, {"sampling_rate": 0}, {"duration": -1.0}, {"on_error": "ignore"}],
    ids=str,
)
def test_wrong_parameters_are_named(write, wrong):
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter of load_pascal"):
        load_pascal(write(KAGGLE), **wrong)


@pytest.fixture(scope="module")
def pascal(pascal_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_pascal(pascal_path)


@pytest.mark.recordings
def test_counts_of_the_real_recordings(pascal):
    counts = pascal.frame.groupby(["set", "label", "quality"]).size().to_dict()
    assert counts == {
        ("a", "artifact", ""): 40,
        ("a", "extrahls", ""): 19,
        ("a", "murmur", ""): 34,
        ("a", "normal", ""): 31,
        ("b", "extrastole", ""): 46,
        ("b", "murmur", ""): 66,
        ("b", "murmur", "noisy"): 29,
        ("b", "normal", ""): 200,
        ("b", "normal", "noisy"): 120,
    }
    assert pascal.target_names.tolist() == [
        "artifact",
        "extrahls",
        "extrastole",
        "murmur",
        "normal",
    ]
    assert all(len(recording) >= 0.7 * 2000 for recording in pascal.data)
    assert pascal.frame.groupby("set")["original_sampling_rate"].unique().map(list).to_dict() == {
        "a": [44100],
        "b": [4000],
    }


@pytest.mark.recordings
@pytest.mark.parametrize(("subset", "count"), [("a", 52), ("b", 195)])
def test_counts_of_the_real_unlabeled_recordings(pascal_path, subset, count):
    bunch = load_pascal(pascal_path, subset=subset, labeled=False)
    assert len(bunch.data) == count
    assert bunch.target is None


@pytest.mark.recordings
def test_groups_of_the_real_recordings(pascal):
    in_b = (pascal.frame["set"] == "b").to_numpy()
    assert pascal.frame["subject"].nunique() == 165
    subjects = set(pascal.frame["subject"].dropna()) - {"103", "146"}
    assert set(pascal.groups[in_b]) == {f"b-{s}" for s in subjects}
    assert len(set(pascal.groups[in_b])) == 163
    groups = dict(zip(pascal.frame["file"], pascal.groups, strict=True))
    assert (
        groups["set_a/murmur__201106141148.wav"]
        == groups["set_a/normal__201106141148.wav"]
        == "a-201106141148"
    )
    in_a = pascal.groups[~in_b]
    assert all(group.startswith("a-") for group in in_a)
    assert 90 < len(set(in_a)) < 124
