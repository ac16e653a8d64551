import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import (
    UnreadableRecordingError,
    _decoding,
    _reading,
    read_recording,
    read_recordings,
)


def tone(seconds=1.0, rate=8000, frequency=100.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate", [4000, 44100])
def test_depths_and_rates(tmp_path, subtype, rate):
    soundfile.write(tmp_path / "a.wav", tone(rate=rate), rate, subtype=subtype)
    waveform, original_rate = read_recording(tmp_path / "a.wav", sampling_rate=2000)
    assert original_rate == rate
    assert waveform.dtype == np.float32
    assert waveform.shape == (2000,)
    np.testing.assert_allclose(waveform[200:-200], tone(rate=2000)[200:-200], atol=2e-3)


def test_own_rate_is_kept_without_a_rate(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(rate=11025), 11025, subtype="FLOAT")
    waveform, original_rate = read_recording(str(tmp_path / "a.wav"))
    assert original_rate == 11025
    np.testing.assert_array_equal(waveform, tone(rate=11025).astype(np.float32))


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([tone(), np.zeros(8000)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 8000, subtype="FLOAT")
    waveform, _ = read_recording(tmp_path / "a.wav")
    np.testing.assert_allclose(waveform, tone() / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [2000, 44100])
def test_a_long_recording_is_read_in_blocks(tmp_path, monkeypatch, rate):
    soundfile.write(tmp_path / "a.wav", tone(rate=rate), rate, subtype="FLOAT")
    asked = []

    def read(sound, frames, **options):
        asked.append(frames)
        return own(sound, frames, **options)

    own = soundfile.SoundFile.read
    monkeypatch.setattr("soundfile.SoundFile.read", read)
    whole, _ = read_recording(tmp_path / "a.wav", 2000)
    assert asked == [rate + 1]  # libsndfile would fill the rest of a longer block with zeros
    monkeypatch.setattr("sklearn_heartkd.datasets._decoding._BLOCK", 500)
    np.testing.assert_array_equal(read_recording(tmp_path / "a.wav", 2000)[0], whole)
    assert max(asked[1:]) == 500


def stereo(folder, left, right):
    path = folder / "stereo.wav"
    soundfile.write(path, np.stack([left, right], axis=1), 8000, subtype="FLOAT")
    return path


def test_opposite_channels_are_not_averaged(tmp_path):
    offset = 0.2  # the microphones' own, which must not hide the cancellation
    path = stereo(tmp_path, offset - 0.95 * tone(), offset + tone())
    with pytest.warns(UserWarning, match="stereo.wav: its channels cancel.*channel 1"):
        waveform, _ = read_recording(path, 2000)
    assert np.std(waveform) == pytest.approx(np.std(tone()), rel=0.01)
    with pytest.warns(UserWarning, match="channels cancel"):
        (again,), _, _ = read_recordings([path], 2000)
    np.testing.assert_array_equal(again, waveform)


@pytest.mark.parametrize("right", [np.zeros(8000), tone(frequency=170.0), -0.5 * tone()])
def test_other_channels_are_averaged(tmp_path, right):
    waveform, _ = read_recording(stereo(tmp_path, tone(), right))
    np.testing.assert_allclose(waveform, (tone() + right) / 2, atol=1e-7)


@pytest.mark.parametrize(
    ("channel", "expected"), [("left", 0), ("right", 1), (0, 0), (np.int64(1), 1)]
)
def test_chosen_channel(tmp_path, channel, expected):
    channels = [tone(), -tone()]
    waveform, _ = read_recording(stereo(tmp_path, *channels), channel=channel)
    np.testing.assert_allclose(waveform, channels[expected], atol=1e-7)
    (waveform,), _, _ = read_recordings([tmp_path / "stereo.wav"], channel=channel)
    np.testing.assert_allclose(waveform, channels[expected], atol=1e-7)


def test_missing_and_wrong_channels(tmp_path):
    path = stereo(tmp_path, tone(), tone())
    with pytest.raises(UnreadableRecordingError, match="no channel 2: it has 2 channels"):
        read_recording(path, channel=2)
    soundfile.write(tmp_path / "mono.wav", tone(), 8000)
    assert len(read_recording(tmp_path / "mono.wav", channel="right")[0]) == 8000
    with pytest.raises(UnreadableRecordingError, match="no channel 5: it has 1 channel,"):
        read_recording(tmp_path / "mono.wav", channel=5)
    for wrong in ("both", -1, True, 0.0, None):
        with pytest.raises(ValueError, match="channel must be"):
            read_recording(path, channel=wrong)


def test_blocks_do_not_show(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.1, size=(30_000, 2))
    soundfile.write(tmp_path / "a.flac", noise, 8000)
    whole, _ = read_recording(tmp_path / "a.flac", 2000)
    monkeypatch.setattr(_decoding, "_BLOCK", 1000)
    blocks, _ = read_recording(tmp_path / "a.flac", 2000)
    np.testing.assert_array_equal(blocks, whole)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_longest_recording(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(_decoding, "MOST_SAMPLES", 2000)
    soundfile.write(tmp_path / f"a.{suffix}", tone(), 8000)
    soundfile.write(tmp_path / f"b.{suffix}", tone(1.1), 8000)
    assert len(read_recording(tmp_path / f"a.{suffix}", 2000)[0]) == 2000
    with pytest.raises(UnreadableRecordingError, match="longer than 2000 samples"):
        read_recording(tmp_path / f"b.{suffix}", 2000)
    with pytest.raises(UnreadableRecordingError, match="lower sampling rate"):
        read_recording(tmp_path / f"a.{suffix}")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux")
def test_bombs_are_not_unpacked(tmp_path):
    """Silence is packed a thousandfold in FLAC; the reader must not take the memory of all of it."""
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 655_350, 8, format="FLAC") as sound:
        for _ in range(20):
            sound.write(np.zeros((2**20, 8), dtype=np.int16))
    assert (tmp_path / "a.flac").stat().st_size < 2**20
    code = f"""
import re
from sklearn_heartkd.datasets import read_recording
waveform, _ = read_recording({str(tmp_path / "a.flac")!r}, 2000)
print(len(waveform), int(re.search("VmHWM:(.*)kB", open("/proc/self/status").read())[1]) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    n_samples, megabytes = map(int, done.stdout.split())
    assert n_samples == round(20 * 2**20 * 2000 / 655_350)
    assert megabytes < 500


@pytest.mark.skipif(os.name == "nt", reason="there are no such files")
def test_pipes_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", "/dev/zero"):
        with pytest.raises(
            UnreadableRecordingError, match="not a regular file, but a pipe or a device"
        ):
            read_recording(path)


def test_endless_streams_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_reading, "_MOST_STREAMED", 2**20)

    class Endless:
        def __init__(self, content):
            self.content = content

        def read(self, n):
            content, self.content = self.content, b""
            return content.ljust(n, b"\0")

    with pytest.raises(UnreadableRecordingError, match="not a sound file"):
        read_recording(Endless(b""))
    with pytest.raises(UnreadableRecordingError, match="more than 1 MiB; save it as a file"):
        read_recording(Endless(b"fLaC"))


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode")
def test_names_that_are_not_unicode(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"a\xff\n.wav")
    soundfile.write(path, tone(), 8000)
    assert len(read_recording(os.fsdecode(path))[0]) == 8000
    assert len(read_recording(path)[0]) == 8000
    with open(path, "wb"):
        pass
    with pytest.raises(UnreadableRecordingError) as caught:
        read_recording(path)
    assert "a\\udcff\\n.wav: empty file" in str(caught.value)


def test_other_audio_is_told_how_to_convert(tmp_path):
    path = tmp_path / "my visit.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A " + bytes(100))
    with pytest.raises(UnreadableRecordingError, match=r"ffmpeg -i '.*my visit.m4a' '.*visit.wav'"):
        read_recording(path)


def test_streams_that_cannot_seek_are_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), 8000)

    class Pipe:
        def __init__(self):
            self.file = io.BytesIO((tmp_path / "a.wav").read_bytes())

        def read(self, n):
            return self.file.read(min(n, 1000))

    from_pipe, _ = read_recording(Pipe())
    from_file, _ = read_recording(tmp_path / "a.wav")
    np.testing.assert_array_equal(from_pipe, from_file)


@pytest.mark.parametrize("kind", ["VOC", "NIST", "PAF", "AVR", "PVF", "MAT5"])
def test_rare_kinds_are_read_with_a_warning(tmp_path, kind):
    soundfile.write(tmp_path / "a.wav", tone(), 8000, format=kind, subtype="PCM_16")
    with pytest.warns(UserWarning, match=f"kind {kind} was cut off"):
        waveform, _ = read_recording(tmp_path / "a.wav")
    np.testing.assert_allclose(waveform, tone(), atol=1e-4)


def unusable_files(folder):
    """Write one file for each way in which a recording is unusable; return names and reasons."""
    soundfile.write(folder / "whole.wav", tone(), 8000)
    whole = (folder / "whole.wav").read_bytes()
    (folder / "header.wav").write_bytes(whole[:30])
    (folder / "text.wav").write_text("not a sound\n" * 50)
    (folder / "nothing.wav").write_bytes(b"")
    soundfile.write(folder / "none.wav", np.zeros(0), 8000)
    soundfile.write(folder / "short.wav", tone(seconds=0.09), 8000)
    with_nan = tone()
    with_nan[7] = np.nan
    soundfile.write(folder / "nan.wav", with_nan, 8000, subtype="FLOAT")
    soundfile.write(folder / "loud.wav", tone() * 1e30, 8000, subtype="FLOAT")
    slow = bytearray(whole)
    slow[24:28] = (7).to_bytes(4, "little")
    (folder / "slow.wav").write_bytes(slow)
    (folder / "folder.wav").mkdir()
    soundfile.write(folder / "dump.sds", tone(), 8000, format="SDS")
    (folder / "unknown.raw").write_bytes(whole[44:])
    soundfile.write(folder / "cut.flac", tone(seconds=60.0), 8000)
    (folder / "cut.flac").write_bytes((folder / "cut.flac").read_bytes()[:100_000])
    return {
        "header.wav": "damaged or incomplete",
        "text.wav": "not a sound file",
        "nothing.wav": "empty file",
        "none.wav": "no samples",
        "short.wav": "shorter than 0.1 s",
        "nan.wav": "NaN",
        "loud.wav": "absurdly large",
        "slow.wav": "sampling rate of 7 Hz",
        "folder.wav": "not a file",
        "absent.wav": "no such file",
        "dump.sds": "unsupported format SDS",
        "unknown.raw": "not a sound file",
        "cut.flac": "damaged or incomplete",
    }


def test_one_error_gives_the_reason_for_each_file(tmp_path):
    expected = unusable_files(tmp_path)
    files = [tmp_path / name for name in ["whole.wav", *expected]]
    with pytest.raises(UnreadableRecordingError) as caught:
        read_recordings(files, 2000)
    assert isinstance(caught.value, ValueError)
    assert set(caught.value.reasons) == {str(tmp_path / name) for name in expected}
    for name, reason in expected.items():
        assert f"{tmp_path / name}: " in str(caught.value)
        assert reason in caught.value.reasons[str(tmp_path / name)]
        with pytest.raises(UnreadableRecordingError, match=name):
            read_recording(tmp_path / name)
    assert "whole.wav" not in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).reasons == caught.value.reasons


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_skipping_warns_once(tmp_path, n_jobs):
    expected = unusable_files(tmp_path)
    files = [tmp_path / name for name in [*expected, "whole.wav"]]
    with pytest.warns(
        UserWarning, match=f"{len(expected)} recordings cannot be used; left out"
    ) as caught:
        waveforms, rates, indices = read_recordings(files, 2000, on_error="skip", n_jobs=n_jobs)
    assert len(caught) == 1
    assert all(str(tmp_path / name) in str(caught[0].message) for name in expected)
    assert [len(waveform) for waveform in waveforms] == [2000]
    assert rates.tolist() == [8000]
    assert indices.tolist() == [len(expected)]


def test_skipping_everything_is_an_error(tmp_path):
    with pytest.raises(UnreadableRecordingError, match="no such file"):
        read_recordings([tmp_path / "absent.wav"], on_error="skip")


def test_unknown_on_error():
    with pytest.raises(ValueError, match=r"'repair'.*got 'ignore'"):
        read_recordings([], on_error="ignore")


def test_negative_rate(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), 8000)
    with pytest.raises(ValueError, match="sampling_rate must be above 0 Hz or None, got -1"):
        read_recording(tmp_path / "a.wav", sampling_rate=-1)


def test_progress_bar(tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", tone(), 8000)
    read_recordings([tmp_path / "a.wav"])
    assert capsys.readouterr().err == ""
    read_recordings([tmp_path / "a.wav"], verbose=1)
    assert "1/1" in capsys.readouterr().err


def mutated(wav, rng):
    wav = bytearray(wav)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(wav[: rng.integers(len(wav))])
    if kind == 1:
        for position in rng.integers(0, 60, rng.integers(1, 8)):
            wav[position] = rng.integers(256)
    elif kind == 2:
        position = rng.integers(60)
        value = rng.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1])
        wav[position : position + 4] = int(value).to_bytes(4, "little")
    else:
        for position in rng.integers(0, len(wav), rng.integers(1, 50)):
            wav[position] = rng.integers(256)
    return bytes(wav)


@pytest.mark.filterwarnings("ignore:.*unfinished:UserWarning")
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "IMA_ADPCM"])
def test_mutated_files_are_read_or_refused(tmp_path, capfd, subtype, channels):
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.1, size=(3000, channels))
    soundfile.write(tmp_path / "whole.wav", noise, 8000, subtype=subtype)
    whole = (tmp_path / "whole.wav").read_bytes()
    n_read = 0
    for i in range(150):
        damaged = mutated(whole, rng)
        (tmp_path / "damaged.wav").write_bytes(damaged)
        source = tmp_path / "damaged.wav" if i % 2 else io.BytesIO(damaged)
        try:
            waveform, rate = read_recording(source, 2000)
        except UnreadableRecordingError:
            continue
        n_read += 1
        assert waveform.ndim == 1
        assert waveform.dtype == np.float32
        assert np.isfinite(waveform).all()
        assert 0.1 * 2000 <= len(waveform) + 1 <= 8 * len(damaged) / rate * 2000 + 2
    assert 0 < n_read < 150
    assert capfd.readouterr().err == ""


def test_long_recordings_are_read_at_a_lower_rate(tmp_path, monkeypatch):
    monkeypatch.setattr(_decoding, "MOST_SAMPLES", 8000)
    soundfile.write(tmp_path / "a.wav", tone(), 8000)
    soundfile.write(tmp_path / "b.wav", tone(1.1), 8000)
    for name, n_samples, rate in (("a", 8000, 8000), ("b", 2200, 2000)):
        waveform, found = _reading.read_at_own_rate(tmp_path / f"{name}.wav", 2000)
        assert (len(waveform), found) == (n_samples, rate)
