"""
Calibration, and the right to say "unsure"
==========================================

Whether a probability of 0.9 means 9 right answers of 10, and how many errors remain if a model may abstain.
"""

# %%
# A model that is too sure of itself
# ----------------------------------
#
# The murmurs are faint and the recordings noisy, so that errors happen. A linear model of 400 columns
# fits its 300 training recordings without an error, and is as sure about new ones. It learns from half of
# the subjects, and the other half tests it.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import MFCC
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import RejectingClassifier, ReliabilityDisplay, risk_coverage_curve

sounds = make_heart_sounds(
    600,
    classes=("normal", "murmur"),
    n_subjects=200,
    duration=3,
    snr_db=8,
    murmur_db=-9,
    random_state=0,
)
X = MFCC(output="summary").fit_transform(sounds.data)
y, groups = sounds.target, sounds.groups
linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def split(seed):
    splitter = GroupShuffleSplit(1, test_size=0.5, random_state=seed)
    return next(splitter.split(X, y, groups))


# %%
# A threshold for 10 % errors
# ---------------------------
#
# :class:`~sklearn_heartkd.metrics.RejectingClassifier` chooses the threshold on inner splits of the
# training subjects, so that 10 % of the answers are wrong there. On new subjects, the share differs by
# chance. Ten ways to split the subjects show by how much.
found = []
for seed in range(10):
    training, test = split(seed)
    rejecting = RejectingClassifier(linear, error_rate=0.1)
    answers = rejecting.fit(X[training], y[training], groups=groups[training]).predict(X[test])
    given = answers != "unsure"
    found.append({"answers": given.mean(), "errors": (answers != y[test])[given].mean()})
found = pd.DataFrame(found)
found.describe().loc[["mean", "min", "max"]].round(2)

# %%
# Reliability, and the error of the answers that are given
# --------------------------------------------------------
#
# The second model is the same one, calibrated on out-of-fold predictions of the training subjects. Left:
# points below the diagonal are answers with too much confidence. Right: the recordings with the lowest
# confidence are left out first, from right to left. Calibration changes the probabilities, but hardly
# their order, so the two curves coincide. The circles are the ten thresholds.
training, test = split(0)
inner = list(StratifiedGroupKFold(5).split(X[training], y[training], groups[training]))
models = {"linear": linear, "calibrated": CalibratedClassifierCV(linear, cv=inner, ensemble=False)}

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 4), layout="constrained")
for (name, model), color in zip(models.items(), ("#D55E00", "#0072B2"), strict=True):
    proba = model.fit(X[training], y[training]).predict_proba(X[test])
    ReliabilityDisplay.from_predictions(y[test], proba, n_bins=10, name=name, ax=left, color=color)
    curve = risk_coverage_curve(y[test], proba)
    right.plot(curve["coverage"], curve["risk"], color=color, label=name)
left.set(title="Reliability", xlim=(0.45, 1.05), ylim=(0.3, 1.05))
left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), fontsize=9, frameon=False)
right.scatter(*found.to_numpy().T, facecolors="none", edgecolors="black", label="chosen threshold")
right.axhline(0.1, color="0.3", linestyle=":", label="wanted")
right.set(title="Errors among the answers", xlabel="share of recordings answered")
right.set(ylabel="share of wrong answers", ylim=(0, 0.4))
right.legend(loc="upper left", fontsize=9, frameon=False)
plt.show()

# %%
# Calibration and threshold hold for patients like those of the training. On another device, or with
# another share of murmurs, both are off; choose them again on recordings from there. A model that
# abstains needs somebody who takes over, which costs something too: the picture does not show that.
