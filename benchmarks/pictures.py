"""The pictures of docs/guide/explanations.md, drawn into docs/images.

    python -m benchmarks.pictures

Synthetic recordings with fixed seeds and, with the environment variable HEARTKD_DATA, one PASCAL
recording with its annotated sounds.
"""

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline

from benchmarks._tables import IMAGES
from sklearn_heartkd import (
    Conv1DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)
from sklearn_heartkd.datasets import load_pascal, make_heart_sounds
from sklearn_heartkd.inspection import (
    EmbeddingDisplay,
    ExplanationDisplay,
    FaithfulnessDisplay,
    NetworkDisplay,
    RecordingDisplay,
    TrainingHistoryDisplay,
    explain,
    faithfulness,
    read_timing,
)

CLASSES = ("normal", "murmur")


def axes(width, height):
    return Figure(figsize=(width, height), layout="constrained").subplots()


def save(figure, name):
    figure.savefig(IMAGES / f"{name}.png", dpi=100)


def make(n, seed):
    return make_heart_sounds(n, classes=CLASSES, n_subjects=n, duration=3.0, random_state=seed)


def draw_recordings(test, row, events):
    display = RecordingDisplay.from_recording(
        test.data[row], 2000, events=events, name="A synthetic murmur", ax=axes(9, 4.6)
    )
    save(display.figure_, "recording")
    if "HEARTKD_DATA" not in os.environ:
        print("HEARTKD_DATA is not set: recording_pascal.png stays as it is.")
        return
    folder = Path(os.environ["HEARTKD_DATA"]) / "heartbeat-sounds"
    pascal = load_pascal(folder, subset="a")
    timing = read_timing(folder)
    names = [Path(name).name for name in pascal.filenames]
    name = next(n for n in timing["file"].unique() if n in names and n.startswith("normal"))
    display = RecordingDisplay.from_recording(
        pascal.data[names.index(name)][:8000],
        2000,
        events=timing[(timing["file"] == name) & (timing["end"] < 4)],
        name=f"PASCAL, set A: {name}",
        ax=axes(9, 4.6),
    )
    save(display.figure_, "recording_pascal")


def draw_explanations(teacher, student, test, row, events):
    found = {
        "teacher (Conv1D)": explain(teacher, test.data[row : row + 1]),
        "student": explain(student, test.data[row : row + 1]),
    }
    for kind, size in {"heat": (9, 4.6), "waveform": (9, 2.8), "bands": (5, 3.8)}.items():
        display = ExplanationDisplay(
            found["student"], target="murmur", events=events, name="student"
        ).plot(axes(*size), kind=kind)
        save(display.figure_, f"explanation_{kind}")
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    ExplanationDisplay.side_by_side(found, target="murmur", events=events, figure=figure)
    save(figure, "explanation_side_by_side")
    chosen = test.data[np.flatnonzero(test.target == "murmur")]
    result = faithfulness(student, chosen, explain(student, chosen), target="murmur")
    display = FaithfulnessDisplay(result).plot(axes(6, 4))
    save(display.figure_, "faithfulness")


def draw_models(training, test, teacher, student):
    ax = axes(6, 4)
    network = StudentClassifier(max_epochs=25, early_stopping=True, random_state=0)
    X = LogMelSpectrogram().fit_transform(training.data)
    network.fit(X, training.target, groups=training.groups)
    TrainingHistoryDisplay.from_estimator(network, names=["student"], ax=ax)
    save(ax.figure, "training_history")
    display = EmbeddingDisplay.from_estimator(
        student, test.data, test.target, name="Student, test recordings",
        ax=axes(9.5, 4.6),
    )  # fmt: skip
    save(display.figure_, "embedding")
    display = NetworkDisplay.from_estimator(student, name="The student", ax=axes(8.5, 7.2))
    save(display.figure_, "network")
    ax = axes(4.6, 4)
    ConfusionMatrixDisplay.from_estimator(
        student, test.data, test.target, ax=ax, cmap="Blues", colorbar=False
    )
    save(ax.figure, "confusion")


def main():
    training, test = make(96, 0), make(40, 1)
    teacher = make_pipeline(LogMelSpectrogram(), Conv1DClassifier(max_epochs=20, random_state=0))
    teacher.fit(training.data, training.target)
    forest = RandomForestClassifier(100, random_state=0)
    distilled = DistilledClassifier(
        [("conv1d", Conv1DClassifier(max_epochs=20, random_state=0)), ("forest", forest)],
        StudentClassifier(max_epochs=30, random_state=0),
        refine="kmeans",
        random_state=0,
    )
    student = make_pipeline(LogMelSpectrogram(), distilled).fit(training.data, training.target)
    row = int(np.flatnonzero(test.target == "murmur")[2])
    events = test.events[test.events["recording"] == row]
    at_zero = events.assign(recording=0)
    draw_recordings(test, row, events)
    draw_explanations(teacher, student, test, row, at_zero)
    draw_models(training, test, teacher, student)


if __name__ == "__main__":
    main()
