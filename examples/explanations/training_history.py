"""
How a network learned, and what it is made of
=============================================

Training history with and without augmentation, and the layers of the student network.
"""

# %%
# Loss after each epoch
# ---------------------
#
# With `early_stopping=True` a part of the training *subjects* is held out, because `fit` gets `groups`.
# Solid lines are the loss on the training data, dashed ones that of the held-out subjects. The ring marks
# the epoch that is kept.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import NetworkDisplay, TrainingHistoryDisplay

sounds = make_heart_sounds(
    64, classes=("normal", "murmur"), n_subjects=32, duration=2, murmur_db=-6, random_state=0
)
X = LogMelSpectrogram().fit_transform(sounds.data)
y, groups = sounds.target, sounds.groups


def fit(augmentation, seed):
    network = StudentClassifier(
        max_epochs=20,
        early_stopping=True,
        validation_fraction=0.3,
        augmentation=augmentation,
        random_state=seed,
    )
    return network.fit(X, y, groups=groups)


plain, augmented = fit(None, 0), fit("auto", 0)
figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
TrainingHistoryDisplay.from_estimator(
    plain, augmented, names=["no augmentation", "augmentation"], ax=ax
)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)
ax.set(title="Loss of two networks, one seed", xticks=range(0, 21, 5))
plt.show()

# %%
# Without augmentation the training loss is lower than that of the held-out subjects: the network learns
# its recordings by heart. With it, every batch is different and partly masked, so the training loss stays
# above the held-out loss, for which nothing is masked. Compare the dashed lines, not the solid ones.
#
# More than one seed
# ------------------
#
# Each seed holds out other subjects. The lowest held-out loss of each network:
rows = []
for seed in range(2):
    for name, augmentation in (("no augmentation", None), ("augmentation", "auto")):
        known = {("no augmentation", 0): plain, ("augmentation", 0): augmented}
        network = known.get((name, seed)) or fit(augmentation, seed)
        losses = [epoch["valid_loss"] for epoch in network.history_]
        rows.append({"network": name, "seed": seed, "loss": np.min(losses)})
pd.DataFrame(rows).pivot(index="network", columns="seed", values="loss").round(2)

# %%
# The two seeds disagree: with 32 subjects, the better of the two depends on who is held out.
#
# Layers
# ------
#
# :class:`~sklearn_heartkd.inspection.NetworkDisplay` lists the layers with the shapes of their output for
# one recording, parameters and multiplications. `str(display)` is the same table.
display = NetworkDisplay.from_estimator(augmented, depth=3)
plt.close(display.figure_)  # the table as text can be searched and read aloud
print(display)

# %%
# The lowest loss of the held-out subjects is too good as an estimate: the epoch was chosen by it. Test on
# subjects that neither training nor early stopping has seen.
