import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_heartkd.metrics import ThresholdClassifier

RNG = np.random.default_rng(0)
Y = np.repeat(["artifact", "murmur", "normal"], 40)
X = RNG.normal(size=(120, 2)) + np.repeat([[3, 0], [0, 1], [0, -1]], 40, axis=0)
FIVE = ThresholdClassifier(
    LogisticRegression(), threshold=0.7, pos_label="murmur", neg_label="normal"
)


@parametrize_with_checks([ThresholdClassifier(LogisticRegression())], xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_other_classes_are_set_aside():
    model = clone(FIVE).fit(X, Y)
    plain = LogisticRegression().fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(X), plain)
    expected = np.where(plain[:, 1] / (plain[:, 1] + plain[:, 2]) >= 0.7, "murmur", "normal")
    np.testing.assert_array_equal(model.predict(X), expected)
    assert set(expected) == {"murmur", "normal"}


def test_of_two_classes_it_is_what_scikit_learn_has():
    rows = Y != "artifact"
    for threshold in (0.2, 0.5, 0.9):
        own = ThresholdClassifier(LogisticRegression(), threshold=threshold)
        other = FixedThresholdClassifier(
            LogisticRegression(), threshold=threshold, pos_label="normal"
        )
        ours, theirs = (model.fit(X[rows], Y[rows]).predict(X) for model in (own, other))
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (
            {"pos_label": None, "neg_label": None},
            "pos_label and neg_label are given; y has 3 classes",
        ),
        (
            {"pos_label": "Murmur"},
            "pos_label='Murmur' and neg_label='normal' must be two of the classes",
        ),
        ({"neg_label": "murmur"}, "must be two of the classes"),
    ],
)
def test_labels_that_are_not_two_classes(labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        clone(FIVE).set_params(**labels).fit(X, Y)


class DevicesWanted(LogisticRegression):
    def fit(self, X, y, sample_weight=None, devices=None):
        self.devices_ = devices
        return super().fit(X, y, sample_weight)


def test_weights_and_devices_reach_the_estimator():
    weight = np.where(np.arange(120) % 3 == 0, 0.0, 2.0)
    model = ThresholdClassifier(DevicesWanted(), pos_label="murmur", neg_label="normal")
    model.fit(X, Y, sample_weight=weight, devices=np.arange(120))
    np.testing.assert_array_equal(model.estimator_.devices_, np.flatnonzero(weight))
    kept = weight > 0
    expected = LogisticRegression().fit(X[kept], Y[kept], weight[kept])
    np.testing.assert_array_equal(model.estimator_.coef_, expected.coef_)
