"""
A stream of samples
===================

Answers every 1.5 s while the samples come in, on a recording that changes from normal to murmur.
"""

# %%
# A model of windows
# ------------------
#
# The model looks at windows of 3 s. :func:`~sklearn_heartkd.deployment.export_onnx` writes it to a file,
# and :class:`~sklearn_heartkd.deployment.runtime.HeartSoundModel` reads the file without torch and
# scikit-learn.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier, WindowedClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import export_onnx
from sklearn_heartkd.deployment.runtime import HeartSoundModel

training = make_heart_sounds(
    72, classes=("normal", "murmur"), n_subjects=36, duration=3, random_state=0
)
student = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=15))
windowed = WindowedClassifier(student, window=3.0, hop=1.5, random_state=0)
windowed.fit(training.data, training.target, groups=training.groups)
with tempfile.TemporaryDirectory() as folder:
    export_onnx(windowed, Path(folder) / "student.onnx", training.data[:8])
    model = HeartSoundModel.load(Path(folder) / "student.onnx")
print(f"window {model.window} s, hop {model.hop} s, classes {model.classes}")

# %%
# Eight hearts that change
# ------------------------
#
# The same seed makes the same hearts without and with a murmur. Each test recording is 20 s of the one
# and 20 s of the other, of subjects that the training does not have. The samples arrive in chunks of 0.1
# s. A stream keeps no more than a window; `smoothed` averages the last three windows.
options = {"n_subjects": 8, "duration": 20, "random_state": 5}
normal = make_heart_sounds(8, classes=["normal"], **options).data
murmur = make_heart_sounds(8, classes=["murmur"], **options).data
hearts = np.hstack([normal, murmur])
column = model.classes.index("murmur")


def listen(waveform):
    """Return time, probability of the window and smoothed probability of a murmur, for each answer."""
    stream = model.stream(sampling_rate=2000, n_smoothed=3)
    answers = []
    for start in range(0, len(waveform), 200):
        for result in stream.push(waveform[start : start + 200]):
            smoothed = result.smoothed.probabilities[column]
            answers.append((result.time, result.probabilities[column], smoothed))
    return np.array(answers).T


found = [listen(waveform) for waveform in hearts]

# %%
# One heart, and all eight
# ------------------------
figure, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(7.2, 6), sharex=True, layout="constrained", height_ratios=(1, 1.6, 1.6)
)
top.plot(np.arange(80_000) / 2000, hearts[0] / np.abs(hearts[0]).max(), color="0.3", linewidth=0.4)
top.set(ylabel="amplitude", title="One heart", ylim=(-1.1, 1.8))
time, window, smoothed = found[0]
middle.plot(time, window, "o", color="#56B4E9", markersize=4, label="one window")
middle.plot(time, smoothed, color="#0072B2", label="mean of three")
middle.set(ylabel="p(murmur)")
middle.legend(loc="upper left", frameon=False)
for time, _, smoothed in found:
    bottom.plot(time, smoothed, color="#0072B2", linewidth=1, alpha=0.6)
bottom.set(xlabel="time (s)", ylabel="p(murmur)", title="Eight hearts, mean of three windows")
for ax in (middle, bottom):
    ax.axhline(0.5, color="0.3", linestyle=":")
    ax.set_ylim(-0.03, 1.03)
for ax in (top, middle, bottom):
    ax.axvline(20, color="#D55E00", linestyle="--")
top.text(20.3, 1.4, "the murmur begins", color="#D55E00", va="center")
plt.show()

# %%
# The answer comes with a delay: a window must contain the murmur, and the mean of three follows later.
for name, row in (("one window", 1), ("mean of three", 2)):
    delays = [a[0][(a[0] > 20) & (a[row] >= 0.5)][:1] - 20 for a in found]
    delays = np.concatenate(delays)
    alarms = sum((a[row][a[0] <= 20] >= 0.5).sum() for a in found)
    print(f"{name:13}: {len(delays)} of 8 murmurs found, ", end="")
    print(f"median delay {np.median(delays):.1f} s, {alarms} false alarms before")

# %%
# Real murmurs do not begin within a second: the change stands for a stethoscope that moves to another
# site. Eight synthetic hearts do not show how many false alarms a day of real recordings would bring.
