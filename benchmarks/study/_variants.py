"""What the study fits: a name, the comparison's models it learns from, and how it is made."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold

from sklearn_heartkd.classifiers import StudentClassifier
from sklearn_heartkd.comparison._models import TEACHERS, sources_of
from sklearn_heartkd.distillation import DistilledClassifier

DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(DistilledClassifier).parameters.items()
}
DEFAULT_LOSS = DEFAULTS["losses"]
TUNED_LOSS = "kd+infonce"
SCRATCH = "student"
ALL_TEACHERS = (*TEACHERS, "ensemble", "forest")
LOSSES = (
    "kd", "infonce", "crd", "supcon", "rkd", "sp", "pkt", "hint", "at", "dkd", "dist", "ssd",
    "kd+infonce", "kd+crd",
)  # fmt: skip
# what the inner splits try: the temperature of "kd", and the weights of the cross-entropy, "kd" and
# "infonce"; the first of each is that with which the losses are compared
TEMPERATURES = (1, 2, 4)
WEIGHTS = ((0.3, 0.7, 0.5), (0.1, 0.9, 0.5), (0.5, 0.5, 0.5), (0.3, 0.7, 0.2), (0.3, 0.7, 1.0))
# what led, and its combinations; the first of each are compared with every teacher
FINAL_LOSSES = ("hint", "kd+hint", "kd+infonce+hint", "pkt")
FINAL_SETTINGS = ((1, WEIGHTS[0]), (2, WEIGHTS[3]), (1, WEIGHTS[3]), (2, WEIGHTS[0]))
CLUSTERS = [(count, weight) for count in ("auto", 10, 20) for weight in (0.25, 0.5)]
SIZES = {
    "1k": {"width": 5, "depth": 2},
    "5k": {"width": 6},
    "10k": {},
    "50k": {"width": 21},
}
WON = FINAL_SETTINGS[1]  # of the student that is then pretrained, too


class Variant(NamedTuple):
    """A model of the study.

    Attributes
    ----------
    name : str
        In tables and file names.
    sources : tuple of str
        Models of the comparison whose fits on the same split it uses.
    make : callable or None
        `make(recipe, seed, sources)` returns the unfitted model. None: the comparison fits it.
    refined : bool
        Whether it is fitted with k-means refinement, too.
    """

    name: str
    sources: tuple[str, ...] = ()
    make: Callable | None = None
    refined: bool = True


def student_of(teacher, label=None, *, student=None, **settings):
    """Return the distilled student of a teacher.

    With default settings it is the comparison's own model.

    Parameters
    ----------
    teacher : str
        One of `ALL_TEACHERS`.
    label : str, default=None
        Says in the name how it differs; None is the values of the settings.
    student : dict, default=None
        Parameters of the student that are not its defaults.
    **settings
        Parameters of `DistilledClassifier`.
    """
    settings = {name: value for name, value in settings.items() if value != DEFAULTS[name]}
    if label is None:
        label = "-".join(str(value) for value in settings.values())
    if settings or student or teacher == "forest":
        return _explicit(teacher, label, settings, student)
    return Variant(f"student_of_{teacher}")


def losses_for(teacher):
    """Return the losses that a teacher can serve: attention transfer needs one network's maps."""
    return [loss for loss in LOSSES if teacher in TEACHERS or "at" not in loss.split("+")]


def losses_of(teacher):
    """Return the students of a teacher with every loss that it can serve."""
    return [student_of(teacher, losses=loss) for loss in losses_for(teacher)]


def tried(teacher, loss):
    """Return the student of a teacher with a loss, as the inner splits try it."""
    if loss == TUNED_LOSS:
        return tuned(teacher)
    label, settings = loss, {"losses": loss}
    if "kd" in loss.split("+"):
        settings["temperature"] = TEMPERATURES[0]
        label += f"-temperature{TEMPERATURES[0]}"
    if "infonce" in loss.split("+"):
        settings["weights"] = {"infonce": WEIGHTS[0][2]}
        label += f"-infonce{WEIGHTS[0][2]}"
    return _explicit(teacher, label, settings)


def tuned(teacher, temperature=TEMPERATURES[0], weights=WEIGHTS[0], start="none", pretrain=None):
    """Return the student of a teacher with `TUNED_LOSS` at a temperature, with weights, by its start.

    `start` is the name of a pretraining that is not none.
    """
    settings = {
        "losses": TUNED_LOSS,
        "temperature": temperature,
        "weights": dict(zip(("ce", *TUNED_LOSS.split("+")), weights, strict=True)),
    }
    label = f"temperature{temperature}-weights" + "+".join(map(str, weights))
    if start == "none":
        return _explicit(teacher, label, settings)
    student = {"pretrain": pretrain}
    return _explicit(teacher, f"{label}-pretrained_{start}", settings, student)


def finalists(teacher, first=None):
    """Return the students of a teacher that are compared before the default is set.

    Parameters
    ----------
    teacher : str
    first : int, default=None
        So many of `FINAL_LOSSES` and of `FINAL_SETTINGS`; None is all.
    """
    return {loss: tried(teacher, loss) for loss in FINAL_LOSSES[:first]} | {
        final_name(temperature, weights): tuned(teacher, temperature, weights)
        for temperature, weights in FINAL_SETTINGS[:first]
    }


def final_name(temperature, weights):
    """Return how `TUNED_LOSS` is called among the finalists."""
    return f"{TUNED_LOSS}, temperature {temperature}, weights {' + '.join(map(str, weights))}"


def refinements_of(model):
    """Return k-means refinements of a model of the comparison, by clusters and weight."""
    return {
        (count, weight): Variant(
            f"{model}-clusters{count}-weight{weight}",
            (model,),
            partial(_refined, settings={"n_clusters": count, "weight": weight}),
            refined=False,
        )
        for count, weight in CLUSTERS
    }


def ways_of_teaching(teacher):
    """Return the students of a teacher by the way in which it is asked."""
    # "auto" asks networks about the augmented recordings
    augmented = "auto" if DEFAULTS["teacher_outputs"] == "auto" else "augmented"
    name = f"student_of_{teacher}"
    out_of_fold = partial(_taught_out_of_fold, names=sources_of(name))
    return {
        "cached": student_of(teacher, "cached", teacher_outputs="cached"),
        "augmented": student_of(teacher, "augmented", teacher_outputs=augmented),
        "out of fold": Variant(f"{name}-out_of_fold", (), out_of_fold),
    }


def sizes_of(teacher):
    """Return students of several sizes, from scratch and distilled."""
    variants = []
    for label, size in SIZES.items():
        scratch = Variant(f"student-{label}", (), partial(scratch_with, settings=size))
        variants.append(scratch if size else Variant(SCRATCH))
        variants.append(student_of(teacher, label, student=size))
    return variants


def _explicit(teacher, label, settings, student=None):
    # whatever the defaults are
    name = f"student_of_{teacher}"
    labelled = f"{name}-{label}" if label else name
    if teacher == "forest":
        return Variant(labelled, ("forest",), partial(_taught_by_forest, settings=settings))
    make = partial(_distilled, student=student or {}, settings=settings)
    return Variant(labelled, sources_of(name), make)


def _distilled(recipe, seed, sources, *, student, settings):
    network = StudentClassifier(**recipe.limits(seed), **student)
    return recipe.distil(sources, seed, student=network, **settings)


def _taught_by_forest(recipe, seed, sources, *, settings):
    # teacher and student both get the waveform of a window, and each has its own features
    windowed = recipe.windowed(StudentClassifier(**recipe.limits(seed)))
    teacher = FrozenEstimator(sources["forest"])
    distilled = DistilledClassifier(teacher, windowed.estimator, random_state=seed, **settings)
    return windowed.set_params(estimator=distilled)


def _taught_out_of_fold(recipe, seed, sources, *, names):
    limits = recipe.limits(seed)
    distilled = DistilledClassifier(
        [(name, TEACHERS[name](**limits)) for name in names],
        StudentClassifier(**limits),
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=seed),
        random_state=seed,
    )
    return recipe.windowed(distilled)


def scratch_with(recipe, seed, sources, *, settings):
    """Return a student from scratch with some parameters."""
    return recipe.windowed(StudentClassifier(**recipe.limits(seed), **settings))


def _refined(recipe, seed, sources, *, settings):
    (fitted,) = sources.values()
    return recipe.refine(fitted, seed, **settings)
