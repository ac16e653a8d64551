"""
Sounds that are not hearts
==========================

A domain detector on new hearts, on hearts through another device, and on other sounds.
"""

# %%
# What a classifier cannot say
# ----------------------------
#
# A classifier of "normal" and "murmur" answers one of the two about music, too. A
# :class:`~sklearn_heartkd.deployment.DomainDetector` compares how a sound changes with time with the
# training recordings, here of six devices. From three devices on it chooses its limit on devices left
# out.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, sosfilt

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import DomainDetector

options = {"classes": ("normal", "murmur"), "n_devices": 6}
training = make_heart_sounds(180, n_subjects=90, random_state=0, **options)
detector = DomainDetector().fit(training.data, devices=training.frame["device"])

# %%
# The sounds of the test
# ----------------------
#
# Twenty of each kind. Hearts are of new subjects; one set is recorded with a device that damps high
# frequencies, one is in strong noise.
rng = np.random.default_rng(0)
time = np.arange(10_000) / 2000
hearts = make_heart_sounds(20, n_subjects=20, random_state=1, **options).data
noisy = make_heart_sounds(20, n_subjects=20, random_state=2, snr_db=-5, **options).data
muffled = sosfilt(butter(2, 150, fs=2000, output="sos"), hearts)


def tones():
    """Play a random melody of four notes each second, with overtones."""
    notes = np.repeat(rng.choice([131, 147, 165, 196, 220], 20), 500)
    phase = 2 * np.pi * np.cumsum(notes) / 2000
    fading = np.exp(-3 * (time % 0.25))
    return fading * sum(np.sin(k * phase) / k for k in (1, 2, 3))


def breath():
    """Breathe: noise that swells about every four seconds."""
    rate, start = rng.uniform(0.2, 0.3), rng.uniform(0, 6)
    return rng.normal(size=10_000) * np.sin(np.pi * rate * time + start) ** 2


def clock():
    """Tick 1 to 2 times each second, all ticks alike."""
    period = rng.uniform(0.5, 1.0)
    since = time % period
    return np.exp(-since / 0.01) * np.sin(2 * np.pi * 300 * since) + 0.01 * rng.normal(size=10_000)


kinds = {
    "hearts, new subjects": hearts,
    "hearts, muffled": muffled,
    "hearts in noise, −5 dB": noisy,
    "white noise": rng.normal(size=(20, 10_000)),
    "breath": [breath() for _ in range(20)],
    "melody": [tones() for _ in range(20)],
    "clock": [clock() for _ in range(20)],
}
distances = {name: -detector.score_samples(np.array(rows)) for name, rows in kinds.items()}
for name, distance in distances.items():
    print(f"{name:24} outside: {np.sum(distance > 1):2} of {len(distance)}")

# %%
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
jitter = np.linspace(-0.25, 0.25, 20)
for row, (name, distance) in enumerate(distances.items()):
    is_heart = name.startswith("hearts")
    color, marker = ("#0072B2", "o") if is_heart else ("#D55E00", "s")
    ax.scatter(distance, row + jitter, color=color, marker=marker, s=14)
ax.axvline(1, color="black", linestyle="--")
ax.text(1.03, -0.75, "limit", va="center")
ax.set(xscale="log", xlabel="distance to the training recordings (1 is the limit)")
ax.set_xticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
ax.set(
    yticks=range(len(kinds)),
    ylim=(len(kinds) - 0.5, -1.2),
    title="Distances: right of the line is outside",
)
ax.set_yticklabels(list(kinds))
plt.show()

# %%
# A device that damps high frequencies stays inside, because a stationary response does not count. Hearts
# in strong noise are outside: there is little left to judge.
#
# Pass the detector as `domain=` to :func:`~sklearn_heartkd.deployment.export_onnx`: the runtime then
# answers "poor recording" outside.
#
# The detector is no test of health or of the label: a heart with a rare rhythm can be outside, and a
# sound that beats like a heart inside. These sounds are simple; how real ones do is in :doc:`the
# benchmark </benchmarks/out-of-domain>`.
