"""The part of the docstrings that all network classifiers share."""

import inspect
from textwrap import indent

_SHARED = """\
norm : {"auto", "batch", "group"}, default="auto"
    Normalization between the layers. "auto" is batch normalization for sequences. For tables it is
    group normalization, after convolutions with a bias, which keeps sample weights exact;
    DenseStudentClassifier does without.
dropout : float or "auto", default="auto"
    Probability of dropping an element of the embedding during training; "auto" is 0.3 for
    sequences and 0 for tables.
augmentation : list of augmentations, "auto" or None, default="auto"
    Applied to every training batch, see `sklearn_heartkd.augmentation`. "auto" is random crops,
    gain, band and time masking and mixup for sequences, and nothing for tables.
label_smoothing : float, default=0.05
    Share of the target probability that is spread over all classes.
class_weight : dict, "balanced", float, "auto" or None, default="auto"
    Weights of the classes. "balanced" is the inverse of their frequency, a number between 0 and 1
    is the inverse of that power of it; "auto" is 0.3 for sequences and None for tables.
balance : bool, default=False
    Whether batches are drawn so that every device has as many rows of every class, rows of one device
    and class by their sample weights; `fit` then needs `devices`. An epoch draws as many rows as there
    are, some of them several times. `class_weight` then goes by the frequencies that are drawn.
shuffle_block : int, default=None
    Rows that are read together, for X on a disk that is slow at random access: each epoch draws the order
    of the blocks of this many neighboring rows, and of the rows in each. The rows must not be
    sorted by class. None shuffles all rows; with ``balance=True`` it has no effect.
max_epochs : int, "auto" or "long", default="auto"
    Passes over the training data. "auto" is as many as make 900 batches of sequences, or 1,200 of
    tables, but at least 10 and at most 100. "long" is three times as many, which some tasks
    reward: see "Length of the training" among the benchmarks.
batch_size : int or "auto", default="auto"
    Rows in a batch. "auto" is 16 for sequences and up to 200 for tables.
learning_rate : float, default=4e-3
    Peak of the one-cycle schedule.
weight_decay : float, default=0.05
    Weight decay of the optimizer, AdamW.
pretrain : {"contrastive"}, ContrastivePretraining, SupervisedPretraining or None, default=None
    Pretraining before the training. "contrastive" is self-supervised and uses the training data of
    this fit; :class:`~sklearn_heartkd.ContrastivePretraining` has parameters and takes unlabeled
    recordings; :class:`~sklearn_heartkd.SupervisedPretraining` learns from other recordings with
    labels, such as synthetic ones.
early_stopping : bool, default=False
    Whether to hold out a part of the training data, split by `groups`, stop when its loss has not
    improved for `n_iter_no_change` epochs, and restore the best epoch.
validation_fraction : float, default=0.2
    Share of the training data that early stopping holds out.
n_iter_no_change : int, default=10
    Epochs without improvement before early stopping, counted from the peak of the learning rate,
    after 0.3 of `max_epochs`.
device : str, default="auto"
    Device of torch; "auto" is CUDA if available.
callbacks : list of skorch callbacks, default=None
    Run in addition to the built-in callbacks; their scores are stored in ``history_``. Callbacks
    with ``on_train=True`` score the augmented rows. Others score the held-out rows, which exist
    only with ``early_stopping=True``, as does ``valid_loss``. ``use_caching=False`` is not supported.
random_state : int, RandomState instance or None, default=None
    Seed of the initial weights, the order of the batches, augmentation and dropout. The same seed
    gives the same network on the same machine with the same number of threads: ``OMP_NUM_THREADS``
    changes the order in which torch adds numbers, and rounding differences grow during training.
verbose : int, default=0
    0 is silent, 1 shows a progress bar in a terminal.

Attributes
----------
classes_ : ndarray of shape (n_classes,)
    Class labels.
module_ : torch.nn.Module
    The trained network.
history_ : list of dict
    Number and losses of each epoch.
pretraining_history_ : list of dict
    Number and loss of each epoch of the pretraining, if `pretrain` is set.
n_iter_ : int
    Number of epochs.
input_shape_ : tuple of int
    Channels and frames of a recording.
n_features_in_ : int
    Size of the second dimension of X.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Column names, if X was a data frame.

See Also
--------
sklearn_heartkd.DistilledClassifier : Trains a small network with the help of a large one.

Examples
--------
>>> from sklearn_heartkd import LogMelSpectrogram, NAME
>>> from sklearn_heartkd.datasets import make_heart_sounds
>>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
>>> X = LogMelSpectrogram().fit_transform(sounds.data)
>>> model = NAME(max_epochs=5, random_state=0).fit(X, sounds.target)
>>> model.predict_proba(X).shape
(24, 2)
"""


def document_parameters(cls):
    """Complete the docstring of a network classifier, which ends with its own parameters."""
    shared = indent(_SHARED.replace("NAME", cls.__name__), "    ")
    cls.__doc__ = cls.__doc__.rstrip() + "\n" + shared
    # the same order in the signature, where a dataclass has the inherited parameters first
    signature = inspect.signature(cls)
    parameters = sorted(
        signature.parameters.values(),
        key=lambda parameter: parameter.name not in vars(cls)["__annotations__"],
    )
    cls.__signature__ = signature.replace(parameters=parameters)
    return cls
