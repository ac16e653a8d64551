"""
Leaks in a folder of recordings
===============================

What the check of a folder finds, and why a random split gives good scores on labels that mean nothing.
"""

# %%
# A folder with faults
# --------------------
#
# Twelve subjects with four synthetic recordings each, in one folder for each class. Two faults are added:
# one recording lies in both folders, and a part of another one was saved as a new file.
# :func:`~sklearn_heartkd.model_selection.check_folder` looks for such faults.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import LogMelSpectrogram
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.model_selection import check_folder

sounds = make_heart_sounds(
    48, classes=("normal", "murmur"), n_subjects=12, duration=4, random_state=0
)


def write(folder, name, waveform):
    path = Path(folder) / name
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, waveform, 2000)


with tempfile.TemporaryDirectory() as folder:
    for i, row in enumerate(sounds.data):
        write(folder, f"{sounds.target[i]}/s{sounds.groups[i]}_{i}.wav", row)
    write(folder, "murmur/s100_0.wav", sounds.data[0])  # a normal one, under another name
    write(folder, "normal/s101_0.wav", sounds.data[2][1500:7500])
    report = check_folder(folder, subject=r"s\d+")
report.to_frame()[["code", "check", "severity", "n_files"]]

# %%
# The report names the files. `report.groups` unites subjects and copies, for a splitter by group.
print("\n".join(str(report).splitlines()[:16]))
print(f"{len(set(report.groups))} groups of {len(report.groups)} recordings")

# %%
# What a random split measures
# ----------------------------
#
# Now each *subject* gets a label by chance. Nobody can learn such labels, so on new patients every model
# is right half of the time. The model answers with the label of the most similar recording. The test is
# repeated with 12 sets of subjects and labels.


def scores(seed):
    rng = np.random.default_rng(seed)
    data = make_heart_sounds(
        120, classes=("normal",), n_subjects=20, duration=3, random_state=100 + seed
    )
    label = dict(zip(np.unique(data.groups), rng.permutation(np.arange(20) % 2), strict=True))
    y = np.array([label[subject] for subject in data.groups])
    X = LogMelSpectrogram(output="summary").fit_transform(data.data)
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    options = {"n_splits": 4, "shuffle": True, "random_state": seed}
    random = cross_val_predict(model, X, y, cv=StratifiedKFold(**options))
    by_subject = cross_val_predict(
        model, X, y, groups=data.groups, cv=StratifiedGroupKFold(**options)
    )
    return {
        "random split": balanced_accuracy_score(y, random),
        "split by subject": balanced_accuracy_score(y, by_subject),
    }


table = pd.DataFrame([scores(seed) for seed in range(12)])
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
jitter = np.linspace(-0.12, 0.12, len(table))
for x, (name, color) in enumerate(zip(table, ("#D55E00", "#0072B2"), strict=True)):
    ax.scatter(x + jitter, table[name], color=color, s=28)
    ax.hlines(table[name].mean(), x - 0.25, x + 0.25, color=color, linewidth=2)
ax.axhline(0.5, color="0.3", linestyle=":")
ax.text(1.45, 0.51, "true value", ha="right", va="bottom", color="0.3")
ax.set(xticks=[0, 1], xlim=(-0.5, 1.5), ylim=(0, 1.02), ylabel="balanced accuracy")
ax.set_xticklabels([f"{name}\nmean {table[name].mean():.2f}" for name in table])
ax.set_title("Labels without meaning: 12 sets of 20 subjects")
plt.show()

# %%
# With a random split, the most similar recording is often one of the same *subject*, so the model seems
# to know the label. Split by subject, it is right about half of the time. (The mean lies a little below
# 0.5: where the test has more subjects of one label, the training has fewer.)
#
# The check finds what it looks for: copies, cuts and labels that other columns predict. It does not find
# wrong labels of recordings that were stored once, and it cannot know that two names are one patient.
