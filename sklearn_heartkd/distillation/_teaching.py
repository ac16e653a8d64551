"""Fitting the teachers and asking them about the training data."""

from dataclasses import dataclass

import numpy as np
import sklearn
import torch
from joblib import Memory
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_memory

from sklearn_heartkd._version import __version__
from sklearn_heartkd.classifiers import DenseStudentClassifier
from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.distillation._checks import warn_of_useless_memory
from sklearn_heartkd.distillation._objective import combine
from sklearn_heartkd.utils._group_splits import subject_folds
from sklearn_heartkd.utils._nested import answer, as_taken, fit_nested, transform
from sklearn_heartkd.utils._pickling import require_storable
from sklearn_heartkd.utils._probabilities import (
    FEWER_FOLDS,
    align,
    log_probabilities,
    require_finite,
    require_rows,
)
from sklearn_heartkd.utils._random import clone_seeded
from sklearn_heartkd.utils._rows import blocks
from sklearn_heartkd.utils._unlabeled import fold_parameters
from sklearn_heartkd.utils._unwrap import is_frozen_classifier, is_transparent, parts_of, walk


@dataclass
class TeacherPredictions:
    """A fitted teacher and its predictions for the training data.

    Attributes
    ----------
    name : str
    teacher : estimator
    probabilities : ndarray of shape (n, n_classes)
        Ordered as the classes of `y`; out of fold where a splitter was given, and averaged where it
        tests on a recording several times.
    embedding : ndarray of shape (n, n_dimensions)
        Log-probabilities where the teacher has no embeddings, and out of fold, where the
        embeddings of different folds could not be compared.
    unlabeled : tuple of ndarray or None
        Probabilities and embedding of the rows without labels.
    """

    name: str
    teacher: object
    probabilities: np.ndarray
    embedding: np.ndarray
    unlabeled: tuple[np.ndarray, np.ndarray] | None = None


def predict_teacher(
    owner, name, teacher, X, y, params, groups, cv, *, X_unlabeled=None, versions=None
):
    """Fit one teacher (unless it is frozen) and return its `TeacherPredictions`.

    About the rows of `X_unlabeled` the teacher that is fitted on all of X answers.

    A memory tells predictions apart by the arguments, among them the `versions` of what fits it; `params`
    are those of the teacher's `fit`, and `groups` are for the splits.

    Raises
    ------
    ValueError
        If a frozen teacher comes with `cv` or misses a class of `y`, its outputs are not finite,
        or `cv` never tests on some rows.
    """
    frozen = isinstance(teacher, FrozenEstimator)
    if cv is not None and any(is_frozen_classifier(part) for part in parts_of(teacher)):
        raise ValueError(
            f"The teacher {name!r} is frozen, or holds a frozen classifier, which cannot be fitted out of "
            "fold; leave cv=None, or give the teacher without FrozenEstimator."
        )
    role = f"The teacher {name!r}"
    X = as_taken(teacher, X)
    classes = np.unique(y)
    fitted = teacher if frozen else fit_nested(teacher, X, y, params)
    unlabeled = None
    if X_unlabeled is not None:
        unlabeled = ask(fitted, X_unlabeled, classes, role, embeds=cv is None)
    if cv is None:
        probabilities, embedding = ask(fitted, X, classes, role)
        return TeacherPredictions(name, fitted, probabilities, embedding, unlabeled)
    # a splitter may test on a row several times, whose probabilities are then averaged
    total, times = np.zeros((len(y), len(classes))), np.zeros(len(y), dtype=int)
    for training, held_out in subject_folds(owner, check_cv(cv, y, classifier=True), y, groups):
        rows = _safe_indexing(X, training), y[training]
        inside = fold_parameters(X, params, groups, training, held_out)
        fold = fit_nested(clone(teacher), *rows, inside)
        _require_classes(fold, role)
        found = fold.predict_proba(_safe_indexing(X, held_out))
        require_rows(found, len(held_out), f"{role} gives probabilities")
        total[held_out] += align(found, fold.classes_, classes, f"{role} in a fold", FEWER_FOLDS)
        times[held_out] += 1
    if not times.all():
        raise ValueError(
            f"cv={cv!r} leaves some recordings out of every test part; use a splitter whose test parts "
            "cover all of them, such as StratifiedGroupKFold."
        )
    probabilities = total / times[:, None]
    return TeacherPredictions(
        name, fitted, probabilities, log_probabilities(probabilities), unlabeled
    )


def ask(fitted, X, classes, role, *, embeds=True):
    """Return a fitted teacher's probabilities of `classes`, and its embeddings unless not `embeds`."""
    X = as_taken(fitted, X)
    _require_classes(fitted, role)
    probabilities, embedding = map(np.asarray, answer(fitted, X))
    require_rows(probabilities, _num_samples(X), f"{role} gives probabilities")
    require_rows(embedding, _num_samples(X), f"{role} gives embeddings")
    probabilities = align(probabilities, fitted.classes_, classes, role)
    require_finite(embedding, f"{role} gives embeddings")
    return probabilities, embedding if embeds else log_probabilities(probabilities)


def predict_teachers(owner, X, y, routed, metadata, cv, random_state):
    """Return the `TeacherPredictions` of each teacher of `owner`, from its memory where they are there.

    `routed` holds the arguments of their `fit`, by "teacher__<name>", `metadata` those of the owner.

    Raises
    ------
    ValueError
        If the memory could not recognize a teacher again, and as `predict_teacher` does.
    """
    teachers = owner._teachers()
    memory = check_memory(owner.memory or Memory(None))
    if getattr(memory, "location", None) is not None:
        warn_of_useless_memory(owner.random_state, [teacher for _, teacher in teachers])
        for name, teacher in teachers:
            advice = "define its functions and classes in a module"
            require_storable(owner.memory, teacher, f"the teacher {name!r}", advice)
    predict = memory.cache(predict_teacher, ignore=["owner"])
    versions = __version__, sklearn.__version__
    predictions = []
    for name, teacher in teachers:
        seeded, params = clone_seeded(teacher, random_state), routed[f"teacher__{name}"]
        arguments = name, seeded, X, y, params, metadata["groups"], cv
        further = {"X_unlabeled": metadata.get("X_unlabeled"), "versions": versions}
        predictions.append(predict(owner, *arguments, **further))
    return predictions


def _require_classes(fitted, role):
    if not hasattr(fitted, "classes_"):
        raise TypeError(
            f"{role} has no classes_ after fit, so the classes of its probabilities are unknown; give a "
            "classifier that follows scikit-learn."
        )


def cached_outputs(answers, shares, maps=None):
    """Return the `TeacherOutput` of all teachers together, with the feature maps of a single one.

    `answers` holds probabilities and embedding of each.
    """
    probabilities, embeddings = zip(*answers, strict=True)
    return combine(
        list(map(_as_tensor, probabilities)),
        list(map(_as_tensor, embeddings)),
        [maps] * len(answers),
        shares,
    )


def _as_tensor(values):
    # what comes from a memory-mapped file is read-only, which torch does not know
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def feature_maps(predictions, X, batch_size=256):
    """Return the last feature map of a single teacher that is one of our networks, else None."""
    if len(predictions) > 1:
        return None
    steps, model = _network_behind(predictions[0].teacher)
    if model is None:
        return None
    X = transform(steps, as_taken(predictions[0].teacher, X))
    X = model._validate_new(X)
    reference = next(model.module_.parameters())
    maps = []
    with torch.no_grad():
        for block in blocks(len(X), batch_size):
            part = torch.tensor(np.asarray(X[block])).reshape(-1, *model.input_shape_)
            maps.append(model.module_(part.to(reference)).sequence)
    return torch.cat(maps)


def _network_behind(teacher):
    """Return the steps of the pipelines in `teacher`, and the network that predicts in it or None."""
    steps = []
    for part in walk(teacher):
        steps += part.before
        if isinstance(part.estimator, NetworkClassifier):
            return steps, part.estimator
        if not is_transparent(part.estimator):
            break
    return steps, None


def networks_of(owner, predictions, X):
    """Return the teachers' torch networks if they are to be asked about each batch, else None.

    That takes teachers that are networks of this package, fitted on X and on its classes. `X` is what the
    student's network sees, or None where the teachers see something else.

    Raises
    ------
    ValueError
        If the outputs are to be augmented, but a teacher cannot be asked.
    """
    if (
        owner.teacher_outputs == "cached"
        or owner.cv is not None
        or owner.unlabeled_prior is not None
    ):
        return None
    classes = owner.classes_
    networks = []
    for prediction in predictions:
        steps, model = _network_behind(prediction.teacher)
        flattens = isinstance(model, DenseStudentClassifier)
        if model is None or flattens or steps or getattr(X, "ndim", None) != 3:
            obstacle = (
                "teachers that are networks of sklearn_heartkd and take the student's 3-D features "
                "themselves"
            )
        elif not np.array_equal(model.classes_, classes):
            obstacle = (
                f"teachers that know the student's classes {classes.tolist()} and no others, but one "
                f"knows {model.classes_.tolist()}"
            )
        else:
            networks.append(model.module_)
            continue
        if owner.teacher_outputs == "augmented":
            raise ValueError(
                f"teacher_outputs='augmented' needs {obstacle}; use teacher_outputs='cached'."
            )
        return None
    return networks
