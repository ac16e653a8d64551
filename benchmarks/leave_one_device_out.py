"""How models do on a stethoscope that they never heard.

    python -m benchmarks.leave_one_device_out --data path/to/folder [--work DIR]
        [--models student conv2d] [--jobs 1]

The folder contains heartbeat-sounds/ (PASCAL, sets A and B) and physionet2016/ (databases a, c, d, e
and f). Each of these seven devices is left out in turn; murmur, or abnormal in PhysioNet, against
normal. Of each recording the first 10 s are used. Writes benchmarks/results/leave_one_device_out/ and
the tables of docs/benchmarks/devices.md. Fits stay in --work, where a stopped run continues.
"""

import argparse
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Bunch

from benchmarks._device_models import MODELS, RATE, fit, hear, make, score
from benchmarks._device_scores import (
    HEADLINE,
    MEAN,
    METRICS,
    differences,
    resampled,
    table,
    with_mean,
)
from benchmarks._tables import RESULTS, interval, markdown, rows_as_markdown, write_tables
from benchmarks._tasks import Task, keep, open_folder, run
from sklearn_heartkd.datasets import load_pascal, load_physionet2016

FOLDER = RESULTS / "leave_one_device_out"
PAGE = "docs/benchmarks/devices.md"
CARD = "sklearn_heartkd/deployment/models/MODEL_CARD.md"
SECONDS = 10
OTHERS = ("PhysioNet c", "PhysioNet d", "PhysioNet e", "PhysioNet f")
SHORT = (
    "normal",
    "svm",
    "student",
    "student_murmur",
    "linear_acf",
    "student_acf",
    "student_cmvn",
    "ten",
)  # of MODELS
PAIRS = (
    ("distilled_ten", "student_acf"),
    ("distilled_acf", "student_acf"),
    ("distilled_cmvn", "student_cmvn"),
    ("student_acf", "student_murmur"),
    ("student_cmvn", "student_murmur"),
    ("student_cmvn", "linear_acf"),
)
MURMUR = (*HEADLINE, "PhysioNet c")  # devices whose label means a murmur


def load(path):
    """Return the first seconds of the normal and murmur recordings of all devices."""
    pascal = load_pascal(Path(path) / "heartbeat-sounds", subset="ab", sampling_rate=RATE)
    physionet = load_physionet2016(Path(path) / "physionet2016", sampling_rate=RATE)
    frames = []
    for name, bunch, column in (("PASCAL", pascal, "set"), ("PhysioNet", physionet, "database")):
        letters = bunch.frame[column].str
        letters = letters.upper() if name == "PASCAL" else letters.lower()
        devices = [f"{name} {letter}" for letter in letters]
        targets = np.where(bunch.target == "abnormal", "murmur", bunch.target)
        rows = zip(bunch.data, targets, devices, bunch.groups, strict=True)
        frames.append(pd.DataFrame(rows, columns=["data", "target", "device", "group"]))
    frame = pd.concat(frames, ignore_index=True)
    frame = frame[frame["target"].isin(["normal", "murmur"])].reset_index(drop=True)
    recordings = [np.asarray(row[: SECONDS * RATE]) for row in frame["data"]]
    target, device, groups = (frame[name].to_numpy(str) for name in ("target", "device", "group"))
    return Bunch(data=recordings, target=target, device=device, groups=groups)


def parts_of(model, data):
    """Return the training and test rows of each fold of a model."""
    taught_by, devices = MODELS[model].taught_by, (*HEADLINE, *OTHERS)
    murmur = np.isin(data.device, MURMUR)
    if taught_by == "murmur":
        # none of the last three teaches: one model is tested on all of them
        left_out = [[device] for device in MURMUR] + [list(OTHERS[1:])]
    else:
        left_out = [[device] for device in devices]
    tests = [np.flatnonzero(np.isin(data.device, names)) for names in left_out]
    if taught_by != "oracle":
        teaches = murmur if taught_by == "murmur" else np.ones(len(murmur), bool)
        return [(np.setdiff1d(np.flatnonzero(teaches), test), test) for test in tests]
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    parts = []
    for own in tests:
        others = np.setdiff1d(np.flatnonzero(murmur), own)
        for train, test in folds.split(own, data.target[own], data.groups[own]):
            parts.append((np.append(others, own[train]), own[test]))
    return parts


def compute(task, data, heard, folder):
    """Return the predictions of one model about recordings of a device that its fold leaves out."""
    train, test = parts_of(task.model, data)[task.fold]
    teacher = MODELS[task.model].teacher
    if teacher is not None:
        seed = min(task.seed, MODELS[teacher].n_seeds - 1)
        teacher = joblib.load(task._replace(model=teacher, seed=seed).file(folder, "fitted"))
    X = heard[MODELS[task.model].front_end]
    model = make(task.model, task.seed, teacher)
    fit(task.model, model, X[train], data.target[train], data.groups[train], data.device[train])
    if task.model in {model.teacher for model in MODELS.values()}:
        keep(model, task.file(folder, "fitted"))
    scores, predicted = score(model, X[test])
    found = {
        "model": task.model,
        "seed": task.seed,
        "device": data.device[test],
        "recording": test,
        "subject": data.groups[test],
        "truth": data.target[test],
        "score": scores,
        "predicted": predicted,
    }
    print(f"{task.model}, seed {task.seed}, fold {task.fold}: {len(test)} recordings", flush=True)
    return pd.DataFrame(found)


def tables():
    """Return the tables of docs/benchmarks/devices.md, and short ones of README.md and the model card."""
    scores = pd.read_csv(FOLDER / "table.csv")
    scores["cell"] = [f"{r.value:.2f} ({r.low:.2f} to {r.high:.2f})" for r in scores.itertuples()]
    scores["cell"] = scores["cell"].where(
        scores["low"] < scores["high"], scores["value"].map("{:.2f}".format)
    )
    found = {}
    titles = {name: model.title for name, model in MODELS.items()}
    for metric, part in scores.groupby("metric"):
        wide = part.pivot(index="model", columns="device", values="cell")
        wide = wide.reindex([name for name in MODELS if name in wide.index]).rename(index=titles)
        columns = [MEAN, *HEADLINE, *OTHERS]
        found[PAGE, f"{metric} left out"] = markdown(wide[columns].fillna("").rename_axis("model"))
    mean = scores[scores["device"] == MEAN].pivot(index="model", columns="metric", values="cell")
    mean = mean[list(METRICS)].reindex([name for name in SHORT if name in mean.index])
    short = markdown(mean.rename(index=titles).rename_axis("model"))
    pairs = {}
    for row in pd.read_csv(FOLDER / "differences.csv").itertuples():
        name = f"{titles[row.model]}, minus {titles[row.other]}"
        pairs.setdefault(name, {"models": name})[row.metric] = interval(
            row.value, row.low, row.high
        )
    found[PAGE, "differences left out"] = rows_as_markdown(list(pairs.values()))
    found["README.md", "devices"] = found[CARD, "leave one device out"] = short
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", type=Path, default=Path("results/leave_one_device_out"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    data = load(options.data)
    open_folder(options.work, data, [], SECONDS)
    tasks = [
        Task(seed, fold, model)
        for seed in range(max(model.n_seeds for model in MODELS.values()))
        for model in options.models
        if seed < MODELS[model].n_seeds
        for fold in range(len(parts_of(model, data)))
    ]
    heard = hear(data.data, options.models)
    one = partial(compute, data=data, heard=heard, folder=options.work)
    predictions = run(tasks, one, options.work, options.jobs)
    FOLDER.mkdir(parents=True, exist_ok=True)
    predictions.to_csv(FOLDER / "predictions.csv.gz", index=False, float_format="%.4g")
    found = with_mean(resampled(predictions))
    table(found).to_csv(FOLDER / "table.csv", index=False, float_format="%.4f")
    differences(found, PAIRS).to_csv(FOLDER / "differences.csv", index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
