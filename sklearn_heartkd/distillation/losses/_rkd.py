"""Relational distillation: distances of pairs and angles of triplets."""

from numbers import Real

import torch
from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn.functional import smooth_l1_loss

from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._pairwise import directions, unit


class _RKDTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        total = loss.distance + loss.angle
        if total == 0:
            raise ValueError("RKD has distance=0 and angle=0; raise one of them or leave RKD out.")
        self.distance_share = loss.distance / total
        self.angle_share = loss.angle / total
        teacher, weight = context.sample(1000)
        distances, scale = _distances(teacher.embedding, weight)
        error = _huber(distances / scale, (distances > 0).to(distances.dtype))
        self.distance_unit = unit(_pair_mean(error, weight))
        teacher, weight = context.sample(64)
        distances, scale = _distances(teacher.embedding, weight)
        cosines = _angle_cosines(teacher.embedding, scale)
        error = _huber(cosines, torch.full_like(cosines, 0.5)) * (distances > 0).any()
        self.angle_unit = unit(_triplet_mean(error, weight))

    def forward(self, student, teacher, batch):
        own, other, weight = student.embedding, teacher.embedding, batch.weight
        own_distances, own_scale = _distances(own, weight)
        other_distances, other_scale = _distances(other, weight)
        loss = own.new_zeros(())
        if self.distance_share > 0:
            error = _huber(own_distances / own_scale, other_distances / other_scale)
            loss = loss + self.distance_share / self.distance_unit * _pair_mean(error, weight)
        if self.angle_share > 0:
            error = _huber(_angle_cosines(own, own_scale), _angle_cosines(other, other_scale))
            loss = loss + self.angle_share / self.angle_unit * _triplet_mean(error, weight)
        return loss


class RKD(DistillationLoss):
    r"""Place the recordings in relation to each other as the teacher does.

    .. math::
        \frac{a}{a + b} \frac{1}{u} \sum_{ij} w_i w_j
        \ell\Big(\frac{|s_i - s_j|}{\mu_s}, \frac{|t_i - t_j|}{\mu_t}\Big)
        + \frac{b}{a + b} \frac{1}{v} \sum_{ijk} w_i w_j w_k
        \ell\big(\cos \angle s_i s_j s_k, \cos \angle t_i t_j t_k\big)

    with the Huber loss :math:`\ell`, the means :math:`\mu` of the distances above 0, and sample weights
    `w` that sum to 1. The units `u` and `v` are what a student costs that places all recordings at the same
    distance and sees only equilateral triangles; a teacher that places all recordings at one point
    teaches nothing. After Park et al. (2019), "Relational knowledge
    distillation".

    Parameters
    ----------
    distance : float, default=1.0
        Share `a` of the distances.
    angle : float, default=2.0
        Share `b` of the angles, whose cost grows with the cube of the batch size; 0 leaves them out.

    See Also
    --------
    SimilarityPreserving : Match similarities instead of distances and angles.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import RKD, DistilledClassifier, SoftTargets
    >>> losses = [("kd", SoftTargets(), 0.7), ("rkd", RKD(angle=0.0), 1.0)]
    >>> model = DistilledClassifier(RandomForestClassifier(), losses=losses)
    >>> model.get_params()["losses__rkd__angle"]
    0.0
    """

    _term = _RKDTerm

    _parameter_constraints: dict = {
        "distance": [Interval(Real, 0, None, closed="left")],
        "angle": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, distance: float = 1.0, angle: float = 2.0) -> None:
        self.distance = distance
        self.angle = angle


def _huber(own, other):
    return smooth_l1_loss(own, other, reduction="none")


def _distances(x, weight):
    """Return the distances of all pairs of rows, and the mean of those above 0."""
    distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    apart = _pair_mean((distances > 0).to(distances.dtype), weight)
    return distances, _pair_mean(distances, weight).clamp_min(1e-6) / apart.clamp_min(1e-6)


def _angle_cosines(x, scale):
    """Return the cosine at row j between rows i and k, shape (n, n, n) ordered (j, i, k)."""
    difference = directions((x[None] - x[:, None]) / scale.detach(), dim=2)
    return difference @ difference.transpose(1, 2)


def _pair_mean(values, weight):
    share = weight / weight.sum()
    return values @ share @ share


def _triplet_mean(values, weight):
    share = weight / weight.sum()
    return values @ share @ share @ share
