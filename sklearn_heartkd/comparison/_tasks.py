"""One task of a cross-validation: fitting a model on one split, and its files on disk."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing

from sklearn_heartkd._version import __version__
from sklearn_heartkd.comparison._models import REFINED
from sklearn_heartkd.metrics import oof_frame
from sklearn_heartkd.utils._metadata import fit_parameters


class Task(NamedTuple):
    """One model, fitted with one seed on the training part of one split."""

    seed: int
    fold: int
    model: str

    @property
    def name(self):
        """The name of its files."""
        return f"{self.model}-seed{self.seed}-fold{self.fold}"


def fit_and_refine(task, model, data, split, recipe):
    """Fit a model and then its k-means refinement on the training part of a split.

    Parameters
    ----------
    task : Task
    model : classifier
        Not yet fitted.
    data : Bunch
    split : (training rows, test rows)
    recipe : Recipe

    Yields
    ------
    name : str
        That of the task's model, then that of its refinement.
    fitted : classifier
    predictions : DataFrame
        On the test part, in the form of `sklearn_heartkd.metrics.oof_frame`.
    """
    yield (fitted := fit_and_predict(task, model, data, split))
    refined = task._replace(model=task.model + REFINED)
    yield fit_and_predict(refined, recipe.refine(fitted[1], task.seed), data, split)


def fit_and_predict(task, model, data, split):
    """Fit a model on the training part; return its name, itself and its test predictions."""
    training, test = split
    y, groups = np.asarray(data.target), np.asarray(data.groups)
    subjects = fit_parameters(model, groups=groups[training])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_safe_indexing(data.data, training), y[training], **subjects)
    given = _safe_indexing(data.data, test)
    frame = oof_frame(
        task.model,
        seed=task.seed,
        fold=task.fold,
        recording=test,
        y_true=y[test],
        y_pred=model.predict(given),
        y_proba=model.predict_proba(given),
        classes=model.classes_,
    )
    return task.model, model, frame


def load_models(folder, task, names):
    """Load the models that were fitted with the seed and on the split of a task."""
    return {name: joblib.load(model_file(folder, task._replace(model=name))) for name in names}


def check_same(path, data, splits, recipe):
    """Note in a file what a folder's results belong to; raise ValueError if to something else."""
    digest = hashlib.sha256()
    for training, test in splits:
        digest.update(np.asarray(training).tobytes() + np.asarray(test).tobytes())
    digest.update(repr([Path(name).name for name in data.filenames]).encode())  # wherever they lie
    digest.update(repr(list(data.target)).encode())
    settings = {"recipe": repr(recipe), "data": digest.hexdigest(), "version": __version__}
    if path.exists() and json.loads(path.read_text()) != settings:
        raise ValueError(
            f"{path.parent} holds a comparison with other recordings, folds or settings; choose another "
            "folder or delete it."
        )
    path.write_text(json.dumps(settings, indent=1))


def write_whole(value, path):
    """Store a value; it is renamed into place, so that an interruption leaves no half of it."""
    unfinished = path.with_suffix(".unfinished")
    joblib.dump(value, unfinished)
    unfinished.replace(path)


def result_file(folder, task):
    """Return the file of a task's predictions."""
    return folder / "parts" / f"{task.name}.predictions"


def model_file(folder, task):
    """Return the file of a task's fitted model."""
    return folder / "parts" / f"{task.name}.model"
