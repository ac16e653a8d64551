"""
Recordings and their features
=============================

A heart sound as waveform, log-mel spectrogram, cepstral coefficients, autocorrelogram and rhythm.
"""

# %%
# A recording
# -----------
#
# :func:`~sklearn_heartkd.datasets.make_heart_sounds` makes synthetic recordings and the table of their
# events. In this one, a murmur (yellow) fills the time from S1 (blue) to S2 (orange), and reaches higher
# frequencies than the two heart sounds. The click at 3.8 s is a noise of handling.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_heartkd import MFCC, Autocorrelogram, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import RecordingDisplay

classes = ("normal", "murmur", "extrastole")
sounds = make_heart_sounds(60, classes=classes, n_subjects=30, duration=8, random_state=0)
murmur = sounds.data[1]
events = sounds.events[(sounds.events["recording"] == 1) & (sounds.events["end"] < 4)]
ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")[1]
display = RecordingDisplay.from_recording(
    murmur[:8000], sounds.sampling_rate, events=events, name="A synthetic murmur, 4 s", ax=ax
)

# %%
# Sequences for the networks
# --------------------------
#
# The networks take arrays of shape `(n_recordings, n_channels, n_frames)`, which all three transformers
# return by default.
log_mel = LogMelSpectrogram().fit_transform(sounds.data)
mfcc = MFCC().fit_transform(sounds.data)
autocorrelogram = Autocorrelogram(n_lags=40).fit_transform(sounds.data)
for name, array in {"log-mel": log_mel, "MFCC": mfcc, "ACF": autocorrelogram}.items():
    print(f"{name:8} {array.shape}")

# %%
# The first two have a column for each moment: the beats return as stripes. For the picture, each
# coefficient is scaled by its mean and standard deviation (`cmvn=True`). The autocorrelogram has a column
# for each *lag*: it is large where a band repeats itself after that time. The heart beats again after one
# period, so all bands are high there, at the dashed line.
seconds = np.arange(125) * 64 / 2000
rhythm = RhythmFeatures().set_output(transform="pandas").fit_transform(sounds.data)
period = np.exp(rhythm["beat_median"])  # the columns hold logarithms of seconds

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
scaled = MFCC(cmvn=True).fit_transform(sounds.data[1:2])[0, :, :125]
image = left.pcolormesh(seconds, np.arange(20), scaled, cmap="cividis", vmin=-3, vmax=3)
left.set(title="MFCC over time", xlabel="time (s)", ylabel="coefficient", yticks=[0, 5, 10, 15, 19])
figure.colorbar(image, ax=left, label="standard deviations", extend="both")
lags = np.arange(1, 41) * 0.032
image = right.pcolormesh(lags, np.arange(32), autocorrelogram[1], cmap="cividis")
right.axvline(period[1], color="black", linestyle="--")
right.text(period[1] + 0.02, 30.5, "one beat", va="top")
right.set(title="Autocorrelogram over the lag", xlabel="lag (s)", ylabel="mel band")
figure.colorbar(image, ax=right, label="correlation")
plt.show()

# %%
# A table of the rhythm
# ---------------------
#
# :class:`~sklearn_heartkd.RhythmFeatures` describes a recording by 71 columns. Premature beats (class
# extrastole) are followed by pauses, so beats come late (`late_share`). A murmur raises the level between
# the heart sounds (`envelope_q75`) and makes a sound unlike the next one (`similarity_next1`). The table
# has the median over the recordings of each class.
columns = ["beat_std", "late_share", "prematurity_mean", "envelope_q75", "similarity_next1"]
rhythm[columns].groupby(sounds.target).median().round(2)

# %%
# This example does not show which features classify best: that depends on the recordings, and needs
# splits by patient. Synthetic recordings are also cleaner than those of a ward.
