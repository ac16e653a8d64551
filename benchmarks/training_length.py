"""When the training of each network saturates, on inner splits.

    python -m benchmarks.training_length --data path/to/folder [--work DIR] [--networks student conv2d]
        [--tasks b ab devices digits cancer] [--seeds 0 1]

Each network is trained for its default number of epochs and for three times as many. Of each task,
the first of five outer folds by subject is set aside and never looked at; three folds by subject of the
rest score the lengths. For devices, PASCAL A is set aside, and PASCAL B, PhysioNet a and c are left out
in turn. The folder is that of `leave_one_device_out`. Writes benchmarks/results/training_length.csv and
the table of docs/benchmarks/training-length.md. Fits stay in --work, where a stopped run continues.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from benchmarks._device_models import RATE
from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from benchmarks._tasks import Task, run
from benchmarks.leave_one_device_out import MURMUR, load
from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import load_pascal

FILE = RESULTS / "training_length.csv"
FACTORS = (1, 3)
NETWORKS = {
    "student": StudentClassifier,
    "conv2d": Conv2DClassifier,
    "conv1d": Conv1DClassifier,
    "lstm": LSTMClassifier,
    "rnn": RNNClassifier,
    "dense": DenseStudentClassifier,
}
TABLES = {"digits": load_digits, "cancer": load_breast_cancer}
TASKS = {
    "b": "PASCAL B, normal and murmur",
    "ab": "PASCAL A+B, five classes",
    "devices": "device left out, log-mel with CMVN",
    "digits": "digits",
    "cancer": "breast cancer",
}


def inner_splits(task, path):
    """Return the rows of X, classes, subjects, and the inner splits of a task."""
    if task in TABLES:
        X, y = TABLES[task](return_X_y=True)
        groups = np.arange(len(y))
    else:
        if task == "ab":
            folder = Path(path) / "heartbeat-sounds"
            bunch = load_pascal(folder, subset="ab", sampling_rate=RATE)
        else:
            bunch = load(path)
        X = np.array([*bunch.data, None], dtype=object)[:-1]
        y, groups = np.asarray(bunch.target), np.asarray(bunch.groups)
    if task == "devices":
        rows = np.flatnonzero(np.isin(bunch.device, MURMUR[1:]))
        inner = LeaveOneGroupOut().split(rows, groups=bunch.device[rows])
    else:
        rows = np.flatnonzero(bunch.device == "PASCAL B") if task == "b" else np.arange(len(y))
        outer = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        rows = rows[next(outer.split(rows, y[rows], groups[rows]))[0]]
        folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
        inner = folds.split(rows, y[rows], groups[rows])
    return X, y, groups, [(rows[train], rows[test]) for train, test in inner]


def compute(task, path):
    """Return the scores of a network on one inner split, for each length."""
    name, kind = task.model.split("-")
    X, y, groups, splits = inner_splits(kind, path)
    train, test = splits[task.fold]
    network = NETWORKS[name](random_state=task.seed)
    rows = []
    for factor in FACTORS:
        model = network
        if kind not in TABLES:
            front_end = LogMelSpectrogram(sampling_rate=RATE, cmvn=kind == "devices")
            pipeline = make_pipeline(front_end, network)
            model = WindowedClassifier(pipeline, window=5.0, hop=5.0, sampling_rate=RATE)
        start = time.process_time()
        model.fit(X[train], y[train], groups=groups[train])
        seconds = time.process_time() - start
        if factor == 1:
            n_epochs = (model if kind in TABLES else model.estimator_[-1]).n_iter_
        probabilities = model.predict_proba(X[test])
        row = {"network": name, "task": kind, "seed": task.seed, "fold": task.fold}
        row |= {"factor": factor, "epochs": factor * n_epochs, "seconds": seconds}
        row["balanced accuracy"] = balanced_accuracy_score(y[test], model.predict(X[test]))
        if len(model.classes_) == 2:
            row["area"] = roc_auc_score(y[test] == model.classes_[1], probabilities[:, 1])
        rows.append(row)
        following = FACTORS[FACTORS.index(factor) + 1 :][:1]
        network = clone(network).set_params(max_epochs=n_epochs * (following or [1])[0])
    print(f"{name}, {kind}, seed {task.seed}, fold {task.fold}", flush=True)
    return pd.DataFrame(rows)


def tables():
    """Return the table of docs/benchmarks/training-length.md."""
    scores = pd.read_csv(FILE)
    rows = []
    for (kind, name), part in scores.groupby(["task", "network"], sort=False):
        first = part[part["factor"] == 1]
        row = {"task": TASKS[kind], "network": name, "fits": len(first)}
        row["epochs"] = f"{first['epochs'].min()} to {first['epochs'].max()}"
        row["seconds"] = f"{first['seconds'].mean():.0f}"
        for factor in FACTORS:
            own = part[part["factor"] == factor]
            score = f"{own['balanced accuracy'].mean():.3f}"
            if own["area"].notna().all():
                score += f" / {own['area'].mean():.3f}"
            row[f"× {factor}"] = score
        rows.append(row)
    return {("docs/benchmarks/training-length.md", "training length"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", type=Path, default=Path("results/training_length"))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tasks = [
        Task(seed, fold, f"{name}-{kind}")
        for seed in options.seeds
        for name in options.networks
        for kind in options.tasks
        if (kind in TABLES) == (name == "dense")
        for fold in range(3)
    ]
    scores = run(tasks, partial(compute, path=options.data), options.work, options.jobs)
    scores.to_csv(FILE, index=False, float_format="%.4g")
    write_tables(tables())


if __name__ == "__main__":
    main()
