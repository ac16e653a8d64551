"""A failure leaves the old files whole."""

import os
import resource
import signal

import pytest

from sklearn_heartkd.deployment import export_c, export_onnx, save_model

WRITERS = {
    "model": lambda model, folder, X: save_model(model, folder / "m.skops"),
    "onnx": lambda model, folder, X: export_onnx(
        model, folder / "m.onnx", X, stand_alone=True, training_data="x" * 50_000
    ),
    "c": lambda model, folder, X: export_c(model, folder / "m.c", X),
}
NAMES = ("m.skops", "m.onnx", "heartkd_runtime.py", "m.c", "m.h", "m_test.c")


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_text("old")
    return tmp_path


def is_untouched(folder):
    assert {path.name for path in folder.iterdir()} == set(NAMES)
    return all(path.read_bytes() == b"old" for path in folder.iterdir())


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_leaves_the_old_files(folder, student_pipeline, sounds, write):
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(student_pipeline, folder, sounds.data[:2])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert is_untouched(folder)
    write(student_pipeline, folder, sounds.data[:2])
    assert not is_untouched(folder)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_kill_while_writing_leaves_the_old_files(
    folder, student_pipeline, sounds, monkeypatch, write
):
    def killed(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write(student_pipeline, folder, sounds.data[:2])
    assert is_untouched(folder)


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path, student_pipeline, sounds):
    for write in WRITERS.values():
        with pytest.raises(OSError, match="nowhere"):
            write(student_pipeline, tmp_path / "nowhere", sounds.data[:2])
