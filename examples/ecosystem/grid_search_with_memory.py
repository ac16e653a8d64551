"""
Grid search that fits each teacher once
=======================================

With `memory=`, a search over the student's parameters fits a teacher once per split.
"""

# %%
# This forest counts its fits. The folder of the cache is temporary here; in earnest it is one that stays.
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds


class CountedForest(RandomForestClassifier):
    """Random forest that counts the fits of all its copies."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        CountedForest.n_fits += 1
        return super().fit(X, y, sample_weight)


# %%
# `memory` needs an integer `random_state`: with a new seed in every fit, no teacher would be found again.
# `groups` goes to the splitter of the search; this model makes no inner splits.
sounds = make_heart_sounds(200, n_subjects=100, duration=4, murmur_db=-8, snr_db=8, random_state=0)
X, y, groups = RhythmFeatures().fit_transform(sounds.data), sounds.target, sounds.groups
student = DenseStudentClassifier(batch_size=32, max_epochs=20, learning_rate=0.02)
grid = {"temperature": [1, 2, 4], "student__hidden_layer_sizes": [(4,), (16,)]}
counts, found = {}, {}
with TemporaryDirectory() as folder:
    for name, memory in (("without memory", None), ("with memory", folder)):
        CountedForest.n_fits = 0
        model = DistilledClassifier(
            CountedForest(40), student, losses="kd", memory=memory, random_state=0
        )
        search = GridSearchCV(model, grid, cv=StratifiedGroupKFold(3), scoring="balanced_accuracy")
        search.fit(X, y, groups=groups)
        counts[name], found[name] = CountedForest.n_fits, search
        print(f"{name}: {counts[name]} fits of the teacher")

# %%
# Six points of the grid, three splits and the last fit on all recordings are 19 fits; with memory, 3 + 1
# are enough. The scores are the same.
scores = {name: search.cv_results_["mean_test_score"] for name, search in found.items()}
print((scores["with memory"] == scores["without memory"]).all())
table = pd.DataFrame(search.cv_results_)
figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6), layout="constrained")
bars = left.bar(list(counts), list(counts.values()), color=["0.6", "#0072B2"])
left.bar_label(bars)
left.set_title("Fits of the teacher", fontsize=11)
left.set_ylim(0, 22)
by_grid = table.pivot(
    index="param_temperature", columns="param_student__hidden_layer_sizes", values="mean_test_score"
)
image = right.imshow(by_grid, cmap="Blues", vmin=by_grid.min().min() - 0.05, aspect="auto")
for (row, column), score in np.ndenumerate(by_grid.to_numpy()):
    color = "white" if score > by_grid.to_numpy().mean() else "black"
    right.text(column, row, f"{score:.2f}", ha="center", va="center", color=color)
right.set_xticks(range(by_grid.shape[1]), [size[0] for size in by_grid.columns])
right.set_yticks(range(len(by_grid)), by_grid.index)
right.set(xlabel="units of the student", ylabel="temperature")
right.set_title("Mean balanced accuracy", fontsize=11)
plt.show()

# %%
# **What this does not show.** An honest score of the best model: it was chosen on these splits, so its
# score needs an outer cross-validation. Nor that temperature matters: the differences are smaller than
# those between the splits. If several processes search at once, some of them may fit the same teacher.
