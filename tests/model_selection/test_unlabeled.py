import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier
from sklearn_heartkd.model_selection import split_unlabeled
from tests.distillation.helpers import Oracle

GROUPS = np.arange(36) // 3
PLANTED = np.arange(20) % 15  # 12 of them have labeled rows


def test_a_subject_that_is_planted_on_both_sides_is_left_out():
    for _, test in GroupKFold(4).split(GROUPS, groups=GROUPS):
        kept = split_unlabeled(GROUPS, PLANTED, test)
        absent = set(GROUPS[test])
        assert_array_equal(kept, [i for i, one in enumerate(PLANTED) if one not in absent])
        assert 0 < len(kept) < 20


def test_lists_and_texts():
    assert split_unlabeled(["a", "b"], ["b", "c", "a"], [0]).tolist() == [0, 1]
    assert split_unlabeled(["a", "b"], ["b"], [1]).tolist() == []


def test_subjects_that_cannot_be_equal_are_refused():
    with pytest.raises(ValueError, match="both as texts or both as numbers"):
        split_unlabeled([1, 2], ["1", "2"], [0])


def test_a_loop_over_folds_hears_no_tested_subject():
    rng = np.random.default_rng(0)
    target = np.arange(36) % 3
    X, y = 1.5 * target[:, None] + 0.2 * rng.standard_normal((36, 2)), target
    further = rng.standard_normal((20, 2)).astype(float)
    model = DistilledClassifier(
        Oracle(classes=(0, 1, 2)), DenseStudentClassifier(max_epochs=1), random_state=0
    )
    for training, test in GroupKFold(3).split(X, y, GROUPS):
        rows = split_unlabeled(GROUPS, PLANTED, test)
        model.fit(
            X[training],
            y[training],
            groups=GROUPS[training],
            X_unlabeled=further[rows],
            groups_unlabeled=PLANTED[rows],
        )
        assert not set(PLANTED[rows]) & set(GROUPS[test])
        assert model.predict(X[test]).shape == (12,)
