"""What DistilledClassifier refuses or warns of before anything is fitted."""

import warnings
from numbers import Real

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.distillation.losses._registry import CATALOGUE, SOFTENED
from sklearn_heartkd.utils._random import unset_seeds
from sklearn_heartkd.utils._warnings import outside


def check_student(student):
    """Raise before a teacher is fitted if the student could not be."""
    network = student.steps[-1][1] if isinstance(student, Pipeline) else student
    if not isinstance(network, NetworkClassifier):
        raise TypeError(
            f"The student must be one of the networks of sklearn_heartkd or a Pipeline that ends "
            f"in one, got {type(network).__name__}."
        )
    network._validate_params()
    if network is not student and any(hasattr(step, "fit_resample") for _, step in student.steps):
        raise TypeError(
            "The student's pipeline holds a sampler, but teacher and student learn from the same "
            "recordings; put the sampler before the DistilledClassifier."
        )


def check_columns(X, student):
    """Raise if a data frame has columns that only a pipeline of the student could take."""
    if isinstance(student, Pipeline) or not hasattr(X, "columns"):
        return
    texts = [name for name in X.columns if not _holds_numbers(X[name])]
    if texts:
        raise ValueError(
            f"The columns {texts} of X hold no numbers, which the student cannot take, whatever the "
            "teacher does with them; give a student that encodes them, as make_pipeline(encoder, "
            "StudentClassifier())."
        )


def _holds_numbers(column):
    try:
        np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def check_teacher_outputs(teacher_outputs, cv):
    """Raise if the teacher is to answer both out of fold and about augmented batches."""
    if cv is not None and teacher_outputs == "augmented":
        raise ValueError(
            "teacher_outputs='augmented' asks the teacher that is fitted on all recordings, but "
            f"cv={cv!r} wants answers out of fold; use teacher_outputs='cached', or cv=None."
        )


def check_shares(shares, n_teachers):
    """Raise unless there is one share for each teacher and at least one is above 0."""
    if isinstance(shares, dict) or any(not isinstance(share, Real) for share in shares):
        raise ValueError(
            f"teacher_weights takes a list of numbers in the order of the teachers, got {shares!r}."
        )
    if len(shares) != n_teachers:
        raise ValueError(
            f"teacher_weights has {len(shares)} values for {n_teachers} teachers; give one each."
        )
    if not (np.isfinite(shares).all() and min(shares) >= 0 and sum(shares) > 0):
        raise ValueError(
            f"teacher_weights must be finite and at least 0, and one above 0, got {list(shares)}."
        )


def check_teacher_weights(teacher_weights, terms):
    """Raise if the teachers' probabilities have shares, but no loss looks at them."""
    if teacher_weights is None:
        return
    used = [(name, loss) for name, loss, weight in terms if weight > 0]
    # a loss from outside the catalogue may look at them
    if all(type(loss) in CATALOGUE.values() and not isinstance(loss, SOFTENED) for _, loss in used):
        raise ValueError(
            f"teacher_weights={teacher_weights!r} are shares of the teachers' probabilities, but the "
            f"losses {[name for name, _ in used]} do not look at these; add 'kd' to the losses, or leave "
            "teacher_weights None."
        )


def warn_of_small_weights(sample_weight, terms):
    """Warn if sample weights leave little of losses that count them as repetitions."""
    counting = [name for name, loss, weight in terms if weight > 0 and loss.counts_weights]
    if sample_weight is None or not counting or sample_weight.mean() >= 0.1:
        return
    warnings.warn(
        f"The sample weights are {sample_weight.mean():.2g} on average, but the losses {counting} count "
        "weights as repetitions and find little to contrast; scale the weights to 1 on average.",
        UserWarning,
        stacklevel=outside(),
    )


def require_moments(module, rows):
    """Raise if the student's feature map of a whole recording is a single moment."""
    with torch.no_grad():
        n_steps = module.eval()(rows.x[:1]).sequence.shape[2]
    module.train()
    if n_steps == 1:
        raise ValueError(
            "AttentionTransfer compares moments, but the student's feature map has 1 step; give sequences "
            "of more frames, a student of less depth, or another loss."
        )


def warn_of_moved_moments(augmentations, teacher_outputs):
    """Warn if moments are compared, but of other stretches of the recording."""
    moving = [type(item).__name__ for item in augmentations if getattr(item, "moves_time", False)]
    if moving:
        advice = (
            "take teacher_outputs='auto'"
            if teacher_outputs == "cached"
            else "give teacher and student the same features, so that the teacher can be asked about the "
            "same stretches"
        )
        warnings.warn(
            "AttentionTransfer compares moments, but the teacher answered about whole recordings, and the "
            f"student's {moving} show it other stretches of them. Leave these out of the student's "
            f"augmentation, or {advice}.",
            UserWarning,
            stacklevel=outside(),
        )


def warn_of_useless_memory(memory, random_state, teachers):
    """Warn if teachers would be kept in `memory` but never found again."""
    if getattr(memory, "location", None) is None or random_state is not None:
        return
    drawn = [type(teacher).__name__ for teacher in teachers if unset_seeds(teacher)]
    if drawn:
        warnings.warn(
            f"memory keeps a teacher under its random_state, but {drawn} draws a new one in every fit, so "
            "that none is found again and the folder grows; set random_state to an int.",
            UserWarning,
            stacklevel=outside(),
        )
