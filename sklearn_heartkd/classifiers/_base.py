"""The scikit-learn side of every network: validation, weights, fitting, prediction, pickling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import assert_all_finite, check_consistent_length, compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_is_fitted, validate_data

from sklearn_heartkd.augmentation import Augmentation, Batch
from sklearn_heartkd.classifiers._balance import BalancedOrder, balanced_weights, cells_of
from sklearn_heartkd.classifiers._batches import append_rows, as_tensors
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
from sklearn_heartkd.utils._group_splits import check_devices, check_groups, hold_out
from sklearn_heartkd.utils._random import draw_seed, seeded_initialization
from sklearn_heartkd.utils._rows import Rows
from sklearn_heartkd.utils._validation import as_rows, as_sequence, check_rows, drop_weightless

_DTYPES = [np.float64, np.float32]
LONG = 3  # max_epochs="long" in units of "auto"


# A dataclass writes `__init__`: it does what scikit-learn asks of one, and five networks inherit it.
@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """Base of the classifiers that train a torch network with skorch.

    A subclass adds the parameters of its network as dataclass fields and implements
    ``_build(n_channels, n_classes, norm, dropout)``.
    """

    norm: str = "auto"
    dropout: float | str = "auto"
    augmentation: Sequence[Augmentation] | str | None = "auto"
    label_smoothing: float = 0.05
    class_weight: Mapping[Any, float] | float | str | None = "auto"
    balance: bool = False
    shuffle_block: int | None = None
    max_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    pretrain: ContrastivePretraining | SupervisedPretraining | str | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.2
    n_iter_no_change: int = 10
    device: str = "auto"
    callbacks: Sequence[Any] | None = None
    random_state: int | np.random.RandomState | None = None
    verbose: int = 0

    # rows of a batch in prediction: larger ones make better use of recurrent and 1-D layers
    _inference_batch: ClassVar[int] = 256

    # requested by default, so that metadata routing hands the subjects to the inner splits
    __metadata_request__fit = {"groups": True, "devices": True}

    _parameter_constraints: ClassVar[dict] = {
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
        "balance": ["boolean"],
        "shuffle_block": [Interval(Integral, 1, None, closed="left"), None],
        "max_epochs": [StrOptions({"auto", "long"}), Interval(Integral, 1, None, closed="left")],
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        devices: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Sequence features, or a table, whose columns become channels of one frame. Sequences are
            converted to float32; a table keeps float32 or float64, and the network takes its precision.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Sample weights. Rows of weight 0 are ignored.
        groups : array-like of shape (n_recordings,), default=None
            Subjects. Early stopping keeps the recordings of a subject on the same side of its split.
        devices : array-like of shape (n_recordings,), default=None
            Devices with which the recordings were made, for ``balance=True``; else without effect.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If X is neither 2-D nor 3-D or contains NaN, y has fewer than two classes, `groups` does not
            give a subject for each recording, nor `devices` a device, `class_weight` contains an invalid
            weight, the batches are to be balanced without devices, or the training diverges.
        """
        return self._fit(X, y, sample_weight, groups, devices, make_objective=self._make_objective)

    def _make_objective(self, module, rows):
        return Objective(self.label_smoothing)

    def _require_devices(self, devices):
        if self.balance and devices is None:
            raise ValueError(
                f"{type(self).__name__} has balance=True, which draws every device and class equally, but "
                "fit got no devices; pass devices, one for each recording, or set balance=False."
            )

    def _fit(
        self,
        X,
        y,
        sample_weight=None,
        groups=None,
        devices=None,
        *,
        make_objective,
        unlabeled=None,
    ):
        """Fit with the objective of a distillation, or with that of the labels alone.

        `unlabeled`, if given, is called with the rows of X to train on and those that early stopping holds
        out, and returns a list of `UnlabeledRows` to train on besides.
        """
        self._require_devices(devices)
        X, y = self._validate(X, y)
        metadata = {"groups": check_groups(groups, y), "devices": check_devices(devices, y)}
        dtype = _precision(X)
        # only the numbers of the rows: batches are gathered from X itself, which is not copied
        row, y, sample_weight, metadata, _ = drop_weightless(
            np.arange(len(y)), y, sample_weight, metadata, dtype=dtype
        )
        if sample_weight is None:
            sample_weight = np.ones(len(y), dtype)
        self.input_shape_ = self._shape_of_row(X)
        self.n_dimensions_in_ = X.ndim
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes to tell apart, got "
                f"{len(self.classes_)} class: {self.classes_.tolist()}."
            )
        cell = cells_of(metadata["devices"], target) if self.balance else target
        if self.balance:
            sample_weight = balanced_weights(cell, sample_weight)
        weight = sample_weight * self._class_weights(target, sample_weight)
        # a class of weight 0 stays a class, but none of its rows is learned
        learned = np.flatnonzero(weight)
        if len(learned) == 0:
            raise ValueError(
                f"class_weight={self.class_weight!r} leaves no recording with a weight above 0; give one "
                "of the classes a weight."
            )
        row, target, groups = row[learned], target[learned], metadata["groups"]
        groups = None if groups is None else groups[learned]
        subject = row if groups is None else np.unique(groups, return_inverse=True)[1]
        weight = weight[learned].astype(dtype)
        columns = {"index": row, "target": target, "weight": weight, "subject": subject}
        # Weights, pretraining and training draw from generators seeded with numbers derived from this one
        # so that the user's generators are left alone.
        seed = draw_seed(self.random_state)
        # under a user's torch.inference_mode or no_grad nothing could be learned
        with torch.inference_mode(False), torch.enable_grad():
            training, held_out = np.arange(len(row)), None
            if self.early_stopping:
                training, held_out = hold_out(self, target, groups, self.validation_fraction, seed)
            cell, frequency = cell[learned][training], sample_weight[learned][training]
            if unlabeled is not None:
                known = training
                for further in unlabeled(row[known], row[[] if held_out is None else held_out]):
                    numbers = len(columns["index"]) + np.arange(len(further.target))
                    columns = append_rows(columns, further, len(X), groups, known)
                    X = np.concatenate([X, self._validate_new(further.X).astype(X.dtype)])
                    training = np.append(training, numbers)
                    frequency = np.append(frequency, np.ones(len(numbers)))
            rows = self._as_batch(X, columns, training)
            validation = None
            if held_out is not None:
                validation = with_shares_of(rows, self._as_batch(X, columns, held_out))
            place = {"device": rows.x.device, "dtype": rows.x.dtype}
            with seeded_initialization(seed):
                module = _arrange(self._make_module().to(**place))
                objective = make_objective(module, rows).to(**place)
            # of the training rows alone: what is held out must stay unseen
            module.standardize.learn(rows.x, rows.weight)
            self._pretrain(module, rows, draw_seed(seed))
            balance = None
            if self.balance:
                balance = BalancedOrder(cell, torch.from_numpy(frequency).to(rows.weight))
            batch_size = self._resolve("batch_size", 16, min(200, len(rows)))
            max_epochs = self.max_epochs
            if isinstance(max_epochs, str):
                n_batches = 900 if self.input_shape_[1] > 1 else 1200
                usual = epochs_for(n_batches, len(rows), batch_size, self._most_epochs())
                max_epochs = usual if max_epochs == "auto" else LONG * usual
            self.history_ = train(
                module,
                objective,
                rows,
                validation=validation,
                balance=balance,
                block=self.shuffle_block,
                augmentations=self._augmentations(),
                batch_size=batch_size,
                max_epochs=max_epochs,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                n_iter_no_change=self.n_iter_no_change,
                callbacks=self.callbacks or [],
                verbose=self.verbose,
                seed=seed,
            )
        # a pickle rebuilds the network from these, whatever set_params has changed since
        self._architecture = {name: getattr(self, name) for name in self._architecture_names()}
        self.module_ = module
        self.n_iter_ = len(self.history_)
        return self

    def _as_batch(self, X, columns, part):
        """Return the `Batch` of a part of the rows that are learned."""
        device = resolve_device(self.device)
        dtype = torch.from_numpy(columns["weight"]).dtype
        x = as_tensors(X, columns["index"][part], self.input_shape_, dtype, device)
        others = {name: torch.from_numpy(v[part]).to(device) for name, v in columns.items()}
        return Batch(x, **others)

    def _pretrain(self, module, rows, seed):
        self.__dict__.pop("pretraining_history_", None)
        if self.pretrain is not None:
            start = self.pretrain
            if isinstance(start, str):
                start = ContrastivePretraining()
            self.pretraining_history_ = start.run(
                module, rows, self.classes_, seed=seed, verbose=self.verbose
            )

    def _validate(self, X, y):
        X = as_rows(_as_array(X))
        if isinstance(X, Rows):
            X, y = check_rows(self, X, reset=True, allow_nd=True, dtype=_DTYPES), _check_y(y)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, allow_nd=True, dtype=_DTYPES, order="C")
        if X.ndim > 3:
            raise ValueError(
                f"X has {X.ndim} dimensions; give (n_recordings, n_channels, n_frames) or "
                "(n_recordings, n_features)."
            )
        check_classification_targets(y)
        if X.ndim == 3 and X.dtype == np.float64 and isinstance(X, np.ndarray):
            # Double precision takes several times as long and gains nothing. A table keeps its precision,
            # so that sample weights count as repetitions to the last digits.
            with np.errstate(over="ignore"):
                X = X.astype(np.float32)
            assert_all_finite(X, input_name="X")
        return X, y

    def _validate_new(self, X):
        X, forms = as_rows(_as_array(X)), {"allow_nd": True, "dtype": _DTYPES}
        if isinstance(X, Rows):
            check_rows(self, X, reset=False, **forms)
        else:
            X = validate_data(self, X, reset=False, order="C", **forms)
        if X.ndim != self.n_dimensions_in_ or self._shape_of_row(X) != self.input_shape_:
            raise ValueError(
                f"X has recordings of shape {X.shape[1:]}, but {type(self).__name__} was fitted on "
                f"recordings of {self.input_shape_[0]} channels and {self.input_shape_[1]} frames; "
                "use the features that it was fitted with."
            )
        return X

    @staticmethod
    def _shape_of_row(X):
        """Return channels and frames; the columns of a table are channels of one frame."""
        return X.shape[1:] if X.ndim == 3 else (X.shape[1], 1)

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

    def _most_epochs(self):
        return 100

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
        logits, embedding = evaluate(self.module_, X, self._inference_batch, self.input_shape_)
        wrong = ~(np.isfinite(logits).all(axis=1) & np.isfinite(embedding).all(axis=1))
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"The output of {type(self).__name__} is not finite for row {row} of X, whose largest "
                f"value is {np.abs(X[row]).max():.2g}; give features in the units that it was fitted on."
            )
        return logits, embedding

    def embed(self, X: ArrayLike) -> np.ndarray:
        """Return the embeddings: the input of the network's last layer.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Features of the shape that the network was fitted on.

        Returns
        -------
        ndarray of shape (n_recordings, n_dimensions)
            The embeddings.
        """
        return self._evaluate(X)[1]

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the logits.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Features of the shape that the network was fitted on.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes), or (n_recordings,) with two classes
            With two classes, the second logit minus the first.
        """
        logits = self._evaluate(X)[0]
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Features of the shape that the network was fitted on.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes)
            Probabilities, ordered as ``classes_``.
        """
        return self._answer(X)[0]

    def _answer(self, X):
        """Return probabilities and embeddings of one evaluation."""
        logits, embedding = self._evaluate(X)
        return softmax(logits, axis=1), embedding

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of each recording.

        Parameters
        ----------
        X : array-like of shape (n_recordings, n_channels, n_frames) or (n_recordings, n_features)
            Features of the shape that the network was fitted on.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Class labels.
        """
        logits = self._evaluate(X)[0]
        return self.classes_[logits.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def __getstate__(self):
        # arrays instead of tensors: a pickle from a GPU loads without one
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
            # on "meta", a layer allocates and initializes nothing: its weights are assigned below
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
            f"torch cannot use device={device!r} here; use device='auto' or device='cpu'."
        ) from error
    return torch.device(device)


def _precision(X):
    """Return the type in which the rows of validated X are learned."""
    return np.dtype(np.float32 if X.ndim == 3 or X.dtype == np.float32 else np.float64)


def _as_array(X):
    """Report the shapes if X is a sequence of recordings that differ in length."""
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
