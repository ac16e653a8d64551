"""Self-supervised start: contrastive learning between two augmented views of each recording."""

import math
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn
from torch.nn import functional

from sklearn_heartkd.augmentation import Augmentation, Batch, GaussianNoise
from sklearn_heartkd.classifiers._defaults import check_views, default_views
from sklearn_heartkd.classifiers._pretraining_rows import check_features
from sklearn_heartkd.classifiers._training import epochs_for, train
from sklearn_heartkd.utils._pickling import is_left_out
from sklearn_heartkd.utils._random import draw_seed, seeded_initialisation


class ContrastivePretraining(BaseEstimator):
    """Teach a network to recognise a recording in two augmented views, before it sees labels.

    To be given to a network classifier as `pretrain`. Two views of every recording of a batch go
    through the network; a projection of its embedding, a linear layer, ReLU and another linear layer,
    has to find the other view of the same recording among all views of the batch, by the NT-Xent loss
    of SimCLR (Chen et al. 2020). The projection is then thrown away. The supervised training starts
    from what the network has become, with the last layer as it was initialised.

    Parameters
    ----------
    unlabelled : array-like of shape (n, n_channels, n_frames) or (n, n_features), default=None
        Features of recordings without labels, of the kind and shape that the network itself gets: in
        a pipeline the outcome of the earlier steps. None of them may be tested on later. They are
        standardised as all input is, with the statistics of the training rows.
    use_training : bool, default=True
        Whether the training rows of the fit are learned from, too, without their labels. Rows that
        early stopping holds out and rows of weight 0 are not.
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
        Of the optimiser, AdamW.
    augmentation : list of augmentations or "auto", default="auto"
        What makes the views, see `sklearn_heartkd.augmentation`; anything but mixup. "auto" is random
        crops of half the length, gain, band and time masking and Gaussian noise, stronger than in the
        supervised training; for tables it is Gaussian noise.
    projection_size : int, default=64
        Dimensions in which views are compared.

    Notes
    -----
    Recordings that are equal count once, whatever their sample weight, since a recording is no
    counterexample of itself; nor are, where `groups` are given to `fit`, other recordings of the same
    subject. Every unlabelled recording counts as a subject of its own.

    `unlabelled` is a parameter: clones, fitted classifiers and their pickles hold it.
    :func:`~sklearn_heartkd.deployment.save_model` leaves it out, and a model that comes out of such
    a file has to be given it again before it can be fitted again.

    The unlabelled recordings of the PASCAL challenge are its test, mostly of patients of the training
    set. They must not be used here.

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

    _parameter_constraints: dict = {
        "unlabelled": ["array-like", None],
        "use_training": ["boolean"],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "augmentation": [StrOptions({"auto"}), list, tuple],
        "projection_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        unlabelled=None,
        *,
        use_training=True,
        max_epochs="auto",
        batch_size=64,
        temperature=0.5,
        learning_rate=2e-3,
        weight_decay=1e-4,
        augmentation="auto",
        projection_size=64,
    ):
        self.unlabelled = unlabelled
        self.use_training = use_training
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.temperature = temperature
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.augmentation = augmentation
        self.projection_size = projection_size

    def run(self, module, rows, classes=None, *, seed, verbose=0):
        """Pretrain a network in place.

        Parameters
        ----------
        module : HeartSoundNetwork
            Its standardisation has been learned.
        rows : Batch
            The training data. They give the shape, the precision and the device, even if they are
            not learned from.
        classes : ignored
            A self-supervised start knows no classes.
        seed : int
        verbose : int, default=0
            1 shows a progress bar in a terminal.

        Returns
        -------
        history : list of dict
            Number and loss of each epoch.

        Raises
        ------
        ValueError
            If a parameter is out of its range, the unlabelled recordings are not finite or of
            another shape, or fewer than two recordings, or those of one subject, are left.
        """
        self._validate_params()
        augmentations = self._choose_augmentations(rows.x.shape[2])
        rows = self._gather(rows)
        with seeded_initialisation(seed):
            objective = NTXent(module.embedding_size, self.projection_size, self.temperature)
        history = train(
            module,
            objective.to(dtype=rows.x.dtype, device=rows.x.device),
            rows,
            augmentations=[_TwoViews(augmentations)],
            batch_size=self.batch_size,
            max_epochs=(
                epochs_for(450, len(rows), self.batch_size)
                if self.max_epochs == "auto"
                else self.max_epochs
            ),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            n_iter_no_change=1,
            callbacks=[],
            verbose=verbose,
            seed=draw_seed(seed),
            description="pretraining",
        )
        return [{"epoch": row["epoch"], "loss": row["train_loss"]} for row in history]

    def _choose_augmentations(self, n_frames):
        if isinstance(self.augmentation, str):
            return default_views() if n_frames > 1 else [GaussianNoise(0.5)]
        if not self.augmentation:
            raise ValueError(
                f"augmentation={self.augmentation!r} makes two equal views of each recording; name at "
                "least one augmentation, such as RandomCrop()."
            )
        return check_views(self.augmentation, self)

    def _gather(self, rows):
        """Return the different recordings to learn from, in an order that theirs does not change."""
        if self.unlabelled is not None:
            unlabelled = self._as_rows(rows)
            # of equal rows the last one is kept: the one whose subject is known
            rows = _concatenate(unlabelled, rows) if self.use_training else unlabelled
        elif not self.use_training:
            raise ValueError(
                f"{type(self).__name__} got unlabelled=None and use_training=False, so there is nothing "
                "to learn from; give unlabelled recordings or set use_training=True."
            )
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
        unlabelled = check_features(
            self.unlabelled,
            rows,
            name="unlabelled",
            again="pretrain__unlabelled to the recordings again, or to None",
        )
        x = torch.tensor(unlabelled, device=rows.x.device)
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
        if state["unlabelled"] is not None and is_left_out("recordings"):
            state["unlabelled"] = np.asarray(state["unlabelled"])[:0]
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
    """The loss between two views, and the projection that it is computed in.

    Parameters
    ----------
    embedding_size, projection_size : int
    temperature : float
    """

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
    """Return the normalised temperature-scaled cross-entropy of two views (Chen et al. 2020).

    Parameters
    ----------
    projection : Tensor of shape (2 * n, n_dimensions)
        The first view of every row, then the second.
    subject : Tensor of shape (2 * n,)
        Rows of one subject are no negatives of each other.
    temperature : float

    Returns
    -------
    Tensor of shape ()
        The mean over all views; log(2 n - 1) where every view looks like every other.
    """
    direction = functional.normalize(projection, dim=1)
    similarity = direction @ direction.T / temperature
    other = torch.arange(len(subject), device=subject.device).roll(len(subject) // 2)
    ignored = (subject[:, None] == subject).scatter(1, other[:, None], False)
    return functional.cross_entropy(similarity.masked_fill(ignored, -math.inf), other)
