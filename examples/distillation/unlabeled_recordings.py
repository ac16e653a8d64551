"""
Unlabeled recordings
====================

A teacher that hears more than the student answers about recordings that nobody has labeled.
"""

# %%
# This is the first comparison of ``heartkd compare`` in small. The teacher is the mean of two models on
# the rhythm and two on the autocorrelation. The student has one layer of eight units and hears the
# autocorrelation, which a microcontroller can compute. There are 40 labeled subjects, and every subject
# has one recording.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import (
    Autocorrelogram,
    DenseStudentClassifier,
    DistilledClassifier,
    RhythmFeatures,
)
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(300, n_subjects=300, murmur_db=-8, snr_db=8, n_devices=4, random_state=0)
rhythm = RhythmFeatures().fit_transform(sounds.data)
acf = Autocorrelogram(n_mels=8, n_lags=23, output="flat").fit_transform(sounds.data)
X, y, groups = np.hstack([rhythm, acf]), sounds.target, sounds.groups
columns = {"rhythm": slice(0, rhythm.shape[1]), "acf": slice(rhythm.shape[1], X.shape[1])}
only = {name: ColumnTransformer([(name, "passthrough", part)]) for name, part in columns.items()}
logistic = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
members = []
for name, part in only.items():
    forest = make_pipeline(part, RandomForestClassifier(30, random_state=0))
    members += [(f"forest_{name}", forest), (f"logistic_{name}", make_pipeline(part, logistic))]
teacher = VotingClassifier(members, voting="soft")
small = DenseStudentClassifier(hidden_layer_sizes=(8,), batch_size=32, learning_rate=0.02)

# %%
# Three draws of subjects: 40 with labels, up to 160 without, 100 to test. All fits of the student have
# 200 steps, one of the controls has 600.
N_UNLABELED = [0, 40, 80, 160]


def student(n_rows, n_steps=200):
    """Return the unfitted student, trained for a number of steps."""
    n_epochs = max(1, round(n_steps / np.ceil(n_rows / 32)))
    return make_pipeline(only["acf"], clone(small).set_params(max_epochs=n_epochs, random_state=0))


rows = []
for draw in range(3):
    split = GroupShuffleSplit(1, train_size=40, random_state=draw)
    labeled, rest = next(split.split(X, y, groups))
    test = rest[160:]
    controls = {
        "teacher": teacher,
        "logistic regression": make_pipeline(only["acf"], logistic),
        "from scratch": student(40),
        "three times the steps": student(40, 600),
    }
    for name, model in controls.items():
        predicted = clone(model).fit(X[labeled], y[labeled]).predict(X[test])
        rows.append((draw, name, balanced_accuracy_score(y[test], predicted)))
    for n in N_UNLABELED:
        model = DistilledClassifier(teacher, student(40 + n), losses="kd", random_state=draw)
        extra = {"X_unlabeled": X[rest[:n]], "groups_unlabeled": groups[rest[:n]]} if n else {}
        model.fit(X[labeled], y[labeled], groups=groups[labeled], **extra)
        score = balanced_accuracy_score(y[test], model.predict(X[test]))
        rows.append((draw, f"distilled, {n} unlabeled", score))
results = pd.DataFrame(rows, columns=["draw", "model", "score"])
table = results.pivot(index="model", columns="draw", values="score")
table.loc[list(dict.fromkeys(results["model"]))].assign(mean=table.mean(axis=1)).round(2)

# %%
# The horizontal lines are means. Without unlabeled recordings the teacher adds little to the labels.
figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
distilled = table.loc[[f"distilled, {n} unlabeled" for n in N_UNLABELED]]
for draw in distilled:
    label = "distilled, one draw" if draw == 0 else None
    ax.plot(N_UNLABELED, distilled[draw], "o-", color="#56B4E9", markersize=4, label=label)
ax.plot(N_UNLABELED, distilled.mean(axis=1), "s-", color="#0072B2", linewidth=2.5, label="mean")
styles = zip(controls, ("-", "-.", "--", ":"), ("#D55E00", "black", "black", "black"), strict=True)
for name, style, color in styles:
    ax.axhline(table.loc[name].mean(), color=color, linestyle=style, label=name)
ax.set(xlabel="recordings without labels", ylabel="balanced accuracy on new subjects")
ax.set_title("A student with labels of 40 subjects")
figure.legend(loc="outside lower center", ncols=3, fontsize=9)
plt.show()

# %%
# **What this does not show.** Gains on real recordings, which are in the benchmark of where distillation
# pays. The draws share subjects. Labeled and unlabeled recordings come from the same generator here; if
# theirs were another hospital, the shares of the classes could differ, for which there is
# `unlabeled_prior`.
