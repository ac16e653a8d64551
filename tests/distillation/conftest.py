from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_heartkd import MFCC
from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.distillation import LossContext, TeacherOutput
from sklearn_heartkd.networks import NetworkOutput
from tests.distillation.helpers import LABELS, Oracle


class Scene:
    """A teacher with class structure and a student that has learned nothing, as tensors."""

    def __init__(self, n=12, n_classes=3, *, sizes=(6, 5), seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(shape, generator=generator, dtype=dtype)

        target = torch.arange(n) % n_classes
        centres = normal(n_classes, sizes[1])
        sure = 3 * torch.nn.functional.one_hot(target, n_classes)
        self.n_classes = n_classes
        self.student = NetworkOutput(
            logits=0.3 * normal(n, n_classes),
            embedding=(0.5 * normal(n, sizes[0]) + 0.3).relu(),
            sequence=normal(n, 4, 9).relu(),
        )
        self.teacher = TeacherOutput(
            log_probabilities=(normal(n, n_classes) + sure).log_softmax(dim=1),
            embedding=(centres[target] + normal(n, sizes[1])).relu(),
            sequence=normal(n, 3, 7).relu(),
        )
        rows = torch.arange(n)
        self.batch = Batch(normal(n, 4, 9), target, torch.ones(n, dtype=dtype), rows, rows.clone())

    def rows(self, chosen):
        """Return student, teacher and batch for some rows."""
        student = NetworkOutput(*[values[chosen] for values in self.student])
        return student, self.teacher.take(chosen), self.batch.take(chosen)

    def repeated(self, times):
        """Return the same scene with each row repeated, as new rows of the same subjects."""
        chosen = torch.arange(len(times)).repeat_interleave(torch.tensor(times))
        scene = object.__new__(Scene)
        scene.n_classes = self.n_classes
        scene.student, scene.teacher, batch = self.rows(chosen)
        scene.batch = replace(batch, index=torch.arange(len(chosen)))
        return scene

    def weighted(self, weights):
        """Set the sample weights."""
        weight = torch.as_tensor(weights).to(self.batch.weight)
        self.batch = replace(self.batch, weight=weight)
        return self

    def term(self, loss):
        """Return the loss's torch module, with the same initial weights every time."""
        context = LossContext(
            student_size=self.student.embedding.shape[1],
            teacher_size=self.teacher.embedding.shape[1],
            n_classes=self.n_classes,
            teacher=self.teacher,
            rows=self.batch,
            label_smoothing=0.05,
            ask_student=lambda view: self.rows(view.index)[0],
            ask_teacher=lambda view: self.teacher.take(view.index),
        )
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            return loss.make_term(context).to(self.batch.x.dtype)

    def loss(self, loss):
        """Return the loss of all rows as one batch."""
        return self.term(loss)(self.student, self.teacher, self.batch).item()


@pytest.fixture
def make_scene():
    return Scene


@pytest.fixture(scope="module")
def sounds():
    return make_heart_sounds(
        24, classes=("normal", "murmur"), n_subjects=12, duration=1.0, random_state=0
    )


@pytest.fixture(scope="module")
def sequences(sounds):
    return MFCC().fit_transform(sounds.data)


@pytest.fixture(scope="module")
def data():
    """Thirty-six short sequences of three classes, told apart by their first channel."""
    rng = np.random.default_rng(0)
    target = np.arange(36) % 3
    X = 0.2 * rng.standard_normal((36, 4, 16)).astype(np.float32)
    X[:, 0] += 1.5 * target[:, None]
    return X, LABELS[target]


@pytest.fixture(autouse=True)
def _no_fits_yet():
    Oracle.fits.clear()
