"""What every loss promises: size, weights, finite values and gradients."""

from dataclasses import replace

import pytest
import torch

from sklearn_heartkd import distillation
from sklearn_heartkd.distillation import (
    CRD,
    DIST,
    DKD,
    PKT,
    RKD,
    SSD,
    AttentionTransfer,
    CrossEntropy,
    DistillationLoss,
    Hint,
    InfoNCE,
    Logits,
    SimilarityPreserving,
    SoftTargets,
    SupCon,
)
from sklearn_heartkd.distillation._objective import DistillationObjective
from sklearn_heartkd.distillation.losses._base import settle
from sklearn_heartkd.distillation.losses._registry import LOSSES
from sklearn_heartkd.networks import NetworkOutput

ALL = {
    "ce": CrossEntropy(),
    "kd": SoftTargets(),
    "logits": Logits(),
    "infonce": InfoNCE(),
    "crd": CRD(),
    "supcon": SupCon(),
    "rkd": RKD(),
    "sp": SimilarityPreserving(),
    "pkt": PKT(),
    "hint": Hint(),
    "at": AttentionTransfer(),
    "dkd": DKD(),
    "dist": DIST(),
    "ssd": SSD(),
}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL)


def test_catalogue_names_every_loss():
    assert {name: type(loss) for name, loss in ALL.items()} == LOSSES
    found = [getattr(distillation, name) for name in distillation.__all__]
    losses = {one for one in found if issubclass(one, DistillationLoss)} - {DistillationLoss}
    assert set(LOSSES.values()) == losses


@every_loss
def test_an_untrained_student_costs_about_one_in_batches_of_any_size(loss, make_scene):
    scene = make_scene(256, sizes=(64, 48), dtype=torch.float32)
    term = scene.term(loss)
    mean = {}
    for size in (8, 32, 128):
        parts = torch.arange(256).split(size)[:4]
        mean[size] = sum(term(*scene.rows(rows)).item() for rows in parts) / len(parts)
    assert all(0.5 < value < 4 for value in mean.values()), mean
    assert max(mean.values()) < 1.6 * min(mean.values()), mean


@every_loss
def test_a_weight_of_two_is_a_row_given_twice(loss, make_scene):
    if isinstance(loss, SSD):
        loss = SSD(augmentation=[])
    times = [1, 2, 3, 1, 1, 2]
    once = make_scene(6)
    twice = once.repeated(times)
    unweighted = once.loss(loss)
    weighted = once.weighted(times).loss(loss)
    assert weighted == pytest.approx(twice.loss(loss), rel=1e-6)
    assert weighted != pytest.approx(unweighted, rel=1e-4)


@every_loss
@pytest.mark.parametrize("case", ["one row", "one class", "zeros", "sure and wrong"])
def test_finite(loss, case, make_scene):
    scene = make_scene(6, dtype=torch.float32)
    if case == "zeros":
        scene.student = NetworkOutput(*[torch.zeros_like(values) for values in scene.student])
        scene.teacher = replace(
            scene.teacher,
            embedding=torch.zeros_like(scene.teacher.embedding),
            sequence=torch.zeros_like(scene.teacher.sequence),
        )
    elif case == "sure and wrong":
        wrong = torch.roll(scene.batch.target, 1)
        logits = 100 * torch.nn.functional.one_hot(wrong, 3).float()
        scene.student = scene.student._replace(logits=logits)
        scene.teacher = replace(
            scene.teacher,
            log_probabilities=(-logits).log_softmax(dim=1).clamp_min(-27.6),
        )
    rows = {"one row": [0], "one class": [0, 3]}.get(case, [0, 1, 2, 3, 4, 5])
    scene.student = NetworkOutput(*[values.requires_grad_() for values in scene.student])
    loss = scene.term(loss)(*scene.rows(torch.tensor(rows)))
    gradients = torch.autograd.grad(loss, scene.student, allow_unused=True)
    assert loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


@every_loss
def test_gradients(loss, make_scene):
    scene = make_scene(5)
    term = scene.term(loss)

    def value(*tensors):
        scene.student = NetworkOutput(*tensors)
        return term(scene.student, scene.teacher, scene.batch)

    inputs = [values.clone().requires_grad_() for values in scene.student]
    assert torch.autograd.gradcheck(value, inputs)
    gradients = torch.autograd.grad(value(*inputs), inputs, allow_unused=True)
    assert any(gradient is not None and gradient.abs().sum() > 1e-4 for gradient in gradients)


@every_loss
def test_under_mixup_a_share_of_one_is_the_row_itself(loss, make_scene):
    if isinstance(loss, SSD):
        loss = SSD(augmentation=[])
    scene = make_scene(6)
    plain = scene.loss(loss)
    partner = torch.tensor([1, 2, 3, 4, 5, 0])
    scene.batch = replace(scene.batch, partner=partner, share=torch.ones(6, dtype=torch.float64))
    assert scene.loss(loss) == pytest.approx(plain, rel=1e-12)


def mixed_loss(loss, scene, batch, teacher):
    """Return the loss of a batch as the objective computes it, for a teacher asked about it."""
    module = torch.nn.Identity()
    module.embedding_size = scene.student.embedding.shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        objective = DistillationObjective(
            [("it", loss, 1.0)], module, scene.batch, scene.teacher, None, [1.0], 0.05
        ).double()
    objective.ask_teacher = lambda asked: teacher
    return objective(scene.student, batch).item()


@every_loss
def test_under_mixup_a_share_of_zero_is_the_partner(loss, make_scene):
    if isinstance(loss, SSD):
        loss = SSD(views=0.0, similarity=0.0)
    scene = make_scene(6).weighted([1, 5, 1, 1, 5, 2])
    scene.batch = replace(scene.batch, subject=torch.tensor([0, 0, 1, 1, 2, 3]))
    partner = torch.tensor([1, 2, 3, 4, 5, 0])
    teacher = scene.teacher.take(partner)
    mixed = replace(scene.batch, partner=partner, share=torch.zeros(6, dtype=torch.float64))
    swapped = mixed_loss(loss, scene, scene.batch.take(partner), teacher)
    assert mixed_loss(loss, scene, mixed, teacher) == pytest.approx(swapped, rel=1e-12)
    assert mixed_loss(loss, scene, scene.batch, teacher) != pytest.approx(swapped, rel=1e-3)


def test_a_mixed_row_is_its_larger_part_with_the_weight_of_both(make_scene):
    batch = make_scene(4).weighted([1, 2, 3, 4]).batch
    share = torch.tensor([0.9, 0.5, 0.4, 0.0], dtype=torch.float64)
    settled = settle(replace(batch, partner=torch.tensor([3, 2, 1, 0]), share=share))
    assert settled.index.tolist() == [0, 1, 1, 0]
    assert settled.target.tolist() == [0, 1, 1, 0]
    assert settled.subject.tolist() == batch.subject[[0, 1, 1, 0]].tolist()
    torch.testing.assert_close(
        settled.weight, torch.tensor([1.3, 2.5, 2.4, 1.0], dtype=torch.float64)
    )
    assert settled.partner is None
    assert settled.share is None
    assert settle(batch) is batch


@pytest.mark.parametrize("name", ["kd", "rkd", "sp", "pkt", "at", "dkd", "dist"])
def test_a_student_equal_to_the_teacher_has_nothing_to_learn(name, make_scene):
    scene = make_scene(9)
    teacher = scene.teacher
    scene.student = NetworkOutput(teacher.log_probabilities, teacher.embedding, teacher.sequence)
    assert scene.loss(ALL[name]) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["infonce", "crd"])
def test_rows_of_the_same_class_or_subject_are_no_negatives(name, make_scene):
    scene = make_scene(6)
    before = scene.loss(ALL[name])
    together = torch.tensor([0, 0, 2, 3, 4, 5])
    scene.batch = replace(scene.batch, subject=together)
    assert scene.loss(ALL[name]) != pytest.approx(before, rel=1e-4)
    scene.batch = replace(scene.batch, subject=torch.zeros(6, dtype=torch.long))
    assert scene.loss(ALL[name]) == pytest.approx(0, abs=1e-12)


def test_crd_remembers_rows_outside_the_batch(make_scene):
    scene = make_scene(9)
    batch = scene.rows(torch.tensor([0, 1]))
    before = scene.term(CRD())(*batch).item()
    embedding = scene.teacher.embedding.clone()
    embedding[8] = 0
    scene.teacher = replace(scene.teacher, embedding=embedding)
    assert scene.term(CRD())(*batch).item() != pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (RKD(distance=0, angle=0), "raise one of them"),
        (SSD(labels=0, soft_targets=0, views=0, similarity=0, relations=0), "raise one of them"),
    ],
)
def test_a_loss_of_nothing_is_refused(loss, message, make_scene):
    with pytest.raises(ValueError, match=message):
        make_scene().term(loss)


@pytest.mark.parametrize(
    ("sequence", "message"),
    [(None, "single network of sklearn_heartkd"), (torch.ones(12, 3, 1), "has 1 step")],
)
def test_attention_transfer_says_what_it_needs(sequence, message, make_scene):
    scene = make_scene()
    scene.teacher = replace(scene.teacher, sequence=sequence)
    with pytest.raises(ValueError, match=message):
        scene.term(AttentionTransfer())


@pytest.mark.parametrize("n_steps", [9, 72])
def test_attention_is_measured_at_the_resolution_of_the_comparison(n_steps, make_scene):
    scene = make_scene(64)
    generator = torch.Generator().manual_seed(1)
    peaks = torch.randn(64, 3, n_steps, generator=generator, dtype=torch.float64).exp()
    scene.teacher = replace(scene.teacher, sequence=peaks)
    flat = torch.ones(64, 4, 9, dtype=torch.float64)
    scene.student = scene.student._replace(sequence=flat)
    assert scene.loss(AttentionTransfer()) == pytest.approx(1)


relational = pytest.mark.parametrize("loss", [RKD(), SimilarityPreserving(), PKT()], ids=str)


@relational
def test_a_teacher_to_whom_all_are_alike_teaches_nothing(loss, make_scene):
    scene = make_scene()
    scene.teacher = replace(scene.teacher, embedding=torch.full_like(scene.teacher.embedding, -1.1))
    term = scene.term(loss)
    scene.student.embedding.requires_grad_()
    value = term(scene.student, scene.teacher, scene.batch)
    assert value.item() == pytest.approx(0, abs=1e-9)
    value.backward()
    assert scene.student.embedding.grad.abs().max() < 1e-9


@pytest.mark.parametrize("loss", [SimilarityPreserving(), PKT()], ids=str)
@pytest.mark.parametrize("spread", [1e-3, 1e-2, 3e-2])
def test_a_teacher_with_little_to_say_does_not_drown_the_others(spread, loss, make_scene):
    scene = make_scene(60)
    own = scene.teacher.embedding
    scene.teacher = replace(scene.teacher, embedding=spread * (own - own.mean(dim=0)) - 1.1)
    assert 0 < scene.loss(loss) < 4
