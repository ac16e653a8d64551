"""
Comparing models
================

Differences between models with intervals over subjects, beside a linear model and a constant answer.
"""

# %%
# Out-of-fold predictions
# -----------------------
#
# Every model predicts the same folds, split by subject. Two seeds shuffle the folds and start the
# networks. :func:`~sklearn_heartkd.metrics.oof_frame` collects the predictions. The controls are a
# constant answer and a linear model: a network that does not beat them is not needed.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import compare_models, oof_frame

sounds = make_heart_sounds(
    120,
    classes=("normal", "murmur"),
    n_subjects=40,
    duration=2,
    snr_db=8,
    murmur_db=-8,
    random_state=0,
)
y, groups = sounds.target, sounds.groups
sequences = LogMelSpectrogram().fit_transform(sounds.data)
table = LogMelSpectrogram(output="summary").fit_transform(sounds.data)


def models(seed):
    linear = LogisticRegression(C=0.01, max_iter=1000)
    return {
        "linear, summary": (make_pipeline(StandardScaler(), linear), table),
        "constant": (DummyClassifier(), table),
        "SVM, summary": (make_pipeline(StandardScaler(), SVC()), table),
        "student, log-mel": (StudentClassifier(max_epochs=10, random_state=seed), sequences),
    }


frames = []
for seed in range(2):
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    for fold, (training, test) in enumerate(folds.split(table, y, groups)):
        for name, (model, X) in models(seed).items():
            answers = model.fit(X[training], y[training]).predict(X[test])
            frames.append(
                oof_frame(
                    name, seed=seed, fold=fold, recording=test, y_true=y[test], y_pred=answers
                )
            )

# %%
# Scores and differences
# ----------------------
#
# The bootstrap draws whole subjects and seeds. All models get the same draws, so that a difference is
# compared on the same patients: its interval is narrower than two separate intervals suggest.
result = compare_models(
    pd.concat(frames),
    groups,
    baseline="linear, summary",
    metrics=["balanced_accuracy"],
    random_state=0,
).set_index("model")
result[["value", "low", "high", "difference", "difference_low", "difference_high"]].round(2)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.9), sharey=True, layout="constrained")
names = ["linear, summary", "student, log-mel", "SVM, summary", "constant"]
rows, chosen = np.arange(len(names))[::-1], result.loc[names]
for ax, column, low, high in (
    (left, "value", "low", "high"),
    (right, "difference", "difference_low", "difference_high"),
):
    error = [chosen[column] - chosen[low], chosen[high] - chosen[column]]
    ax.errorbar(chosen[column], rows, xerr=error, fmt="o", color="#0072B2", capsize=3)
    ax.set(yticks=rows, ylim=(-0.5, 3.5))
    ax.grid(axis="x", alpha=0.3)
left.set(title="Each model", xlabel="balanced accuracy", xlim=(0.3, 1), yticklabels=names)
right.axvline(0, color="0.3", linestyle=":")
right.set(title="Minus the linear model", xlabel="difference")
figure.suptitle("95 % intervals over 40 subjects and two seeds", fontsize=10)
plt.show()

# %%
# An interval that includes 0 does not show that two models are equal: with 40 subjects, a difference of
# several hundredths stays hidden. The intervals are not corrected for the number of comparisons, and two
# seeds say little about the spread between seeds. The networks are trained for ten epochs here, which is
# too short for a verdict; and scores on synthetic recordings say nothing about real ones.
