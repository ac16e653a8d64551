"""
Losses side by side
===================

The same teacher teaches the same student with each loss of the package.
"""

# %%
# A network of two layers hears the rhythm and the autocorrelation of faint, noisy recordings. The student
# has one layer of eight units and hears the autocorrelation only. Each subject has one recording, and
# every model is trained on 100 subjects and tested on 140 others.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
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
from sklearn_heartkd.metrics import compare_models, oof_frame

sounds = make_heart_sounds(240, n_subjects=240, murmur_db=-8, snr_db=8, n_devices=4, random_state=0)
rhythm = RhythmFeatures().fit_transform(sounds.data)
acf = Autocorrelogram(n_mels=8, n_lags=23, output="flat").fit_transform(sounds.data)
X, y, groups = np.hstack([rhythm, acf]), sounds.target, sounds.groups
columns = slice(rhythm.shape[1], X.shape[1])
only_acf = ColumnTransformer([("acf", "passthrough", columns)])

# %%
# The cross-entropy with the labels is part of every sum of losses. The controls have no teacher: the
# student from scratch, also with three times the epochs, and logistic regression.
losses = [
    "kd",
    "dkd",
    "dist",
    "logits",
    "infonce",
    "crd",
    "supcon",
    "hint",
    "rkd",
    "sp",
    "pkt",
    "ssd",
]
short = {"batch_size": 32, "max_epochs": 40, "learning_rate": 0.02, "random_state": 0}
teacher = DenseStudentClassifier(hidden_layer_sizes=(32, 32), **short)
student = make_pipeline(only_acf, DenseStudentClassifier(hidden_layer_sizes=(8,), **short))
longer = clone(student).set_params(densestudentclassifier__max_epochs=120)
linear = make_pipeline(only_acf, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
models = {"the teacher": teacher, "from scratch": student, "three times the epochs": longer}
models["logistic regression"] = linear

train, test = next(GroupShuffleSplit(1, train_size=100, random_state=0).split(X, y, groups))
for name in losses:
    models[name] = DistilledClassifier(teacher, student, losses=name, random_state=0)
frames = []
for name, model in models.items():
    subjects = {"groups": groups[train]} if name in losses else {}
    fitted = clone(model).fit(X[train], y[train], **subjects)
    rows = {"recording": test, "y_true": y[test], "y_pred": fitted.predict(X[test])}
    frames.append(oof_frame(name, seed=0, fold=0, **rows))
scores = compare_models(
    pd.concat(frames),
    groups,
    baseline="from scratch",
    metrics=["balanced_accuracy"],
    random_state=0,
).set_index("model")
scores[["value", "difference", "difference_low", "difference_high"]].round(2)

# %%
# The lines are 95 % intervals from a bootstrap over subjects. The differences are paired: all models are
# tested on the same recordings. Where intervals overlap this much, their order says little.
order = ["the teacher", "logistic regression", "three times the epochs", *losses]
shown = scores.loc[order[::-1]]
colors = ["#0072B2" if name in losses else "black" for name in shown.index]
figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
for row, (name, color) in enumerate(zip(shown.index, colors, strict=True)):
    line = shown.loc[name]
    ax.plot([line["difference_low"], line["difference_high"]], [row, row], color=color)
    ax.plot(line["difference"], row, "o" if name in losses else "s", color=color)
ax.axvline(0, color="0.5", linestyle=":")
ax.set_yticks(range(len(shown)), shown.index)
ax.set_xlabel("gain in balanced accuracy over the student from scratch")
ax.set_title("Losses compared on 140 subjects")
plt.show()

# %%
# **What this does not show.** Which loss is best for real recordings: the recordings are synthetic, and
# this is one teacher, one student and one seed. The weights of the losses are their defaults. "at" is
# missing because it compares feature maps, which networks of tables do not have. See
# :class:`~sklearn_heartkd.DistilledClassifier`.
