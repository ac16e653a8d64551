"""The composite of SSD-KD."""

from dataclasses import replace
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_heartkd.augmentation import GaussianNoise, TimeShift
from sklearn_heartkd.classifiers._defaults import check_views
from sklearn_heartkd.classifiers._training import Objective
from sklearn_heartkd.distillation.losses._base import DistillationLoss, settle
from sklearn_heartkd.distillation.losses._pairwise import (
    FIXED,
    cosines,
    prior,
    row_divergence,
    unit,
)
from sklearn_heartkd.distillation.losses._rkd import RKD
from sklearn_heartkd.distillation.losses._soft_targets import SoftTargets


class _SSDTerm(nn.Module):
    def __init__(self, loss, context):
        super().__init__()
        weights = [loss.labels, loss.soft_targets, loss.views, loss.similarity, loss.relations]
        if sum(weights) == 0:
            raise ValueError("All weights of SSD are 0; raise one of them or leave SSD out.")
        self.shares = [weight / sum(weights) for weight in weights]
        self.similarity_temperature = loss.similarity_temperature
        views = check_views(loss.augmentation, loss)
        self.augmentation = (
            [TimeShift(), GaussianNoise(0.3)] if loss.augmentation is None else views
        )
        self.ask_student, self.ask_teacher = context.ask_student, context.ask_teacher
        rows = context.rows
        totals = rows.label_weights(context.n_classes)
        share = totals.sum() / (len(totals) * totals)
        # a class may have no row to learn from
        self.class_weight = torch.where(totals > 0, share, 0)
        self.cross_entropy = Objective(context.label_smoothing)
        self.soft_targets = SoftTargets(loss.temperature).make_term(context)
        self.relations = RKD().make_term(context)
        teacher, weight = context.sample(1000)
        target = self._similarities(teacher.embedding, teacher.embedding, weight, FIXED)
        self.unit = unit(row_divergence(target, prior(weight).expand_as(target), weight))
        # the term is made while torch's global generator is seeded for the initialization
        seed = int(torch.randint(2**62, ()))
        self.generator = torch.Generator(device=rows.x.device).manual_seed(seed)

    def forward(self, student, teacher, batch):
        labels, soft_targets, views, similarity, relations = self.shares
        balanced = replace(batch, weight=batch.weight * self.class_weight[batch.target])
        settled = settle(batch)
        loss = labels * self.cross_entropy(student, balanced)
        loss = loss + soft_targets * self.soft_targets(student, teacher, settled)
        if relations > 0:
            loss = loss + relations * self.relations(student, teacher, settled)
        if views == similarity == 0:
            return loss
        view = batch
        for augment in self.augmentation:
            view = augment(view, self.generator)
        student_view, teacher_view = self.ask_student(view), self.ask_teacher(view)
        weight = settled.weight
        loss = loss + views * self.soft_targets(student_view, teacher_view, settle(view))
        own = self._similarities(student_view.embedding, student.embedding, weight)
        other = self._similarities(teacher_view.embedding, teacher.embedding, weight, FIXED)
        return loss + similarity / self.unit * row_divergence(other, own, weight)

    def _similarities(self, views, x, weight, epsilon=1e-8):
        logits = cosines(views, x, epsilon) / self.similarity_temperature + weight.log()
        return logits.log_softmax(dim=1)


class SSD(DistillationLoss):
    r"""Labels, soft targets, transformed views and relations in one loss.

    The mean, weighted by the parameters, of

    - the cross-entropy with the labels, in which every class has the same total weight;
    - :class:`SoftTargets`;
    - :class:`SoftTargets` on a transformed view of every row;
    - the view similarity :math:`\mathrm{KL}(\mathrm{softmax}_j(\cos(t'_i, t_j) / \tau) \,\|\,
      \mathrm{softmax}_j(\cos(s'_i, s_j) / \tau)) / u` of the embeddings of view `i` and row `j`, where
      the unit `u` is what a student costs for which all are equally similar, with the training data, at
      most 1000 rows, as one batch;
    - :class:`RKD`.

    After Wang et al. (2023), "SSD-KD: a self-supervised diverse knowledge distillation method for
    lightweight skin lesion classification using dermoscopic images", and Xu et al. (2020), "Knowledge
    distillation meets self-supervision". Their views are rotations, which a spectrogram does not have: here
    they are shifted in time and noisy. A second pass of the student through every batch is the price. A
    teacher whose outputs are cached has the same outputs for the view and the recording.

    Parameters
    ----------
    labels : float, default=0.1
        Weight of the cross-entropy. No other is added by `DistilledClassifier`.
    soft_targets : float, default=0.9
        Weight of the soft targets.
    views : float, default=0.9
        Weight of the soft targets on the views; 2.7 in the paper, for three views.
    similarity : float, default=1.0
        Weight of the view similarity.
    relations : float, default=1.0
        Weight of distances and angles.
    temperature : float, default=2.0
        Softmax temperature of the soft targets.
    similarity_temperature : float, default=0.5
        Divides the cosines.
    augmentation : list of Augmentation, default=None
        Makes the views; None is ``[TimeShift(), GaussianNoise(0.3)]``.

    See Also
    --------
    RKD : The relations alone.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd.distillation import SSD, DistilledClassifier
    >>> DistilledClassifier(RandomForestClassifier(), losses=SSD(views=2.7)).losses
    SSD(views=2.7)
    """

    has_labels = True
    _term = _SSDTerm

    _parameter_constraints: dict = {
        "labels": [Interval(Real, 0, None, closed="left")],
        "soft_targets": [Interval(Real, 0, None, closed="left")],
        "views": [Interval(Real, 0, None, closed="left")],
        "similarity": [Interval(Real, 0, None, closed="left")],
        "relations": [Interval(Real, 0, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "similarity_temperature": [Interval(Real, 0, None, closed="neither")],
        "augmentation": [list, tuple, None],
    }

    def __init__(
        self,
        labels: float = 0.1,
        soft_targets: float = 0.9,
        views: float = 0.9,
        similarity: float = 1.0,
        relations: float = 1.0,
        temperature: float = 2.0,
        similarity_temperature: float = 0.5,
        augmentation: list | None = None,
    ) -> None:
        self.labels = labels
        self.soft_targets = soft_targets
        self.views = views
        self.similarity = similarity
        self.relations = relations
        self.temperature = temperature
        self.similarity_temperature = similarity_temperature
        self.augmentation = augmentation
