import numpy as np
import pytest

from sklearn_heartkd.comparison._calibrated_svc import CalibratedSVC


def test_a_class_of_few_subjects():
    X, y = np.random.default_rng(0).standard_normal((8, 3)), np.array(["a"] * 6 + ["b"] * 2)
    svm = CalibratedSVC(random_state=0).fit(X, y, groups=np.arange(8))
    assert svm.predict_proba(X).shape == (8, 2)
    with pytest.raises(ValueError, match="at least 2 subjects of every class"):
        svm.fit(X, y, groups=[0, 1, 2, 3, 4, 5, 6, 6])
