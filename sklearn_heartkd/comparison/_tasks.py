"""The tasks of a comparison: fitting each model on each split, and keeping the results."""

import sys
import warnings
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing
from tqdm.auto import tqdm

from sklearn_heartkd.comparison._models import (
    DISTILLED,
    FIRST,
    SECOND,
    check_models,
    is_pretrained,
    sources_of,
    variants_of,
)
from sklearn_heartkd.comparison._storage import (
    are_whole,
    check_same,
    locked,
    model_file,
    result_file,
    write_whole,
)
from sklearn_heartkd.comparison._tables import remembered
from sklearn_heartkd.metrics import oof_frame
from sklearn_heartkd.model_selection import split_unlabeled
from sklearn_heartkd.utils._metadata import fit_parameters
from sklearn_heartkd.utils._pickling import leaving_out
from sklearn_heartkd.utils._text import printable

# the temporary files of a process that was killed
_UNFINISHED = ("parts/.*", ".settings-*.json", ".report-*.html", ".*-*.csv", ".*-*.png")


class Task(NamedTuple):
    """One model, fitted with one seed on the training part of one split."""

    seed: int
    fold: int
    model: str

    @property
    def name(self):
        """The name of its files."""
        return f"{self.model}-seed{self.seed}-fold{self.fold}"


def tasks_of(models, seeds, n_splits):
    """Return the tasks of a comparison of some models, in the order in which they are run."""
    return [
        Task(seed, fold, model)
        for model in check_models(models)
        for seed in seeds
        for fold in range(n_splits)
    ]


def run_tasks(tasks, data, splits, recipe, folder, n_jobs, *, unlabeled=None, verbose=False):
    """Fit what a comparison still needs, keep it in its folder, and return the models that failed."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    recipe = replace(recipe, memory=recipe.memory or str(folder / "pretraining"))
    failures: dict[str, str] = {}
    with locked(folder):
        for pattern in _UNFINISHED:
            for path in folder.glob(pattern):
                path.unlink()
        key = check_same(folder / "settings.json", data, splits, recipe, unlabeled)
        waiting = [task for task in tasks if not are_whole(_files(folder, task), key)]
        # one pool for both stages, because every new process imports everything again
        n_jobs = min(n_jobs, max(1, len(waiting)))
        pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        with pool, _killed_processes_reported():
            fits = (
                fit
                for stage in (FIRST, SECOND)
                for fit in pool(
                    delayed(_fit)(task, data, splits[task.fold], unlabeled, recipe, folder, key)
                    for task in waiting
                    if task.model in stage
                )
            )
            about = _pretraining(tasks, waiting, recipe.n_synthetic)
            for task, failure in _show_progress(fits, len(tasks), len(waiting), verbose, about):
                if failure is not None:
                    failures.setdefault(task.model, failure)
    if failures:
        warnings.warn(f"Models that could not be fitted: {listing(failures)}", stacklevel=3)
    return failures


@contextmanager
def _killed_processes_reported():
    try:
        yield
    except BrokenExecutor as error:
        raise ChildProcessError(
            "The system ended a process of the comparison, probably because the memory was full; start "
            "it again with fewer processes, and with the same output folder it continues."
        ) from error


class Part(NamedTuple):
    """The recordings of a fit: all of them, the rows to train and to test on, and those without labels."""

    data: Any
    training: np.ndarray
    test: np.ndarray
    unlabeled: dict  # arguments of `fit`


def part_of(data, split, unlabeled):
    """Return what a fit needs to know; unlabeled recordings of tested subjects are left out."""
    training, test = split
    if unlabeled is None:
        return Part(data, training, test, {})
    rows = split_unlabeled(data.groups, unlabeled.groups, test)
    groups = np.asarray(unlabeled.groups)[rows]
    X = _safe_indexing(unlabeled.data, rows)
    return Part(data, training, test, {"X_unlabeled": X, "groups_unlabeled": groups})


def _fit(task, data, split, unlabeled, recipe, folder, key):
    """Fit a model and its refinement and store them; return the task and why it failed, or None."""
    part = part_of(data, split, unlabeled)
    try:
        sources = {}
        for source in sources_of(task.model):
            path = model_file(folder, task._replace(model=source))
            if not path.exists():
                raise ValueError(f"its source {source} was not fitted")
            sources[source] = joblib.load(path)
        n_rows = len(part.training) + len(part.unlabeled.get("X_unlabeled", ()))
        if not task.model.startswith(DISTILLED):
            n_rows = len(part.training)
        with remembered(recipe.memory):
            made = recipe.make(task.model, task.seed, sources, n_rows=n_rows)
            plain, *refined = variants_of(task.model)
            models = {plain: _train(made, part)}
            for name in refined:
                models[name] = _train(recipe.refine(models[plain], task.seed), part)
            frames = [_predict(task, name, fitted, part) for name, fitted in models.items()]
    except OSError:  # such as a full disk, which no model is to blame for
        raise
    except Exception as error:  # one model must not stop the others
        return task, printable(f"{type(error).__name__}: {error}")
    for name, fitted in models.items():
        with leaving_out("recordings"):
            write_whole(fitted, model_file(folder, task._replace(model=name)), key)
    # last, since a task counts as done when its predictions exist
    write_whole(pd.concat(frames, ignore_index=True), result_file(folder, task), key)
    return task, None


def _train(model, part):
    rows, devices = part.training, part.data.get("devices")
    known = dict(part.unlabeled, groups=np.asarray(part.data.groups)[rows])
    if devices is not None:
        known["devices"] = np.asarray(devices)[rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        X, y = _safe_indexing(part.data.data, rows), np.asarray(part.data.target)[rows]
        return model.fit(X, y, **fit_parameters(model, **known))


def _predict(task, name, model, part):
    rows = part.test
    X = _safe_indexing(part.data.data, rows)
    return oof_frame(
        name,
        seed=task.seed,
        fold=task.fold,
        recording=rows,
        y_true=np.asarray(part.data.target)[rows],
        y_pred=model.predict(X),
        y_proba=model.predict_proba(X),
        classes=model.classes_,
    )


def _files(folder, task):
    return [
        result_file(folder, task),
        *(model_file(folder, task._replace(model=m)) for m in variants_of(task.model)),
    ]


def _pretraining(tasks, waiting, n_synthetic):
    """Return what takes time before the first fit ends: a text, empty if there is nothing."""
    pretrained = {task for task in tasks if is_pretrained(task.model)}
    # where some of these fits are there already, so are weights
    if not n_synthetic or not pretrained or not pretrained.issubset(waiting):
        return ""
    return f"Pretraining on {n_synthetic:,} synthetic recordings"


def _show_progress(fits, n_tasks, n_waiting, verbose, about):
    """Pass on the fits; show a bar in a terminal, otherwise a line for each with the time left.

    `about` is shown until the first one is there.
    """
    started = monotonic()
    bar = tqdm(
        fits,
        total=n_tasks,
        initial=n_tasks - n_waiting,
        unit="fit",
        disable=None if verbose else True,
        desc=about,
    )
    if about and verbose and bar.disable:
        print(f"{about} …", file=sys.stderr, flush=True)
    for done, (task, failure) in enumerate(bar, 1):
        bar.set_description_str("", refresh=False)
        bar.set_postfix_str(task.name, refresh=False)
        if verbose and bar.disable:
            left = (monotonic() - started) / done * (n_waiting - done)
            print(
                f"{n_tasks - n_waiting + done}/{n_tasks} {task.name}"
                f"{' failed' if failure else ''}, about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        yield task, failure


def listing(failures):
    """Return the models that failed and why in one line."""
    return "; ".join(f"{model} ({reason})" for model, reason in failures.items())
