"""
Decision boundaries in two columns
==================================

A forest, a student from scratch and a distilled student of 20 units divide the same plane.
"""

# %%
# Each recording is a point: the time from one heart sound to the next, and to the next but one. In most
# normal recordings the second is a whole beat. A third or fourth heart sound (extrahls) comes between, so
# both are shorter. Two columns can be drawn; real models use more.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import Munge

sounds = make_heart_sounds(
    240, classes=("normal", "extrahls"), n_subjects=240, duration=4, random_state=0
)
rhythm = RhythmFeatures().set_output(transform="pandas").fit_transform(sounds.data)
X = np.exp(rhythm[["interval_q75", "beat_median"]]).to_numpy()  # from logarithms to seconds
y, groups = sounds.target, sounds.groups
forest = RandomForestClassifier(50)
student = DenseStudentClassifier(
    hidden_layer_sizes=(20,), batch_size=32, max_epochs=60, learning_rate=0.03
)
models = {
    "forest": forest,
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "student from scratch": student,
    "three times the epochs": clone(student).set_params(max_epochs=180),
    "distilled student": DistilledClassifier(
        forest,
        clone(student).set_params(max_epochs=12),  # of eleven times as many rows
        losses="kd",
        transfer=Munge(n_copies=10),
    ),
}

# %%
# Four draws of the training subjects. A model agrees with the forest where both give the same class.
rows = []
for draw in (3, 2, 1, 0):
    split = GroupShuffleSplit(1, train_size=80, random_state=draw)
    train, test = next(split.split(X, y, groups))
    fitted = {}
    for name, model in models.items():
        fitted[name] = clone(model)
        if "random_state" in model.get_params():
            fitted[name].set_params(random_state=draw)
        known = {"groups": groups[train]} if name == "distilled student" else {}
        predicted = fitted[name].fit(X[train], y[train], **known).predict(X[test])
        agreement = np.mean(predicted == fitted["forest"].predict(X[test]))
        rows.append((draw, name, balanced_accuracy_score(y[test], predicted), agreement))
results = pd.DataFrame(rows, columns=["draw", "model", "balanced accuracy", "agreement"])
results.drop(columns="draw").groupby("model", sort=False).agg(["mean", "min", "max"]).round(2)

# %%
# The colors are the forest, the black line is the student of the same draw. The points are training
# recordings. The distilled student smooths the steps of the forest. It is no better than the student from
# scratch: in these two columns the forest is the worst of the models, so there is little to learn from
# it.
names = ["student from scratch", "distilled student"]
figure, axes = plt.subplots(1, 2, figsize=(6.4, 4.0), sharey=True, layout="constrained")
first, second = (np.linspace(low, high, 80) for low, high in zip(X.min(0), X.max(0), strict=True))
grid = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
normal = np.searchsorted(["extrahls", "normal"], "normal")
for ax, name in zip(axes, names, strict=True):
    said = fitted["forest"].predict_proba(grid)[:, normal].reshape(80, 80)
    image = ax.contourf(first, second, said, np.linspace(0, 1, 11), cmap="PuOr", alpha=0.8)
    own = fitted[name].predict_proba(grid)[:, normal].reshape(80, 80)
    ax.contour(first, second, own, [0.5], colors="black", linewidths=2)
    for label, marker in (("normal", "o"), ("extrahls", "^")):
        points = X[train][y[train] == label].T
        look = {"s": 16, "facecolor": "white", "edgecolor": "black", "linewidth": 0.7}
        ax.scatter(*points, marker=marker, label=label, **look)
    ax.set_xlabel("to the next sound (s)")
    ax.set_title(name)
axes[0].set_ylabel("to the next sound but one (s)")
figure.colorbar(image, ax=axes, label="forest: probability of normal")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# **What this does not show.** How such boundaries look with more than two columns, and how well the
# columns do on real recordings: scores on synthetic ones say nothing about that. The draws share
# subjects. To agree with the teacher is not yet to be right.
