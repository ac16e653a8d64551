"""The cross-validated comparison: which tasks there are, running them, and what they come to."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedGroupKFold
from tqdm.auto import tqdm

from sklearn_heartkd.comparison._models import (
    FIRST,
    NAMES,
    PRETRAINED,
    REFINED,
    SECOND,
    Recipe,
    sources_of,
)
from sklearn_heartkd.comparison._table import costs_of, summarize
from sklearn_heartkd.comparison._tasks import (
    Task,
    check_same,
    fit_and_refine,
    load_models,
    model_file,
    result_file,
    write_whole,
)
from sklearn_heartkd.utils._pickling import leaving_out


class Comparison(NamedTuple):
    """The result of `compare`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a model: scores with their spread over the folds, and costs.
    predictions : pandas.DataFrame
        Out-of-fold predictions in the form of `sklearn_heartkd.metrics.oof_frame`.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame


def compare(
    data,
    *,
    folds=5,
    seeds=(0,),
    splits=None,
    models=None,
    recipe=None,
    out=None,
    n_jobs=2,
):
    """Cross-validate teachers, students and classical models, by subject.

    Compared are an SVM and a random forest on MFCC and mel statistics, an SVM on rhythm features, the
    four teacher networks, their average without and with the SVMs, the student trained from scratch,
    and the student distilled from each teacher and from all of them; each without and with k-means
    refinement. Scratch and distilled students have the same budget, augmentation and refinement. A recipe
    with `n_synthetic` above 0 has every network start from synthetic recordings, except the student from
    scratch; beside it there is then one that differs from the distilled ones by the teacher alone.

    Parameters
    ----------
    data : Bunch
        As the loaders of `sklearn_heartkd.datasets` return it: `data`, `target`, `groups`,
        `sampling_rate` and `filenames`.
    folds : int, default=5
        Of a :class:`~sklearn.model_selection.StratifiedGroupKFold`, shuffled with seed 0.
    seeds : sequence of int, default=(0,)
        Each model is fitted once a fold with each seed; the folds stay the same.
    splits : list of (training rows, test rows), default=None
        Instead of the folds.
    models : list of str, default=None
        A selection, such as ``["conv2d", "student", "student_of_conv2d"]``; teachers that
        students need are added. None is all.
    recipe : Recipe, default=None
        None is one without pretraining.
    out : path, default=None
        Keeps every result as it comes: an interrupted comparison that is started again with the same
        folder goes on where it was.
    n_jobs : int, default=2
        Processes; each uses one thread.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If a class or the number of subjects is too small for the folds, a model is unknown or needs
        pretraining that the recipe has not, or `out` holds another comparison.
    """
    recipe = Recipe(sampling_rate=data.sampling_rate) if recipe is None else recipe
    if models is None and not recipe.n_synthetic:
        models = [model for model in check_models(None) if model != PRETRAINED]
    models = check_models(models)
    if PRETRAINED in models and not recipe.n_synthetic:
        raise ValueError(
            f"The model {PRETRAINED!r} needs a recipe with n_synthetic above 0; without pretraining it is "
            "the student from scratch, 'student'."
        )
    if splits is None:
        splits = split_by_subject(data.target, data.groups, folds)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary if out is None else out)
        tasks = tasks_of(models, seeds, len(splits))
        run_tasks(tasks, data, splits, recipe, folder, n_jobs)
        parts = [joblib.load(result_file(folder, task)) for task in tasks]
        predictions = pd.concat(parts, ignore_index=True)
        costs = costs_of(_models_of(sorted(tasks, key=_in_table), folder), data, recipe)
    return Comparison(summarize(predictions, costs), predictions)


def split_by_subject(target, groups, folds):
    """Return the splits of a comparison as a list of (training rows, test rows).

    Raises
    ------
    ValueError
        If there are fewer than two classes, or fewer subjects than folds in all or in a class.
    """
    target, groups = np.asarray(target), np.asarray(groups)
    labels = np.unique(target)
    if len(labels) < 2:
        raise ValueError(
            f"A comparison needs recordings of at least 2 classes, got only {labels.tolist()}."
        )
    for label in labels:
        subjects = len(np.unique(groups[target == label]))
        if subjects < folds:
            raise ValueError(
                f"Class {str(label)!r} has recordings of {subjects} subjects, fewer than the {folds} "
                f"folds; use at most {subjects} folds or add recordings."
            )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros((len(target), 1)), target, groups))


def tasks_of(models, seeds, n_splits):
    """Return the tasks of a comparison of some models, in the order in which they are run."""
    return [
        Task(seed, fold, model)
        for model in check_models(models)
        for seed in seeds
        for fold in range(n_splits)
    ]


def check_models(models):
    """Return the chosen models and the teachers that they need, in the order of their fits."""
    known = (*FIRST, *SECOND)
    if models is None:
        return known
    unknown = sorted(set(models) - set(known))
    if unknown:
        raise ValueError(f"Unknown models {unknown}; known are {', '.join(known)}.")
    needed = {source for model in models for source in sources_of(model)}
    return tuple(model for model in known if model in {*models, *needed})


def run_tasks(tasks, data, splits, recipe, folder, n_jobs):
    """Fit what is waiting of a comparison, and keep it in its folder."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    recipe = replace(recipe, memory=recipe.memory or str(folder / "pretraining"))
    check_same(folder / "settings.json", data, splits, recipe)
    waiting = [task for task in tasks if not result_file(folder, task).exists()]
    with tqdm(total=len(tasks), initial=len(tasks) - len(waiting), unit="fit", disable=None) as bar:
        for stage in (FIRST, SECOND):
            jobs = [
                delayed(_fit)(task, data, splits[task.fold], recipe, folder)
                for task in waiting
                if task.model in stage
            ]
            runner = Parallel(
                n_jobs=min(n_jobs, max(1, len(jobs))), return_as="generator_unordered"
            )
            for name in runner(jobs):
                bar.set_postfix_str(name, refresh=False)
                bar.update()


def _fit(task, data, split, recipe, folder):
    sources = load_models(folder, task, sources_of(task.model))
    model = recipe.make(task.model, task.seed, sources)
    frames = []
    for name, fitted, frame in fit_and_refine(task, model, data, split, recipe):
        frames.append(frame)
        with leaving_out("recordings"):
            joblib.dump(fitted, model_file(folder, task._replace(model=name)))
    write_whole(pd.concat(frames, ignore_index=True), result_file(folder, task))
    return task.name


def _in_table(task):
    return list(NAMES).index(task.model), task


def _models_of(tasks, folder):
    """Load each model as fitted in its first task."""
    first: dict[str, Task] = {}
    for task in tasks:
        first.setdefault(task.model, task)
    return {
        name: joblib.load(model_file(folder, task._replace(model=name)))
        for task in first.values()
        for name in (task.model, task.model + REFINED)
    }
