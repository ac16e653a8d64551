"""The models of the study: a name, the models they learn from, and how each is made."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.noise_robustness import NOISY_AUGMENTATION
from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
)
from sklearn_heartkd.classifiers import ContrastivePretraining
from sklearn_heartkd.comparison import N_SYNTHETIC
from sklearn_heartkd.datasets import make_heart_sounds

NETWORKS = {
    "conv1d": Conv1DClassifier,
    "conv2d": Conv2DClassifier,
    "lstm": LSTMClassifier,
    "rnn": RNNClassifier,
}
TEACHER = "conv2d"  # where only one teaches
TEACHERS = (*NETWORKS, "ensemble", "forest")
LOSSES = (
    "kd", "infonce", "crd", "supcon", "rkd", "sp", "pkt", "hint", "at", "dkd", "dist", "ssd",
    "kd+infonce", "kd+crd",
)  # fmt: skip
TUNED = "kd+infonce"
# weights of "ce", "kd" and "infonce"; losses are compared at temperature 1 with the first ones
WEIGHTS = ((0.3, 0.7, 0.5), (0.1, 0.9, 0.5), (0.5, 0.5, 0.5), (0.3, 0.7, 0.2), (0.3, 0.7, 1.0))
# the temperature and the weights of the default loss
WON = (2, (0.3, 0.7, 0.2))
SIZES = {"1k": {"width": 5, "depth": 2}, "5k": {"width": 6}, "10k": {}, "50k": {"width": 21}}
CONTRASTIVE = {"20epochs": ContrastivePretraining(max_epochs=20), "auto": "contrastive"}


class Model(NamedTuple):
    """A model of the study; `make(recipe, seed, sources)` returns it unfitted."""

    name: str
    make: Callable
    sources: tuple[str, ...] = ()  # models that are fitted before it on the same split
    refined: bool = True  # whether it is also fitted with k-means refinement


def sources_of(name):
    """Return the networks that an average or a student of `heartkd compare` is made from."""
    teacher = name.removeprefix("student_of_")
    if teacher == "ensemble":
        return tuple(NETWORKS)
    return (teacher,) if teacher != name else ()


def own(name):
    """Return a model of `heartkd compare`."""
    return Model(name, partial(_own, name=name), sources_of(name))


def _own(recipe, seed, sources, *, name):
    return recipe.make(name, seed, sources)


def scratch(label, refined=True, **settings):
    """Return a student from scratch with some parameters."""
    return Model(f"student-{label}", partial(_scratch, settings=settings), refined=refined)


def _scratch(recipe, seed, sources, *, settings):
    return recipe.windowed(StudentClassifier(**recipe.limits(seed), **settings))


def distilled(teacher, label="", student=None, **settings):
    """Return the student of a fitted teacher, with parameters of student and distillation."""
    name = f"student_of_{teacher}"
    full = f"{name}-{label}" if label else name
    if teacher == "forest":
        return Model(full, partial(_of_forest, settings=settings), ("forest",))
    make = partial(_distilled, student=student or {}, settings=settings)
    return Model(full, make, sources_of(name))


def _distilled(recipe, seed, sources, *, student, settings):
    network = StudentClassifier(**recipe.limits(seed), **student)
    return recipe.distil(sources, seed, student=network, **settings)


def _of_forest(recipe, seed, sources, *, settings):
    # the forest has its own features, so both get the waveform of a window
    windowed = recipe.windowed(StudentClassifier(**recipe.limits(seed)))
    teacher = FrozenEstimator(sources["forest"])
    model = DistilledClassifier(teacher, windowed.estimator, random_state=seed, **settings)
    return windowed.set_params(estimator=model)


def with_loss(teacher, loss):
    """Return a student as `heartkd compare` makes it, with another loss."""
    return distilled(teacher) if loss == TUNED else distilled(teacher, loss, losses=loss)


def losses_for(teacher):
    """Return the losses that a teacher can serve: attention transfer needs a single network."""
    return [loss for loss in LOSSES if teacher in NETWORKS or loss != "at"]


def tuned(teacher, temperature=1, weights=WEIGHTS[0], start=None):
    """Return a student with the tuned loss, some settings and a contrastive start."""
    label = f"temperature{temperature}-weights" + "+".join(map(str, weights))
    label += f"-pretrained_{start}" if start else ""
    weights = dict(zip(("ce", "kd", "infonce"), weights, strict=True))
    student = {"pretrain": CONTRASTIVE[start]} if start else {}
    return distilled(
        teacher, label, student, losses=TUNED, temperature=temperature, weights=weights
    )


def tried(teacher, loss):
    """Return a student with a loss in the settings in which the losses are compared."""
    if loss == TUNED:
        return tuned(teacher)
    label, settings, names = loss, {"losses": loss}, loss.split("+")
    if "kd" in names:
        settings["temperature"], label = 1, f"{label}-temperature1"
    if "infonce" in names:
        settings["weights"], label = {"infonce": 0.5}, f"{label}-infonce0.5"
    return distilled(teacher, label, **settings)


def refined_by_kmeans(name, n_clusters, weight):
    """Return the k-means refinement of a fitted model."""
    make = partial(_refined, settings={"n_clusters": n_clusters, "weight": weight})
    return Model(f"{name}-clusters{n_clusters}-weight{weight}", make, (name,), refined=False)


def _refined(recipe, seed, sources, *, settings):
    (fitted,) = sources.values()
    return recipe.refine(fitted, seed, **settings)


def out_of_fold():
    """Return a student whose teacher gives out-of-fold probabilities."""
    return Model(f"student_of_{TEACHER}-out_of_fold", _out_of_fold)


def _out_of_fold(recipe, seed, sources):
    limits = recipe.limits(seed)
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    teachers = [(TEACHER, NETWORKS[TEACHER](**limits))]
    student = StudentClassifier(**limits)
    return recipe.windowed(DistilledClassifier(teachers, student, cv=splitter, random_state=seed))


def trained(name, label, amount=0, context=1, noise=False):
    """Return a network or distilled student that is trained differently; so is its teacher.

    `amount` is the number of labeled synthetic recordings for the start and `context` the length of the
    windows, both relative to the default.
    """
    make = partial(_trained, name=name, amount=amount, context=context, noise=noise)
    return Model(f"{name}-{label}", make, refined=False)


def _trained(recipe, seed, sources, *, name, amount, context, noise):
    recipe = replace(
        recipe,
        n_synthetic=round(amount * N_SYNTHETIC),
        window=context * recipe.window,
        hop=context * recipe.hop,
    )
    limits = recipe.limits(seed) | ({"augmentation": NOISY_AUGMENTATION} if noise else {})
    if name in NETWORKS:
        return recipe.windowed(NETWORKS[name](**limits))
    student = StudentClassifier(**limits)
    if name == "student":
        return recipe.windowed(student)
    teachers = [(source, NETWORKS[source](**limits)) for source in sources_of(name)]
    return recipe.windowed(DistilledClassifier(teachers, student, random_state=seed))


def contrastive(name, synthetic=False):
    """Return a network that starts from contrastive learning, with synthetic recordings or without."""
    label = "pretrained_synthetic" if synthetic else "pretrained"
    return Model(f"{name}-{label}", partial(_contrastive, name=name, synthetic=synthetic))


def _contrastive(recipe, seed, sources, *, name, synthetic):
    pretrain = "contrastive"
    if synthetic:
        rate = recipe.sampling_rate
        sounds = make_heart_sounds(
            500, duration=recipe.window, sampling_rate=rate, random_state=seed
        )
        features = LogMelSpectrogram(sampling_rate=rate).fit_transform(sounds.data)
        pretrain = ContrastivePretraining(features)
    kind = NETWORKS.get(name, StudentClassifier)
    return recipe.windowed(kind(pretrain=pretrain, **recipe.limits(seed)))
