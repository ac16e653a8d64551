"""
Out-of-fold teaching of a forest
================================

A forest has learned its training recordings by heart. With `cv=`, it teaches only about recordings of
subjects that it has not seen.
"""

# %%
# With cached outputs, the forest is asked about the recordings that it was fitted on. With ``cv=3`` three
# forests are fitted, each on two thirds of the subjects, and each answers about the others. Some labels
# are wrong here: 20 % of the training labels are drawn anew.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    GroupShuffleSplit,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(300, n_subjects=150, duration=4, murmur_db=-8, snr_db=8, random_state=0)
X, y, groups = RhythmFeatures().fit_transform(sounds.data), sounds.target, sounds.groups
forest = RandomForestClassifier(40, random_state=0)
student = DenseStudentClassifier(
    hidden_layer_sizes=(8,), batch_size=32, max_epochs=40, learning_rate=0.03
)
models = {
    "the forest": forest,
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
    ),
    "from scratch": student,
    "three times the epochs": clone(student).set_params(max_epochs=120),
    "cached": DistilledClassifier(forest, student, losses="kd"),
    "out of fold": DistilledClassifier(forest, student, losses="kd", cv=3),
}

# %%
# Four draws of the subjects that are tested, whose labels are right.
rows = []
for draw in range(4):
    split = GroupShuffleSplit(1, test_size=0.5, random_state=draw)
    train, test = next(split.split(X, y, groups))
    rng = np.random.default_rng(draw)
    wrong = rng.random(len(y)) < 0.2
    labels = np.where(wrong, rng.choice(sounds.target_names, len(y)), y)
    for name, model in models.items():
        model = clone(model)
        if "random_state" in model.get_params():
            model.set_params(random_state=draw)
        known = {"groups": groups[train]} if isinstance(model, DistilledClassifier) else {}
        model.fit(X[train], labels[train], **known)
        score = balanced_accuracy_score(y[test], model.predict(X[test]))
        rows.append((draw, name, score))
results = pd.DataFrame(rows, columns=["draw", "model", "balanced accuracy"])
results.pivot(index="model", columns="draw", values="balanced accuracy").loc[list(models)].round(2)

# %%
# What the forest says about the training recordings of the last draw, and what the students reach. The
# answers differ very much; the scores of the two students differ by less than the draws.
by_heart = clone(forest).fit(X[train], labels[train]).predict_proba(X[train])
options = {"groups": groups[train], "cv": StratifiedGroupKFold(3), "method": "predict_proba"}
unseen = cross_val_predict(forest, X[train], labels[train], **options)
figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6), layout="constrained")
bins = np.linspace(0, 1, 21)
columns = np.searchsorted(sounds.target_names, labels[train])
for answers, name, color in ((by_heart, "cached", "#D55E00"), (unseen, "out of fold", "#0072B2")):
    given = answers[np.arange(len(train)), columns]
    left.hist(given, bins, histtype="step", linewidth=1.8, color=color, label=name)
left.set(xlabel="probability of the given label", ylabel="training recordings")
left.set_title("What the forest says", fontsize=11)
for place, (name, own) in enumerate(results.groupby("model", sort=False)):
    scores = own["balanced accuracy"]
    color = {"cached": "#D55E00", "out of fold": "#0072B2"}.get(name, "black")
    right.plot(scores, np.full(len(scores), place), "o", color=color, alpha=0.45, markersize=4)
    right.plot(scores.mean(), place, "|", color=color, markersize=16, markeredgewidth=2)
right.set_yticks(range(len(models)), models, fontsize=9)
right.invert_yaxis()
right.set_xlabel("balanced accuracy")
right.set_title("Four draws and their mean", fontsize=11)
figure.legend(loc="outside lower center", ncols=2, fontsize=9)
plt.show()

# %%
# **What this does not show.** Real label noise, which is not random, and the gain for real recordings:
# scores on synthetic ones say nothing about that. Out-of-fold teaching costs three more fits of the
# teacher, and each of these knows fewer subjects.
