"""
A threshold, and whether it does good
=====================================

Choose a threshold on separate patients, and see in a decision curve for whom the model is useful.
"""

# %%
# Three sets of patients
# ----------------------
#
# The model learns from the first set, the threshold is chosen on the second, and the third set tests
# both. No patient is in two of them. One recording of four has a murmur.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import LogMelSpectrogram
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import ThresholdClassifier, net_benefit, operating_point

sounds = make_heart_sounds(
    900,
    classes=("normal", "murmur"),
    n_subjects=300,
    duration=3,
    snr_db=8,
    murmur_db=-8,
    random_state=0,
)
subject = sounds.groups.astype(int)
kept = (sounds.target == "normal") | (subject % 3 == 0)  # fewer murmurs, as among patients
X = LogMelSpectrogram(output="summary").fit_transform(sounds.data[kept])
y, subject = sounds.target[kept], subject[kept]
training, choice, test = subject < 100, (subject >= 100) & (subject < 200), subject >= 200
print(f"murmurs among the tested recordings: {np.mean(y[test] == 'murmur'):.0%}")

model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=1000))
model.fit(X[training], y[training])
positive = list(model.classes_).index("murmur")

# %%
# A threshold for a sensitivity of 90 %
# -------------------------------------
point = operating_point(
    y[choice],
    model.predict_proba(X[choice])[:, positive],
    sensitivity=0.9,
    pos_label="murmur",
    groups=subject[choice],
    random_state=0,
)
deciding = ThresholdClassifier(
    FrozenEstimator(model), threshold=point.threshold, pos_label="murmur", neg_label="normal"
).fit(X[training], y[training])
answers = deciding.predict(X[test])
is_murmur = y[test] == "murmur"
print(f"threshold {point.threshold:.2f}")
print(f"specificity where it was chosen {point.specificity:.2f}")
print(f"new patients: sensitivity {np.mean(answers[is_murmur] == 'murmur'):.2f}, ", end="")
print(f"specificity {np.mean(answers[~is_murmur] == 'normal'):.2f}")

# %%
# The decision curve
# ------------------
#
# Whoever refers a patient at a probability of 0.2 accepts four needless referrals for one that was
# needed. :func:`~sklearn_heartkd.metrics.net_benefit` weighs them so at each threshold. A model is useful
# where its curve lies above both simple rules: refer everybody, and refer nobody. The band is the 95 %
# interval of 200 bootstrap draws of whole subjects.
proba = model.predict_proba(X[test])[:, positive]
thresholds = np.arange(2, 81) / 100
options = {"pos_label": "murmur", "thresholds": thresholds}
curve = net_benefit(y[test], proba, **options)

rng = np.random.default_rng(0)
names, rows_of = np.unique(subject[test]), subject[test]
rows_of = [np.flatnonzero(rows_of == name) for name in names]
draws = []
for _ in range(200):
    rows = np.concatenate([rows_of[i] for i in rng.integers(len(names), size=len(names))])
    draws.append(net_benefit(y[test][rows], proba[rows], **options)["net_benefit"])
low, high = np.quantile(draws, [0.025, 0.975], axis=0)

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.plot(thresholds, curve["net_benefit"], color="#0072B2", label="refer by the model")
ax.fill_between(thresholds, low, high, color="#0072B2", alpha=0.15)
ax.plot(thresholds, curve["treat_all"], "--", color="#D55E00", label="refer everybody")
ax.axhline(0, color="0.3", linestyle=":", label="refer nobody")
ax.axvline(point.threshold, color="0.6", linewidth=1)
ax.text(point.threshold + 0.01, 0.32, "sensitivity 90 %", color="0.3")
ax.set(xlabel="threshold (probability of a murmur)", ylabel="net benefit", ylim=(-0.1, 0.35))
ax.set_title("Net benefit on new subjects")
ax.legend(loc="upper right", frameon=False)
plt.show()

# %%
# The curve assumes calibrated probabilities and the share of murmurs of the test recordings. It does not
# show which threshold is right: that depends on what a missed murmur and a needless referral mean to the
# patient. On synthetic recordings it says nothing about a clinic.
