"""How models start and are trained otherwise: pretraining, augmentation, the networks' settings."""

from dataclasses import replace
from functools import partial

from benchmarks.noise_robustness import ONLINE
from benchmarks.study._variants import (
    SCRATCH,
    WON,
    Variant,
    scratch_with,
    student_of,
    tuned,
    ways_of_teaching,
)
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

# how a student may start; the first is the default
STARTS = {
    "none": None,
    "20epochs": ContrastivePretraining(max_epochs=20),
    "auto": "contrastive",
}
N_SYNTHETIC = 500
# by label in names: the choice, with its number of recordings, and how it differs
LABELLED_START: dict[str, tuple[str, dict]] = {"labelled": ("{n:,} synthetic recordings", {})}
LONGER: dict[str, tuple[str, dict]] = {
    "labelled_long": ("{n:,}, windows twice as long", {"context": 2}),
}
NOISY: dict[str, tuple[str, dict]] = {
    "labelled_noise": ("{n:,}, and noise in training", {"noise": True}),
}
OTHER_AMOUNTS: dict[str, tuple[str, dict]] = {
    "labelled_quarter": ("{n:,} synthetic recordings", {"amount": 0.25}),
    "labelled_fourfold": ("{n:,} synthetic recordings", {"amount": 4}),
}
# "auto" of the networks stands for the first of each
NETWORK_CHOICES = {"class_weight": (0.3, None, 0.5, "balanced"), "batch_size": (16, 32)}


def starts_of(teacher):
    """Return students from scratch and distilled by how they start: a dict of variants by model."""
    scratch = {
        start: Variant(
            f"student-pretrained_{start}",
            (),
            partial(scratch_with, settings={"pretrain": pretrain}),
            refined=False,
        )
        for start, pretrain in STARTS.items()
    }
    distilled = {start: tuned(teacher, *WON, start, pretrain) for start, pretrain in STARTS.items()}
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
    """Return models by how they start from labelled synthetic recordings: variants by model.

    A distilled student that starts so has a teacher that starts so. Longer windows are tried with every
    single network, noise in training with the students, other numbers of recordings with the student
    without a teacher.
    """
    usual = {name: Variant(name) for name in (*TEACHERS, SCRATCH)}
    usual[f"student_of_{teacher}"] = tuned(teacher, *WON)
    found = {}
    for model, variant in usual.items():
        tried = LABELLED_START.copy()
        if model in (*TEACHERS, SCRATCH):
            tried |= LONGER
        if model not in TEACHERS:
            tried |= NOISY
        if model == SCRATCH:
            tried |= OTHER_AMOUNTS
        found[model] = {"none": variant} | {
            choice.format(n=round(settings.get("amount", 1) * N_LABELLED)): Variant(
                f"{model}-{label}",
                (),
                partial(_from_labelled, model=model, **settings),
                refined=False,
            )
            for label, (choice, settings) in tried.items()
        }
    return found


def networks():
    """Return students from scratch by how a network is trained: a dict of variants by kind."""
    return {
        name.replace("_", " "): {
            _choice(value): Variant(SCRATCH)
            if value == values[0]
            else Variant(
                f"student-{name}-{value}",
                (),
                partial(scratch_with, settings={name: value}),
                refined=False,
            )
            for value in values
        }
        for name, values in NETWORK_CHOICES.items()
    }


def _choice(value):
    return "none" if value is None else str(value)  # pandas reads "None" as a missing number


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


def _with_noise(recipe, seed, sources, *, model):
    return _made(recipe, seed, model, recipe.limits(seed) | _noise())


def _noise():
    return {"augmentation": [*ONLINE, *default_augmentation()]}


def _from_labelled(recipe, seed, sources, *, model, amount=1, context=1, noise=False):
    recipe = replace(
        recipe,
        n_synthetic=round(amount * N_LABELLED),
        window=context * recipe.window,
        hop=context * recipe.hop,
    )
    limits = recipe.limits(seed) | (_noise() if noise else {})
    return _made(recipe, seed, model, limits)


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
