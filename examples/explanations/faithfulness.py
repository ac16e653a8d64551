"""
Is the explanation right?
=========================

Deletion and insertion curves of an explanation, against random order, loudness and another network.
"""

# %%
# Two networks, which differ in the seed alone
# --------------------------------------------
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import FaithfulnessDisplay, explain, faithfulness

options = {"classes": ("normal", "murmur"), "duration": 2}
training = make_heart_sounds(64, n_subjects=32, random_state=0, **options)
test = make_heart_sounds(24, n_subjects=24, random_state=1, **options)
X = test.data[test.target == "murmur"]


def fit(seed):
    student = StudentClassifier(max_epochs=15, random_state=seed)
    return make_pipeline(LogMelSpectrogram(), student).fit(training.data, training.target)


model, other = fit(0), fit(1)
explanation = explain(model, X)

# %%
# Delete what matters
# -------------------
#
# :func:`~sklearn_heartkd.inspection.faithfulness` deletes the cells of a recording, the most important
# first, and asks the model each time. If the explanation is right, the logit of the class falls at once,
# and faster than in random order (dashed). Insertion starts from nothing and restores the same cells.
result = faithfulness(model, X, explanation, target="murmur")
display = FaithfulnessDisplay(result, name="12 synthetic murmurs, mean logit of the class").plot()

# %%
# Controls
# --------
#
# Random order is a weak opponent. Loud cells matter in themselves, so one control deletes the loudest
# cells first. Another one takes the explanation of the network with the other seed: how much of it is the
# recording, and how much this network?
loudness = explanation.grid - np.median(explanation.grid, axis=2, keepdims=True)
orders = {
    "explanation": explanation,
    "another network's": explain(other, X),
    "loudness": replace(explanation, values=np.stack([loudness, loudness], axis=1)),
}
results = {
    name: faithfulness(model, X, order, target="murmur", n_random=3)
    for name, order in orders.items()
}
deletion = pd.DataFrame({name: found.deletion_gain for name, found in results.items()})
insertion = pd.DataFrame({name: found.insertion_gain for name, found in results.items()})

# %%
# The gain is the area between the curve of an order and that of random order. Each point is a recording.
figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), sharey=True, layout="constrained")
jitter = np.linspace(-0.2, 0.2, len(X))
for ax, gains in zip(axes, (deletion, insertion), strict=True):
    for y, (name, color) in enumerate(zip(gains, ("#0072B2", "#E69F00", "#CC79A7"), strict=True)):
        ax.scatter(gains[name], y + jitter, color=color, s=18)
        ax.vlines(gains[name].median(), y - 0.35, y + 0.35, color="black")
    ax.axvline(0, color="0.3", linestyle=":")
    ax.set(yticks=range(3), xlabel="gain (logits)", ylim=(2.5, -0.5))
axes[0].set(title="Gain of deletion", yticklabels=list(deletion))
axes[1].set_title("Gain of insertion")
plt.show()
pd.DataFrame({"deletion": deletion.median(), "insertion": insertion.median()}).round(2)

# %%
# The explanation is the best order for insertion, not for deletion: this network takes the maximum over
# time, so the explanation credits the clearest murmur. Where that one is deleted, the next one takes its
# place; loudness deletes all of them. So look at both curves, and at a control that is better than
# chance.
#
# A faithful explanation shows what the model uses, right or wrong: it does not show that the model is
# right. Deleted cells get the median level of their band, which makes recordings that the network never
# saw. Two networks on synthetic murmurs are too few to compare methods; see
# :doc:`/benchmarks/explanations`.
