"""Over-sampling of rare classes with augmented copies."""

import numpy as np
import torch
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from scipy.sparse import issparse
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
from sklearn_heartkd.utils._recordings import as_sequence, check_recordings
from sklearn_heartkd.utils._validation import differ_in_shape


class AugmentingOverSampler(BaseOverSampler):
    """Over-sample rare classes with augmented copies of their recordings.

    Where :class:`~imblearn.over_sampling.RandomOverSampler` repeats rows, this repeats them shifted,
    noisy, or however `augmentation` changes them. In a :class:`imblearn.pipeline.Pipeline` it acts in
    `fit` only: predictions see every recording as it is. All recordings of a class are copied
    equally often, as far as the number of copies allows.

    By default only the rarer classes are copied, so whatever shows that a row is augmented, such as
    noise, also tells its class. A `sampling_strategy` that copies every class avoids that.

    X may be of shape (n_recordings, n_samples), (n_recordings, n_channels, n_frames), or a list, object
    array or series of 1-D waveforms of different length. A list of those comes back as a list; each is
    augmented on its own, in units of its own standard deviation.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many recordings each class shall have, as for
        :class:`~imblearn.over_sampling.RandomOverSampler`; "auto" is as many as the largest class.
    augmentation : list of Augmentation, default=None
        Applied to the copies, in this order. None is ``[TimeShift(), AdditiveNoise(snr=(10, 30)),
        Gain(decibels=3)]`` for waveforms and ``[TimeShift(), BandMasking(), TimeMasking(),
        GaussianNoise()]`` for 3-D X. Those that mix labels or change the length are refused.
    random_state : int, RandomState instance or None, default=None
        Chooses the recordings and seeds the augmentation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of copies by class.
    sample_indices_ : ndarray of shape (n_new_recordings,)
        Row of X that each row of the result is or was copied from; ``groups[sample_indices_]`` are its
        subjects.
    n_features_in_ : int
        Size of the second dimension of X, where it is an array.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names of a data frame.

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

    def __init__(self, *, sampling_strategy="auto", augmentation=None, random_state=None):
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
        forms = {"allow_nd": True, "dtype": [np.float64, np.float32], "accept_sparse": "csr"}
        X, y = validate_data(self, X, y, **forms)
        X = X.toarray() if issparse(X) else X
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
                    f"{augment!r} mixes labels or changes the length, which a copy must not; leave it "
                    "out of the over-sampler and give it to the network."
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
