"""Files that are not whole: cut off, never finished, or longer than their header declares."""

import io
import struct

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording, read_recordings

N = 20_000
SOUND = 0.4 * np.sin(np.arange(N) / 8) * np.linspace(0.1, 1, N)
# by format, where the number of bytes of samples stands in the header: its position from the beginning of
# the samples, or from that of the file, its format and what the header adds to the number
SIZES = {
    "WAV": (-4, "<I", 0),
    "RIFX": (-4, ">I", 0),
    "W64": (-8, "<Q", 24),
    "AIFF": (-12, ">I", 8),
    "AU": (8, ">I", 0),
    "CAF": (-12, ">q", 4),
    "RF64": (28, "<Q", 0),
}


def whole(form, subtype="PCM_16", rate=4000):
    file = io.BytesIO()
    options = {"format": "WAV", "endian": "BIG"} if form == "RIFX" else {"format": form}
    soundfile.write(file, SOUND, rate, subtype=subtype, **options)
    return bytearray(file.getvalue())


def declare(content, form, n_bytes, raw=False):
    """Change the number of bytes in the header of a file without chunks behind the samples."""
    position, kind, addend = SIZES[form]
    if position < 0:
        position += len(content) - 2 * N
    struct.pack_into(kind, content, position, n_bytes if raw else n_bytes + addend)
    return content


def read(content):
    return read_recording(io.BytesIO(content))[0]


def repair(content):
    (waveform,), _, _ = read_recordings([io.BytesIO(content)], on_error="repair")
    return waveform


@pytest.mark.parametrize("form", SIZES)
def test_whole_files(form):
    content = whole(form)
    np.testing.assert_allclose(read(content), SOUND, atol=1e-4)
    np.testing.assert_array_equal(read(declare(content, form, 2 * N)), read(whole(form)))


@pytest.mark.parametrize("form", SIZES)
@pytest.mark.parametrize("n_lost", [1, N // 2, N - 1000])
def test_cut_off(form, n_lost):
    content = whole(form)[: -2 * n_lost]
    with pytest.raises(UnreadableRecordingError, match=f"cut off: {N - n_lost} of {N} samples"):
        read(content)


@pytest.mark.parametrize("form", SIZES)
@pytest.mark.parametrize("n_behind", [5, N // 2])
def test_samples_behind_the_declared_end(form, n_behind):
    content = declare(whole(form), form, 2 * (N - n_behind))
    with pytest.raises(UnreadableRecordingError, match=f"declares .*{N - n_behind} .*holds {N}"):
        read(content)


@pytest.mark.parametrize("form", SIZES)
@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF, "largest"])
def test_unfinished(form, size):
    if form == "CAF" and size == "largest":
        size = -1
    elif size == "largest":
        size = (1 << 8 * struct.calcsize(SIZES[form][1])) - 1
    content = declare(whole(form), form, size, raw=True)
    if form == "RF64":
        content[4:8] = bytes(4)
    with pytest.warns(UserWarning, match=f"unfinished: .* {N} samples"):
        waveform = read(content)
    np.testing.assert_array_equal(waveform, read(whole(form)))


@pytest.mark.parametrize("form", SIZES)
@pytest.mark.parametrize("kind", ["cut off", "behind"])
def test_repair(form, kind):
    content = whole(form)
    content = content[:-N] if kind == "cut off" else declare(content, form, N)
    if form in ("WAV", "RIFX", "RF64"):
        with pytest.warns(UserWarning, match="repaired"):
            waveform = repair(content)
        with pytest.warns(UserWarning, match="repaired"):
            assert len(read_recording(io.BytesIO(content), on_error="repair")[0]) == len(waveform)
        n_left = N // 2 if kind == "cut off" else N
        np.testing.assert_array_equal(waveform, read(whole(form))[:n_left])
        with pytest.raises(UnreadableRecordingError, match='on_error="repair"'):
            read(content)
    else:
        with pytest.raises(UnreadableRecordingError, match=r"cut off|damaged header"):
            repair(content)


def test_repair_raises_for_other_damage(tmp_path):
    soundfile.write(tmp_path / "a.wav", SOUND, 4000)
    (tmp_path / "b.wav").write_text("a text")
    with pytest.raises(UnreadableRecordingError, match=r"b\.wav"):
        read_recordings([tmp_path / "a.wav", tmp_path / "b.wav"], on_error="repair")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "DOUBLE", "ULAW"])
def test_depths(subtype):
    content = whole("WAV", subtype)
    assert len(read(content)) == N
    with pytest.raises(UnreadableRecordingError, match=rf"cut off: 1\d{{4}} of {N} samples"):
        read(content[: -len(content) // 3])


@pytest.mark.parametrize(
    "behind",
    [
        b"\0",
        b"\7",
        bytes(4000),
        b"LIST" + struct.pack("<I", 8) + b"INFO\1\2\3\4",
        b"id3 "
        + struct.pack("<I", 3)
        + b"\xff\xfe\xfd\0"
        + b"LIST"
        + struct.pack("<I", 4)
        + b"\xff" * 4,
        b"rubbish" * 99,
    ],
)
def test_what_may_follow_the_samples(behind):
    assert len(read(whole("WAV") + behind)) == N


def test_odd_number_of_bytes():
    content = whole("WAV", "PCM_U8")
    struct.pack_into("<I", content, 40, N - 1)
    content[-1:] = b"\0LIST" + struct.pack("<I", 4) + b"\xff" * 4
    assert len(read(content)) == N - 1


def test_header_without_samples():
    for content in (whole("WAV")[:44], whole("AIFF")[:54]):
        with pytest.raises(UnreadableRecordingError, match=r"cut off: 0 of 20000"):
            read(content)
    empty = declare(whole("WAV"), "WAV", 0)[:44] + b"LIST" + struct.pack("<I", 4) + b"\xff" * 4
    with pytest.raises(UnreadableRecordingError, match="no samples"):
        read(empty)


def test_length_that_flac_does_not_know(tmp_path):
    content = whole("FLAC")
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    with pytest.warns(UserWarning, match=f"unfinished: .* {N} samples"):
        assert len(read(content)) == N
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.warns(UserWarning, match="unfinished"):
        assert len(read_recording(tmp_path / "a.flac", 2000)[0]) == N // 2


def test_ogg_without_its_end():
    content = whole("OGG", "OPUS", 8000)
    assert len(read(content)) == N
    with pytest.warns(UserWarning, match="unfinished: the mark of its end is missing"):
        read(content[:-10])


def test_mp3():
    content = whole("MP3", "MPEG_LAYER_III", 8000)
    assert abs(len(read(content)) - N) < 1200
    with pytest.raises(UnreadableRecordingError, match="cut off"):
        read(content[: len(content) // 2])


def test_many_chunks_are_not_searched_forever():
    chunk = b"junk" + bytes(4)
    content = whole("WAV")
    with pytest.raises(UnreadableRecordingError):
        read(content[:12] + chunk * 100_000)


def test_one_warning_for_many_files(tmp_path):
    for name in ("a", "b"):
        content = declare(whole("WAV"), "WAV", 0)
        (tmp_path / f"{name}.wav").write_bytes(content)
    with pytest.warns(UserWarning, match=r"2 recordings") as caught:
        read_recordings([tmp_path / "a.wav", tmp_path / "b.wav"], n_jobs=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
