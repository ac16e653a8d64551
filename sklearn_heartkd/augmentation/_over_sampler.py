"""Over-sampling of rare classes with augmented copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_y, check_consistent_length, validate_data

from sklearn_heartkd.augmentation._base import Augmentation, Batch
from sklearn_heartkd.augmentation._noise import AdditiveNoise
from sklearn_heartkd.augmentation._sequence import (
    BandMasking,
    Gain,
    GaussianNoise,
    TimeMasking,
    TimeShift,
)
from sklearn_heartkd.utils._random import draw_seed, torch_generator
from sklearn_heartkd.utils._recordings import check_recordings
from sklearn_heartkd.utils._validation import as_sequence, differ_in_shape


class AugmentingOverSampler(BaseOverSampler):
    """Over-sample rare classes with augmented copies of their recordings.

    :class:`~imblearn.over_sampling.RandomOverSampler` repeats rows unchanged; here the copies are
    changed by `augmentation`, for example shifted or noisy. In an :class:`imblearn.pipeline.Pipeline`
    it acts in `fit` only: predictions use every recording unchanged. All recordings of a class are
    copied equally often, as far as the number of copies allows.

    By default only the rarer classes are copied, so a model can learn that noise, for example, is a
    sign of a rare class. A `sampling_strategy` that copies every class avoids this.

    X may be of shape (n_recordings, n_samples), (n_recordings, n_channels, n_frames), or a list, object
    array or series of 1-D waveforms of different length. A list stays a list. Waveforms of different
    length are augmented one by one, in units of the standard deviation of each.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Number of recordings of each class after sampling, as in
        :class:`~imblearn.over_sampling.RandomOverSampler`; "auto" is that of the largest class.
    augmentation : list of Augmentation, default=None
        Augmentations of the copies, applied in this order. None is
        ``[TimeShift(), AdditiveNoise(snr=(10, 30)), Gain(decibels=3)]`` for waveforms and
        ``[TimeShift(), BandMasking(), TimeMasking(), GaussianNoise()]`` for 3-D X. Augmentations that
        mix labels or change the length raise an error.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of the recordings and of the augmentation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of copies by class.
    sample_indices_ : ndarray of shape (n_new_recordings,)
        Row of X from which each row of the result comes; ``groups[sample_indices_]`` are the subjects.
    n_features_in_ : int
        Size of the second dimension of X, if it is an array.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a data frame.

    See Also
    --------
    imblearn.over_sampling.RandomOverSampler : Copies without augmentation.

    Examples
    --------
    >>> import numpy as np
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC, StudentClassifier
    >>> from sklearn_heartkd.augmentation import AugmentingOverSampler
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> some_murmurs = np.flatnonzero(sounds.target == "murmur")[4:]
    >>> X = np.delete(sounds.data, some_murmurs, axis=0)
    >>> y = np.delete(sounds.target, some_murmurs)
    >>> np.unique(y, return_counts=True)[1]
    array([ 4, 12])
    >>> sampler = AugmentingOverSampler(random_state=0)
    >>> np.unique(sampler.fit_resample(X, y)[1], return_counts=True)[1]
    array([12, 12])
    >>> model = make_pipeline(sampler, MFCC(), StudentClassifier(max_epochs=2))
    >>> model.fit(X, y).predict(X).shape
    (16,)
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "augmentation": [list, tuple, None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | Mapping[Any, int] | Callable[..., Any] = "auto",
        augmentation: Sequence[Augmentation] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.augmentation = augmentation
        self.random_state = random_state

    def _check_X_y(self, X, y):
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        recordings = as_sequence(X)
        if recordings is not X or differ_in_shape(recordings):
            recordings = check_recordings(self, recordings, reset=True)
            y = _check_y(y)
            check_consistent_length(recordings, y)
            return _as_column(recordings), y, binarize_y
        if hasattr(X, "sparse"):  # a data frame of sparse columns, which is not a sparse matrix
            X = X.sparse.to_dense()
        X, y = validate_data(self, X, y, allow_nd=True, dtype=[np.float64, np.float32])
        if X.ndim > 3:
            raise ValueError(
                f"X has {X.ndim} dimensions; give waveforms of shape (n_recordings, n_samples) or "
                "sequences of shape (n_recordings, n_channels, n_frames)."
            )
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        random_state = check_random_state(self.random_state)
        copied = np.empty(0, dtype=int)
        for label, n_copies in self.sampling_strategy_.items():
            members = random_state.permutation(np.flatnonzero(y == label))
            copied = np.append(copied, np.resize(members, n_copies))
        self.sample_indices_ = np.concatenate([np.arange(len(X)), copied])
        if len(copied) == 0:
            return X.copy(), y.copy()
        generator = torch_generator(draw_seed(random_state))
        if X.ndim == 1:
            copies = _as_column([self._augment(row[None], generator)[0] for row in X[copied]])
        else:
            copies = self._augment(X[copied], generator)
        return np.concatenate([X, copies]), y[self.sample_indices_]

    def _augment(self, X, generator):
        x = torch.tensor(np.ascontiguousarray(X[:, None] if X.ndim == 2 else X))
        rows = torch.arange(len(x))
        batch = Batch(x, target=rows, weight=torch.ones_like(rows), index=rows, subject=rows)
        for augment in self._augmentations(X.ndim):
            if not isinstance(augment, Augmentation):
                raise TypeError(
                    f"augmentation takes a list of Augmentation objects, got {augment!r} in it."
                )
            batch = augment(batch, generator)
            if batch.partner is not None or batch.x.shape != x.shape:
                raise ValueError(
                    f"{augment!r} mixes labels or changes the length, which copies do not support; use "
                    "it as an augmentation of the network instead."
                )
        return batch.x.numpy().reshape(X.shape)

    def _augmentations(self, n_dimensions):
        if self.augmentation is not None:
            return self.augmentation
        if n_dimensions == 2:
            return [TimeShift(), AdditiveNoise(snr=(10.0, 30.0)), Gain(decibels=3.0)]
        return [TimeShift(), BandMasking(), TimeMasking(), GaussianNoise()]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        tags.sampler_tags.sample_indices = True
        return tags


def _as_column(recordings):
    column = np.empty(len(recordings), dtype=object)
    for i, recording in enumerate(recordings):
        column[i] = recording
    return column
