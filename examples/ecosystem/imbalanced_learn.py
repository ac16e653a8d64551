"""
Rare murmurs with imbalanced-learn
==================================

Over-sampling with augmented copies, beside other answers to rare classes.
"""

# %%
# One subject in eight has a murmur. In a pipeline of imbalanced-learn, a sampler acts in ``fit`` only:
# test recordings stay as they are. `AugmentingOverSampler` copies the rare recordings with a shift in
# time, noise and another loudness.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import Autocorrelogram
from sklearn_heartkd.augmentation import AugmentingOverSampler
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(
    320,
    classes=("normal", "murmur"),
    n_subjects=160,
    duration=4,
    murmur_db=-14,
    snr_db=8,
    n_devices=4,
    random_state=0,
)
rare = np.isin(sounds.groups, np.unique(sounds.groups[sounds.target == "murmur"])[12:])
X, y, groups = sounds.data[~rare], sounds.target[~rare], sounds.groups[~rare]
print(pd.Series(y).value_counts())

features = Autocorrelogram(n_mels=8, n_lags=20, output="flat")
linear = LogisticRegression(C=0.1, max_iter=1000)
samplers = {
    "as it is": make_pipeline(features, StandardScaler(), linear),
    "balanced weights": make_pipeline(
        features, StandardScaler(), clone(linear).set_params(class_weight="balanced")
    ),
    "copies": make_pipeline(RandomOverSampler(random_state=0), features, StandardScaler(), linear),
    "augmented copies": make_pipeline(
        AugmentingOverSampler(random_state=0), features, StandardScaler(), linear
    ),
}

# %%
# Three cross-validations by subject, each shuffled otherwise.
rows = []
for seed in range(3):
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    probabilities = {name: np.empty(len(y)) for name in samplers}
    for train, test in folds.split(X, y, groups):
        for name, model in samplers.items():
            fitted = clone(model).fit(X[train], y[train])
            murmur = list(fitted.classes_).index("murmur")
            probabilities[name][test] = fitted.predict_proba(X[test])[:, murmur]
    for name, found in probabilities.items():
        predicted = np.where(found > 0.5, "murmur", "normal")
        sensitivity, specificity = (
            recall_score(y, predicted, pos_label=label) for label in ("murmur", "normal")
        )
        area = roc_auc_score(y == "murmur", found)
        rows.append((name, seed, sensitivity, specificity, area))
results = pd.DataFrame(rows, columns=["training", "seed", "sensitivity", "specificity", "area"])
results.groupby("training", sort=False)[["sensitivity", "specificity", "area"]].mean().round(2)

# %%
# Left: all remedies find more murmurs and give more false alarms. Right: the area under the ROC curve
# does not depend on the threshold. It does not grow, so a lower threshold would do the same as the
# remedies.
figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.8), layout="constrained")
colors = ["black", "#E69F00", "#56B4E9", "#0072B2"]
for i, (name, own) in enumerate(results.groupby("training", sort=False)):
    look = {"color": colors[i], "marker": "sD^o"[i]}
    left.scatter(own["specificity"], own["sensitivity"], label=name, **look)
    right.scatter([i] * len(own), own["area"], **look)
left.set(xlabel="specificity", ylabel="sensitivity", title="threshold 0.5")
right.set_xticks(
    range(len(samplers)), [name.replace(" ", "\n", 1) for name in samplers], fontsize=8
)
right.set(ylabel="area under the ROC curve", title="all thresholds")
figure.legend(loc="outside lower center", ncols=4, fontsize=9)
plt.show()

# %%
# **What this does not show.** Which remedy is best for real recordings: scores on synthetic ones say
# nothing about that, and there are only 12 subjects with a murmur. Each point is a shuffle of the same
# subjects. Copies that are all noisy can teach a model that noise is a sign of a murmur; see the
# documentation of `sampling_strategy`.
