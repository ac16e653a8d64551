"""The cross-validated comparison: its splits and its result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Bunch

from sklearn_heartkd.comparison._models import NAMES, PRETRAINED, check_models, variants_of
from sklearn_heartkd.comparison._pipelines import Recipe
from sklearn_heartkd.comparison._storage import model_file, result_file
from sklearn_heartkd.comparison._table import costs_of, summarize
from sklearn_heartkd.comparison._tasks import listing, run_tasks, tasks_of
from sklearn_heartkd.utils._text import printable


class Comparison(NamedTuple):
    """The result of `compare`, which `write_results` writes to a folder.

    A model that could not be fitted is in `failures` only.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per model: scores, their standard deviation over the folds, and costs.
    predictions : pandas.DataFrame
        Out-of-fold predictions in the form of :func:`sklearn_heartkd.metrics.oof_frame`.
    failures : dict of str to str
        The models that could not be fitted, with the reason.

    See Also
    --------
    compare : The comparison.

    Examples
    --------
    See :func:`compare`.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame
    failures: dict[str, str]


def compare(
    data: Bunch,
    *,
    folds: int = 5,
    seeds: Sequence[int] = (0,),
    splits: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
    models: Sequence[str] | None = None,
    unlabeled: Bunch | None = None,
    recipe: Recipe | None = None,
    out: str | Path | None = None,
    n_jobs: int = 2,
    verbose: bool = False,
) -> Comparison:
    """Cross-validate teachers, students and classical models, by subject.

    The models are an SVM and a random forest on MFCC and mel statistics, an SVM on rhythm features,
    the four teacher networks, their average without and with the SVMs, the student trained from
    scratch, and the student distilled from each teacher and from all of them; each without and with
    k-means refinement. Scratch and distilled students have the same budget, augmentation and
    refinement. A recipe with `n_synthetic` above 0 pretrains every network on synthetic recordings,
    except the student from scratch, and adds a pretrained student without a teacher. "dummy", without
    refinement, hears nothing: it always answers the most frequent class of the training part.

    For few labels there are also "tables", the mean of an SVM, a forest and a logistic regression on
    each of three groups of statistics, "linear", a logistic regression on an
    :class:`~sklearn_heartkd.Autocorrelogram`, the student "student_of_tables", which sees the three
    groups, and its controls: the same student from scratch, "dense", and "dense_rebalanced", whose
    probabilities are divided by their mean over the unlabeled recordings.

    A recipe with `balance` draws the batches of the networks equally from all devices and classes,
    which needs `data.devices`.

    Parameters
    ----------
    data : Bunch
        As the loaders of `sklearn_heartkd.datasets` return it: `data`, `target`, `groups`,
        `sampling_rate` and `filenames`.
    folds : int, default=5
        Number of folds of a :class:`~sklearn.model_selection.StratifiedGroupKFold`, shuffled with
        seed 0.
    seeds : sequence of int, default=(0,)
        Each model is fitted once per fold with each seed; the folds stay the same.
    splits : list of (training rows, test rows), default=None
        Used instead of the folds.
    models : list of str, default=None
        A selection, such as ``["conv2d", "student", "student_of_conv2d"]``; teachers that
        students need are added. None is those named above, ``["all"]`` also those for few labels.
    unlabeled : Bunch, default=None
        Recordings without labels, with `data` and `groups`, for the distilled students. Those of
        subjects that are tested are left out of a fit.
    recipe : Recipe, default=None
        None is one without pretraining.
    out : path, default=None
        Folder for the results of each fit. A comparison that was interrupted continues from them if
        it is started again with the same folder.
    n_jobs : int, default=2
        Number of processes; each uses one thread.
    verbose : bool, default=False
        Whether to show the progress: a bar in a terminal, otherwise a line for each fit.

    Returns
    -------
    Comparison
        Table and predictions; models that could not be fitted are left out with a warning.

    Raises
    ------
    ValueError
        If a class has fewer subjects than folds, a model is unknown or needs pretraining and the
        recipe has none, every model fails, `out` holds another comparison, or another process uses it.
    ChildProcessError
        If the system ends a process, for example because the memory is full.

    See Also
    --------
    write_results : Write tables, pictures and a report.
    sklearn_heartkd.metrics.compare_models : Intervals and tests from the predictions.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import Recipe, compare
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(
    ...     16, classes=("normal", "murmur"), n_subjects=8, duration=2.0, random_state=0
    ... )
    >>> recipe = Recipe(n_estimators=10)
    >>> result = compare(sounds, folds=2, models=["forest"], recipe=recipe, n_jobs=1)
    >>> result.table.index.tolist()
    ['forest', 'forest+kmeans']
    """
    recipe = Recipe(sampling_rate=data.sampling_rate) if recipe is None else recipe
    if models is None or "all" in models:
        models = [m for m in check_models(models) if m != PRETRAINED or recipe.n_synthetic]
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
        failures = run_tasks(
            tasks, data, splits, recipe, folder, n_jobs, unlabeled=unlabeled, verbose=verbose
        )
        if not (tasks := [task for task in tasks if task.model not in failures]):
            raise ValueError(f"No model could be fitted: {listing(failures)}")
        parts = [joblib.load(result_file(folder, task)) for task in tasks]
        predictions = pd.concat(parts, ignore_index=True)
        # the costs are those of each model's first fit
        first = {task.model: task for task in sorted(tasks, reverse=True)}
        files = {
            name: model_file(folder, first[model]._replace(model=name))
            for model in NAMES
            if model in first
            for name in variants_of(model)
        }
        costs = costs_of(files, data, recipe, n_jobs)
    return Comparison(summarize(predictions, costs), predictions, failures)


def split_by_device(devices: ArrayLike, groups: ArrayLike) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return splits that leave out one device after the other.

    No subject is on both sides of a split.

    Parameters
    ----------
    devices : array-like of shape (n_recordings,)
        The device, hospital or database of each recording.
    groups : array-like of shape (n_recordings,)
        The subjects; recordings of a tested subject with other devices are not trained on.

    Returns
    -------
    list of (training rows, test rows)
        One for each device, in sorted order. Each recording is in one test part.

    Raises
    ------
    ValueError
        If there is only one device, or nothing is left to train on.

    See Also
    --------
    compare : Uses these splits.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import split_by_device
    >>> split_by_device(["phone", "phone", "digital"], [0, 1, 2])[0]
    (array([0, 1]), array([2]))
    """
    devices, groups = np.asarray(devices).astype(str), np.asarray(groups)
    names = np.unique(devices)
    if len(names) < 2:
        raise ValueError(f"Leaving one device out needs at least 2 devices, got {names.tolist()}.")
    splits = []
    for name in names:
        test = devices == name
        training = ~np.isin(groups, groups[test])
        if not training.any():
            raise ValueError(
                f"Every subject was recorded with {printable(name)!r}, so nothing is left to train on; "
                "use folds by subject."
            )
        splits.append((np.flatnonzero(training), np.flatnonzero(test)))
    return splits


def split_by_subject(
    target: ArrayLike, groups: ArrayLike, folds: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the splits of a comparison.

    No subject is on both sides of a split, and the classes are spread evenly over the folds.

    Parameters
    ----------
    target : array-like of shape (n_recordings,)
        The classes.
    groups : array-like of shape (n_recordings,)
        The subjects.
    folds : int
        Number of splits.

    Returns
    -------
    list of (training rows, test rows)
        Each recording is in one test part.

    See Also
    --------
    compare : Uses these splits.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import split_by_subject
    >>> split_by_subject(["murmur", "murmur", "normal", "normal"], [0, 1, 2, 3], 2)[0]
    (array([0, 3]), array([1, 2]))
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
                f"Class '{printable(label)}' has recordings of {subjects} subjects, fewer than the "
                f"{folds} folds; use at most {subjects} folds or add recordings."
            )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros((len(target), 1)), target, groups))
