"""The scikit-learn side of every network: validation, weights, fitting, prediction, pickling."""

from copy import copy
from numbers import Integral, Real

import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from sklearn_heartkd.augmentation import Batch
from sklearn_heartkd.classifiers._defaults import check_augmentations, default_augmentation
from sklearn_heartkd.classifiers._pretraining import ContrastivePretraining
from sklearn_heartkd.classifiers._supervised_pretraining import SupervisedPretraining
from sklearn_heartkd.classifiers._training import (
    Objective,
    epochs_for,
    evaluate,
    train,
    with_shares_of,
)
from sklearn_heartkd.utils._group_splits import check_groups, hold_out
from sklearn_heartkd.utils._random import draw_seed, seeded_initialisation
from sklearn_heartkd.utils._validation import as_sequence

# in the order of C, because torch takes no negative strides
_FORMS = {"allow_nd": True, "dtype": [np.float64, np.float32], "order": "C"}


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """Base of the classifiers that train a torch network with skorch.

    A subclass has the network's own parameters and implements ``_build(n_channels, n_classes,
    norm, dropout)``.
    """

    # requested by default, so that metadata routing hands the subjects to the inner splits
    __metadata_request__fit = {"groups": True}

    _parameter_constraints: dict = {
        "norm": [StrOptions({"auto", "batch", "group"})],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "augmentation": [StrOptions({"auto"}), list, tuple, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [
            StrOptions({"auto", "balanced"}),
            Interval(Real, 0, 1, closed="both"),
            dict,
            None,
        ],
        "max_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "pretrain": [
            StrOptions({"contrastive"}),
            ContrastivePretraining,
            SupervisedPretraining,
            None,
        ],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        norm="auto",
        dropout="auto",
        augmentation="auto",
        label_smoothing=0.05,
        class_weight="auto",
        max_epochs="auto",
        batch_size="auto",
        learning_rate=4e-3,
        weight_decay=0.05,
        pretrain=None,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=10,
        device="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.norm = norm
        self.dropout = dropout
        self.augmentation = augmentation
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.pretrain = pretrain
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Sequence features, or a table, whose columns become channels of one frame. float64 is
            trained on in double precision, which takes several times as long as float32.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Rows of weight 0 count as absent.
        groups : array-like of shape (n_recordings,), default=None
            Subjects, which early stopping does not split.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If X is neither 2-D nor 3-D or holds NaN, y has fewer than two classes, `groups` do not name a
            subject for each recording, `class_weight` holds what is no weight, or the training diverges.
        """
        return self._fit(X, y, sample_weight, groups, self._make_objective)

    def _make_objective(self, module, rows):
        return Objective(self.label_smoothing)

    def _fit(self, X, y, sample_weight, groups, make_objective):
        X, y = self._validate(X, y)
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True
        )
        present = np.flatnonzero(sample_weight > 0)
        if groups is not None:
            groups = check_groups(groups, y)[present]
            subject = np.unique(groups, return_inverse=True)[1]
        else:
            subject = np.arange(len(present))
        self.classes_, target = np.unique(y[present], return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes to tell apart, got "
                f"{len(self.classes_)} class: {self.classes_.tolist()}."
            )
        self.input_shape_ = X.shape[1:] if X.ndim == 3 else (X.shape[1], 1)
        self.n_dimensions_in_ = X.ndim
        weight = sample_weight[present] * self._class_weights(target, sample_weight[present])
        if not (weight > 0).any():
            raise ValueError(
                f"class_weight={self.class_weight!r} leaves no recording with a weight above 0; give one "
                "of the classes a weight."
            )
        learned = weight > 0
        present, target, weight, subject = (v[learned] for v in (present, target, weight, subject))
        groups = None if groups is None else groups[learned]
        seed = draw_seed(self.random_state)
        device = resolve_device(self.device)
        rows = Batch(
            x=torch.from_numpy(X[present].reshape(len(present), *self.input_shape_)).to(device),
            target=torch.from_numpy(target).to(device),
            weight=torch.from_numpy(weight.astype(X.dtype)).to(device),
            index=torch.from_numpy(present).to(device),
            subject=torch.from_numpy(subject).to(device),
        )
        validation = None
        if self.early_stopping:
            training, held_out = hold_out(self, target, groups, self.validation_fraction, seed)
            rows, validation = rows.take(training), rows.take(held_out)
            validation = with_shares_of(rows, validation)
        with seeded_initialisation(seed):
            module = _arrange(self._make_module().to(dtype=rows.x.dtype, device=device))
            objective = make_objective(module, rows).to(dtype=rows.x.dtype, device=device)
        module.standardize.learn(rows.x, rows.weight)
        self._pretrain(module, rows, draw_seed(seed))
        batch_size = self._resolve("batch_size", 16, min(200, len(rows)))
        sequence_epochs = epochs_for(900, len(rows), batch_size)
        self.history_ = train(
            module,
            objective,
            rows,
            validation=validation,
            augmentations=self._augmentations(),
            batch_size=batch_size,
            max_epochs=self._resolve("max_epochs", sequence_epochs, 100),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            n_iter_no_change=self.n_iter_no_change,
            callbacks=self.callbacks or [],
            verbose=self.verbose,
            seed=seed,
        )
        self._architecture = {name: getattr(self, name) for name in self._architecture_names()}
        self.module_ = module
        self.n_iter_ = len(self.history_)
        return self

    def _pretrain(self, module, rows, seed):
        self.__dict__.pop("pretraining_history_", None)
        if self.pretrain is not None:
            start = ContrastivePretraining() if self.pretrain == "contrastive" else self.pretrain
            self.pretraining_history_ = start.run(
                module, rows, self.classes_, seed=seed, verbose=self.verbose
            )

    def _validate_new(self, X):
        X = validate_data(self, _as_array(X), reset=False, **_FORMS)
        shape = X.shape[1:] if X.ndim == 3 else (X.shape[1], 1)
        if X.ndim != self.n_dimensions_in_ or shape != self.input_shape_:
            raise ValueError(
                f"X has recordings of shape {X.shape[1:]}, but {type(self).__name__} was fitted on "
                f"recordings of {self.input_shape_[0]} channels and {self.input_shape_[1]} frames; "
                "use the features that it was fitted with."
            )
        return X.reshape(len(X), *shape)

    def _validate(self, X, y):
        X, y = validate_data(self, _as_array(X), y, **_FORMS)
        if X.ndim > 3:
            raise ValueError(
                f"X has {X.ndim} dimensions; give (n_recordings, n_channels, n_frames) or "
                "(n_recordings, n_features)."
            )
        check_classification_targets(y)
        return X, y

    def _class_weights(self, target, sample_weight):
        kind = self._resolve("class_weight", 0.3, None)
        if kind is None:
            return np.ones(len(target))
        if isinstance(kind, dict):
            wrong = {
                label: value
                for label, value in kind.items()
                if not (isinstance(value, int | float | np.number) and 0 <= value < np.inf)
            }
            if wrong:
                raise ValueError(
                    f"class_weight has {wrong}; weights must be finite and at least 0."
                )
            table = compute_class_weight(kind, classes=self.classes_, y=self.classes_[target])
        else:
            counts = np.bincount(target, weights=sample_weight)
            table = (counts.sum() / (len(counts) * counts)) ** (1 if kind == "balanced" else kind)
        return table[target]

    def _resolve(self, name, for_sequences, for_tables):
        """Return a parameter; "auto" means what suits the kind of input."""
        value = getattr(self, name)
        if not (isinstance(value, str) and value == "auto"):
            return value
        return for_sequences if self.input_shape_[1] > 1 else for_tables

    def _augmentations(self):
        return check_augmentations(self._resolve("augmentation", default_augmentation(), []))

    def _make_module(self):
        return self._build(
            n_channels=self.input_shape_[0],
            n_classes=len(self.classes_),
            norm=self._resolve("norm", "batch", "group"),
            dropout=self._resolve("dropout", 0.3, 0.0),
        )

    def _architecture_names(self):
        own = set(self.get_params(deep=False)) - set(NetworkClassifier._get_param_names())
        return sorted({*own, "norm", "dropout"})

    def _build(self, *, n_channels, n_classes, norm, dropout):
        raise NotImplementedError

    def _evaluate(self, X):
        check_is_fitted(self)
        X = self._validate_new(X)
        logits, embedding = evaluate(self.module_, X)
        wrong = ~(np.isfinite(logits).all(axis=1) & np.isfinite(embedding).all(axis=1))
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"{type(self).__name__} has no finite answer about row {row} of X, whose largest value is "
                f"{np.abs(X[row]).max():.2g}; give features in the units that it was fitted on."
            )
        return logits, embedding

    def embed(self, X):
        """Return the input of the network's last layer, shape (n_recordings, n_dimensions)."""
        return self._evaluate(X)[1]

    def decision_function(self, X):
        """Return the logits.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)

        Returns
        -------
        ndarray of shape (n_recordings, n_classes), or (n_recordings,) with two classes
            With two classes, the second logit minus the first.
        """
        logits = self._evaluate(X)[0]
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Return the probabilities, shape (n_recordings, n_classes), ordered as ``classes_``."""
        return self._answer(X)[0]

    def _answer(self, X):
        """Return probabilities and embeddings of one evaluation."""
        logits, embedding = self._evaluate(X)
        return softmax(logits, axis=1), embedding

    def predict(self, X):
        """Return the most probable class of each recording, shape (n_recordings,)."""
        logits = self._evaluate(X)[0]
        return self.classes_[logits.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "module_" in state:
            module = state.pop("module_")
            state["weights_"] = {
                name: value.cpu().numpy() for name, value in module.state_dict().items()
            }
        return state

    def __setstate__(self, state):
        state = dict(state)
        weights = state.pop("weights_", None)
        super().__setstate__(state)
        if weights is not None:
            # set_params may have changed what the next fit will build
            as_fitted = copy(self).set_params(**state.get("_architecture", {}))
            with torch.device("meta"):
                module = as_fitted._make_module()
            tensors = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
            module.load_state_dict(tensors, assign=True)
            self.module_ = _arrange(module.eval())


def _arrange(module):
    # channels last halves the time of small 2-D convolutions on a CPU
    return module.to(memory_format=torch.channels_last)


def resolve_device(device):
    """Return the torch device of `device`; "auto" is CUDA where there is one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} is no device that torch can use here; leave device='auto' or use 'cpu'."
        ) from error
    return torch.device(device)


def _as_array(X):
    """Name the lengths if X is a sequence of recordings that differ in length."""
    X = as_sequence(X)
    if isinstance(X, (list, tuple)):
        shapes = {np.shape(row) for row in X}
        if len(shapes) > 1:
            raise ValueError(
                f"X holds recordings of {len(shapes)} different shapes, for example "
                f"{sorted(shapes, key=str)[:2]}; make them equally long with FixedLength, or wrap "
                "the classifier in WindowedClassifier."
            )
    return X
