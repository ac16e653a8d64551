"""
How many patients are enough?
=============================

A learning curve over the number of subjects, with one and with four recordings of each.
"""

# %%
# Subjects, not recordings
# ------------------------
#
# A learning curve tells whether more data would help. For heart sounds the number of subjects counts, so
# the curve draws subjects and takes all their recordings. Every point is the mean over 20 draws. The test
# recordings are of 60 other subjects, which are never drawn.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import LogMelSpectrogram
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(
    720,
    classes=("normal", "murmur"),
    n_subjects=180,
    duration=3,
    snr_db=12,
    murmur_db=-6,
    random_state=0,
)
X, y = LogMelSpectrogram(output="summary").fit_transform(sounds.data), sounds.target
subject = sounds.groups.astype(int)  # even numbers are normal, odd ones have a murmur
visit = np.arange(720) // 180  # 0 to 3, the recordings of a subject
test = subject >= 120


def score(n_subjects, n_each, draw):
    """Train on `n_each` recordings of `n_subjects` subjects, test on the other subjects."""
    rng = np.random.default_rng(draw)
    half = n_subjects // 2
    chosen = np.concatenate([2 * rng.permutation(60)[:half], 2 * rng.permutation(60)[:half] + 1])
    training = np.isin(subject, chosen) & (visit < n_each)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    model.fit(X[training], y[training])
    return balanced_accuracy_score(y[test], model.predict(X[test]))


numbers = [6, 12, 24, 48, 96]
table = pd.DataFrame(
    [
        {"subjects": n, "each": k, "draw": draw, "score": score(n, k, draw)}
        for n in numbers
        for k in (1, 4)
        for draw in range(20)
    ]
)

# %%
# The curve
# ---------
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for k, color, marker in ((1, "#0072B2", "o"), (4, "#D55E00", "s")):
    found = table[table["each"] == k].groupby("subjects")["score"]
    label = f"{k} recording{'s' if k > 1 else ''} of each subject"
    ax.plot(numbers, found.mean(), marker=marker, color=color, label=label)
    ax.fill_between(numbers, found.quantile(0.1), found.quantile(0.9), color=color, alpha=0.15)
ax.axhline(0.5, color="0.3", linestyle=":", label="always the same class")
ax.set_xscale("log", base=2)
ax.set_xticks(numbers, [str(n) for n in numbers])
ax.set(xlabel="training subjects", ylabel="balanced accuracy, new subjects", ylim=(0.45, 1))
ax.set_title("Learning curve: mean of 20 draws, band from 10 % to 90 %")
ax.legend(loc="upper left", frameon=False)
plt.show()

# %%
# Is it better to record new subjects, or the same ones again? Compare equal numbers of recordings:
means = table.groupby(["each", "subjects"])["score"].mean()
for n in (6, 12, 24):
    print(f"{4 * n:3} recordings: {means[4, n]:.2f} from {n:2} subjects, ", end="")
    print(f"{means[1, 4 * n]:.2f} from {4 * n} subjects")

# %%
# Here both help alike: recordings of one synthetic subject differ in noise, level and beats, which is as
# useful to this model as a new heart. Real recordings of one patient may resemble each other more, and
# then only new patients help. So measure both on your own recordings. The curve still rises at 96
# subjects: more would help.
#
# The bands show the draws of training subjects alone; the test subjects are the same in all of them.
# Where a curve bends depends on the recordings, the features and the model.
