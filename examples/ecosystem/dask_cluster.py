"""
A cross-validation on Dask
==========================

joblib sends the fits of a cross-validation to a cluster; code and results stay the same.
"""

# %%
# This cluster is two threads of this process, so that the example runs anywhere.
# ``Client("tcp://HOST:8786")`` would connect to a scheduler whose workers are on several machines.
import joblib
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, get_task_stream
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(200, n_subjects=100, duration=4, murmur_db=-8, snr_db=8, random_state=0)
X, y, groups = RhythmFeatures().fit_transform(sounds.data), sounds.target, sounds.groups
short = {"batch_size": 32, "max_epochs": 25, "learning_rate": 0.02}
model = DistilledClassifier(
    DenseStudentClassifier(hidden_layer_sizes=(64, 64), **short),
    DenseStudentClassifier(hidden_layer_sizes=(8,), **short),
    random_state=0,  # an integer: otherwise the results change from run to run
)
folds = {"groups": groups, "cv": StratifiedGroupKFold(6), "scoring": "balanced_accuracy"}

# %%
# The same call, here and on the cluster. `get_task_stream` records which worker computed what, and when.
here = cross_val_score(model, X, y, params={"groups": groups}, **folds)
client = Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None)
with get_task_stream(client) as stream, joblib.parallel_config("dask"):
    there = cross_val_score(model, X, y, params={"groups": groups}, **folds)
client.close()
linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
linear = cross_val_score(linear, X, y, **folds)
print("the same scores:", np.array_equal(here, there))
print(f"mean {there.mean():.2f}; logistic regression {linear.mean():.2f}")

# %%
# Each bar is the fit of one fold, teacher and student together. A third worker would start a third fit at
# once.
figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.4), layout="constrained")
fits = [task for task in stream.data if "fit_and_score" in str(task["key"])]
spans = [next(s for s in task["startstops"] if s["action"] == "compute") for task in fits]
begin = min(span["start"] for span in spans)
workers = sorted({task["worker"] for task in fits})
for task, span in zip(fits, spans, strict=True):
    place = workers.index(task["worker"])
    look = {"left": span["start"] - begin, "height": 0.6, "edgecolor": "white"}
    left.barh(place, span["stop"] - span["start"], color=["#0072B2", "#E69F00"][place], **look)
left.set_yticks(range(len(workers)), [f"worker {i + 1}" for i in range(len(workers))])
left.set(xlabel="time (s)", title="Six fits")
right.plot(
    range(1, 7), here, "o", markersize=12, fillstyle="none", color="black", label="without Dask"
)
right.plot(range(1, 7), there, "o", markersize=5, color="#0072B2", label="on the cluster")
right.set(xlabel="fold", ylabel="balanced accuracy", title="Equal scores")
figure.legend(loc="outside lower center", ncols=2)
plt.show()

# %%
# **What this does not show.** A gain in time: small fits in threads of one process disturb each other.
# Use processes (``processes=True``, in a script below ``if __name__ == "__main__":``) or machines. Scores
# on synthetic recordings say nothing about real ones. The guide has more on scattering data, on memory
# and on workers that die.
