import os

import pytest

from sklearn_heartkd.utils._audio_files import conversion, find_audio_files, unreadable_message


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def found(root):
    return [path.relative_to(root).as_posix() for path in find_audio_files(root).readable]


def test_suffixes(tmp_path):
    readable = [
        f"{i:02}{suffix}" for i, suffix in enumerate([".CAF", ".aifc", ".mp3", ".Opus", ".sph"])
    ]
    put(tmp_path, *readable, "notes.txt", "table.csv", "a.mat", "wav", "x.wav.bak")
    assert found(tmp_path) == readable
    assert find_audio_files(tmp_path).unreadable == []


def test_hidden_files_are_left_out(tmp_path):
    put(
        tmp_path,
        "a/1.wav",
        "a/._1.wav",
        "a/.DS_Store",
        "__MACOSX/a/2.wav",
        ".Trash/3.wav",
        ".Trash-1000/files/4.wav",
    )
    assert found(tmp_path) == ["a/1.wav"]
    put(tmp_path, ".b/x.wav")
    assert found(tmp_path / ".b") == ["x.wav"]  # the folder that the user gives may be hidden


def test_folders_named_like_files(tmp_path):
    put(tmp_path, "session.wav/1.wav", "session.m4a/2.wav")
    assert found(tmp_path) == ["session.m4a/2.wav", "session.wav/1.wav"]
    assert find_audio_files(tmp_path).unreadable == []


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_links(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    put(root, "healthy/1.wav", "target/2.wav")
    put(elsewhere, "3.wav", "deep/4.wav")
    (root / "ill").symlink_to(elsewhere)
    (root / "1.wav").symlink_to(elsewhere / "3.wav")
    (root / "again").symlink_to(root / "target")
    (root / "healthy" / "up").symlink_to(root)
    put(tmp_path, "others/4.wav")  # reached only by a link to what holds `root`
    (root / "healthy" / "above").symlink_to(tmp_path)
    (elsewhere / "back").symlink_to(elsewhere)
    (root / "broken.wav").symlink_to(tmp_path / "nowhere")
    assert found(root) == [
        "1.wav",
        "broken.wav",
        "healthy/1.wav",
        "ill/3.wav",
        "ill/deep/4.wav",
        "target/2.wav",
    ]


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode")
def test_names_that_are_not_unicode(tmp_path):
    with open(os.fsencode(tmp_path) + b"/a\xff.wav", "wb"):
        pass
    (path,) = find_audio_files(tmp_path).readable
    assert path.exists()


def test_unreadable_audio(tmp_path):
    put(tmp_path, "a/my visit.M4A", "a/2.amr", "b/3.amr", "b/4.wav")
    assert found(tmp_path) == ["b/4.wav"]
    unreadable = find_audio_files(tmp_path).unreadable
    assert len(unreadable) == 3
    message = unreadable_message(unreadable)
    assert "3 audio files" in message
    assert "2 .amr, 1 .m4a" in message
    assert f"ffmpeg -i {tmp_path}/a/2.amr {tmp_path}/a/2.wav" in message
    assert conversion("my visit.M4A") == "ffmpeg -i 'my visit.M4A' 'my visit.wav'"
