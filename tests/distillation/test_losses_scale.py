"""What the scale of weights, embeddings and maps must not change, and what losses remember and refuse."""

from dataclasses import replace

import pytest
import torch

from sklearn_heartkd.augmentation import Mixup
from sklearn_heartkd.distillation import (
    CRD,
    SSD,
    AttentionTransfer,
    Hint,
)
from sklearn_heartkd.distillation.losses._registry import LOSSES

ALL = {name: make() for name, make in LOSSES.items()}


@pytest.mark.parametrize("scale", [1e-20, 1e13])
@pytest.mark.parametrize(
    "loss", [loss for loss in ALL.values() if not loss.counts_weights], ids=str
)
def test_the_scale_of_the_sample_weights_does_not_matter(loss, scale, make_scene):
    weights = torch.tensor([1.0, 2, 0.5, 1, 3, 1, 1, 2, 1, 1, 0.2, 1])
    expected = make_scene(dtype=torch.float32).weighted(weights).loss(loss)
    found = make_scene(dtype=torch.float32).weighted(scale * weights).loss(loss)
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_hints_of_any_scale(scale, make_scene):
    scene = make_scene(dtype=torch.float32)
    expected = scene.loss(Hint())
    scene.teacher = replace(scene.teacher, embedding=scale * scene.teacher.embedding)
    assert scene.loss(Hint()) == pytest.approx(expected, rel=1e-3)


def test_a_constant_dimension_is_no_hint(make_scene):
    scene = make_scene(dtype=torch.float32)
    embedding = scene.batch.x[:, :, 0].clone()
    embedding[:, 0] = 0.3
    scene.teacher = replace(scene.teacher, embedding=embedding)
    term = scene.term(Hint())
    assert term.scale[0] == 1
    assert (term.scale[1:] != 1).all()


@pytest.mark.parametrize("scale", [1e-9, 1e12])
@pytest.mark.parametrize("role", ["teacher", "student"])
def test_attention_to_maps_of_any_scale(role, scale, make_scene):
    scene = make_scene(dtype=torch.float32)
    expected = scene.loss(AttentionTransfer())
    if role == "teacher":
        scene.teacher = replace(scene.teacher, sequence=scale * scene.teacher.sequence)
    else:
        scene.student = scene.student._replace(sequence=scale * scene.student.sequence)
    assert scene.loss(AttentionTransfer()) == pytest.approx(expected, rel=1e-4)


def test_of_rows_that_share_their_larger_part_crd_remembers_the_last(make_scene, monkeypatch):
    scene = make_scene(6)
    term = scene.term(CRD())
    before = term.memory.clone()
    batch = replace(scene.batch, index=torch.tensor([2, 0, 2, 4, 0, 2]))
    written = []
    original = torch.Tensor.index_put

    def spy(memory, places, values):
        written.append(places[0].tolist())
        return original(memory, places, values)

    monkeypatch.setattr(torch.Tensor, "index_put", spy)
    term(scene.student, scene.teacher, batch)
    assert sorted(written[0]) == [0, 2, 4]
    expected = before.clone()
    for row, place in enumerate(batch.index):
        expected[place] = scene.teacher.embedding[row]
    torch.testing.assert_close(term.memory, expected, rtol=0, atol=0)
    assert not torch.equal(before, expected)


@pytest.mark.parametrize(
    ("augmentation", "error", "message"),
    [
        (["noise"], TypeError, "Augmentation objects.*got 'noise'"),
        ([Mixup], TypeError, "Augmentation objects.*Mixup"),
        (
            [Mixup()],
            ValueError,
            r"augmentation of SSD contains Mixup\(\), but a mixture is not a view",
        ),
    ],
)
def test_the_views_of_ssd_are_augmentations_of_one_row(augmentation, error, message, make_scene):
    with pytest.raises(error, match=message):
        make_scene().term(SSD(augmentation=augmentation))


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1e3])
@pytest.mark.parametrize("loss", [*map(ALL.get, ("rkd", "sp", "pkt", "hint")), SSD()], ids=str)
def test_the_scale_of_the_embeddings_of_the_teacher_does_not_matter(loss, scale, make_scene):
    scene = make_scene(dtype=torch.float32)
    expected = scene.loss(loss)
    scene.teacher = replace(scene.teacher, embedding=scale * scene.teacher.embedding)
    assert scene.loss(loss) == pytest.approx(expected, rel=1e-3)
