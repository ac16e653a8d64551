"""The student's objective: a weighted sum of losses against the teacher's outputs."""

from copy import deepcopy

import torch
from torch import nn

from sklearn_heartkd.distillation.losses._base import LossContext, TeacherOutput, settle


class DistillationObjective(nn.Module):
    """Weighted sum of the losses' terms.

    `cached` holds the teacher's outputs for all rows given to `fit`, addressed by `rows.index`; `networks`
    are teachers that are asked again about each augmented batch, or None; `shares` are the weights of the
    teachers in their mean. Terms of weight 0 are left out.
    """

    def __init__(self, terms, module, rows, cached, networks, shares, label_smoothing):
        super().__init__()
        to = {"dtype": rows.x.dtype, "device": rows.x.device}
        self.cached = TeacherOutput(
            cached.log_probabilities.to(**to),
            cached.embedding.to(**to),
            None if cached.sequence is None else cached.sequence.to(**to),
        )
        context = LossContext(
            student_size=module.embedding_size,
            teacher_size=cached.embedding.shape[1],
            n_classes=cached.log_probabilities.shape[1],
            teacher=self.cached.take(rows.index),
            rows=rows,
            label_smoothing=label_smoothing,
            ask_student=lambda batch: module(batch.x),
            ask_teacher=self.ask_teacher,
        )
        self.kept = [(name, loss, weight) for name, loss, weight in terms if weight > 0]
        self.terms = nn.ModuleList(_make_term(name, loss, context) for name, loss, _ in self.kept)
        # copies, because Module.to changes the teacher itself; a plain list, because they are not trained
        self.networks = networks and [deepcopy(network).to(**to).eval() for network in networks]
        self.shares = shares

    def forward(self, student, batch):
        """Return the loss of a batch."""
        teacher = self.ask_teacher(batch)
        settled = settle(batch)
        total = student.logits.new_zeros(())
        for (name, loss, weight), term in zip(self.kept, self.terms, strict=True):
            value = term(student, teacher, batch if loss.has_labels else settled)
            if not isinstance(value, torch.Tensor) or value.ndim > 0:
                given = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else value
                raise TypeError(
                    f"The loss {name!r} must compute one number, a tensor without dimensions, got {given}."
                )
            total = total + weight * value
        return total

    def ask_teacher(self, batch):
        """Return the teacher's outputs for a batch; cached outputs are mixed as its rows are."""
        if self.networks is not None:
            return self._ask_networks(self.networks, batch)
        teacher = self.cached.take(batch.index)
        if batch.partner is None:
            return teacher
        probabilities = _mix(teacher.log_probabilities.exp(), batch)
        return TeacherOutput(
            log_probabilities=probabilities.clamp_min(1e-12).log(),
            embedding=_mix(teacher.embedding, batch),
            sequence=None if teacher.sequence is None else _mix(teacher.sequence, batch),
        )

    def _ask_networks(self, networks, batch):
        with torch.no_grad():
            outputs = [network(batch.x) for network in networks]
        return combine(
            [output.logits.softmax(dim=1) for output in outputs],
            [output.embedding for output in outputs],
            [output.sequence for output in outputs],
            self.shares,
        )


def _make_term(name, loss, context):
    term = loss.make_term(context)
    if not isinstance(term, nn.Module):
        raise TypeError(
            f"make_term of the loss {name!r} ({type(loss).__name__}) must return a torch.nn.Module, got "
            f"{term!r}."
        )
    return term


def _mix(values, batch):
    share = batch.share.reshape(-1, *[1] * (values.ndim - 1))
    return share * values + (1 - share) * values[batch.partner]


def combine(probabilities, embeddings, sequences, shares):
    """Average the probabilities of several teachers and concatenate their embeddings."""
    total = sum(share * p for share, p in zip(shares, probabilities, strict=True)) / sum(shares)
    single = len(sequences) == 1
    return TeacherOutput(
        log_probabilities=total.clamp_min(1e-12).log(),
        embedding=torch.cat(embeddings, dim=1),
        sequence=sequences[0] if single else None,
    )
