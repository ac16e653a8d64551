"""What DistilledClassifier refuses or warns of before anything is fitted."""

import warnings
from numbers import Real

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.distillation._parameters import check_names
from sklearn_heartkd.distillation.losses._registry import LOSSES, SOFTENED, Logits
from sklearn_heartkd.utils._probabilities import require_probabilities
from sklearn_heartkd.utils._random import unset_seeds
from sklearn_heartkd.utils._warnings import outside


def check_student(student, devices):
    """Raise before a teacher is fitted if the student could not be."""
    network = student.steps[-1][1] if isinstance(student, Pipeline) else student
    if not isinstance(network, NetworkClassifier):
        raise TypeError(
            f"The student must be one of the networks of sklearn_heartkd or a Pipeline that ends "
            f"in one, got {type(network).__name__}."
        )
    network._validate_params()
    network._require_devices(devices)
    if network is not student and any(hasattr(step, "fit_resample") for _, step in student.steps):
        raise TypeError(
            "The student's pipeline holds a sampler, but teacher and student learn from the same "
            "recordings; put the sampler before the DistilledClassifier."
        )


def check_teachers(owner, teachers, terms):
    """Return the shares of the teachers in their mean.

    Raises
    ------
    TypeError
        If a teacher cannot give probabilities.
    ValueError
        If the names of the teachers cannot be used, their weights are not one for each or do not matter,
        or augmented outputs of the teacher are asked for out of fold or with a prior.
    """
    check_names(teachers)
    for name, teacher in teachers:
        require_probabilities(teacher, f"The teacher {name!r},")
    if owner.cv is not None and owner.teacher_outputs == "augmented":
        raise ValueError(
            "teacher_outputs='augmented' asks the teacher that is fitted on all recordings, but "
            f"cv={owner.cv!r} wants its outputs out of fold; use teacher_outputs='cached', or cv=None."
        )
    if owner.unlabeled_prior is not None and owner.teacher_outputs == "augmented":
        raise ValueError(
            "unlabeled_prior weights the classes by all answers about X_unlabeled, which "
            "teacher_outputs='augmented' does not know; use teacher_outputs='cached', or no prior."
        )
    shares = owner.teacher_weights
    if shares is None:
        return [1.0] * len(teachers)
    numbers = [share for share in shares if isinstance(share, Real) and 0 <= float(share) < np.inf]
    if (
        isinstance(shares, dict)
        or not len(numbers) == len(shares) == len(teachers)
        or not any(shares)
    ):
        raise ValueError(
            f"teacher_weights must be a list of numbers of at least 0, one for each of the {len(teachers)} "
            f"teachers, and one above 0, got {shares!r}."
        )
    used = [(name, loss) for name, loss, weight in terms if weight > 0]
    # a user's loss may use the probabilities
    others = set(LOSSES.values()) - {*SOFTENED, Logits}
    if all(type(loss) in others for _, loss in used):
        raise ValueError(
            f"teacher_weights={shares!r} are shares of the teachers' probabilities, which the losses "
            f"{[name for name, _ in used]} do not use; add 'kd' to the losses, or leave teacher_weights "
            "None."
        )
    return list(shares)


def warn_of_small_weights(sample_weight, terms):
    """Warn if sample weights leave little of losses that count them as repetitions."""
    counting = [name for name, loss, weight in terms if weight > 0 and loss.counts_weights]
    if sample_weight is None or not counting or sample_weight.mean() >= 0.1:
        return
    warnings.warn(
        f"The sample weights are {sample_weight.mean():.2g} on average, but the losses {counting} count "
        "weights as repetitions and find few of them; scale the weights to 1 on average.",
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


def warn_of_useless_memory(random_state, teachers):
    """Warn if teachers would be kept in a memory but never found again."""
    drawn = [type(teacher).__name__ for teacher in teachers if unset_seeds(teacher)]
    if drawn and random_state is None:
        warnings.warn(
            f"memory keeps a teacher under its random_state, but {drawn} draws a new one in every fit, so "
            "no teacher is found again and the folder grows; set random_state to an int.",
            UserWarning,
            stacklevel=outside(),
        )
