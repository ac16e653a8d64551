"""Supervised start: learning to classify other recordings first, such as synthetic ones."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_memory
from torch import nn

from sklearn_heartkd._version import __version__
from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.classifiers._defaults import check_augmentations, default_augmentation
from sklearn_heartkd.classifiers._pretraining_rows import check_features
from sklearn_heartkd.classifiers._training import Objective, train
from sklearn_heartkd.networks import Standardize
from sklearn_heartkd.utils._pickling import is_left_out, require_storable
from sklearn_heartkd.utils._random import draw_seed, seeded_initialisation


class SupervisedPretraining(BaseEstimator):
    """Teach a network to classify other recordings before it sees those that it is fitted on.

    To be given to a network classifier as `pretrain`: transfer learning. Labels are cheap where
    recordings are made: :func:`~sklearn_heartkd.datasets.make_heart_sounds` with
    `domain_randomization=True` makes hearts, chests, stethoscopes and rooms of such variety that a
    network trained on them finds real ones within what it knows (domain randomization, Tobin et al.
    2017). The training that follows starts from what the network has become. The classes need not be
    those of the fit: in the last layer, those that both know start as they were learned, the others as
    they were initialised.

    Parameters
    ----------
    X : array-like of shape (n, n_channels, n_frames) or (n, n_features)
        Features of the recordings, of the kind and shape that the network itself gets: in a pipeline
        the outcome of the earlier steps. None of them may be tested on later.
    y : array-like of shape (n,)
        Their labels, of at least two classes.
    max_epochs : int, default=10
        Passes over them.
    batch_size : int, default=32
        Rows in a batch, at least 2.
    learning_rate : float, default=4e-3
        Peak of the one-cycle schedule.
    weight_decay : float, default=0.05
        Of the optimiser, AdamW.
    label_smoothing : float, default=0.05
        Share of the target probability that is spread over all classes.
    augmentation : list of augmentations, "auto" or None, default="auto"
        See `sklearn_heartkd.augmentation`. "auto" is random crops, gain, band and time masking and
        mixup for sequences, and nothing for tables.
    memory : str, :class:`joblib.Memory` or None, default=None
        Keeps what was learned, so that networks that start from the same weights (of the same
        architecture, dropout and `random_state`) learn it once. The folds of a cross-validation do, if
        `random_state` is a number; processes that run at the same time may each learn it.

    Notes
    -----
    The recordings are standardised with their own statistics, those of the fit with theirs: so it does
    not matter that another device has another colour and loudness.

    `X` and `y` are parameters: clones, fitted classifiers and their pickles hold them.
    :func:`~sklearn_heartkd.deployment.save_model` leaves them and `memory` out, and a model that comes
    out of such a file has to be given them again before it can be fitted again.

    The unlabelled recordings of the PASCAL challenge are its test, mostly of patients of the training
    set. They must not be used here.

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

    _parameter_constraints: dict = {
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

    def __init__(
        self,
        X,
        y,
        *,
        max_epochs=10,
        batch_size=32,
        learning_rate=4e-3,
        weight_decay=0.05,
        label_smoothing=0.05,
        augmentation="auto",
        memory=None,
    ):
        self.X = X
        self.y = y
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.augmentation = augmentation
        self.memory = memory

    def run(self, module, rows, classes, *, seed, verbose=0):
        """Pretrain a network in place.

        Parameters
        ----------
        module : HeartSoundNetwork
            Its standardisation is left as it is.
        rows : Batch
            The training data of the fit. They give the shape, the precision and the device.
        classes : ndarray of shape (n_classes,)
            Those of the fit, in the order of the module's outputs.
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
            If a parameter is out of its range, or the recordings are not finite, of another shape or
            of fewer than two classes.
        """
        self._validate_params()
        X, target, known = self._check(rows)
        settings = {
            name: getattr(self, name)
            for name in (
                "batch_size",
                "max_epochs",
                "learning_rate",
                "weight_decay",
                "label_smoothing",
            )
        }
        augmentation = self.augmentation
        if isinstance(augmentation, str):
            augmentation = default_augmentation() if rows.x.shape[2] > 1 else []
        augmentation = check_augmentations(augmentation)
        if self.memory is None:
            learn = _learn
        else:
            require_storable(
                self.memory,
                augmentation,
                f"the augmentations {augmentation!r}",
                "define them in a module",
            )
            learn = check_memory(self.memory).cache(_learn, ignore=["module", "verbose"])
        body, head, history = learn(
            module,
            # what tells one network from another, and one version of the training
            architecture=(__version__, repr(module.body), module.dropout.p),
            weights=_weights_of(module.body),
            device=str(rows.x.device),
            X=X,
            target=target,
            n_classes=len(known),
            augmentations=augmentation,
            settings=settings,
            seed=seed,
            verbose=verbose,
        )
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
    augmentations,
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
    kept = module.head, module.standardize
    with seeded_initialisation(seed):
        module.head = nn.Linear(module.embedding_size, n_classes).to(x)
        module.standardize = Standardize(x.shape[1]).to(x)
    module.standardize.learn(batch.x, batch.weight)
    settings = dict(settings)
    objective = Objective(settings.pop("label_smoothing"))
    try:
        history = train(
            module,
            objective,
            batch,
            augmentations=augmentations,
            n_iter_no_change=1,
            callbacks=[],
            verbose=verbose,
            seed=draw_seed(seed),
            description="pretraining",
            **settings,
        )
        head = _weights_of(module.head)
    finally:
        module.head, module.standardize = kept
    history = [{"epoch": row["epoch"], "loss": row["train_loss"]} for row in history]
    return _weights_of(module.body), head, history


def _weights_of(module):
    return {name: value.cpu().numpy().copy() for name, value in module.state_dict().items()}


def _as_tensors(weights):
    # what comes from a memory-mapped file is read-only, which torch does not know
    return {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
