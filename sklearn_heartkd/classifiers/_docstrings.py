"""The part of the docstrings that all network classifiers share."""

import inspect

_PARAMETERS = """\
norm : {"auto", "batch", "group"}, default="auto"
    Normalisation between the layers. "auto" is batch normalisation for sequences and group
    normalisation, behind convolutions with a bias, for tables, where it keeps sample weights exact.
dropout : float or "auto", default="auto"
    Probability of dropping an element of the embedding while training; "auto" is 0.3 for
    sequences and 0 for tables.
augmentation : list of augmentations, "auto" or None, default="auto"
    Applied to every training batch, see `sklearn_heartkd.augmentation`. "auto" is random crops,
    gain, band and time masking and mixup for sequences, and nothing for tables.
label_smoothing : float, default=0.05
    Share of the target probability that is spread over all classes.
class_weight : dict, "balanced", float, "auto" or None, default="auto"
    "balanced" weighs classes inversely to their frequency, a number between 0 and 1 inversely to that
    power of it; "auto" is 0.3 for sequences and None for tables.
max_epochs : int or "auto", default="auto"
    Passes over the training data. "auto" is 100 for tables; for sequences it is as many as make
    900 batches, but at least 10 and at most 100.
batch_size : int or "auto", default="auto"
    Rows in a batch. "auto" is 16 for sequences and up to 200 for tables.
learning_rate : float, default=LEARNING_RATE
    Peak of the one-cycle schedule.
weight_decay : float, default=0.05
    Of the optimiser, AdamW.
pretrain : {"contrastive"}, ContrastivePretraining, SupervisedPretraining or None, default=None
    Start before the training. "contrastive" is self-supervised, on the training data of this fit
    alone; :class:`~sklearn_heartkd.ContrastivePretraining` has parameters and takes unlabelled
    recordings; :class:`~sklearn_heartkd.SupervisedPretraining` learns from other recordings with
    labels, such as synthetic ones.
early_stopping : bool, default=False
    Whether to hold out a part of the training data, split by `groups`, stop when its loss has not
    improved for `n_iter_no_change` epochs, and restore the best epoch.
validation_fraction : float, default=0.2
    Share of the training data that early stopping holds out.
n_iter_no_change : int, default=10
    Epochs without improvement before early stopping, counted from the peak of the learning rate, after 0.3
    of `max_epochs`.
device : str, default="auto"
    torch device; "auto" is CUDA where there is one.
callbacks : list of skorch callbacks, default=None
    Called during training beside our own; what they score is in ``history_``. ``on_train=True`` scores the
    augmented rows. Without it, the held-out rows are scored: they, and ``valid_loss``, are there with
    ``early_stopping=True`` only. ``use_caching=False`` is not supported.
random_state : int, RandomState instance or None, default=None
    Seeds weights, order of the batches, augmentation and dropout.
verbose : int, default=0
    0 is silent, 1 shows a progress bar in a terminal."""

_ATTRIBUTES = """\
classes_ : ndarray of shape (n_classes,)
    Class labels.
module_ : torch.nn.Module
    The trained network.
history_ : list of dict
    Number and losses of each epoch.
pretraining_history_ : list of dict
    Number and loss of each epoch of the pretraining, if there was one.
n_iter_ : int
    Epochs run.
input_shape_ : tuple of int
    Channels and frames of a recording.
n_features_in_ : int
    Size of the second dimension of X.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the columns, if X was a data frame of named columns."""


def document_parameters(cls):
    """Fill ``{parameters}`` and ``{attributes}`` in the docstring of a network classifier."""
    rate = inspect.signature(cls).parameters["learning_rate"].default
    for name, text in (
        ("parameters", _PARAMETERS.replace("LEARNING_RATE", str(rate))),
        ("attributes", _ATTRIBUTES),
    ):
        cls.__doc__ = cls.__doc__.replace(f"{{{name}}}", text.replace("\n", "\n    "))
    return cls
