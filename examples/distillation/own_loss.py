"""
A loss of your own
==================

A loss is a small class; nested parameters, grid searches and several teachers work with it at once.
"""

# %%
# `SoftTargets`, or "kd", weighs all answers of the teacher equally. This loss weighs each recording by
# how sure the teacher is: by one minus the entropy of its probabilities over the largest possible
# entropy, to a power. ``make_term`` gets the sizes of the outputs and returns a torch module; rows
# without a weight do not count.
from math import log

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistillationLoss


class SureTargets(DistillationLoss):
    """Match the probabilities of the teacher where it is sure."""

    def __init__(self, power=1.0):
        self.power = power

    def make_term(self, context):
        return SureTerm(self.power, context.n_classes)


class SureTerm(torch.nn.Module):
    """Compute the loss of a batch."""

    def __init__(self, power, n_classes):
        super().__init__()
        self.power, self.largest = power, log(n_classes)

    def forward(self, student, teacher, batch):
        target = teacher.log_probabilities.exp()
        entropy = -(target * teacher.log_probabilities).sum(dim=1)
        sure = batch.weight * (1 - entropy / self.largest).clamp(min=0) ** self.power
        error = torch.nn.functional.cross_entropy(student.logits, target, reduction="none")
        return (sure * error).sum() / sure.sum().clamp(min=1e-6)


# %%
# The parameter of the loss is one of the classifier: ``losses__sure__power``. With power 0 all recordings
# count equally. The forest teaches out of fold (`cv=3`): about recordings that it has learned by heart,
# it is always sure.
sounds = make_heart_sounds(300, n_subjects=150, duration=4, murmur_db=-8, snr_db=8, random_state=0)
X, y, groups = RhythmFeatures().fit_transform(sounds.data), sounds.target, sounds.groups
short = {"batch_size": 32, "max_epochs": 40, "learning_rate": 0.03}
student = DenseStudentClassifier(hidden_layer_sizes=(8,), **short)
losses = [("sure", SureTargets(), 0.7)]
model = DistilledClassifier(RandomForestClassifier(25), student, losses=losses, cv=3)
models = {
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
    ),
    "from scratch": student,
    "three times the epochs": clone(student).set_params(max_epochs=120),
    'distilled, "kd"': clone(model).set_params(losses="kd", temperature=1.0),
}
for power in (0, 1, 4):
    models[f"own loss, power {power}"] = clone(model).set_params(losses__sure__power=power)
rows = []
for draw in range(3):
    split = GroupShuffleSplit(1, test_size=0.5, random_state=draw)
    train, test = next(split.split(X, y, groups))
    for name, one in models.items():
        fitted = clone(one)
        if "random_state" in fitted.get_params():
            fitted.set_params(random_state=draw)
        known = {"groups": groups[train]} if isinstance(one, DistilledClassifier) else {}
        predicted = fitted.fit(X[train], y[train], **known).predict(X[test])
        rows.append((draw, name, balanced_accuracy_score(y[test], predicted)))
results = pd.DataFrame(rows, columns=["draw", "model", "score"])
results.pivot(index="model", columns="draw", values="score").loc[list(models)].round(2)

# %%
# With power 0, the own loss does what "kd" does at temperature 1. Higher powers are better in these three
# draws, but no distilled student is better than one from scratch: the forest knows nothing here that the
# labels do not say.
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for place, (name, own) in enumerate(results.groupby("model", sort=False)):
    color = "#0072B2" if "own" in name else "black"
    ax.plot(own["score"], np.full(len(own), place), "o", color=color, alpha=0.4, markersize=5)
    ax.plot(own["score"].mean(), place, "|", color=color, markersize=18, markeredgewidth=2)
ax.set_yticks(range(len(models)), models)
ax.invert_yaxis()
ax.set_xlabel("balanced accuracy on new subjects")
figure.suptitle("A loss of your own: three draws and their mean", fontsize=12)
plt.show()

# %%
# **What this does not show.** That this loss is worth using: it is an example of how one is written.
# Scores on synthetic recordings say nothing about real ones, and the three draws share subjects. A search
# over the power belongs on inner splits by subject.
