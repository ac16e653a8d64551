"""
Several teachers
================

Three teachers hear different features of a recording; one student learns from each, and from all of them.
"""

# %%
# The teachers are random forests on the rhythm, the autocorrelation and the cepstrum. The student hears
# the autocorrelation. It also gets recordings without labels, about which only the teachers can answer.
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
    MFCC,
    Autocorrelogram,
    DenseStudentClassifier,
    DistilledClassifier,
    RhythmFeatures,
)
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(240, n_subjects=240, murmur_db=-8, snr_db=8, n_devices=4, random_state=0)
views = {
    "rhythm": RhythmFeatures(),
    "autocorrelation": Autocorrelogram(n_mels=8, n_lags=23, output="flat"),
    "cepstrum": MFCC(output="summary"),
}
tables = {name: view.fit_transform(sounds.data) for name, view in views.items()}
X, y, groups = np.hstack(list(tables.values())), sounds.target, sounds.groups
ends = np.cumsum([table.shape[1] for table in tables.values()])
only = {}  # the choice of columns
for name, end in zip(tables, ends, strict=True):
    columns = slice(end - tables[name].shape[1], end)
    only[name] = ColumnTransformer([(name, "passthrough", columns)])

# %%
# Three times, 60 subjects have labels, 90 have none, and 90 are tested; no subject has two of these
# roles. Of a list of teachers, the probabilities are averaged. The student from scratch makes as many
# steps as the distilled ones, or three times as many.
short = {"batch_size": 32, "max_epochs": 20, "learning_rate": 0.02}
small = DenseStudentClassifier(hidden_layer_sizes=(8,), **short)
student = make_pipeline(only["autocorrelation"], small)
logistic = LogisticRegression(C=0.1, max_iter=1000)
linear = make_pipeline(only["autocorrelation"], StandardScaler(), logistic)
forest = RandomForestClassifier(50, random_state=0)
forests = {name: make_pipeline(columns, forest) for name, columns in only.items()}
teachers = {name: [(name, forest)] for name, forest in forests.items()}
teachers["all three"] = list(forests.items())
rows = []
for seed in range(3):
    split = GroupShuffleSplit(1, train_size=60, random_state=seed)
    labeled, rest = next(split.split(X, y, groups))
    unlabeled, test = rest[:90], rest[90:]
    for name, members in teachers.items():
        teacher = VotingClassifier(members, voting="soft").fit(X[labeled], y[labeled])
        pupil = DistilledClassifier(members, student, losses="kd", random_state=seed)
        extra = {"X_unlabeled": X[unlabeled], "groups_unlabeled": groups[unlabeled]}
        pupil.fit(X[labeled], y[labeled], groups=groups[labeled], **extra)
        for role, model in (("teacher", teacher), ("student", pupil)):
            score = balanced_accuracy_score(y[test], model.predict(X[test]))
            rows.append((seed, name, role, score))
    steps = {"logistic regression": linear}
    for name, n_epochs in (("student from scratch", 60), ("three times the steps", 180)):
        steps[name] = clone(student).set_params(densestudentclassifier__max_epochs=n_epochs)
    for name, model in steps.items():
        model.fit(X[labeled], y[labeled])
        score = balanced_accuracy_score(y[test], model.predict(X[test]))
        rows.append((seed, name, "control", score))
results = pd.DataFrame(rows, columns=["draw", "name", "role", "score"])
results.pivot_table(index=["role", "name"], columns="draw", values="score").round(2)

# %%
# The student of all three is better than the same student from scratch, but hardly better than logistic
# regression on the same columns. A teacher that is worse than the student gives it nothing.
figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
looks = {"teacher": ("s", "#D55E00", -0.12), "student": ("o", "#0072B2", 0.12)}
for role, (marker, color, shift) in looks.items():
    own = results[results["role"] == role]
    places = own["name"].map(list(teachers).index) + shift
    ax.scatter(places, own["score"], marker=marker, color=color, label=f"{role}, one draw")
    for place, mean in own.groupby("name")["score"].mean().items():
        middle = list(teachers).index(place) + shift
        ax.plot([middle - 0.1, middle + 0.1], [mean, mean], color=color)
controls = results[results["role"] == "control"].groupby("name")["score"].mean()
for (name, mean), style in zip(controls.items(), ("-", "--", ":"), strict=True):
    ax.axhline(mean, color="0.4", linestyle=style, linewidth=1, label=f"{name}, mean")
ax.set_xticks(range(len(teachers)), teachers)
ax.set(xlabel="features of the teacher", ylabel="balanced accuracy on new subjects")
ax.set_title("A student of one teacher, and of all three")
figure.legend(loc="outside lower center", ncols=2, fontsize=9)
plt.show()

# %%
# **What this does not show.** How teachers of real recordings differ: scores on synthetic recordings say
# nothing about that. The three draws share subjects, so their spread is smaller than that of new data.
# The weights of the teachers are equal; `teacher_weights` changes them, and should be chosen on inner
# splits.
