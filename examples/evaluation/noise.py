"""
Noise in the training
=====================

How white noise in the test recordings changes a network that was trained with and without noise.
"""

# %%
# Two networks, three seeds
# -------------------------
#
# Both networks see the same recordings. The second one hears them with random noise, drawn anew for each
# batch by :class:`~sklearn_heartkd.augmentation.AdditiveNoise`. It comes before the usual augmentation.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.augmentation import AdditiveNoise, BandMasking, Gain, RandomCrop, TimeMasking
from sklearn_heartkd.datasets import make_heart_sounds

usual = [RandomCrop(), Gain(), BandMasking(), TimeMasking()]
noise = [AdditiveNoise("white", snr=(0, 30), probability=0.5)]
augmentations = {"without noise": usual, "with noise": noise + usual}

options = {"classes": ("normal", "murmur"), "duration": 2, "murmur_db": -3}
training = make_heart_sounds(80, n_subjects=40, random_state=0, **options)
test = make_heart_sounds(120, n_subjects=60, random_state=1, **options)


def add_noise(recordings, snr_db, rng):
    """Add white noise at a ratio of signal to noise in dB; infinite means none."""
    white = rng.normal(size=recordings.shape)
    power = np.mean(recordings**2, axis=1, keepdims=True)
    return recordings + white * np.sqrt(power * 10 ** (-snr_db / 10))


# %%
# The test recordings are of other subjects. They get noise at five ratios of signal to noise, besides
# their ambient noise at about 15 dB.
ratios = [np.inf, 20, 10, 5, 0]
rows = []
for seed in range(3):
    for name, augmentation in augmentations.items():
        student = StudentClassifier(max_epochs=12, augmentation=augmentation, random_state=seed)
        model = make_pipeline(LogMelSpectrogram(), student).fit(training.data, training.target)
        for snr in ratios:
            noisy = add_noise(test.data, snr, np.random.default_rng(seed))
            score = balanced_accuracy_score(test.target, model.predict(noisy))
            rows.append({"training": name, "seed": seed, "snr": snr, "score": score})
table = pd.DataFrame(rows)

# %%
# Lines are means over the seeds, points the single networks.
figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for name, color, marker in (("without noise", "#D55E00", "o"), ("with noise", "#0072B2", "s")):
    chosen = table[table["training"] == name]
    mean = chosen.groupby("snr")["score"].mean().loc[ratios]
    ax.plot(range(5), mean, color=color, marker=marker, label=f"trained {name}")
    place = chosen["snr"].map(ratios.index)
    ax.scatter(place, chosen["score"], color=color, marker=marker, s=14, alpha=0.4)
ax.axhline(0.5, color="0.3", linestyle=":", label="always the same class")
ax.set_xticks(range(5), ["none added", *(str(snr) for snr in ratios[1:])])
ax.set(xlabel="signal to noise in the test (dB)", ylabel="balanced accuracy", ylim=(0.4, 1.02))
ax.set_title("White noise in the test recordings, three seeds")
ax.legend(loc="upper right", frameon=False)
plt.show()

# %%
# Noise in the training helps at 10 and 5 dB, and costs accuracy where no noise is added.
#
# The noise of the test is of the kind that was added in the training; other noise can still mislead the
# network. Real noise is not white: it is speech, breath and friction. What noise in the training costs on
# clean real recordings is measured in the :doc:`guide </guide/robustness>`.
