"""Fits that are computed once and kept in a folder, so that a stopped benchmark can continue."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm.auto import tqdm

import sklearn_heartkd
from sklearn_heartkd import KMeansRefinedClassifier, WindowedClassifier
from sklearn_heartkd.metrics import oof_frame


class Task(NamedTuple):
    """One model, fitted with one seed on the training part of one fold."""

    seed: int
    fold: int
    model: str

    def file(self, folder, kind="predictions"):
        """Return where its predictions or its fitted model are kept."""
        return Path(folder) / f"{self.model}-seed{self.seed}-fold{self.fold}.{kind}"


def run(tasks, compute, folder, n_jobs=2):
    """Return the data frames `compute(task)` of all tasks, one below the other.

    What the folder holds is not computed again. Each process uses one thread.
    """
    torch.set_num_threads(1)
    waiting = [task for task in tasks if not task.file(folder).exists()]
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        runner = Parallel(min(n_jobs, len(waiting) or 1), return_as="generator_unordered")
        jobs = (delayed(_compute_and_keep)(compute, task, folder) for task in waiting)
        for _ in tqdm(runner(jobs), total=len(waiting), unit="fit", disable=None):
            pass
    frames = [joblib.load(task.file(folder)) for task in tasks]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _compute_and_keep(compute, task, folder):
    keep(compute(task), task.file(folder))


def keep(value, path):
    """Store a value; it is renamed into place, so an interruption leaves no half of it."""
    unfinished = path.with_name(path.name + ".unfinished")
    joblib.dump(value, unfinished)
    unfinished.replace(path)


def open_folder(folder, data, splits, settings):
    """Create a folder for tasks; raise ValueError if it holds results of something else."""
    digest = hashlib.sha256(repr(list(data.target)).encode())
    for array in (*data.data, *(rows for split in splits for rows in split)):
        digest.update(np.ascontiguousarray(array).tobytes())
    found = {"data": digest.hexdigest(), "settings": repr(settings)}
    found["version"] = sklearn_heartkd.__version__
    path = Path(folder) / "settings.json"
    if path.exists() and json.loads(path.read_text("utf-8")) != found:
        raise ValueError(
            f"{folder} holds results of other recordings, folds, settings or another version; choose "
            "another --work or delete it."
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")


def fit(model, data, rows):
    """Fit a model on some recordings of a Bunch, with their subjects where it uses them."""
    groups = {}
    if isinstance(model, (WindowedClassifier, KMeansRefinedClassifier)):
        groups = {"groups": np.asarray(data.groups)[rows]}
    return model.fit([data.data[i] for i in rows], np.asarray(data.target)[rows], **groups)


def predict(model, task, data, rows):
    """Return the predictions of a fitted model in the form of `oof_frame`."""
    recordings = [data.data[i] for i in rows]
    return oof_frame(
        task.model,
        seed=task.seed,
        fold=task.fold,
        recording=rows,
        y_true=np.asarray(data.target)[rows],
        y_pred=model.predict(recordings),
        y_proba=model.predict_proba(recordings),
        classes=model.classes_,
    )
