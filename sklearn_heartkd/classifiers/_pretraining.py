"""Self-supervised pretraining: contrastive learning between two augmented views of each recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn
from torch.nn import functional

from sklearn_heartkd.augmentation import Augmentation, Batch, GaussianNoise
from sklearn_heartkd.classifiers._defaults import check_views, default_views
from sklearn_heartkd.classifiers._pretraining_steps import check_features, pretrain
from sklearn_heartkd.classifiers._training import epochs_for
from sklearn_heartkd.networks import HeartSoundNetwork
from sklearn_heartkd.utils._pickling import is_left_out
from sklearn_heartkd.utils._random import draw_seed, seeded_initialization


@dataclass(eq=False, repr=False)
class ContrastivePretraining(BaseEstimator):
    """Self-supervised pretraining: recognize a recording in two augmented views of it.

    Pass it to a network classifier as `pretrain`. Two views of every recording of a batch go through
    the network. A projection of its embedding (a linear layer, ReLU and another linear layer) has to
    find the other view of the same recording among all views of the batch, with the NT-Xent loss of
    SimCLR (Chen et al. 2020). The projection is then discarded, and the supervised training starts from
    the pretrained network; only its last layer keeps its initial weights.

    Parameters
    ----------
    unlabeled : array-like of shape (n, n_channels, n_frames) or (n, n_features), default=None
        Features of recordings without labels, of the same kind and shape as the network's input: in
        a pipeline the output of the earlier steps. Do not use recordings of the test set. They are
        standardized like all input, with the statistics of the training rows.
    use_training : bool, default=True
        Whether to use the training rows of the fit too, without their labels. Rows that early
        stopping holds out and rows of weight 0 are never used.
    max_epochs : int or "auto", default="auto"
        Passes over these rows; "auto" is as many as make 450 batches, but at least 10 and at most
        100.
    batch_size : int, default=64
        Recordings in a batch, each of them in two views; at least 2.
    temperature : float, default=0.5
        Divides the cosine similarities.
    learning_rate : float, default=2e-3
        Peak of the one-cycle schedule.
    weight_decay : float, default=1e-4
        Weight decay of the optimizer, AdamW.
    augmentation : list of augmentations or "auto", default="auto"
        Makes the views, see `sklearn_heartkd.augmentation`; all but mixup are allowed. "auto" is
        random crops of half the length, gain, band and time masking and Gaussian noise, stronger than
        in the supervised training; for tables it is Gaussian noise.
    projection_size : int, default=64
        Dimensions of the space in which views are compared.

    See Also
    --------
    SupervisedPretraining : Pretraining on other recordings with labels.

    Notes
    -----
    Equal recordings count once, regardless of their sample weight, because a recording cannot be a
    negative of itself. If `groups` are passed to `fit`, other recordings of the same subject are not used
    as negatives either. Every unlabeled recording counts as a separate subject.

    `unlabeled` is a parameter: clones, fitted classifiers and their pickles hold it.
    :func:`~sklearn_heartkd.deployment.save_model` leaves it out, so a model loaded from such a file
    needs it again before it is refitted.

    The unlabeled recordings of the PASCAL challenge are its test set, and most of them come from
    patients of the training set: do not use them here.

    References
    ----------
    Chen, Kornblith, Norouzi and Hinton (2020), "A simple framework for contrastive learning of visual
    representations".

    Examples
    --------
    >>> from sklearn_heartkd import ContrastivePretraining, LogMelSpectrogram, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(48, classes=("normal", "murmur"), random_state=0)
    >>> X = LogMelSpectrogram().fit_transform(sounds.data)
    >>> model = StudentClassifier(
    ...     pretrain=ContrastivePretraining(X[24:], max_epochs=3), max_epochs=3, random_state=0
    ... )
    >>> model.fit(X[:24], sounds.target[:24]).predict(X[:24]).shape
    (24,)
    >>> [epoch["epoch"] for epoch in model.pretraining_history_]
    [1, 2, 3]
    """

    unlabeled: ArrayLike | None = None
    _: KW_ONLY
    use_training: bool = True
    max_epochs: int | str = "auto"
    batch_size: int = 64
    temperature: float = 0.5
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    augmentation: Sequence[Augmentation] | str = "auto"
    projection_size: int = 64

    _parameter_constraints: ClassVar[dict] = {
        "unlabeled": ["array-like", None],
        "use_training": ["boolean"],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "augmentation": [StrOptions({"auto"}), list, tuple],
        "projection_size": [Interval(Integral, 1, None, closed="left")],
    }

    def run(
        self,
        module: HeartSoundNetwork,
        rows: Batch,
        classes: Any = None,
        *,
        seed: int,
        verbose: int = 0,
    ) -> list[dict[str, float]]:
        """Pretrain a network in place.

        Parameters
        ----------
        module : HeartSoundNetwork
            The network. Its standardization has been learned.
        rows : Batch
            The training data. They give the shape, the precision and the device, even if they are
            not used for training.
        classes : ignored
            Not used, present for consistency with `SupervisedPretraining`.
        seed : int
            Seed of the projection, the views and the order of the batches.
        verbose : int, default=0
            1 shows a progress bar in a terminal.

        Returns
        -------
        history : list of dict
            Number and loss of each epoch.

        Raises
        ------
        ValueError
            If a parameter is out of its range, the unlabeled recordings are not finite or of
            another shape, or fewer than two recordings of two subjects are left.
        """
        self._validate_params()
        augmentations = self._choose_augmentations(rows.x.shape[2])
        # all rows in memory, to find equal ones
        rows = self._gather(replace(rows, x=rows.x[:]))
        with seeded_initialization(seed):
            objective = NTXent(module.embedding_size, self.projection_size, self.temperature)
        max_epochs = self.max_epochs
        if isinstance(max_epochs, str):
            max_epochs = epochs_for(450, len(rows), self.batch_size)
        return pretrain(
            module,
            objective.to(rows.x),
            rows,
            augmentations=[_TwoViews(augmentations)],
            batch_size=self.batch_size,
            max_epochs=max_epochs,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            verbose=verbose,
            seed=draw_seed(seed),
        )

    def _choose_augmentations(self, n_frames):
        if isinstance(self.augmentation, str):
            return default_views() if n_frames > 1 else [GaussianNoise(0.5)]
        if not self.augmentation:
            raise ValueError(
                f"augmentation={self.augmentation!r} makes two equal views of each recording; give at "
                "least one augmentation, such as RandomCrop()."
            )
        return check_views(self.augmentation, self)

    def _gather(self, rows):
        """Return the recordings to learn from, each of them once."""
        if self.unlabeled is not None:
            unlabeled = self._as_rows(rows)
            # of equal rows the last one is kept: the one whose subject is known
            rows = _concatenate(unlabeled, rows) if self.use_training else unlabeled
        elif not self.use_training:
            raise ValueError(
                f"{type(self).__name__} got unlabeled=None and use_training=False, so there are no "
                "recordings to train on; give unlabeled recordings or set use_training=True."
            )
        # sorted by content, so that the order of the rows of X does not change the result
        place = {row.tobytes(): i for i, row in enumerate(rows.x.cpu().numpy())}
        kept = torch.tensor([place[row] for row in sorted(place)], device=rows.x.device)
        rows = rows.take(kept)
        n_subjects = len(rows.subject.unique())
        if n_subjects < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 different recordings, of 2 subjects, to tell "
                f"apart, got {len(rows)} of {n_subjects}; give more, or set pretrain=None."
            )
        return rows

    def _as_rows(self, rows):
        unlabeled = check_features(
            self.unlabeled,
            rows,
            name="unlabeled",
            again="pretrain__unlabeled to the recordings again, or to None",
        )
        x = torch.tensor(unlabeled, device=rows.x.device)
        numbers = torch.arange(len(x), device=x.device)
        return Batch(
            x=x,
            target=torch.zeros_like(numbers),
            weight=torch.ones_like(x[:, 0, 0]),
            index=rows.index.max() + 1 + numbers,
            subject=rows.subject.max() + 1 + numbers,
        )

    def __getstate__(self):
        state = dict(super().__getstate__())
        if state["unlabeled"] is not None and is_left_out("recordings"):
            state["unlabeled"] = np.asarray(state["unlabeled"])[:0]
        return state


def _concatenate(first, second):
    names = ("x", "target", "weight", "index", "subject")
    return Batch(**{n: torch.cat([getattr(first, n), getattr(second, n)]) for n in names})


class _TwoViews(Augmentation):
    """Return one view of every row, then another one of every row, in one batch."""

    def __init__(self, augmentations):
        self.augmentations = augmentations

    def __call__(self, batch, generator):
        rows = torch.arange(len(batch), device=batch.x.device)
        views = [batch, batch]
        for i in range(2):
            for augment in self.augmentations:
                views[i] = augment(views[i], generator)
        return replace(batch.take(torch.cat([rows, rows])), x=torch.cat([v.x for v in views]))


class NTXent(nn.Module):
    """The loss between two views, computed on a projection of their embeddings."""

    def __init__(self, embedding_size, projection_size, temperature):
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(embedding_size, embedding_size),
            nn.ReLU(),
            nn.Linear(embedding_size, projection_size),
        )
        self.temperature = temperature

    def forward(self, output, batch):
        """Return the loss of a batch of two views, the first of all rows before the second."""
        return nt_xent(self.project(output.embedding), batch.subject, self.temperature)


def nt_xent(projection, subject, temperature):
    """Return the normalized temperature-scaled cross-entropy of two views (Chen et al. 2020).

    `projection`, of shape (2 * n, n_dimensions), has the first view of every row, then the second.
    The loss is the mean over all views: log(2 n - 1) if all views are equal.
    """
    # each view classifies which of the other views shows the same row; itself and the views of its
    # subject are not candidates
    direction = functional.normalize(projection, dim=1)
    similarity = direction @ direction.T / temperature
    other = torch.arange(len(subject), device=subject.device).roll(len(subject) // 2)
    ignored = (subject[:, None] == subject).scatter(1, other[:, None], False)
    return functional.cross_entropy(similarity.masked_fill(ignored, -math.inf), other)
