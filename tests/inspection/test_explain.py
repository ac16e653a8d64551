import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    Conv2DClassifier,
    DenseStudentClassifier,
    DistilledClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.inspection import explain

HOP = LogMelSpectrogram().hop_length


def n_frames(seconds):
    return LogMelSpectrogram()._front_end().n_frames(round(2000 * seconds))


def check_sums(explanation, tolerance=1e-4):
    values = explanation.values
    for i in range(len(explanation)):
        total = values[i].sum(axis=(1, 2)) + explanation.base[i]
        np.testing.assert_allclose(total, explanation.scores[i], atol=tolerance)
    assert explanation.additivity_error.max() < tolerance


@pytest.mark.parametrize("model", ["convolutional", "student"])
def test_deep_values_sum_to_the_logits(model, sounds, request):
    model = request.getfixturevalue(model)
    explanation = explain(model, sounds.data[:4])
    assert (explanation.method, explanation.unit) == ("deep", "logit")
    assert explanation.values.shape == (4, 2, 32, n_frames(2.0))
    np.testing.assert_allclose(
        softmax(explanation.scores, axis=1), model.predict_proba(sounds.data[:4]), atol=1e-6
    )
    check_sums(explanation)
    assert np.abs(explanation.values).sum() > 0.1
    np.testing.assert_array_equal(explanation.predicted, model.predict(sounds.data[:4]))


def test_deep_values_of_a_linear_network(sounds):
    """A network without bends: the value of a cell is its weight times its difference."""
    from sklearn_heartkd.inspection._attribution import deep_values, logits_of

    X = LogMelSpectrogram().fit_transform(sounds.data[:8])
    model = Conv2DClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    module = model.fit(X, sounds.target[:8]).module_
    module.body.layers = torch.nn.Sequential(module.body.layers[0])
    with torch.no_grad():
        module.head.weight[:, module.head.in_features // 2 :] = 0  # the maximum over time
    network = logits_of(module)
    grid = X[0].astype(float)
    reference = np.repeat(np.median(grid, axis=1, keepdims=True), grid.shape[1], axis=1)
    x = torch.from_numpy(reference[None]).requires_grad_()
    weight = torch.autograd.grad(network(x)[0, 1], x)[0][0].numpy()
    values = deep_values(network, grid, reference)
    np.testing.assert_allclose(values[1], weight * (grid - reference), atol=1e-10)


def test_model_and_global_state_stay(convolutional, recurrent, sounds):
    module = convolutional[-1].module_
    before = {name: value.clone() for name, value in module.state_dict().items()}
    hooks = [len(layer._forward_hooks) + len(layer._backward_hooks) for layer in module.modules()]
    probabilities = convolutional.predict_proba(sounds.data)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    filters = list(warnings.filters)
    explain(convolutional, sounds.data[:2])
    explain(recurrent, sounds.data[:1], n_evaluations=80)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert hooks == [
        len(layer._forward_hooks) + len(layer._backward_hooks) for layer in module.modules()
    ]
    np.testing.assert_array_equal(convolutional.predict_proba(sounds.data), probabilities)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert warnings.filters == filters


@pytest.mark.parametrize("method", ["deep", "kernel"])
def test_nobody_filters_warnings_in_threads(method, convolutional, sounds, monkeypatch):
    """The filters belong to the whole process; only scikit-learn's checks of X change them."""
    original, callers = warnings.simplefilter, set()

    def spy(*arguments, **keywords):
        callers.add(sys._getframe(1).f_globals["__name__"].partition(".")[0])
        return original(*arguments, **keywords)

    explain(convolutional, sounds.data[:1])  # shap is imported
    options = {"method": method, "n_evaluations": 80}
    with monkeypatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(warnings, "simplefilter", spy)
        patch.setattr(warnings, "filterwarnings", spy)
        jobs = [
            pool.submit(explain, convolutional, sounds.data[i : i + 1], **options) for i in range(4)
        ]
        together = [job.result().values for job in jobs]
    assert callers <= {"sklearn"}
    alone = explain(convolutional, sounds.data[:4], **options).values
    np.testing.assert_allclose(np.concatenate(together), alone, atol=1e-5)


def test_kernel_agrees_with_deep(convolutional, sounds):
    deep = explain(convolutional, sounds.data[:3])
    kernel = explain(convolutional, sounds.data[:3], method="kernel", n_evaluations=1500)
    assert kernel.method == "kernel"
    check_sums(kernel)
    np.testing.assert_allclose(kernel.scores, deep.scores, atol=1e-5)
    np.testing.assert_allclose(kernel.base, deep.base, atol=1e-5)
    for a, b in zip(deep.in_time, kernel.in_time, strict=True):
        coarse = [np.add.reduceat(v, range(0, v.shape[1], 6), axis=1).ravel() for v in (a, b)]
        assert np.corrcoef(coarse)[0, 1] > 0.6


def test_kernel_finds_the_cells_that_count(sounds):
    """Of a model that listens to one band and one half, nothing else gets a value."""
    frames = n_frames(2.0)
    half = frames // 2

    class Listener(LogisticRegression):
        def predict_proba(self, X):
            level = X.reshape(len(X), 32, frames)[:, 8:16, :half].mean(axis=(1, 2)) / 20
            p = 1 / (1 + np.exp(-level))
            return np.stack([1 - p, p], axis=1)

    features = LogMelSpectrogram(output="flat")
    model = make_pipeline(features, Listener())
    X = features.fit_transform(sounds.data)
    model[-1].fit(X[:, :2], sounds.target)
    model[-1].__dict__.pop("n_features_in_")
    explanation = explain(model, sounds.data[:2], method="kernel")
    inside = np.abs(explanation.values[:, :, 8:16, :half]).sum()
    assert inside / np.abs(explanation.values).sum() > 0.95
    check_sums(explanation)


def test_dense_networks_use_the_kernel_method(sounds):
    network = DenseStudentClassifier(hidden_layer_sizes=(4,), max_epochs=1, random_state=0)
    model = make_pipeline(LogMelSpectrogram(), network).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1], n_evaluations=100)
    assert explanation.method == "kernel"
    check_sums(explanation)
    with pytest.raises(ValueError, match="'deep' cannot explain DenseStudentClassifier"):
        explain(model, sounds.data[:1], method="deep")


def test_recurrent_networks_use_the_kernel_method(recurrent, sounds):
    explanation = explain(recurrent, sounds.data[:2], n_evaluations=200)
    assert (explanation.method, explanation.unit) == ("kernel", "logit")
    check_sums(explanation)
    again = explain(recurrent, sounds.data[:2], n_evaluations=200)
    np.testing.assert_array_equal(explanation.values, again.values)
    with pytest.raises(ValueError, match="'deep' cannot explain RNNClassifier"):
        explain(recurrent, sounds.data[:2], method="deep")


def test_group_norms_use_the_kernel_method(sounds):
    network = StudentClassifier(norm="group", max_epochs=1, random_state=0)
    model = make_pipeline(LogMelSpectrogram(), network).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1], n_evaluations=150)
    assert explanation.method == "kernel"


def test_mfcc_are_explained_in_mel_bands(sounds):
    network = StudentClassifier(max_epochs=2, random_state=0)
    model = make_pipeline(BandPassFilter(high=600.0), MFCC(n_mfcc=13), network)
    model.fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:2])
    assert explanation.method == "deep"
    assert explanation.values.shape[2] == len(explanation.frequencies) == 32
    assert np.all(np.diff(explanation.frequencies) > 0)
    check_sums(explanation)
    np.testing.assert_allclose(
        softmax(explanation.scores, axis=1), model.predict_proba(sounds.data[:2]), atol=1e-5
    )


def test_distilled_and_refined_models(student, sounds):
    X = student[0].transform(sounds.data)
    network = StudentClassifier(max_epochs=2, random_state=0)
    distilled = DistilledClassifier(
        RandomForestClassifier(5, random_state=0), network, refine="kmeans", random_state=0
    ).fit(X, sounds.target)
    refined = KMeansRefinedClassifier(network, random_state=0).fit(X, sounds.target)
    for model, inner in ((distilled, distilled.student_), (refined, refined.estimator_)):
        explanation = explain(model, X[:2], features=LogMelSpectrogram())
        assert explanation.method == "deep"
        assert "without k-means" in explanation.explained
        logits = inner.decision_function(X[:2])
        np.testing.assert_allclose(np.diff(explanation.scores)[:, 0], logits, atol=1e-5)
        assert explanation.times is not None
        check_sums(explanation)


@pytest.mark.parametrize("method", ["deep", "kernel"])
def test_windows_are_put_back_into_recordings_of_any_length(method, sounds):
    ragged = [row[: 2400 + 200 * i] for i, row in enumerate(sounds.data[:8])]
    ragged[1] = ragged[1][:1500]  # shorter than a window: it is looped
    inner = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=2, random_state=0))
    model = WindowedClassifier(inner, window=1.0, hop=0.5).fit(ragged, sounds.target[:8])
    explanation = explain(model, ragged[:4], method=method, n_evaluations=120)
    check_sums(explanation)
    for values, row in zip(explanation.values, ragged, strict=False):
        assert abs(values.shape[2] - n_frames(len(row) / 2000)) <= 2
    one = explanation[1]
    assert one.values.shape[-1] == len(one.times) == -(-1500 // HOP)
    np.testing.assert_array_equal(one.recordings[0], ragged[1])


def test_windows_behind_a_filter(sounds):
    inner = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=1, random_state=0))
    windowed = WindowedClassifier(inner, window=1.0, hop=0.5)
    model = make_pipeline(BandPassFilter(), windowed).fit(sounds.data[:8], sounds.target[:8])
    explanation = explain(model, sounds.data[:2])
    check_sums(explanation)
    filtered = explain(model[-1], model[0].transform(sounds.data[:2]))
    np.testing.assert_allclose(explanation.values, filtered.values, atol=1e-4)
    np.testing.assert_array_equal(explanation.recordings[0], sounds.data[0])


def test_forests(sounds):
    forest = make_pipeline(
        LogMelSpectrogram(output="summary"), RandomForestClassifier(20, random_state=0)
    ).fit(sounds.data, sounds.target)
    explanation = explain(forest, sounds.data[:3])
    assert (explanation.method, explanation.unit) == ("tree", "probability")
    np.testing.assert_allclose(explanation.scores, forest.predict_proba(sounds.data[:3]))
    assert explanation.additivity_error.max() < 1e-8
    assert explanation.feature_names[0] == "mel0_mean"
    assert len(explanation.frequencies) == 32
    np.testing.assert_allclose(
        explanation.in_bands.sum(axis=2), explanation.feature_values.sum(axis=2)
    )
    first = [name.startswith("mel3_") for name in explanation.feature_names]
    np.testing.assert_allclose(
        explanation.in_bands[0, 1, 3], explanation.feature_values[0, 1, first].sum()
    )
    with pytest.raises(ValueError, match="no values in time"):
        _ = explanation.in_time
    on_grid = explain(forest, sounds.data[:1], method="kernel", n_evaluations=150)
    assert on_grid.unit == "log-probability"
    check_sums(on_grid)


def test_boosted_trees_of_two_classes(sounds):
    model = make_pipeline(
        MFCC(output="summary"), HistGradientBoostingClassifier(max_iter=5, random_state=0)
    ).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:2])
    assert explanation.additivity_error.max() < 1e-6
    np.testing.assert_allclose(
        np.diff(explanation.scores)[:, 0], model.decision_function(sounds.data[:2])
    )
    with pytest.raises(ValueError, match="not all statistics of mel bands"):
        _ = explanation.in_bands


@pytest.mark.parametrize(
    "features",
    [MFCC(cmvn=True, output="summary"), Autocorrelogram(n_mels=8, output="flat")],
    ids=repr,
)
def test_normalized_and_correlated_bands_are_explained_as_bands(sounds, features):
    model = make_pipeline(features, StandardScaler(), SVC()).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1], n_evaluations=150)
    check_sums(explanation)
    np.testing.assert_allclose(
        np.diff(explanation.scores)[:, 0], model.decision_function(sounds.data[:1]), rtol=1e-5
    )
    assert explanation.values[0].shape[1:] == (
        features.n_mels,
        n_frames(len(sounds.data[0]) / 2000),
    )


@pytest.mark.parametrize("features", [LogMelSpectrogram(cmvn=True), Autocorrelogram()], ids=repr)
def test_networks_behind_normalized_and_correlated_bands(sounds, features):
    network = StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    model = make_pipeline(features, network).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1], n_evaluations=150)
    assert explanation.method == "kernel"
    check_sums(explanation)
    logits = network._evaluate(features.transform(sounds.data[:1]))[0]
    np.testing.assert_allclose(explanation.scores, logits, atol=1e-5)


def test_unions_scalers_and_decision_values(sounds):
    union = make_union(MFCC(output="summary"), LogMelSpectrogram(output="summary"))
    model = make_pipeline(union, StandardScaler(), SVC()).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1], n_evaluations=150)
    assert explanation.unit == "decision value"
    check_sums(explanation)
    np.testing.assert_allclose(
        np.diff(explanation.scores)[:, 0], model.decision_function(sounds.data[:1])
    )


def test_tables_are_explained_by_column(sounds):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 4)), columns=["a", "b", "c", "d"])
    y = (X["b"] > 0).astype(int)
    model = LogisticRegression().fit(X.to_numpy(), y)
    explanation = explain(model, X[:5], background=X)
    assert explanation.feature_names == ["a", "b", "c", "d"]
    share = np.abs(explanation.feature_values[:, 1]).sum(axis=0)
    assert share.argmax() == 1
    assert explanation.additivity_error.max() < 1e-6
    with pytest.raises(ValueError, match="needs a background"):
        explain(model, X[:1])


def test_flat_features_get_their_grid_back(sounds):
    features = LogMelSpectrogram(output="flat")
    X = features.fit_transform(sounds.data)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(X, sounds.target)
    explanation = explain(model, X[:1], features=features, n_evaluations=150)
    assert explanation.values.shape == (1, 2, 32, n_frames(2.0))


def test_unknown_models_of_waveforms(sounds):
    def level_of_the_first_second(X):
        return np.log((X[:, :2000] ** 2).mean(axis=1, keepdims=True))

    loud = sounds.data / sounds.data.std(axis=1, keepdims=True)
    loud[::2, :2000] *= 5
    y = np.arange(len(loud)) % 2
    model = make_pipeline(FunctionTransformer(level_of_the_first_second), LogisticRegression(C=0.1))
    model.fit(loud, y)
    explanation = explain(model, loud[:1], sampling_rate=2000)
    assert explanation.unit == "log-probability"
    check_sums(explanation)
    value = np.abs(explanation.in_time).sum(axis=(0, 1))
    first_second = 32  # frames, up to the end of the cell that holds the last of them
    assert value[:first_second].sum() / value.sum() > 0.8


def test_exported_models_are_explained(convolutional, sounds, tmp_path):
    from sklearn_heartkd.deployment import export_onnx
    from sklearn_heartkd.deployment.runtime import HeartSoundModel

    export_onnx(convolutional, tmp_path / "model.onnx")
    exported = HeartSoundModel.load(tmp_path / "model.onnx")
    explanation = explain(exported, sounds.data[:1], n_evaluations=200)
    assert explanation.method == "kernel"
    assert explanation.classes.tolist() == exported.classes
    np.testing.assert_allclose(
        np.exp(explanation.scores[0]), exported.predict_proba(sounds.data[0]), atol=1e-3
    )


def test_the_background_is_what_replaces(convolutional, sounds):
    background = sounds.data[sounds.target == "normal"]
    explanation = explain(convolutional, sounds.data[:2], background=background)
    front = LogMelSpectrogram().fit_transform(background)
    mean = np.repeat(front.mean(axis=(0, 2))[None, :, None], front.shape[2], axis=2)
    expected = convolutional[-1]._evaluate(mean.astype(np.float32))[0]
    np.testing.assert_allclose(explanation.base, np.repeat(expected, 2, axis=0), atol=1e-4)
    check_sums(explanation)


def test_share_in_intervals(convolutional, sounds, murmur):
    explanation = explain(convolutional, sounds.data[:4])
    share, time = explanation.share_in(0, [(0.0, 2.0)], target="murmur")
    assert (share, time) == (1.0, 1.0)
    halves = [explanation.share_in(1, [half])[0] for half in ((0, 0.995), (0.996, 2))]
    assert sum(halves) == pytest.approx(1)
    with pytest.raises(ValueError, match="'whistle' is not in the classes"):
        explanation.share_in(0, [(0, 1)], target="whistle")


def test_recordings_of_another_length(sounds):
    student = StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    model = make_pipeline(FixedLength(duration=0.5), MFCC(), student)
    model.fit(sounds.data, sounds.target)
    found = explain(model, [sounds.data[0][:1500]])
    check_sums(found)
    long = explain(model, sounds.data[:1])
    np.testing.assert_allclose(found.values[0], long.values[0], atol=1e-5)


def test_errors_say_what_to_do(convolutional, sounds):
    with pytest.raises(ValueError, match="method='magic' is unknown"):
        explain(convolutional, sounds.data[:1], method="magic")
    with pytest.raises(ValueError, match=r"cell=.* above 0"):
        explain(convolutional, sounds.data[:1], cell=(0, 1))
    with pytest.raises(TypeError, match="needs a classifier, got LinearRegression"):
        explain(LinearRegression().fit([[0], [1]], [0, 1]), [[0], [1]])
    with pytest.raises(ValueError, match="not fitted"):
        explain(make_pipeline(FixedLength(), StudentClassifier()), sounds.data[:1])
