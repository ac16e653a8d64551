import io
import pickle

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording, read_recordings


def tone(seconds=1.0, rate=8000, frequency=100.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate", [4000, 44100])
def test_any_depth_and_rate_becomes_float32_at_the_rate_asked_for(tmp_path, subtype, rate):
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


def test_streams_that_cannot_seek_are_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(), 8000)

    class Pipe:
        def read(self):
            return (tmp_path / "a.wav").read_bytes()

    from_pipe, _ = read_recording(Pipe())
    from_file, _ = read_recording(tmp_path / "a.wav")
    np.testing.assert_array_equal(from_pipe, from_file)


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
    soundfile.write(folder / "raw.voc", tone(), 8000, format="VOC")
    (folder / "unknown.raw").write_bytes(whole)
    soundfile.write(folder / "cut.flac", tone(seconds=60.0), 8000)
    (folder / "cut.flac").write_bytes((folder / "cut.flac").read_bytes()[:100_000])
    return {
        "header.wav": "no sound file",
        "text.wav": "no sound file",
        "nothing.wav": "empty file",
        "none.wav": "no samples",
        "short.wav": "shorter than 0.1 s",
        "nan.wav": "NaN",
        "loud.wav": "absurdly large",
        "slow.wav": "sampling rate of 7 Hz",
        "folder.wav": "not a file",
        "absent.wav": "no such file",
        "raw.voc": "unsupported format VOC",
        "unknown.raw": "no sound file",
        "cut.flac": "no sound file",
    }


def test_every_unusable_file_is_named_with_its_reason_in_one_error(tmp_path):
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
def test_skipping_leaves_the_usable_files_and_warns_once(tmp_path, n_jobs):
    expected = unusable_files(tmp_path)
    files = [tmp_path / name for name in [*expected, "whole.wav"]]
    with pytest.warns(UserWarning, match=f"{len(expected)} recordings left out") as caught:
        waveforms, rates, indices = read_recordings(files, 2000, on_error="skip", n_jobs=n_jobs)
    assert len(caught) == 1
    assert all(str(tmp_path / name) in str(caught[0].message) for name in expected)
    assert [len(waveform) for waveform in waveforms] == [2000]
    assert rates.tolist() == [8000]
    assert indices.tolist() == [len(expected)]


def test_nothing_usable_is_an_error_even_when_skipping(tmp_path):
    with pytest.raises(UnreadableRecordingError, match="no such file"):
        read_recordings([tmp_path / "absent.wav"], on_error="skip")


def test_unknown_on_error_is_refused():
    with pytest.raises(ValueError, match="'raise' or 'skip', got 'ignore'"):
        read_recordings([], on_error="ignore")


def test_a_rate_that_is_none_is_refused(tmp_path):
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
