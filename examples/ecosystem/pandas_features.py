"""
Features as data frames
=======================

The columns of the feature tables have names, which pandas and scikit-learn's inspection show.
"""

# %%
# ``set_output(transform="pandas")`` works for the tables of all front ends. The index and the subjects
# stay your own.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import MFCC, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(240, n_subjects=120, duration=4, murmur_db=-8, snr_db=8, random_state=0)
y, groups = sounds.target, sounds.groups
both = FeatureUnion([("mfcc", MFCC(n_mfcc=8, output="summary")), ("rhythm", RhythmFeatures())])
table = both.set_output(transform="pandas").fit_transform(sounds.data)
table.index = sounds.filenames
table.iloc[:5, [0, 1, 2, -3, -2, -1]].astype(float).round(2)

# %%
# Names make groups of columns easy to find: here everything between the name of the front end and the
# first figure or underscore. The last names mean premature beats.
family = table.columns.str.extract("__([a-z]+)", expand=False)
family = family.where(~family.isin(["early", "late"]), "prematurity")
family.value_counts()

# %%
# How much does each family matter to a linear model? The rows of the family are shuffled among the test
# recordings, all of its columns together, and the balanced accuracy falls. Five folds by subject, five
# shuffles each.
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
rng = np.random.default_rng(0)
rows = []
for fold, (train, test) in enumerate(StratifiedGroupKFold(5).split(table, y, groups)):
    model.fit(table.iloc[train], y[train])
    whole = balanced_accuracy_score(y[test], model.predict(table.iloc[test]))
    for name in family.unique():
        chosen = table.columns[family == name]
        losses = []
        for _ in range(5):
            shuffled = table.iloc[test].copy()
            shuffled[chosen] = shuffled[chosen].to_numpy()[rng.permutation(len(test))]
            losses.append(whole - balanced_accuracy_score(y[test], model.predict(shuffled)))
        rows.append((fold, name, whole, np.mean(losses)))
results = pd.DataFrame(rows, columns=["fold", "family", "whole", "loss"])
print(f"balanced accuracy with all columns: {results['whole'].mean():.2f}")

order = results.groupby("family")["loss"].mean().sort_values()
figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for place, (name, mean) in enumerate(order.items()):
    own = results.loc[results["family"] == name, "loss"]
    ax.plot(own, np.full(len(own), place), "o", color="#0072B2", alpha=0.4, markersize=5)
    ax.plot(mean, place, "|", color="black", markersize=16, markeredgewidth=2)
ax.axvline(0, color="0.5", linestyle=":")
ax.set_yticks(range(len(order)), [f"{name} ({(family == name).sum()})" for name in order.index])
ax.set(xlabel="loss of balanced accuracy", ylabel="family (columns)")
ax.set_title("Shuffled families: five folds and their mean")
plt.show()

# %%
# **What this does not show.** What a model of real recordings uses: these are synthetic. A family whose
# shuffling costs nothing can still contain the same information as another one. The folds share training
# recordings.
