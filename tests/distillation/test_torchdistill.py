"""Agreement with torchdistill; where a loss is in units of its own, of the ratio of two students.

Similarity preserving is compared in numpy alone: there, torchdistill 1.1.5 divides each row by the sum
of its magnitudes, where the paper divides by its length.
"""

import pytest
import torch
from torchdistill.losses.mid_level import ATLoss, DISTLoss, KDLoss, LogitStdKDLoss, PKTLoss, RKDLoss

from sklearn_heartkd.distillation import (
    DIST,
    PKT,
    RKD,
    AttentionTransfer,
    SoftTargets,
)

WHERE = ("it", "output", "it", "output")


def of_embeddings(name):
    published = {
        "rkd distance": RKDLoss("it", "it", 1.0, 2.0, "mean").compute_rkd_distance_loss,
        "rkd angle": RKDLoss("it", "it", 1.0, 2.0, "mean").compute_rkd_angle_loss,
        "pkt": lambda teacher, student: PKTLoss(*WHERE).cosine_similarity_loss(student, teacher),
    }[name]
    return lambda student, teacher: published(teacher.embedding, student.embedding.clone())


def of_logits(loss):
    def published(student, teacher):
        return loss(
            {"it": {"output": student.logits}}, {"it": {"output": teacher.log_probabilities}}
        )

    return published


def of_sequences(student, teacher):
    return ATLoss({}).compute_at_loss(student.sequence, teacher.sequence)


@pytest.mark.parametrize(
    ("loss", "published"),
    [
        (RKD(angle=0.0), of_embeddings("rkd distance")),
        (RKD(distance=0.0), of_embeddings("rkd angle")),
        (PKT(), of_embeddings("pkt")),
        (AttentionTransfer(), of_sequences),
    ],
    ids=["rkd distance", "rkd angle", "pkt", "at"],
)
def test_two_students_cost_in_the_published_ratio(loss, published, make_scene):
    scene, other = make_scene(7), make_scene(7, seed=1)
    longer = torch.nn.functional.interpolate(scene.teacher.sequence, 9)
    scene.teacher = type(scene.teacher)(
        scene.teacher.log_probabilities, scene.teacher.embedding, longer
    )
    term = scene.term(loss)
    ours = [term(student, scene.teacher, scene.batch) for student in (scene.student, other.student)]
    theirs = [published(student, scene.teacher) for student in (scene.student, other.student)]
    assert (ours[0] / ours[1]).item() == pytest.approx((theirs[0] / theirs[1]).item(), rel=1e-4)
    assert abs(ours[0] / ours[1] - 1) > 1e-3


def test_soft_targets_cost_the_published_loss(make_scene):
    scene = make_scene()
    published = of_logits(KDLoss(*WHERE, temperature=3.0, alpha=0.0))
    expected = 9 * published(scene.student, scene.teacher).item()
    assert scene.loss(SoftTargets(temperature=3.0)) == pytest.approx(expected, rel=1e-9)


def test_standardized_soft_targets_cost_the_published_loss(make_scene):
    scene = make_scene()
    published = of_logits(LogitStdKDLoss(*WHERE, temperature=3.0, alpha=0.0))
    expected = 9 * published(scene.student, scene.teacher).item()
    loss = SoftTargets(temperature=3.0, standardize=True)
    assert scene.loss(loss) == pytest.approx(expected, rel=1e-5)


def test_dist_costs_the_published_loss(make_scene):
    scene = make_scene()
    published = of_logits(DISTLoss(*WHERE, beta=2.0, gamma=3.0, tau=2.0))
    expected = published(scene.student, scene.teacher).item() / 4
    loss = DIST(beta=2.0, gamma=3.0, temperature=2.0)
    assert scene.loss(loss) == pytest.approx(expected, rel=1e-5)
