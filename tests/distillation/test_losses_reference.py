"""Agreement with pytorch-metric-learning, and with slow and obvious versions in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss, SupConLoss

from sklearn_heartkd.augmentation import TimeShift
from sklearn_heartkd.distillation import (
    CRD,
    DIST,
    DKD,
    PKT,
    RKD,
    SSD,
    AttentionTransfer,
    Hint,
    InfoNCE,
    Logits,
    SimilarityPreserving,
    SoftTargets,
    SupCon,
)


def huber(x):
    return 0.5 * x**2 if abs(x) < 1 else abs(x) - 0.5


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def kl(p, q):
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True))


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def parts(scene):
    return (
        scene.student.logits.numpy(),
        scene.student.embedding.numpy(),
        scene.teacher.log_probabilities.numpy(),
        scene.teacher.embedding.numpy(),
        scene.batch.target.numpy(),
    )


def projections(term, scene):
    with torch.no_grad():
        return term.student_head(scene.student.embedding), term.teacher_head(
            scene.teacher.embedding
        )


def test_infonce_is_nt_xent_where_no_rows_are_related(make_scene):
    scene = make_scene(8)
    scene.batch = replace(scene.batch, target=torch.arange(8))
    loss = InfoNCE(temperature=0.2)
    labels = torch.arange(8)
    own, other = projections(scene.term(loss), scene)
    published = NTXentLoss(temperature=0.2)(own, labels, ref_emb=other, ref_labels=labels.clone())
    assert scene.loss(loss) == pytest.approx(published.item() / np.log(8), rel=1e-6)


def test_infonce_leaves_out_related_rows(make_scene):
    scene = make_scene(8)
    weight = np.array([1, 2, 1, 3, 1, 1, 2, 1.0])
    scene.weighted(weight)
    subject = np.array([0, 0, 1, 2, 3, 4, 5, 5])
    scene.batch = replace(scene.batch, subject=torch.from_numpy(subject))
    term = scene.term(InfoNCE(temperature=0.2))
    own, other = (values.numpy() for values in projections(term, scene))
    target = scene.batch.target.numpy()
    losses = []
    for i in range(8):
        positive = np.exp(cosine(own[i], other[i]) / 0.2)
        others = [j for j in range(8) if target[j] != target[i] and subject[j] != subject[i]]
        negatives = [weight[j] * np.exp(cosine(own[i], other[j]) / 0.2) for j in others]
        guess = np.log(1 + weight[others].sum())
        losses.append(-np.log(positive / (positive + sum(negatives))) / guess)
    expected = np.average(losses, weights=weight)
    loss = term(scene.student, scene.teacher, scene.batch)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_supcon(make_scene):
    scene = make_scene(8)
    loss = SupCon(temperature=0.2)
    labels = scene.batch.target
    own, other = projections(scene.term(loss), scene)
    published = SupConLoss(temperature=0.2)(own, labels, ref_emb=other, ref_labels=labels.clone())
    assert scene.loss(loss) == pytest.approx(published.item() / np.log(8), rel=1e-6)


def test_crd(make_scene):
    scene = make_scene(9)
    term = scene.term(CRD(temperature=0.2))
    own, other = (values.numpy() for values in projections(term, scene))
    target = scene.batch.target.numpy()
    total = 0
    for i in range(3):
        positive = np.exp(cosine(own[i], other[i]) / 0.2)
        negatives = [
            np.exp(cosine(own[i], other[j]) / 0.2) for j in range(9) if target[j] != target[i]
        ]
        total -= np.log(positive / (positive + sum(negatives))) / np.log(1 + len(negatives)) / 3
    assert term(*scene.rows(torch.arange(3))).item() == pytest.approx(total, rel=1e-6)


def test_crd_contrasts_augmented_rows_with_augmented_rows(make_scene):
    scene = make_scene(9)
    every = torch.arange(9)
    moved = replace(scene.teacher, embedding=scene.teacher.embedding + 5.0)
    term = scene.term(CRD())
    term(scene.student, moved, scene.batch)
    augmented = term(scene.student, moved, scene.batch)
    scene.teacher = moved
    expected = scene.term(CRD())(*scene.rows(every))
    torch.testing.assert_close(augmented, expected)


def test_crd_remembers_only_in_training(make_scene):
    scene = make_scene(9)
    term = scene.term(CRD()).eval()
    before = term(scene.student, scene.teacher, scene.batch)
    term(
        scene.student, replace(scene.teacher, embedding=scene.teacher.embedding + 5.0), scene.batch
    )
    torch.testing.assert_close(term(scene.student, scene.teacher, scene.batch), before)


def test_crd_finds_its_rows_by_their_numbers(make_scene):
    scene = make_scene(9)
    expected = scene.term(CRD())
    expected(*scene.rows(torch.arange(4)))
    numbered = replace(scene.batch, index=2 * scene.batch.index + 3)
    scene.batch, plain = numbered, scene.batch
    term = scene.term(CRD())
    student, teacher, batch = scene.rows(torch.arange(4))
    term(student, teacher, batch)
    torch.testing.assert_close(term.memory, expected.memory)
    assert plain.index.max() == 8


def test_soft_targets(make_scene):
    scene = make_scene()
    s, _, t, _, _ = parts(scene)
    expected = 9 * np.mean([kl(softmax(b / 3), softmax(a / 3)) for a, b in zip(s, t, strict=True)])
    assert scene.loss(SoftTargets(temperature=3.0)) == pytest.approx(expected, rel=1e-6)


def relative_distances(x):
    d = np.array([[np.linalg.norm(a - b) for b in x] for a in x])
    return d / d[d > 0].mean()


def angle_cosines(x):
    n = len(x)
    angles = np.zeros((n, n, n))
    for j in range(n):
        for i in range(n):
            for k in range(n):
                if j not in (i, k):
                    angles[j, i, k] = cosine(x[i] - x[j], x[k] - x[j])
    return angles


def test_rkd_distances(make_scene):
    scene = make_scene(7)
    _, s, _, t, _ = parts(scene)
    a, b = relative_distances(s), relative_distances(t)
    published = np.mean([huber(x) for x in (a - b).ravel()])
    ignorant = np.mean([huber(x) for x in (1 - np.eye(7) - b).ravel()])
    assert scene.loss(RKD(angle=0.0)) == pytest.approx(published / ignorant, rel=1e-6)


def test_rkd_angles(make_scene):
    scene = make_scene(7)
    _, s, _, t, _ = parts(scene)
    a, b = angle_cosines(s), angle_cosines(t)
    published = np.mean([huber(x) for x in (a - b).ravel()])
    ignorant = np.mean([huber(x) for x in (0.5 - b).ravel()])
    assert scene.loss(RKD(distance=0.0)) == pytest.approx(published / ignorant, rel=1e-5)


def test_rkd_is_the_weighted_mean_of_both(make_scene):
    scene = make_scene(7)
    distances, angles = scene.loss(RKD(angle=0.0)), scene.loss(RKD(distance=0.0))
    assert scene.loss(RKD()) == pytest.approx((distances + 2 * angles) / 3, rel=1e-9)


def test_similarity_preserving(make_scene):
    scene = make_scene(7)
    _, s, _, t, _ = parts(scene)

    def rows(x):
        gram = x @ x.T
        return gram / np.linalg.norm(gram, axis=1, keepdims=True)

    published = np.sum((rows(s) - rows(t)) ** 2) / 7**2
    ignorant = np.sum((np.full((7, 7), 7**-0.5) - rows(t)) ** 2) / 7**2
    assert scene.loss(SimilarityPreserving()) == pytest.approx(published / ignorant, rel=1e-6)


def test_pkt(make_scene):
    scene = make_scene(7)
    _, s, _, t, _ = parts(scene)

    def probabilities(x):
        kernel = np.array([[(cosine(a, b) + 1) / 2 for b in x] for a in x])
        return kernel / kernel.sum(axis=1, keepdims=True)

    p, q = probabilities(t), probabilities(s)
    published = np.mean(p * np.log(p / q))
    ignorant = np.mean(p * np.log(p * 7))
    assert scene.loss(PKT()) == pytest.approx(published / ignorant, rel=1e-6)


def test_hint(make_scene):
    scene = make_scene()
    _, _, _, t, _ = parts(scene)
    t = t.copy()
    t[:, 0] = 2.0
    scene.teacher = replace(scene.teacher, embedding=torch.from_numpy(t))
    term = scene.term(Hint())
    with torch.no_grad():
        predicted = term.map(scene.student.embedding).numpy()
    scale = t.std(axis=0)
    wanted = (t - t.mean(axis=0)) / np.where(scale > 0, scale, 1)
    assert scene.loss(Hint()) == pytest.approx(np.mean((predicted - wanted) ** 2), rel=1e-9)


def test_attention_transfer(make_scene):
    scene = make_scene(5)
    longer = scene.teacher.sequence.repeat_interleave(2, dim=2)[:, :, :9]
    scene.teacher = replace(scene.teacher, sequence=longer)

    def attention(sequence):
        energy = (sequence.numpy() ** 2).mean(axis=1)
        return energy / np.linalg.norm(energy, axis=1, keepdims=True)

    a, b = attention(scene.student.sequence), attention(scene.teacher.sequence)
    published, ignorant = np.mean((a - b) ** 2), np.mean((1 / 3 - b) ** 2)
    assert scene.loss(AttentionTransfer()) == pytest.approx(published / ignorant, rel=1e-6)


def test_attention_transfer_averages_the_longer_sequence(make_scene):
    scene = make_scene(5)
    before = scene.loss(AttentionTransfer())
    longer = scene.teacher.sequence.repeat_interleave(2, dim=2)
    scene.teacher = replace(scene.teacher, sequence=longer)
    assert scene.teacher.sequence.shape[2] > scene.student.sequence.shape[2]
    shorter = scene.student.sequence[:, :, :7]
    scene.student = scene.student._replace(sequence=shorter)
    pooled = scene.loss(AttentionTransfer())
    scene.teacher = replace(scene.teacher, sequence=longer[:, :, ::2])
    assert pooled == pytest.approx(scene.loss(AttentionTransfer()), rel=1e-6)
    assert pooled != pytest.approx(before, rel=1e-3)


def test_dkd(make_scene):
    scene = make_scene(n_classes=4)
    s, _, t, _, target = parts(scene)
    expected = 0
    for own, other, c in zip(s / 3, t / 3, target, strict=True):
        p, q = softmax(other), softmax(own)
        rest = np.arange(4) != c
        expected += 1.5 * kl([p[c], 1 - p[c]], [q[c], 1 - q[c]])
        expected += 4.0 * kl(softmax(other[rest]), softmax(own[rest]))
    loss = DKD(alpha=1.5, beta=4.0, temperature=3.0)
    assert scene.loss(loss) == pytest.approx(9 * expected / len(s), rel=1e-6)


def test_dist(make_scene):
    scene = make_scene()
    s, _, t, _, _ = parts(scene)
    p = np.array([softmax(row / 2) for row in s])
    q = np.array([softmax(row / 2) for row in t])
    between = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(p, q, strict=True)])
    within = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(p.T, q.T, strict=True)])
    loss = DIST(beta=2.0, gamma=3.0, temperature=2.0)
    assert scene.loss(loss) == pytest.approx(2 * between + 3 * within, rel=1e-5)


def ssd_alone(part, **other):
    weights = dict.fromkeys(["labels", "soft_targets", "views", "similarity", "relations"], 0.0)
    return SSD(**{**weights, part: 1.0}, **other)


def test_ssd_is_the_weighted_mean_of_its_parts(make_scene):
    scene = make_scene()
    labels, kd, views, similarity, relations = (
        scene.loss(ssd_alone(part))
        for part in ["labels", "soft_targets", "views", "similarity", "relations"]
    )
    whole = 0.1 * labels + 0.9 * kd + 0.9 * views + similarity + relations
    assert scene.loss(SSD()) == pytest.approx(whole / 3.9, rel=1e-9)
    assert kd == pytest.approx(scene.loss(SoftTargets(2.0)), rel=1e-9)
    assert relations == pytest.approx(scene.loss(RKD()), rel=1e-9)


def test_ssd_weighs_the_classes_equally(make_scene):
    scene = make_scene()
    target = torch.tensor([0] * 8 + [1] * 3 + [2])
    scene.batch = replace(scene.batch, target=target)
    log_p = scene.student.logits.log_softmax(dim=1).numpy()
    smooth = 0.95 * log_p + 0.05 * log_p.mean(axis=1, keepdims=True)
    expected = -np.mean(
        [np.mean(smooth[target == c, c]) for c in range(3)],
    )
    assert scene.loss(ssd_alone("labels")) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_ssd_weighs_the_classes_equally_under_mixup_too(share, make_scene):
    scene = make_scene()
    target = torch.tensor([0] * 8 + [1] * 3 + [2])
    partner = torch.arange(12).flip(0)
    mixed = torch.full((12,), share, dtype=torch.float64)
    scene.batch = replace(scene.batch, target=target, partner=partner, share=mixed)
    logits = torch.zeros(12, 3, dtype=torch.float64, requires_grad=True)
    student = scene.student._replace(logits=logits)
    loss = scene.term(ssd_alone("labels"))(student, scene.teacher, scene.batch)
    (gradient,) = torch.autograd.grad(loss, logits)
    # at equal probabilities, classes of equal mass pull each logit with the same total strength
    np.testing.assert_allclose(gradient.sum(dim=0).numpy(), 0, atol=1e-12)


def test_ssd_similarity_of_views(make_scene):
    scene = make_scene(6)
    _, s, _, t, _ = parts(scene)

    def similar(x):
        return [softmax(np.array([cosine(a, b) for b in x]) / 0.5) for a in x]

    p, q = similar(t), similar(s)
    published = sum(kl(a, b) for a, b in zip(p, q, strict=True))
    ignorant = sum(kl(a, np.full(6, 1 / 6)) for a in p)
    assert scene.loss(ssd_alone("similarity")) == pytest.approx(published / ignorant, rel=1e-6)


def test_ssd_asks_the_student_about_transformed_views(make_scene):
    scene = make_scene()
    term = scene.term(ssd_alone("views", augmentation=[TimeShift()]))
    seen = []

    def ask_student(view):
        seen.append(view.x)
        return scene.student._replace(logits=2 * scene.student.logits)

    term.ask_student = ask_student
    loss = term(scene.student, scene.teacher, scene.batch).item()
    assert not torch.equal(seen[0], scene.batch.x)
    assert torch.equal(seen[0].sort(dim=2).values, scene.batch.x.sort(dim=2).values)
    scene.student = scene.student._replace(logits=2 * scene.student.logits)
    assert loss == pytest.approx(scene.loss(SoftTargets(2.0)), rel=1e-9)


def test_logits(make_scene):
    scene = make_scene(8).weighted([1, 2, 1, 3, 1, 0.5, 2, 1])
    own, _, other, *_ = parts(scene)
    weight = scene.batch.weight.numpy()
    floored = np.log(np.maximum(np.exp(other), 0.5 / weight.sum()))
    assert (floored != other).any()
    target = floored - floored.mean(axis=1, keepdims=True)
    error = (own - own.mean(axis=1, keepdims=True) - target) ** 2
    expected = np.average(error.mean(axis=1), weights=weight) / np.average(
        (target**2).mean(axis=1), weights=weight
    )
    assert scene.loss(Logits()) == pytest.approx(expected, rel=1e-9)


def test_equal_logits_cost_one_and_a_pure_leaf_does_not_rule(make_scene):
    scene = make_scene(8)
    scene.student = scene.student._replace(logits=torch.full((8, 3), 7.0, dtype=torch.float64))
    assert scene.loss(Logits()) == pytest.approx(1)
    found = []
    for certainty in (1e-6, 1e-300):
        sure = torch.tensor([1 - 2 * certainty, certainty, certainty], dtype=torch.float64).log()
        changed = scene.teacher.log_probabilities.clone()
        changed[0] = sure
        scene.teacher = replace(scene.teacher, log_probabilities=changed)
        found.append(scene.loss(Logits()))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_teacher_without_an_opinion_gives_finite_logits(make_scene):
    scene = make_scene(8)
    even = torch.full((8, 3), 1 / 3, dtype=torch.float64).log()
    scene.teacher = replace(scene.teacher, log_probabilities=even)
    assert scene.loss(Logits()) < 1


def test_standardized_dkd(make_scene):
    scene = make_scene(8)

    def standardized(logits):
        return (logits - logits.mean(dim=1, keepdim=True)) / logits.std(dim=1, keepdim=True)

    found = scene.loss(DKD(beta=3.0, temperature=2.0, standardize=True))
    assert found != pytest.approx(scene.loss(DKD(beta=3.0, temperature=2.0)), rel=1e-2)
    scene.student = scene.student._replace(logits=standardized(scene.student.logits))
    log_probabilities = standardized(scene.teacher.log_probabilities)
    scene.teacher = replace(scene.teacher, log_probabilities=log_probabilities)
    assert found == pytest.approx(scene.loss(DKD(beta=3.0, temperature=2.0)), rel=1e-5)
