import pytest
from sklearn.frozen import FrozenEstimator

from benchmarks.study import _trainings, _variants
from benchmarks.study.__main__ import variants_of
from benchmarks.study._variants import Variant, losses_for, student_of
from sklearn_heartkd.augmentation import AdditiveNoise
from sklearn_heartkd.classifiers._defaults import default_augmentation
from sklearn_heartkd.comparison import Recipe
from sklearn_heartkd.distillation import DistilledClassifier
from sklearn_heartkd.distillation.losses._registry import LOSSES, resolve_losses

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=1, n_estimators=10)


def test_default_settings_are_the_comparisons_own_student():
    assert student_of("conv2d", losses=_variants.DEFAULT_LOSS) == Variant("student_of_conv2d")
    other = student_of("ensemble", losses="kd")
    assert other.name == "student_of_ensemble-kd"
    assert other.sources == ("conv1d", "conv2d", "lstm", "rnn")


def test_every_loss_is_studied():
    alone = {loss for loss in _variants.LOSSES if "+" not in loss}
    assert alone == set(LOSSES) - {"ce"}
    assert "at" in losses_for("lstm")
    assert "at" not in losses_for("ensemble")
    assert _variants.DEFAULT_LOSS in _variants.LOSSES


def test_sizes_are_what_their_names_say():
    for label, size in _variants.SIZES.items():
        network = _variants.StudentClassifier(**size)
        module = network._build(n_channels=48, n_classes=5, norm="batch", dropout=0.3)
        count = sum(parameter.numel() for parameter in module.parameters())
        assert count == pytest.approx(1000 * int(label.removesuffix("k")), rel=0.2)


def test_every_variant_has_a_name_of_its_own_and_can_be_made():
    stages = ("select", "finals", "starts", "losses", "teachers", "teaching", "sizes")
    found = {v.name: v for s in stages for v in variants_of(s, "conv2d", ["kd", "crd", "at"])}
    for stage in stages:
        for variant in variants_of(stage, "conv2d", ["kd", "crd", "at"]):
            assert (variant.make is None) == (found[variant.name].make is None)
    fitted = {}
    for name in ("conv1d", "conv2d", "lstm", "rnn"):
        fitted[name] = RECIPE.make(name, 0, {})
        fitted[name].estimator_ = fitted[name].estimator
    fitted |= {name: fitted["conv2d"] for name in ("student", "student_of_conv2d", "forest")}
    for variant in found.values():
        if variant.make is not None and not {"synthetic", "labelled"} & set(
            variant.name.replace("_", "-").split("-")
        ):
            model = variant.make(RECIPE, 3, {name: fitted[name] for name in variant.sources})
            assert hasattr(model, "fit"), variant.name


def test_students_differ_from_the_comparisons_in_the_named_setting_only():
    teacher = RECIPE.make("conv2d", 0, {})
    teacher.estimator_ = teacher.estimator
    expected = RECIPE.make("student_of_conv2d", 3, {"conv2d": teacher}).estimator[-1]
    variant = student_of("conv2d", losses="kd")
    model = variant.make(RECIPE, 3, {"conv2d": teacher}).estimator[-1]
    assert isinstance(model, DistilledClassifier)
    assert isinstance(model.teacher[0][1], FrozenEstimator)
    assert model.losses == "kd"
    assert repr(model.set_params(losses=expected.losses)) == repr(expected)


def test_students_of_other_starts_differ_in_pretraining_only():
    teacher = RECIPE.make("conv2d", 0, {})
    teacher.estimator_ = teacher.estimator
    for variants in _trainings.starts_of("conv2d").values():
        made = {
            start: RECIPE.make("student", 3, {})
            if variant.make is None
            else variant.make(RECIPE, 3, {"conv2d": teacher})
            for start, variant in variants.items()
        }
        plain = made.pop("none")
        assert made
        for model in made.values():
            network = model.estimator[-1]
            network = getattr(network, "student", network)
            assert network.pretrain is not None
            network.pretrain = None
            assert repr(model) == repr(plain)


def resolved(distilled):
    terms = resolve_losses(distilled.losses, distilled.weights, distilled.temperature, 5)
    return [(name, loss.get_params(), weight) for name, loss, weight in terms]


def test_models_with_noise_differ_in_augmentation_only_and_so_do_their_teachers():
    kinds = _trainings.augmentations_of("conv2d")
    fitted = RECIPE.make("conv2d", 3, {})
    fitted.estimator_ = fitted.estimator
    assert set(kinds) == {"student", "conv2d", "student_of_conv2d"}
    for model, variants in kinds.items():
        assert variants["with noise"].sources == ()
        made = variants["with noise"].make(RECIPE, 3, {})
        network = made.estimator[-1]
        if model == "student_of_conv2d":
            teacher, network = network.teacher[0][1], network.student
            assert repr(teacher.augmentation) == repr(network.augmentation)
            plain = variants["default"].make(RECIPE, 3, {"conv2d": fitted}).estimator[-1]
            assert resolved(made.estimator[-1]) == resolved(plain)
            assert repr(teacher.set_params(augmentation="auto")) == repr(fitted.estimator[-1])
        noises = [item for item in network.augmentation if isinstance(item, AdditiveNoise)]
        assert [noise.noise for noise in noises] == ["white", "pink"]
        assert repr(network.augmentation[2:]) == repr(default_augmentation())
        expected = RECIPE.make("student" if model != "conv2d" else model, 3, {}).estimator[-1]
        assert repr(network.set_params(augmentation="auto")) == repr(expected)


def networks_of(estimator):
    """Return teacher and student of a distilled student, by name; else the network itself."""
    if not isinstance(estimator, DistilledClassifier):
        return {"": estimator}
    return {"conv2d": estimator.teacher[0][1], "student": estimator.student}


def test_models_with_a_labelled_start_differ_in_it_only_and_so_do_their_teachers(monkeypatch):
    monkeypatch.setattr(_trainings, "N_LABELLED", 20)
    kinds = _trainings.labelled_starts_of("conv2d")
    assert set(kinds) == {"conv1d", "conv2d", "lstm", "rnn", "student", "student_of_conv2d"}
    fitted = RECIPE.make("conv2d", 3, {})
    fitted.estimator_ = fitted.estimator
    plain, long = "20 synthetic recordings", "20, windows twice as long"
    amounts = ["5 synthetic recordings", "80 synthetic recordings"]
    more = {
        "student": [plain, long, "20, and noise in training", *amounts],
        "student_of_conv2d": [plain, "20, and noise in training"],
    }
    for model, variants in kinds.items():
        assert list(variants) == ["none", *more.get(model, [plain, long])]
        for choice in list(variants)[1:]:
            made = variants[choice].make(RECIPE, 3, {})
            size = 2 if "twice" in choice else 1
            assert (made.window, made.hop) == (size * RECIPE.window, size * RECIPE.hop)
            made = made.estimator[-1]
            if model == "student_of_conv2d":
                usual = variants["none"].make(RECIPE, 3, {"conv2d": fitted}).estimator[-1]
                assert resolved(made) == resolved(usual)
            for name, network in networks_of(made).items():
                n_frames = (1.0 * size * 2000 - 128) // 64 + 1
                assert network.pretrain.X.shape[::2] == (
                    int(choice.split()[0].strip(",")),
                    n_frames,
                )
                assert set(network.pretrain.y) <= set(
                    ["artifact", "extrahls", "extrastole", "murmur", "normal"]
                )
                changed = {"pretrain": None}
                if "noise" in choice:
                    assert [type(item).__name__ for item in network.augmentation[:2]] == [
                        "AdditiveNoise",
                        "AdditiveNoise",
                    ]
                    changed["augmentation"] = "auto"
                expected = RECIPE.make(name or model, 3, {}).estimator[-1]
                assert repr(network.set_params(**changed)) == repr(expected)
