import json
import logging

import numpy as np
import onnx
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    RNNClassifier,
    SpikeRemover,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.deployment import ExportError, export_onnx
from sklearn_heartkd.deployment import _onnx as onnx_module
from sklearn_heartkd.deployment._graph import Graph
from sklearn_heartkd.deployment._onnx_front_end import add_features
from sklearn_heartkd.deployment.runtime import HeartSoundModel, import_onnxruntime
from sklearn_heartkd.metrics import RejectingClassifier

QUICK = {"max_epochs": 1, "random_state": 0}
LENGTHS = [10000, 6000, 9000, 9001, 12000, 17345, 800, 90]


def ragged(sounds):
    whole = np.concatenate(sounds.data[:4])
    return [whole[1000 * i : 1000 * i + n] for i, n in enumerate(LENGTHS)]


def session(path):
    return import_onnxruntime().InferenceSession(path, providers=["CPUExecutionProvider"])


def run(path, waveforms):
    return session(path).run(None, {"waveform": np.asarray(waveforms, dtype=np.float32)})[0]


NETWORKS = {
    "student": StudentClassifier(width=4, depth=2, **QUICK),
    "student, group norm": StudentClassifier(width=16, depth=2, norm="group", **QUICK),
    "conv2d": Conv2DClassifier(width=2, depth=3, **QUICK),
    "conv1d": Conv1DClassifier(width=4, depth=3, **QUICK),
    "lstm": LSTMClassifier(hidden_size=6, **QUICK),
    "deep lstm": LSTMClassifier(hidden_size=6, n_layers=2, bidirectional=False, **QUICK),
    "gru": RNNClassifier(cell="gru", hidden_size=6, n_layers=2, **QUICK),
    "tanh": RNNClassifier(cell="tanh", hidden_size=6, **QUICK),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_networks_agree(tmp_path, sounds, network):
    model = make_pipeline(MFCC(), network).fit(sounds.data, sounds.target)
    report = export_onnx(model, tmp_path / "m.onnx", sounds.data)
    assert report.max_difference <= 1e-5
    assert report.n_bytes == report.path.stat().st_size
    np.testing.assert_allclose(
        run(report.path, sounds.data), model.predict_proba(sounds.data), atol=1e-5
    )
    assert run(report.path, sounds.data[:2, :7000]).shape == (2, 3)


MODELS = {
    "log-mel, all options": lambda: make_pipeline(
        LogMelSpectrogram(normalize=False, top_db=None, fmin=0, fmax=None, n_fft=100), fast()
    ),
    "band-pass": lambda: make_pipeline(BandPassFilter(method="fir"), MFCC(top_db=30), fast()),
    "long loop": lambda: make_pipeline(FixedLength(duration=12.0), MFCC(), fast()),
    "crop": lambda: make_pipeline(FixedLength(duration=2.0), MFCC(), fast()),
    "dense": lambda: make_pipeline(MFCC(output="flat", hop_length=1000), dense()),
    "dense, sequences": lambda: make_pipeline(MFCC(hop_length=1000), dense(norm="batch")),
    "dense, scaled": lambda: make_pipeline(
        MFCC(output="flat", hop_length=1000),
        StandardScaler(),
        StandardScaler(with_mean=False, with_std=False),
        dense(norm="group"),
    ),
    "linear": lambda: KMeansRefinedClassifier(
        make_pipeline(MFCC(output="flat", hop_length=1000), dense(hidden_layer_sizes=()))
    ),
    "table": lambda: make_pipeline(MFCC(output="flat", hop_length=1000), fast()),
    "refined": lambda: KMeansRefinedClassifier(
        make_pipeline(MFCC(), fast()), n_clusters=7, weight=0.3
    ),
    "refined twice": lambda: KMeansRefinedClassifier(
        KMeansRefinedClassifier(make_pipeline(MFCC(), fast()))
    ),
    "searched": lambda: GridSearchCV(
        make_pipeline(MFCC(), fast()), {"studentclassifier__width": [2]}, cv=2
    ),
}


def dense(**parameters):
    return DenseStudentClassifier(**{"hidden_layer_sizes": (6, 4)} | QUICK | parameters)


def fast():
    return StudentClassifier(width=2, depth=1, **QUICK)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models_agree(tmp_path, sounds, make):
    model = make().fit(sounds.data, sounds.target)
    for fitted in (model, FrozenEstimator(model)):
        export_onnx(fitted, tmp_path / "m.onnx", sounds.data)
        np.testing.assert_allclose(
            run(tmp_path / "m.onnx", sounds.data), model.predict_proba(sounds.data), atol=1e-5
        )


@pytest.mark.parametrize(("window", "hop"), [(3.0, 1.5), (2.0, 2.0), (1.0, 0.7), (0.5, 0.45)])
def test_windows_of_recordings_of_any_length_agree(tmp_path, sounds, window, hop):
    inside = make_pipeline(LogMelSpectrogram(), fast())
    model = WindowedClassifier(inside, window=window, hop=hop).fit(sounds.data, sounds.target)
    recordings = ragged(sounds)
    assert export_onnx(model, tmp_path / "m.onnx", recordings).max_difference <= 1e-5
    expected = model.predict_proba(recordings)
    for row, probabilities in zip(recordings, expected, strict=True):
        np.testing.assert_allclose(run(tmp_path / "m.onnx", [row])[0], probabilities, atol=1e-5)
    batch = run(tmp_path / "m.onnx", sounds.data)
    np.testing.assert_allclose(batch, model.predict_proba(sounds.data), atol=1e-5)


FRONT_ENDS = {
    "autocorrelogram": Autocorrelogram(),
    "table of it": Autocorrelogram(n_mels=8, n_lags=23, output="flat"),
    "one lag": Autocorrelogram(n_lags=1, n_fft=100, amin=3e-7),
    "log-mel, CMVN": LogMelSpectrogram(cmvn=True, normalize=False, amin=3e-7),
    "MFCC, CMVN": MFCC(cmvn=True, top_db=30),
}


@pytest.mark.parametrize("features", FRONT_ENDS.values(), ids=FRONT_ENDS)
@pytest.mark.parametrize("in_windows", [False, True])
def test_front_ends_agree(tmp_path, sounds, features, in_windows):
    model = make_pipeline(clone(features), fast())
    if in_windows:
        model = WindowedClassifier(model, window=1.3, hop=0.7)
    model.fit(sounds.data, sounds.target)
    is_any_length = in_windows or isinstance(features, Autocorrelogram)
    recordings = ragged(sounds) if is_any_length else list(sounds.data[:3])
    recordings += [np.zeros(10000), np.full(10000, 0.3), 1e-3 * sounds.data[0]]
    assert export_onnx(model, tmp_path / "m.onnx", recordings).max_difference <= 1e-5
    assert export_onnx(model, tmp_path / "m.onnx").max_difference <= 1e-5
    for row in recordings:
        found = run(tmp_path / "m.onnx", [row, -row])
        np.testing.assert_allclose(found[0], model.predict_proba([row])[0], atol=1e-5)
    runtime = HeartSoundModel.load(tmp_path / "m.onnx")
    expected = model.predict_proba([recordings[0]])[0]
    np.testing.assert_allclose(runtime.predict_proba(recordings[0]), expected, atol=1e-5)


@pytest.mark.parametrize("features", FRONT_ENDS.values(), ids=FRONT_ENDS)
def test_front_ends_agree_without_a_network(features, sounds):
    """Closer than the probabilities of a small network show."""
    graph, front_end = Graph(), features._front_end()
    output = add_features(graph, "waveform", front_end, flat=False)
    columns = graph.add("Transpose", output, perm=[0, 2, 1])
    columns = graph.add("Reshape", columns, graph.integers(-1, front_end.n_channels))
    content = graph.model(columns, front_end.n_channels, {}).SerializeToString()
    rows = [*ragged(sounds), *(sounds.data[i, : 60 * i] for i in range(1, 30))]
    for row in [*rows, np.zeros(3000), np.full(300, 0.3), np.ones(1)]:
        x = np.asarray(row, np.float32)[np.newaxis]
        found = session(content).run(None, {"waveform": x})[0].T.ravel()
        np.testing.assert_allclose(found, clone(features).transform(x).ravel(), atol=1e-3)


def test_the_distilled_windowed_model_agrees(tmp_path, sounds, distilled):
    assert export_onnx(distilled, tmp_path / "m.onnx", ragged(sounds)).max_difference <= 1e-5
    assert export_onnx(distilled, tmp_path / "m.onnx").max_difference <= 1e-5


def test_a_filter_before_the_windows_agrees(tmp_path, sounds):
    inside = make_pipeline(MFCC(), fast())
    model = make_pipeline(
        BandPassFilter(method="fir"), WindowedClassifier(inside, window=0.5, hop=0.3)
    )
    model.fit(sounds.data, sounds.target)
    assert export_onnx(model, tmp_path / "m.onnx", ragged(sounds)).max_difference <= 1e-5


def test_a_refinement_around_the_windows_agrees(tmp_path, sounds):
    windowed = WindowedClassifier(make_pipeline(MFCC(), fast()), window=2.0, hop=1.0)
    model = KMeansRefinedClassifier(windowed, n_clusters=5).fit(sounds.data, sounds.target)
    assert export_onnx(model, tmp_path / "m.onnx", ragged(sounds)).max_difference <= 1e-5


def test_constant_and_loud_recordings_agree(tmp_path, sounds, student_pipeline):
    rows = [np.zeros(10000), np.full(10000, 0.3), 1e4 * sounds.data[0], 1e-4 * sounds.data[0] + 0.5]
    assert export_onnx(student_pipeline, tmp_path / "m.onnx", rows).max_difference <= 1e-5


@pytest.mark.recordings
def test_real_recordings_agree(tmp_path, pascal_path, distilled):
    from sklearn_heartkd.datasets import read_recordings

    files = sorted(pascal_path.glob("set_?/*.wav"))[::40]
    recordings, _, _ = read_recordings(files, 2000)
    assert export_onnx(distilled, tmp_path / "m.onnx", recordings).max_difference <= 1e-5


def test_metadata(tmp_path, sounds, distilled):
    model = RejectingClassifier(distilled, error_rate=None)
    model.fit(sounds.data, sounds.target)
    model.threshold_ = 0.7
    export_onnx(model, tmp_path / "m.onnx", training_data="synthetic", scores={"accuracy": 0.5})
    metadata = session(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == ["artifact", "murmur", "normal"]
    assert float(metadata["sampling_rate"]) == 2000
    assert (float(metadata["window"]), float(metadata["hop"])) == (3.0, 1.5)
    assert float(metadata["unsure_below"]) == 0.7
    assert metadata["training_data"] == "synthetic"
    assert json.loads(metadata["scores"]) == {"accuracy": 0.5}
    assert metadata["version"]


def test_default_student_is_small(tmp_path, sounds, student_pipeline):
    report = export_onnx(student_pipeline, tmp_path / "m.onnx", sounds.data[:2])
    assert report.n_bytes <= 110_000


REFUSED = {
    r"BandPassFilter\(method='iir'\) looks into the future.*method='fir'": (
        lambda: make_pipeline(BandPassFilter(), MFCC(), fast())
    ),
    r"SpikeRemover looks into the future.*method='fir'": (
        lambda: make_pipeline(SpikeRemover(), MFCC(), fast())
    ),
    "RandomForestClassifier cannot be exported; .* DistilledClassifier": (
        lambda: make_pipeline(MFCC(output="flat"), RandomForestClassifier(2))
    ),
    r"MFCC\(output='summary'\) cannot be exported: use output='sequence'": (
        lambda: make_pipeline(MFCC(output="summary"), fast())
    ),
    "MinMaxScaler after the features cannot be exported": (
        lambda: make_pipeline(MFCC(output="flat"), MinMaxScaler(), fast())
    ),
    "StandardScaler before the features cannot be exported": (
        lambda: make_pipeline(StandardScaler(), MFCC(), fast())
    ),
    "have different sampling rates": (
        lambda: make_pipeline(FixedLength(duration=2, sampling_rate=4000), MFCC(), fast())
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_exported_is_named(tmp_path, sounds, message):
    model = REFUSED[message]().fit(sounds.data, sounds.target)
    with pytest.raises(ExportError, match=message):
        export_onnx(model, tmp_path / "m.onnx", sounds.data)
    assert not list(tmp_path.iterdir())


def test_a_network_alone_is_refused(tmp_path, sounds):
    X = MFCC().fit_transform(sounds.data)
    with pytest.raises(ExportError, match="export the whole pipeline"):
        export_onnx(fast().fit(X, sounds.target), tmp_path / "m.onnx")


def test_an_unknown_layer_is_named(tmp_path, sounds):
    model = make_pipeline(MFCC(), fast()).fit(sounds.data, sounds.target)
    model[-1].module_.body.layers.append(torch.nn.Softsign())
    with pytest.raises(ExportError, match="layer Softsign cannot be exported"):
        export_onnx(model, tmp_path / "m.onnx", sounds.data)


def test_a_file_that_disagrees_is_not_written(tmp_path, sounds, student_pipeline, monkeypatch):
    build = onnx_module.build

    def wrong(description, metadata):
        description.network.module_.head.bias.data += torch.tensor([1e-3, 0, 0])
        return build(description, metadata)

    model = make_pipeline(MFCC(), fast()).fit(sounds.data, sounds.target)
    expected = model.predict_proba
    monkeypatch.setattr(onnx_module, "build", wrong)
    truth = expected(sounds.data)
    monkeypatch.setattr(type(model), "predict_proba", lambda self, X: truth)
    with pytest.raises(ExportError, match=r"differs from predict_proba by .*no file was written"):
        export_onnx(model, tmp_path / "m.onnx", sounds.data)
    assert not list(tmp_path.iterdir())


def test_int8_quantises_the_network_only(tmp_path, sounds, student_pipeline):
    handlers = logging.root.handlers[:]
    whole = export_onnx(student_pipeline, tmp_path / "float.onnx", sounds.data)
    report = export_onnx(
        student_pipeline, tmp_path / "int8.onnx", sounds.data, sounds.target, quantize="int8"
    )
    assert logging.root.handlers == handlers
    assert report.max_difference <= 1e-5
    assert 0 < report.int8_max_difference < 0.1
    assert report.int8_agreement >= 0.9
    assert abs(report.balanced_accuracy - report.int8_balanced_accuracy) <= 0.1
    assert report.n_bytes < min(whole.n_bytes, 64_000)
    graph = onnx.load(report.path).graph
    weights = {array.name: array for array in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    sources = {output: node for node in graph.node for output in node.output}
    in_8_bits = [sources.get(node.input[1]) for node in convolutions]
    kinds = [node is not None and node.op_type == "DequantizeLinear" for node in in_8_bits]
    assert kinds.count(False) == 1  # the spectrum
    for node, is_quantized in zip(in_8_bits, kinds, strict=True):
        if is_quantized:
            assert weights[node.input[0]].data_type == onnx.TensorProto.INT8


def test_wrong_arguments(tmp_path, sounds, student_pipeline):
    with pytest.raises(ValueError, match="quantize must be None or 'int8', got 'int4'"):
        export_onnx(student_pipeline, tmp_path / "m.onnx", quantize="int4")
    with pytest.raises(ValueError, match="needs recordings"):
        export_onnx(student_pipeline, tmp_path / "m.onnx", quantize="int8")
    with pytest.raises(ValueError, match="3 classes for 30 recordings"):
        export_onnx(student_pipeline, tmp_path / "m.onnx", sounds.data, [1, 2, 3])
    with pytest.raises(ValueError, match=r"path must end in '.onnx', got 'm.bin'"):
        export_onnx(student_pipeline, tmp_path / "m.bin")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recordings", [[], np.zeros((0, 10000))], ids=["list", "array"])
def test_no_recordings_are_told_to_be_some(tmp_path, student_pipeline, recordings):
    with pytest.raises(ValueError, match="recordings is empty; give at least one, or None"):
        export_onnx(student_pipeline, tmp_path / "m.onnx", recordings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recordings", ["x", np.zeros(8000, dtype=np.float32)], ids=["text", "one"])
def test_a_single_recording_is_told_to_come_in_a_list(recordings, distilled, tmp_path):
    with pytest.raises(
        ValueError, match=r"recordings must be several, .* put a single one in a list"
    ):
        export_onnx(distilled, tmp_path / "m.onnx", recordings)
