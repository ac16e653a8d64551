"""From real recordings to a distilled student."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from sklearn_heartkd import MFCC, Conv1DClassifier, DistilledClassifier, StudentClassifier
from sklearn_heartkd.datasets import load_pascal


@pytest.mark.recordings
def test_a_distilled_student_beats_the_majority_class_by_subject(pascal_path):
    pascal = load_pascal(pascal_path, subset="a", sampling_rate=2000, duration=3.0)
    X, y, groups = pascal.data, pascal.target, pascal.groups
    outer = StratifiedGroupKFold(2, shuffle=True, random_state=0)
    for training, test in outer.split(X, y, groups):
        assert not set(groups[training]) & set(groups[test])
    distilled = DistilledClassifier(
        Conv1DClassifier(width=16, max_epochs=12), StudentClassifier(max_epochs=20), random_state=0
    )
    model = Pipeline([("mfcc", MFCC(sampling_rate=2000)), ("student", distilled)])
    predicted = cross_val_predict(
        model, X, y, groups=groups, cv=outer, params={"student__groups": groups}
    )
    majority = 1 / len(np.unique(y))
    assert balanced_accuracy_score(y, predicted) > majority + 0.15
