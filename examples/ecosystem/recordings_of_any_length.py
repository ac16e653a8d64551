"""
Recordings of any length
========================

Windows make a classifier of equally long recordings one of recordings of any length.
"""

# %%
# `WindowedClassifier` cuts windows of 3 s, loops a recording that is shorter, and averages the
# probabilities of the windows. Here the recordings last from 2 to 10 s. A network teaches a smaller one,
# and the windows of a subject stay on one side of every split.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import (
    Autocorrelogram,
    DenseStudentClassifier,
    DistilledClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import compare_models, oof_frame

RATE = 2000  # Hz
sounds = make_heart_sounds(
    160, n_subjects=80, duration=10, murmur_db=-8, snr_db=8, sampling_rate=RATE, random_state=0
)
y, groups = sounds.target, sounds.groups
seconds = np.random.default_rng(0).uniform(2, 10, len(y))
recordings = np.empty(len(y), dtype=object)  # rows of different length
for i, row in enumerate(sounds.data):
    recordings[i] = row[: int(RATE * seconds[i])]

features = Autocorrelogram(n_mels=8, n_lags=23, output="flat")
short = {"batch_size": 64, "max_epochs": 20, "learning_rate": 0.02, "random_state": 0}
teacher = DenseStudentClassifier(hidden_layer_sizes=(64, 64), **short)
student = DenseStudentClassifier(hidden_layer_sizes=(8,), **short)
longer = DenseStudentClassifier(hidden_layer_sizes=(8,), **(short | {"max_epochs": 60}))
ends = {
    "teacher": teacher,
    "student from scratch": student,
    "three times the epochs": longer,
    "distilled student": DistilledClassifier(teacher, student, random_state=0),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
    ),
}

# %%
# Three folds by subject. The training recordings have all lengths; each test recording is tested several
# times, from its first 1.5 s to its full 10 s, so that only the length differs between two points of a
# line.
LENGTHS = [1.5, 2, 3, 4.5, 6, 8, 10]  # s
frames = []
for fold, (train, test) in enumerate(StratifiedGroupKFold(3).split(seconds, y, groups)):
    for name, end in ends.items():
        model = WindowedClassifier(make_pipeline(features, end), window=3, hop=1.5)
        model.fit(recordings[train], y[train], groups=groups[train])
        for i, length in enumerate(LENGTHS):
            predicted = model.predict(sounds.data[test, : int(RATE * length)])
            rows = {"recording": test, "y_true": y[test], "y_pred": predicted}
            frames.append(oof_frame(name, seed=i, fold=fold, **rows))
predictions = pd.concat(frames)
full = predictions[predictions["seed"] == len(LENGTHS) - 1]
scores = compare_models(full, groups, metrics=["balanced_accuracy"], random_state=0)
scores[["model", "value", "low", "high"]].round(2)

# %%
# The table is of the full length, with 95 % intervals from a bootstrap over subjects. Two windows are
# better than one; more hardly help here. A recording shorter than a window is looped, and its rhythm is
# hard to hear.
figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
colors = ["#D55E00", "#56B4E9", "#E69F00", "#0072B2", "black"]
for name, color, marker in zip(ends, colors, "sv^oD", strict=True):
    own = predictions[predictions["model"] == name].groupby("seed")[["y_true", "y_pred"]]
    values = own.apply(lambda rows: balanced_accuracy_score(rows["y_true"], rows["y_pred"]))
    ax.plot(LENGTHS, values, marker=marker, color=color, label=name)
ax.axvline(3, color="0.5", linestyle=":")
ax.annotate("window", (3, 0.02), xycoords=("data", "axes fraction"), color="0.3", ha="left")
ax.set(xlabel="length of the test recording (s)", ylabel="balanced accuracy on new subjects")
ax.set_title("The same recordings, cut to different lengths")
figure.legend(loc="outside lower center", ncols=3, fontsize=9)
plt.show()

# %%
# **What this does not show.** That longer real recordings are easier: they contain more noise and
# movement as well. Scores on synthetic recordings say nothing about real ones, and the intervals of the
# models overlap. ``heartkd train`` fits the same kind of model, with windows of 5 s and more training.
