import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sklearn_heartkd import KMeansRefinedClassifier, StudentClassifier
from sklearn_heartkd.inspection import (
    EmbeddingDisplay,
    ExplanationDisplay,
    FaithfulnessDisplay,
    NetworkDisplay,
    QualitySizeDisplay,
    RecordingDisplay,
    TrainingHistoryDisplay,
    explain,
    faithfulness,
    read_timing,
)


def axes():
    return Figure(figsize=(8, 5), layout="constrained").subplots()


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture(scope="module")
def explanation(convolutional, sounds):
    return explain(convolutional, sounds.data[:3])


def test_recording_with_events(sounds, murmur):
    row, events = murmur
    ax = axes()
    display = RecordingDisplay.from_recording(sounds.data[row], 2000, events=events, ax=ax)
    display.figure_.canvas.draw()
    assert display.figure_ is ax.figure
    assert {"S1", "S2", "murmur"} <= set(texts(ax.figure))
    assert len(display.ax_) == 2
    np.testing.assert_allclose(display.ax_[0].get_xlim(), (0, 2))
    assert plt.get_fignums() == []
    assert len(RecordingDisplay.from_recording(sounds.data[row], 2000).ax_) == 2
    assert len(plt.get_fignums()) == 1


def test_other_sampling_rates(sounds):
    display = RecordingDisplay.from_recording(np.repeat(sounds.data[0], 2), 4000, ax=axes())
    assert display.times.max() == pytest.approx(2.0, abs=0.1)
    assert display.frequencies.max() < 800


def test_read_timing(tmp_path):
    table = tmp_path / "set_a_timing.csv"
    table.write_text("fname,cycle,sound,location\nset_a/x.wav,1,S1,44100\nset_a/x.wav,1,S2,0\n")
    events = read_timing(tmp_path)
    assert events["file"].tolist() == ["x.wav", "x.wav"]
    np.testing.assert_allclose(events[["start", "end"]], [[0.97, 1.03], [0, 0.03]])
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="lacks the column 'fname'"):
        read_timing(table)
    table.write_text("fname;sound;location\nx.wav;S1;soon\n")
    with pytest.raises(ValueError, match="location 'soon'; it must be a number"):
        read_timing(table)


@pytest.mark.recordings
def test_read_timing_of_pascal(pascal_path):
    events = read_timing(pascal_path)
    assert events["file"].nunique() == 21
    assert set(events["kind"]) == {"S1", "S2"}
    assert events["end"].max() < 10


@pytest.mark.parametrize("kind", ["heat", "waveform", "bands"])
def test_explanations(kind, explanation, murmur):
    row, events = murmur
    ax = axes()
    display = ExplanationDisplay(
        explanation, recording=row, target="murmur", events=events, name="net"
    ).plot(ax, kind=kind, alpha=0.5)
    ax.figure.canvas.draw()
    assert plt.get_fignums() == []
    title = next(text for text in texts(ax.figure) if text.startswith("net: murmur"))
    assert "logit" in title
    if kind == "bands":
        widths = [bar.get_width() for bar in display.artist_]
        np.testing.assert_allclose(widths, explanation.in_bands[row, display.class_index])
        assert display.artist_[0].get_alpha() == 0.5
    else:
        assert {"S1", "S2"} <= set(texts(ax.figure))
        assert display.artist_.get_alpha() == 0.5


def test_ticks_of_bands_are_round(explanation):
    ax = ExplanationDisplay(explanation).plot(axes(), kind="bands").ax_[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["200", "400", "600"]
    frequencies = explanation.frequencies
    places = np.interp(ax.get_yticks(), range(len(frequencies)), frequencies)
    np.testing.assert_allclose(places, [200, 400, 600])


def test_red_is_evidence_for_a_class(explanation):
    display = ExplanationDisplay(explanation).plot(axes(), kind="bands")
    for bar in display.artist_:
        red, _, blue, _ = bar.get_facecolor()
        assert (red > blue) == (bar.get_width() > 0)


def test_explanation_from_an_estimator(convolutional, sounds, murmur):
    row, events = murmur
    display = ExplanationDisplay.from_estimator(
        convolutional, sounds.data, recording=row, events=sounds.events, ax=axes()
    )
    expected = convolutional.predict(sounds.data[row : row + 1])[0]
    assert display.target == expected
    np.testing.assert_array_equal(display.events["start"], events["start"])


def test_teacher_and_student_side_by_side(explanation, student, sounds):
    figure = Figure(figsize=(10, 4), layout="constrained")
    other = explain(student, sounds.data[:3])
    displays = ExplanationDisplay.side_by_side(
        {"teacher": explanation, "student": other}, recording=1, figure=figure
    )
    assert displays[0].target == displays[1].target == explanation.predicted[1]
    assert plt.get_fignums() == []
    assert any(text.startswith("student: ") for text in texts(figure))


def test_explanations_without_waveform(explanation, student, sounds):
    X = student[0].transform(sounds.data[:1])
    display = ExplanationDisplay(explain(student[1], X)).plot(axes())
    assert display.ax_[0].get_xlabel() == "frames"
    with pytest.raises(ValueError, match="needs the waveform"):
        display.plot(kind="waveform")
    with pytest.raises(ValueError, match="kind='pie' is unknown"):
        display.plot(kind="pie")


def test_embeddings_with_clusters(student, sounds):
    X = student[0].transform(sounds.data)
    network = StudentClassifier(max_epochs=1, random_state=0)
    model = KMeansRefinedClassifier(network, n_clusters=3).fit(X, sounds.target)
    display = EmbeddingDisplay.from_estimator(model, X, sounds.target, ax=axes())
    display.figure_.canvas.draw()
    assert len(display.ax_) == 2
    assert {"1", "2", "3", "murmur", "normal", "cluster"} <= set(texts(display.figure_))
    table = [f"{value:.2f}" for value in model.refiner_.table.ravel()]
    assert set(table) <= set(texts(display.figure_))
    nearest = ((display.points[:, None] - display.centers) ** 2).sum(axis=2)
    assert nearest.shape == (48, 3)
    plain = EmbeddingDisplay.from_estimator(student, sounds.data, sounds.target, ax=axes())
    assert len(plain.ax_) == 1
    from sklearn.dummy import DummyClassifier

    with pytest.raises(ValueError, match="has no embeddings"):
        EmbeddingDisplay.from_estimator(DummyClassifier().fit([[0]], [0]), [[0]], [0])


def test_training_history():
    rows = [
        {"epoch": i + 1, "train_loss": 1 / (i + 1), "valid_loss": abs(i - 3) + 1} for i in range(6)
    ]
    display = TrainingHistoryDisplay({"net": rows}).plot(axes(), linewidth=3)
    assert display.lines_[0].get_linewidth() == 3
    assert "net, kept epoch 4" in display.ax_.get_legend_handles_labels()[1]
    np.testing.assert_allclose(
        display.ax_.lines[0].get_ydata(), [row["train_loss"] for row in rows]
    )


def test_training_history_of_models(convolutional, student):
    display = TrainingHistoryDisplay.from_estimator(convolutional, student, ax=axes())
    assert len(display.ax_.lines) == 2
    from sklearn.dummy import DummyClassifier

    with pytest.raises(ValueError, match="no training history"):
        TrainingHistoryDisplay.from_estimator(DummyClassifier().fit([[0]], [0]))


def test_models_of_one_size():
    n = 8
    value = np.linspace(0.68, 0.71, n)
    table = pd.DataFrame(
        {"size": [30.0] * (n - 2) + [300, 3000], "value": value, "low": 0.6, "high": 0.8},
        index=[f"student of teacher {i}" for i in range(n)],
    )
    display = QualitySizeDisplay(table).plot(axes(), name="title", markersize=3)
    display.figure_.draw_without_rendering()
    line = display.containers_[0].lines[0]
    np.testing.assert_array_equal(line.get_xydata(), table[["size", "value"]])
    assert line.get_markersize() == 3
    low, high = display.ax_.get_xlim()
    assert (30 / low) == pytest.approx(high / 3000)
    assert 30 / low < 3
    names = display.ax_.texts
    boxes = [Text.get_window_extent(text) for text in names]
    for side in ("left", "right"):  # names beside points of one size are sorted as the points
        places = {
            text.get_text(): box.y0
            for text, box in zip(names, boxes, strict=True)
            if text.get_horizontalalignment() == side and text.xy[0] == 30
        }
        assert sorted(places, key=places.get) == sorted(places)
    assert len(boxes) == n
    for i in range(n):
        assert not any(boxes[i].overlaps(boxes[j]) for j in range(i))
        assert display.ax_.get_window_extent().contains(*boxes[i].min)
        assert display.ax_.get_window_extent().contains(*boxes[i].max)
    with pytest.raises(ValueError, match="no column 'high'"):
        QualitySizeDisplay(table.drop(columns="high")).plot()


def test_quality_from_predictions():
    frames = [
        pd.DataFrame(
            {
                "model": model,
                "seed": 0,
                "fold": np.arange(40) % 4,
                "recording": np.arange(40),
                "y_true": np.tile(["a", "b"], 20),
                "y_pred": np.where(np.arange(40) < right, np.tile(["a", "b"], 20), "a"),
            }
        )
        for model, right in (("good", 40), ("bad", 10))
    ]
    display = QualitySizeDisplay.from_predictions(
        pd.concat(frames), {"good": 10, "bad": 100}, metric="accuracy", n_resamples=50, ax=axes()
    )
    assert display.table.loc["good", "value"] == 1.0
    assert display.table.loc["bad", "low"] < display.table.loc["bad", "value"] < 0.8
    assert display.ax_.get_ylabel() == "accuracy"


def test_network(student, monkeypatch):
    display = NetworkDisplay.from_estimator(student, ax=axes())
    module = student[-1].module_
    total = sum(parameter.numel() for parameter in module.parameters())
    assert f"Total params: {total:,}" in str(display)
    assert "Units." not in str(display)
    assert "Conv2d" in display.ax_.texts[0].get_text()
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    with pytest.raises(ImportError, match=r"sklearn-heartkd\[explain\]"):
        NetworkDisplay.from_estimator(student)


def test_faithfulness_of_an_explanation_and_its_opposite(convolutional, sounds):
    from dataclasses import replace

    rows = np.flatnonzero(sounds.target == "murmur")[:4]
    X = sounds.data[rows]
    explanation = explain(convolutional, X)
    result = faithfulness(convolutional, X, explanation, target="murmur")
    index = explanation.class_index("murmur")
    np.testing.assert_allclose(result.deletion[:, 0], explanation.scores[:, index], atol=1e-5)
    np.testing.assert_allclose(result.deletion[:, -1], explanation.base[:, index], atol=1e-5)
    np.testing.assert_allclose(result.insertion[:, 0], explanation.base[:, index], atol=1e-5)
    assert result.deletion_gain.mean() > 0.1
    assert result.insertion_gain.mean() > 0.1
    wrong = faithfulness(
        convolutional, X, replace(explanation, values=-explanation.values), target="murmur"
    )
    assert wrong.deletion_gain.mean() < 0
    assert wrong.insertion_gain.mean() < 0
    display = FaithfulnessDisplay(result).plot(axes(), name="net")
    assert len(display.lines_) == 4
    assert "logit" in display.ax_.get_ylabel()
    with pytest.raises(ValueError, match="pass the X that was explained"):
        faithfulness(convolutional, X[:1], explanation)


def test_names_are_not_mathematics(explanation):
    from dataclasses import replace

    odd = replace(explanation, classes=np.array(["a$^b$_\n", "$\\frac{"]))
    display = ExplanationDisplay(odd, name="$\\").plot(axes(), kind="bands")
    display.figure_.draw_without_rendering()
    assert r"\n" in display.ax_[0].get_title() or r"\frac" in display.ax_[0].get_title()
    classes = np.array(["$^$_", "$x^2$"])
    embedding = EmbeddingDisplay(
        np.eye(2), classes, explained_variance=[0.7, 0.3], classes=classes, table=np.eye(2)
    ).plot(axes())
    embedding.figure_.draw_without_rendering()
    shown = [*embedding.ax_[0].get_legend().get_texts(), *embedding.ax_[1].get_xticklabels()]
    assert not any(text.get_parse_math() for text in shown)
    table = pd.DataFrame(
        {"size": [1, 9], "value": 0.5, "low": 0.4, "high": 0.6}, index=["$\\", "b"]
    )
    QualitySizeDisplay(table).plot(axes()).figure_.draw_without_rendering()
