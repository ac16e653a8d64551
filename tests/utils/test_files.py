import os
import resource
import signal

import pytest

from sklearn_heartkd.utils._files import replace_files, replace_text, require_regular_file
from sklearn_heartkd.utils._text import guard_cell, printable, unguard_cell


def test_an_error_leaves_the_old_files(tmp_path):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("old")
    with pytest.raises(FileNotFoundError), replace_files(first, second) as [made, _]:
        made.write_text((tmp_path / "missing.txt").read_text())
    assert first.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_named_with_the_target(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replace_files(tmp_path / "no" / "a.txt"):
        pass
    assert caught.value.filename == str(tmp_path / "no" / "a.txt")


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_text(path, "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    replace_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    usual = tmp_path / "usual.txt"
    usual.write_text("")
    replace_text(tmp_path / "new.txt", "new")
    assert (tmp_path / "new.txt").stat().st_mode == usual.stat().st_mode


def test_names_are_shown_with_escapes():
    assert printable("é\x1b[2J\nb\u202e") == r"é\x1b[2J\nb\u202e"
    assert printable(os.fsdecode(b"a\xff")) == r"a\udcff"


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "-a", "'-", "plain", "'quoted'", "", 3])
def test_cells_come_back(text):
    guarded = guard_cell(text)
    assert not str(guarded).startswith(("=", "+", "-", "@"))
    assert unguard_cell(guarded) == text


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert require_regular_file(tmp_path / "file") == 5
    with pytest.raises(FileNotFoundError):
        require_regular_file(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        require_regular_file(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="there are no such files")
def test_pipes_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe; give a regular file"):
        require_regular_file(tmp_path / "pipe")
    with pytest.raises(ValueError, match="/dev/zero is a device"):
        require_regular_file("/dev/zero")
