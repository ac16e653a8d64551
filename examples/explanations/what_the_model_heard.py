"""
What the model heard
====================

Evidence for a murmur over the spectrogram, and a check that it lies where the murmurs are.
"""

# %%
# A small network
# ---------------
#
# The training and the explained recordings are of different subjects.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import ExplanationDisplay, explain

options = {"classes": ("normal", "murmur"), "duration": 3}
training = make_heart_sounds(96, n_subjects=48, random_state=0, **options)
test = make_heart_sounds(40, n_subjects=40, random_state=1, **options)
student = StudentClassifier(max_epochs=20, random_state=0)
model = make_pipeline(LogMelSpectrogram(), student).fit(training.data, training.target)

# %%
# One murmur
# ----------
#
# :func:`~sklearn_heartkd.inspection.explain` attributes the logit of a class to the bands and frames of a
# recording. A removed cell is replaced by the median of its band in this recording, so the values say
# what the events add. Red is evidence for the class murmur, blue against it. The title has the logit
# without and with the events.
murmurs = np.flatnonzero(test.target == "murmur")
explanation = explain(model, test.data[murmurs])
events = test.events[test.events["recording"] == murmurs[2]].assign(recording=2)
display = ExplanationDisplay(
    explanation, recording=2, target="murmur", events=events, name="student"
).plot(plt.subplots(figsize=(7.2, 4.4), layout="constrained")[1])

# %%
# Is it there in the other recordings, too?
# -----------------------------------------
#
# One picture can be luck. In synthetic recordings the times of the murmurs are known, so the share of the
# evidence inside them can be measured, for all 20 murmurs. The control is evidence that is spread evenly:
# it would have the share of the time that is murmur.


def share_inside(row):
    """Return the shares of evidence and of time inside the murmurs of a recording."""
    own = test.events[
        (test.events["recording"] == murmurs[row]) & (test.events["kind"] == "murmur")
    ]
    starts, ends = own["start"].to_numpy(), own["end"].to_numpy()
    times = explanation.times[:, None]
    inside = ((times >= starts) & (times <= ends)).any(axis=1)
    murmur = explanation.class_index("murmur")
    evidence = np.maximum(explanation.values[row, murmur], 0).sum(axis=0)
    return evidence[inside].sum() / evidence.sum(), inside.mean()


shares = np.array([share_inside(row) for row in range(len(murmurs))])
figure, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
ax.scatter(shares[:, 1], shares[:, 0], color="#0072B2", label="one recording")
ax.plot([0, 1], [0, 1], ":", color="0.3", label="spread evenly")
ax.set(xlabel="share of the time that is murmur", ylabel="share of the evidence inside the murmur")
ax.set(title="Evidence in 20 synthetic murmurs", xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
ax.legend(loc="lower right", frameon=False)
plt.show()

print(f"median share of the evidence inside: {np.median(shares[:, 0]):.2f}")
print(f"median share of the time:            {np.median(shares[:, 1]):.2f}")

# %%
# In the picture above, nearly all the evidence lies in the first of three murmurs: the network takes the
# maximum over time, so one clear murmur is enough.
#
# The evidence shows what this network used, not what a physician should hear. Other networks with the
# same score may use other parts. In real recordings the times of the murmurs are unknown, so there this
# check is not possible; :doc:`faithfulness` needs no such times.
