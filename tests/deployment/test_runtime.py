import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from benchmarks._hostile import mutate
from sklearn_heartkd import (
    MFCC,
    DistilledClassifier,
    FixedLength,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.deployment import export_onnx, runtime, runtime_model
from sklearn_heartkd.deployment._onnx import seal
from sklearn_heartkd.deployment.runtime import HeartSoundModel, clipped_share, signal_quality


@pytest.fixture(scope="module")
def exported(tmp_path_factory, distilled):
    folder = tmp_path_factory.mktemp("exported")
    return export_onnx(distilled, folder / "student.onnx", stand_alone=True).path


@pytest.fixture(scope="module")
def model(exported):
    return HeartSoundModel.load(exported)


@pytest.mark.parametrize("n_samples", [300, 6000, 10000, 12001, 300000])
def test_predict_proba_equals_the_fitted_model(sounds, distilled, model, n_samples):
    waveform = np.resize(sounds.data, n_samples)
    expected = distilled.predict_proba([waveform, waveform[:200]])[0]
    found = model.predict_proba(waveform)
    assert found.shape == (3,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pipelines_without_windows_run(tmp_path, sounds, student_pipeline):
    model = HeartSoundModel.load(export_onnx(student_pipeline, tmp_path / "m.onnx").path)
    assert model.window == 5.0
    np.testing.assert_allclose(
        [model.predict_proba(row) for row in sounds.data],
        student_pipeline.predict_proba(sounds.data),
        atol=1e-5,
    )


def test_integers_and_other_rates(sounds, model):
    waveform = sounds.data[0] / np.abs(sounds.data[0]).max()
    expected = model.predict_proba(waveform)
    for dtype, scale, offset in (
        (np.int16, 2**15, 0),
        (np.int32, 2**31, 0),
        (np.uint16, 2**15, 2**15),
    ):
        integers = np.clip(np.round(waveform.astype(float) * scale), -scale, scale - 1) + offset
        found = model.predict_proba(integers.astype(dtype))
        np.testing.assert_allclose(found, expected, atol=0.02)
    soxr = pytest.importorskip("soxr")
    faster = soxr.resample(waveform, 2000, 8000)
    np.testing.assert_allclose(model.predict_proba(faster, 8000), expected, atol=0.02)


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        ([], "1-D array of samples, got shape"),
        (np.zeros((2, 9)), r"got shape \(2, 9\)"),
        (["a"], "array of numbers"),
        ([0.0, np.nan], "NaN, infinite"),
        ([0.0, -np.inf], "NaN, infinite"),
        ([0.0, 1e20], "very large"),
    ],
)
def test_bad_waveforms_are_refused(model, waveform, message):
    with pytest.raises(ValueError, match=message):
        model.predict_proba(waveform)
    with pytest.raises(ValueError, match="sampling_rate=0"):
        model.predict_proba(np.ones(100), 0)


def test_a_stream_equals_the_windows_offline(sounds, model):
    recording = np.concatenate(sounds.data[:5])
    rng = np.random.default_rng(0)
    cuts = np.sort(rng.integers(len(recording), size=200))
    stream = model.stream()
    results = [result for chunk in np.split(recording, cuts) for result in stream.push(chunk)]
    starts = np.arange(0, len(recording) - 6000 + 1, 3000)
    assert [result.time for result in results] == [(start + 6000) / 2000 for start in starts]
    offline = np.array([model.predict_proba(recording[start : start + 6000]) for start in starts])
    np.testing.assert_array_equal([result.probabilities for result in results], offline)
    for i, result in enumerate(results):
        smoothed = offline[max(0, i - 2) : i + 1].mean(axis=0)
        np.testing.assert_allclose(result.smoothed.probabilities, smoothed, rtol=1e-6)
        assert result.smoothed.best == model.classes[smoothed.argmax()]


def test_a_stream_can_be_reset_and_takes_one_chunk(sounds, model):
    stream = model.stream(hop=0.5)
    first = stream.push(sounds.data[0])
    stream.push(sounds.data[1, :777])
    stream.reset()
    assert stream.push([]) == []
    again = stream.push(sounds.data[0])
    assert [result.time for result in again] == [3.0, 3.5, 4.0, 4.5, 5.0]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.smoothed.probabilities, b.smoothed.probabilities)


def test_a_stream_at_another_rate(sounds, model):
    soxr = pytest.importorskip("soxr")
    faster = soxr.resample(np.concatenate(sounds.data[:2]), 2000, 8000)
    results = []
    stream = model.stream(8000)
    for chunk in np.array_split(faster, 50):
        results += stream.push(chunk)
    assert len(results) == 5
    expected = model.predict_proba(sounds.data[0, :6000])
    np.testing.assert_allclose(results[0].probabilities, expected, atol=0.05)


def test_the_memory_of_a_stream_is_fixed(sounds, model):
    stream = model.stream()
    chunk = np.resize(sounds.data, 2000)
    for _ in range(10):
        stream.push(chunk)
    tracemalloc.start()
    stream.push(chunk)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(100):
        stream.push(chunk)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000  # one window alone has 24,000 bytes


@pytest.mark.parametrize("hop", [0, -1, 3.5])
def test_bad_hops_are_refused(model, hop):
    with pytest.raises(ValueError, match=f"hop={hop} s must be above 0 and at most the window"):
        model.stream(hop=hop)


@pytest.mark.parametrize("hop", ["0.5", np.nan, np.inf, True])
def test_hops_that_are_no_seconds_are_refused(model, hop):
    with pytest.raises(ValueError, match=f"hop={hop!r} s must be above 0"):
        model.stream(hop=hop)


@pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf, "2000", True, [2000]])
def test_bad_rates_are_refused(model, rate):
    message = re.escape(f"sampling_rate={rate!r} must be a positive number in Hz, or None")
    for call in (model.stream, lambda rate: model.predict(np.ones(100), rate)):
        with pytest.raises(ValueError, match=message + " for that of the model, 2000 Hz"):
            call(rate)
    with pytest.raises(ValueError, match=message):
        model.predict_proba(np.ones(100), rate)


@pytest.mark.parametrize("n_smoothed", [0, -2, 1.5, "3", None, True, np.inf])
def test_bad_numbers_of_windows_are_refused(model, n_smoothed):
    with pytest.raises(ValueError, match=re.escape(f"n_smoothed={n_smoothed!r} must be a whole")):
        model.stream(n_smoothed=n_smoothed)


def test_numbers_of_numpy_are_numbers(sounds, model):
    stream = model.stream(np.float32(2000), hop=np.float64(1.5), n_smoothed=np.int64(1))
    (result,) = stream.push(sounds.data[0][:6000])
    np.testing.assert_array_equal(result.probabilities, result.smoothed.probabilities)
    model.predict(sounds.data[0], np.int16(2000))


def test_quality(sounds):
    normal = sounds.data[sounds.target == "normal"][0]
    rng = np.random.default_rng(0)
    assert signal_quality(normal, 2000).problems == []
    assert signal_quality(np.zeros(9000), 2000).problems == ["silence"]
    assert signal_quality(np.full(9000, 0.7), 2000).problems == ["silence"]
    for share, problems in ((0.008, []), (0.05, ["clipping"])):
        limit = np.quantile(np.abs(normal), 1 - share)
        loud = np.clip(normal, -limit, limit)
        assert clipped_share(loud) == pytest.approx(share, rel=0.3)
        assert signal_quality(loud, 2000).problems == problems
    noise = [signal_quality(rng.normal(size=10000), 2000).problems for _ in range(20)]
    assert sum(problems == ["no heart rhythm"] for problems in noise) >= 15
    short = signal_quality(normal[:300], 2000)
    assert short.problems == ["no heart rhythm"]


def test_unsure_instead_of_a_confident_guess(sounds, model):
    silent = model.predict(np.zeros(10000))
    assert silent.label == "poor recording"
    assert silent.best in model.classes
    assert str(silent.quality) == "silence"
    answers = [model.predict(row) for row in sounds.data]
    for answer in answers:
        expected = answer.best if answer.probability >= 0.5 else "unsure"
        assert answer.label == ("poor recording" if answer.quality.problems else expected)
        assert answer.probability == answer.probabilities.max()
    stubborn = HeartSoundModel(model._run, model.metadata | {"unsure_below": "1.0"})
    assert {stubborn.predict(row).label for row in sounds.data} <= {"unsure", "poor recording"}


@pytest.mark.recordings
def test_quality_of_real_recordings(pascal_path):
    from sklearn_heartkd.datasets import read_recordings

    files = sorted(pascal_path.glob("set_b/normal__*.wav"))[::5]
    recordings, rates, _ = read_recordings(files)
    problems = [signal_quality(*pair).problems for pair in zip(recordings, rates, strict=True)]
    assert np.mean([not found for found in problems]) >= 0.9


def test_it_runs_alone_without_this_package_and_torch(tmp_path, exported, sounds, model):
    np.save(tmp_path / "recording.npy", sounds.data[0])
    code = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
import heartkd_runtime
model = heartkd_runtime.HeartSoundModel.load(sys.argv[2])
print(*model.predict_proba(np.load(sys.argv[3])))
names = ("torch", "scipy", "sklearn", "sklearn_heartkd", "librosa", "soxr", "pandas")
print([name for name in names if name in sys.modules])
"""
    arguments = [str(exported.parent), str(exported), str(tmp_path / "recording.npy")]
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    probabilities, loaded = result.stdout.splitlines()
    np.testing.assert_allclose(
        np.array(probabilities.split(), dtype=float), model.predict_proba(sounds.data[0]), atol=1e-6
    )
    assert loaded == "[]"


def test_damaged_models_are_refused(tmp_path, exported):
    data = exported.read_bytes()
    for seed in range(200):
        (tmp_path / "m.onnx").write_bytes(mutate(data, np.random.default_rng(seed)))
        with pytest.raises(
            ValueError, match="is not a model written by export_onnx, or is damaged"
        ):
            HeartSoundModel.load(tmp_path / "m.onnx")


@pytest.mark.parametrize("content", [b"", b"a text", b"sha256:" + 64 * b"0"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a model written by export_onnx, or is damaged"):
        HeartSoundModel.load(path)


def test_a_sealed_file_that_does_not_run_is_refused(tmp_path):
    content = b"no graph " + runtime.UNSEALED
    (tmp_path / "m.onnx").write_bytes(content.replace(runtime.UNSEALED, runtime.seal_of(content)))
    with pytest.raises(ValueError, match="does not run with this onnxruntime"):
        HeartSoundModel.load(tmp_path / "m.onnx")


def test_a_fitted_model_gets_the_same_interface(sounds, distilled, model):
    own = runtime_model(distilled)
    assert (own.classes, own.window, own.hop) == (model.classes, model.window, model.hop)
    waveform = np.concatenate(sounds.data[:2])
    np.testing.assert_allclose(
        own.predict_proba(waveform), model.predict_proba(waveform), atol=1e-5
    )
    forest = make_pipeline(MFCC(output="summary"), RandomForestClassifier(5, random_state=0))
    windowed = WindowedClassifier(forest).fit(sounds.data, sounds.target)
    found = runtime_model(windowed).predict_proba(sounds.data[0])
    np.testing.assert_allclose(found, windowed.predict_proba(sounds.data[:1])[0])
    with pytest.raises(ValueError, match="have 0 sampling rates"):
        runtime_model(RandomForestClassifier(2).fit(sounds.data, sounds.target))


def test_recordings_of_another_length_than_those_of_fit(sounds, tmp_path):
    short = [recording[:3000] for recording in sounds.data[:3]]
    student = StudentClassifier(width=2, depth=1, max_epochs=1)
    pipeline = make_pipeline(FixedLength(duration=1.0), MFCC(), student)
    table = make_pipeline(MFCC(output="summary"), RandomForestClassifier(2, random_state=0))
    model = DistilledClassifier(table, pipeline, random_state=0).fit(sounds.data, sounds.target)
    expected = model.predict_proba(short)
    own = runtime_model(model)
    np.testing.assert_allclose([own.predict_proba(row) for row in short], expected, rtol=1e-5)
    report = export_onnx(model, tmp_path / "m.onnx", short)
    assert report.max_difference < 1e-5


WRONG = {
    "classes": (
        "",
        "3",
        "null",
        "{}",
        "[]",
        '["a", 3]',
        '["a", "a"]',
        '["a", "\\ud800"]',
        "[" * 10**5,
    ),
    "sampling_rate": ("", "x", "nan", "inf", "-1", "0", "1e300", "9" * 5000),
    "window": ("x", "nan", "inf", "0", "1e300", "0.0003"),
    "hop": ("x", "nan", "-1", "0", "1e-9", "0.0003", "100"),
    "unsure_below": ("x", "nan", "-1", "2"),
    "channel": ("", "middle", "-1", "1e3"),
    "format": ("", "sklearn_heartkd 2"),
}


@pytest.mark.parametrize("key", WRONG)
def test_wrong_metadata_are_refused_in_one_line(model, key):
    for value in WRONG[key]:
        with pytest.raises(ValueError, match="metadata of the model are wrong") as caught:
            HeartSoundModel(model._run, model.metadata | {key: value})
        assert len(str(caught.value).splitlines()) == 1
    without = {name: value for name, value in model.metadata.items() if name != key}
    if key == "channel":
        assert HeartSoundModel(model._run, without).channel == "mean"
    else:
        with pytest.raises(ValueError, match="metadata of the model"):
            HeartSoundModel(model._run, without)


@pytest.mark.parametrize("key", ["classes", "window"])
def test_a_sealed_file_with_wrong_metadata_is_refused(tmp_path, exported, key):
    onnx = pytest.importorskip("onnx")
    wrong = onnx.load(exported)
    for entry in wrong.metadata_props:
        if entry.key == key:
            entry.value = {"classes": '["a", "b"]', "window": "nan"}[key]
        if entry.key == "seal":
            entry.value = runtime.UNSEALED.decode()
    (tmp_path / "m.onnx").write_bytes(seal(wrong.SerializeToString()))
    with pytest.raises(ValueError, match=r"m\.onnx cannot be used.*(wrong|2 class names)"):
        HeartSoundModel.load(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    "answer",
    [
        [[np.nan, 0.5, 0.5]],
        [[np.inf, 0, 0]],
        [[-1.0, 1.0, 1.0]],
        [[0.1, 0.1, 0.1]],
        [[0.5, 0.5]],
        [0.2, 0.3, 0.5],
        [],
        [["a", "b", "c"]],
        None,
    ],
    ids=str,
)
def test_only_probabilities_are_an_answer(model, answer):
    odd = HeartSoundModel(lambda waveforms: answer, model.metadata)
    with pytest.raises(ValueError, match="does not give one probability for each of its 3 classes"):
        odd.predict(np.ones(6000))


def test_an_error_of_the_model_is_one_line(model):
    def fail(waveforms):
        raise RuntimeError("first\x1b line.\nsecond line")

    odd = HeartSoundModel(fail, model.metadata)
    with pytest.raises(ValueError, match=r"fails on the recording: first\\x1b line\.$"):
        odd.predict(np.ones(6000))


def test_resampling_is_bounded(model):
    with pytest.raises(ValueError, match="more than 33554432 samples"):
        model.predict_proba(np.ones(20_000), 1)


def test_large_files_are_refused_unread(tmp_path):
    with (tmp_path / "m.onnx").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match="has 2147483648 bytes"):
        HeartSoundModel.load(tmp_path / "m.onnx")


def test_the_channel_is_exported(tmp_path, student_pipeline, sounds):
    path = export_onnx(student_pipeline, tmp_path / "m.onnx", sounds.data[:1], channel=1).path
    assert HeartSoundModel.load(path).channel == 1


@pytest.mark.parametrize("options", [{"unsure_below": 1.1}, {"channel": "middle"}], ids=str)
def test_what_the_runtime_would_refuse_is_not_exported(tmp_path, student_pipeline, sounds, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        export_onnx(student_pipeline, tmp_path / "m.onnx", sounds.data[:1], **options)
    assert not list(tmp_path.iterdir())
