"""What the study fits: a name, the comparison's models it learns from, and how it is made."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.noise_robustness import ONLINE
from sklearn_heartkd.classifiers import (
    ContrastivePretraining,
    Conv2DClassifier,
    StudentClassifier,
)
from sklearn_heartkd.classifiers._defaults import default_augmentation
from sklearn_heartkd.comparison import N_SYNTHETIC as N_LABELLED
from sklearn_heartkd.comparison._models import TEACHERS, sources_of
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.features import LogMelSpectrogram

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
# how a student may start; the first is the default
STARTS = {
    "none": None,
    "20epochs": ContrastivePretraining(max_epochs=20),
    "auto": "contrastive",
}
N_SYNTHETIC = 500
# "auto" of the networks stands for the first of each
NETWORK_CHOICES = {"class_weight": (0.3, None, 0.5, "balanced"), "batch_size": (16, 32)}


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


def tuned(teacher, temperature=TEMPERATURES[0], weights=WEIGHTS[0], start="none"):
    """Return the student of a teacher with `TUNED_LOSS` at a temperature, with weights, by its start."""
    settings = {
        "losses": TUNED_LOSS,
        "temperature": temperature,
        "weights": dict(zip(("ce", *TUNED_LOSS.split("+")), weights, strict=True)),
    }
    label = f"temperature{temperature}-weights" + "+".join(map(str, weights))
    if start == "none":
        return _explicit(teacher, label, settings)
    student = {"pretrain": STARTS[start]}
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


def starts_of(teacher):
    """Return students from scratch and distilled by how they start: a dict of variants by model."""
    scratch = {
        start: Variant(
            f"student-pretrained_{start}",
            (),
            partial(_scratch, settings={"pretrain": pretrain}),
            refined=False,
        )
        for start, pretrain in STARTS.items()
    }
    distilled = {start: tuned(teacher, *WON, start) for start in STARTS}
    return {
        SCRATCH: scratch | {"none": Variant(SCRATCH)},
        f"student_of_{teacher}": distilled,
    }


def augmentations_of(teacher):
    """Return models by their augmentation: a dict of variants by model.

    A student that is distilled with noise has a teacher that was trained with noise.
    """
    usual = {SCRATCH: Variant(SCRATCH), f"student_of_{teacher}": tuned(teacher, *WON)}
    if teacher in TEACHERS:
        usual[teacher] = Variant(teacher)
    return {
        model: {
            "default": variant,
            "with noise": Variant(
                f"{model}-noise", (), partial(_with_noise, model=model), refined=False
            ),
        }
        for model, variant in usual.items()
    }


def labelled_starts_of(teacher):
    """Return models by whether they start from labelled synthetic recordings: variants by model.

    A student that starts so has a teacher that starts so.
    """
    usual = {name: Variant(name) for name in (*TEACHERS, SCRATCH)}
    usual[f"student_of_{teacher}"] = tuned(teacher, *WON)
    return {
        model: {
            "none": variant,
            f"{N_LABELLED} synthetic recordings": Variant(
                f"{model}-labelled", (), partial(_from_labelled, model=model), refined=False
            ),
        }
        for model, variant in usual.items()
    }


def networks():
    """Return students from scratch by how a network is trained: a dict of variants by kind."""
    return {
        name.replace("_", " "): {
            _choice(value): Variant(SCRATCH)
            if value == values[0]
            else Variant(
                f"student-{name}-{value}",
                (),
                partial(_scratch, settings={name: value}),
                refined=False,
            )
            for value in values
        }
        for name, values in NETWORK_CHOICES.items()
    }


def _choice(value):
    return "none" if value is None else str(value)  # pandas reads "None" as a missing number


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


def pretrained():
    """Return networks that were pretrained, by the same network that was not."""
    student = partial(_pretrained, network=StudentClassifier)
    conv2d = partial(_pretrained, network=Conv2DClassifier)
    return {
        SCRATCH: [
            Variant("student-pretrained", (), student),
            Variant("student-pretrained_synthetic", (), partial(student, synthetic=True)),
        ],
        "conv2d": [
            Variant("conv2d-pretrained", (), conv2d),
            Variant("conv2d-pretrained_synthetic", (), partial(conv2d, synthetic=True)),
        ],
        "student_of_conv2d": [
            student_of("conv2d", "pretrained", student={"pretrain": "contrastive"})
        ],
    }


def teaching_of(teacher):
    """Return the ways to ask a teacher, and networks with and without pretraining."""
    variants = list(ways_of_teaching(teacher).values())
    for plain, others in pretrained().items():
        variants += [Variant(plain), *others]
    return variants


def sizes_of(teacher):
    """Return students of several sizes, from scratch and distilled."""
    variants = []
    for label, size in SIZES.items():
        scratch = Variant(f"student-{label}", (), partial(_scratch, settings=size))
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


def _with_noise(recipe, seed, sources, *, model):
    augmentation = [*ONLINE, *default_augmentation()]
    return _made(recipe, seed, model, recipe.limits(seed) | {"augmentation": augmentation})


def _from_labelled(recipe, seed, sources, *, model):
    return _made(recipe, seed, model, replace(recipe, n_synthetic=N_LABELLED).limits(seed))


def _made(recipe, seed, model, limits):
    if model in TEACHERS:
        return recipe.windowed(TEACHERS[model](**limits))
    student = StudentClassifier(**limits)
    if model == SCRATCH:
        return recipe.windowed(student)
    teachers = [(name, TEACHERS[name](**limits)) for name in sources_of(model)]
    return recipe.windowed(DistilledClassifier(teachers, student, random_state=seed))


def _pretrained(recipe, seed, sources, *, network, synthetic=False):
    pretrain = "contrastive"
    if synthetic:
        sounds = make_heart_sounds(
            N_SYNTHETIC,
            duration=recipe.window,
            sampling_rate=recipe.sampling_rate,
            random_state=seed,
        )
        features = LogMelSpectrogram(sampling_rate=recipe.sampling_rate)
        pretrain = ContrastivePretraining(features.fit_transform(sounds.data))
    return recipe.windowed(network(pretrain=pretrain, **recipe.limits(seed)))


def _scratch(recipe, seed, sources, *, settings):
    return recipe.windowed(StudentClassifier(**recipe.limits(seed), **settings))


def _refined(recipe, seed, sources, *, settings):
    (fitted,) = sources.values()
    return recipe.refine(fitted, seed, **settings)
