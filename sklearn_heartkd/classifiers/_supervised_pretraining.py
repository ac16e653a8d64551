"""Supervised pretraining on other recordings, such as synthetic ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_memory
from torch import nn

from sklearn_heartkd._version import __version__
from sklearn_heartkd.augmentation import Augmentation, Batch
from sklearn_heartkd.classifiers._defaults import check_augmentations, default_augmentation
from sklearn_heartkd.classifiers._pretraining_steps import check_features, pretrain
from sklearn_heartkd.classifiers._training import Objective
from sklearn_heartkd.networks import HeartSoundNetwork
from sklearn_heartkd.networks._common import Standardize
from sklearn_heartkd.utils._pickling import is_left_out, require_storable
from sklearn_heartkd.utils._random import draw_seed, seeded_initialization


@dataclass(eq=False, repr=False)
class SupervisedPretraining(BaseEstimator):
    """Supervised pretraining: classify other recordings before those of the fit.

    Pass it to a network classifier as `pretrain`, for transfer learning. Labels are cheap for generated
    recordings: :func:`~sklearn_heartkd.datasets.make_heart_sounds` with `domain_randomization=True`
    varies hearts, chests, stethoscopes and rooms so much that real recordings look like one more
    variation (domain randomization, Tobin et al. 2017). The training that follows starts from the
    pretrained network. The classes may differ from those of the fit: in the last layer, classes known
    to both start from the pretrained weights, the others from their initial weights.

    Parameters
    ----------
    X : array-like of shape (n, n_channels, n_frames) or (n, n_features)
        Features of the recordings, of the same kind and shape as the network's input: in a pipeline
        the output of the earlier steps. Do not use recordings of the test set.
    y : array-like of shape (n,)
        Class labels, of at least two classes.
    max_epochs : int, default=10
        Passes over the recordings.
    batch_size : int, default=32
        Rows in a batch, at least 2.
    learning_rate : float, default=4e-3
        Peak of the one-cycle schedule.
    weight_decay : float, default=0.05
        Weight decay of the optimizer, AdamW.
    label_smoothing : float, default=0.05
        Share of the target probability that is spread over all classes.
    augmentation : list of augmentations, "auto" or None, default="auto"
        See `sklearn_heartkd.augmentation`. "auto" is random crops, gain, band and time masking and
        mixup for sequences, and nothing for tables.
    memory : str, :class:`joblib.Memory` or None, default=None
        Caches the pretrained weights, so that networks with the same initial weights (the same
        architecture, dropout and `random_state`) are pretrained once: those of the folds of a
        cross-validation, if `random_state` is an integer. Processes that run at the same time may each
        compute them.

    See Also
    --------
    ContrastivePretraining : Pretraining without labels.

    Notes
    -----
    The recordings are standardized separately from the training data, so their spectral balance and
    level may differ.

    `X` and `y` are parameters: clones, fitted classifiers and their pickles hold them.
    :func:`~sklearn_heartkd.deployment.save_model` leaves them and `memory` out, so a model loaded from
    such a file needs them again before it is refitted.

    The unlabeled recordings of the PASCAL challenge are its test set, and most of them come from
    patients of the training set: do not use them here.

    References
    ----------
    J. Tobin et al., "Domain randomization for transferring deep neural networks from simulation to the
    real world", IROS 2017.

    Examples
    --------
    >>> from sklearn_heartkd import LogMelSpectrogram, StudentClassifier, SupervisedPretraining
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> features = LogMelSpectrogram()
    >>> synthetic = make_heart_sounds(40, domain_randomization=True, random_state=0)
    >>> start = SupervisedPretraining(
    ...     features.fit_transform(synthetic.data), synthetic.target, max_epochs=3
    ... )
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=1)
    >>> X = features.fit_transform(sounds.data)
    >>> model = StudentClassifier(pretrain=start, max_epochs=3, random_state=0)
    >>> model.fit(X, sounds.target).predict(X).shape
    (24,)
    >>> [epoch["epoch"] for epoch in model.pretraining_history_]
    [1, 2, 3]
    """

    X: ArrayLike
    y: ArrayLike
    _: KW_ONLY
    max_epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    augmentation: Sequence[Augmentation] | str | None = "auto"
    memory: Any = None

    _parameter_constraints: ClassVar[dict] = {
        "X": ["array-like"],
        "y": ["array-like"],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "augmentation": [StrOptions({"auto"}), list, tuple, None],
        "memory": [str, HasMethods(["cache"]), None],
    }

    def run(
        self,
        module: HeartSoundNetwork,
        rows: Batch,
        classes: np.ndarray,
        *,
        seed: int,
        verbose: int = 0,
    ) -> list[dict[str, float]]:
        """Pretrain a network in place.

        Parameters
        ----------
        module : HeartSoundNetwork
            The network. Its standardization stays as it is.
        rows : Batch
            The training data of the fit, which give the shape, the precision and the device.
        classes : ndarray of shape (n_classes,)
            Classes of the fit, in the order of the module's outputs.
        seed : int
            Seed of the last layer, the augmentation and the order of the batches.
        verbose : int, default=0
            1 shows a progress bar in a terminal.

        Returns
        -------
        history : list of dict
            Number and loss of each epoch.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the recordings are not finite, of another shape or
            of fewer than two classes.
        """
        self._validate_params()
        X, target, known = self._check(rows)
        augmentation = self.augmentation
        if isinstance(augmentation, str):
            augmentation = default_augmentation() if rows.x.shape[2] > 1 else []
        augmentation = check_augmentations(augmentation)
        learn = _learn
        if self.memory is not None:
            what = f"the augmentations {augmentation!r}"
            require_storable(self.memory, augmentation, what, "define them in a module")
            learn = check_memory(self.memory).cache(_learn, ignore=["module", "verbose"])
        body, head, history = learn(
            module,
            # the keys of the cache, beside the data: network, version and initial weights
            architecture=(__version__, repr(module.body), module.dropout.p),
            weights=_weights_of(module.body),
            device=str(rows.x.device),
            X=X,
            target=target,
            n_classes=len(known),
            label_smoothing=self.label_smoothing,
            settings={
                "augmentations": augmentation,
                "batch_size": self.batch_size,
                "max_epochs": self.max_epochs,
                "learning_rate": self.learning_rate,
                "weight_decay": self.weight_decay,
            },
            seed=seed,
            verbose=verbose,
        )
        # a result from the cache has not touched the module
        module.body.load_state_dict(_as_tensors(body))
        places = {label: i for i, label in enumerate(known.tolist())}
        with torch.no_grad():
            for name, value in _as_tensors(head).items():
                own = getattr(module.head, name)
                for i, label in enumerate(classes.tolist()):
                    if label in places:
                        own[i] = value[places[label]]
        return history

    def _check(self, rows):
        name = type(self).__name__
        X = check_features(
            self.X,
            rows,
            name=f"X of {name}",
            again="pretrain__X and pretrain__y to the recordings again, or pretrain to None",
        )
        try:
            y = column_or_1d(self.y)
            check_consistent_length(X, y)
            check_classification_targets(y)
        except ValueError as error:
            raise ValueError(f"X and y of {name}: {error}") from error
        classes, target = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{name} needs recordings of at least 2 classes, got {len(classes)} class: "
                f"{classes.tolist()}."
            )
        return X, target, classes

    def __getstate__(self):
        state = dict(super().__getstate__())
        if is_left_out("recordings"):
            state |= {name: np.asarray(state[name])[:0] for name in ("X", "y")}
            state["memory"] = None  # a folder of this machine
        return state


def _learn(
    module,
    *,
    architecture,
    weights,
    device,
    X,
    target,
    n_classes,
    label_smoothing,
    settings,
    seed,
    verbose,
):
    """Train the body of a network in place; return its weights, those of a head, and the history."""
    x = torch.tensor(X, device=device)
    numbers = torch.arange(len(x), device=device)
    batch = Batch(
        x=x,
        target=torch.tensor(target, device=device),
        weight=torch.ones_like(x[:, 0, 0]),
        index=numbers,
        subject=numbers,
    )
    # the network is lent: its head and standardization belong to the fit and come back afterwards
    kept = module.head, module.standardize
    with seeded_initialization(seed):
        module.head = nn.Linear(module.embedding_size, n_classes).to(x)
        module.standardize = Standardize(x.shape[1]).to(x)
    module.standardize.learn(batch.x, batch.weight)
    try:
        objective = Objective(label_smoothing)
        history = pretrain(
            module, objective, batch, seed=draw_seed(seed), verbose=verbose, **settings
        )
        return _weights_of(module.body), _weights_of(module.head), history
    finally:
        module.head, module.standardize = kept


def _weights_of(module):
    return {name: value.cpu().numpy().copy() for name, value in module.state_dict().items()}


def _as_tensors(weights):
    # what comes from a memory-mapped file is read-only, which torch does not know
    return {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
