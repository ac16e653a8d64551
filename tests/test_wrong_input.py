"""Input of another kind is named, with what to do about it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from sklearn_heartkd import (
    MFCC,
    DistilledClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import RecordingDisplay
from sklearn_heartkd.metrics import compare_models, oof_frame, physionet2016_scores
from sklearn_heartkd.model_selection import check_dataset

X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.arange(12) % 2
OOF = oof_frame("a", seed=0, fold=0, recording=[0, 1], y_true=["x", "y"], y_pred=["x", "y"])


def student(**parameters):
    return StudentClassifier(width=2, depth=1, max_epochs=1, **parameters)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: MFCC().fit_transform(["a.wav", "b.wav"]),
            TypeError,
            "X contains names of files; read",
        ),
        (
            lambda: WindowedClassifier(student()).fit(np.array(["a.wav", "b.wav"]), [0, 1]),
            TypeError,
            "read_recording",
        ),
        (
            lambda: student(class_weight={0: -5, 1: 1}).fit(X, Y),
            ValueError,
            r"class_weight has \{0: -5\}; weights must be finite and at least 0",
        ),
        (
            lambda: student().fit(X, Y, groups=np.array([1, "a"] * 6, dtype=object)),
            ValueError,
            "groups mixes texts with other values",
        ),
        (
            lambda: DistilledClassifier(
                HistGradientBoostingClassifier(categorical_features="from_dtype"), student()
            ).fit(pd.DataFrame({"age": range(12), "sex": pd.Categorical(list("fm") * 6)}), Y),
            ValueError,
            r"columns \['sex'\] of X do not hold numbers",
        ),
        (
            lambda: physionet2016_scores([1, -1], [1, -1], labels=(1, -1)),
            ValueError,
            r"labels=\(1, -1\) must hold three",
        ),
        (
            lambda: compare_models(OOF, [0, 1], metrics="accuracy"),
            TypeError,
            r"such as \['accuracy'\]",
        ),
        (
            lambda: compare_models(OOF, [0, 1], n_resamples=0),
            ValueError,
            "n_resamples=0 must be at",
        ),
        (
            lambda: oof_frame("a", seed=0, fold=0, recording=[0], y_true=["x", "y"], y_pred=["x"]),
            ValueError,
            "inconsistent numbers of samples",
        ),
        (
            lambda: check_dataset(make_heart_sounds(2, random_state=0)),
            TypeError,
            "give its filenames, and its target as y",
        ),
        (
            lambda: RecordingDisplay.from_recording(np.zeros(4000), 0),
            ValueError,
            "sampling_rate=0 must be above 0",
        ),
        (
            lambda: RecordingDisplay.from_recording(np.zeros((2, 4000)), 2000),
            ValueError,
            r"waveform has shape \(2, 4000\); pass one recording",
        ),
    ],
)
def test_wrong_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_rows_without_subjects_are_declared_independent():
    network = student(early_stopping=True)
    with pytest.warns(UserWarning, match=r"pass groups=np.arange\(len\(y\)\)"):
        network.fit(X, Y)
    network.fit(X, Y, groups=np.arange(12))
