import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_curve
from sklearn.model_selection import cross_val_score

from sklearn_heartkd.metrics import (
    operating_point,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
)

Y_TRUE = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
Y_SCORE = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.25, 0.6, 0.8, 0.9])


@pytest.mark.parametrize(
    ("specificity", "sensitivity"), [(1.0, 0.5), (0.8, 0.5), (0.6, 0.75), (0.4, 1.0), (0.0, 1.0)]
)
def test_sensitivity_at_specificity_by_hand(specificity, sensitivity):
    # one well and one ill recording tie at 0.6
    found = sensitivity_at_specificity(Y_TRUE, Y_SCORE, specificity=specificity)
    assert found == pytest.approx(sensitivity)


@pytest.mark.parametrize(
    ("sensitivity", "specificity"), [(1.0, 0.4), (0.76, 0.4), (0.75, 0.6), (0.5, 1.0), (0.0, 1.0)]
)
def test_specificity_at_sensitivity_by_hand(sensitivity, specificity):
    found = specificity_at_sensitivity(Y_TRUE, Y_SCORE, sensitivity=sensitivity)
    assert found == pytest.approx(specificity)


def test_agrees_with_the_roc_curve():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 300)
    y_score = np.round(y_true + rng.normal(size=300), 1)
    weight = rng.integers(0, 4, 300)
    fpr, tpr, _ = roc_curve(y_true, y_score, sample_weight=weight, drop_intermediate=False)
    for level in np.linspace(0, 1, 21):
        expected = tpr[1 - fpr >= level - 1e-12].max()
        found = sensitivity_at_specificity(y_true, y_score, specificity=level, sample_weight=weight)
        assert found == pytest.approx(expected)


def test_several_classes_count_as_one():
    labels = ["extrastole", "murmur", "normal"]
    y_true = ["extrastole", "murmur", "normal", "normal"]
    y_proba = [[0.5, 0.2, 0.3], [0.1, 0.5, 0.4], [0.2, 0.1, 0.7], [0.4, 0.3, 0.3]]
    problem = ["extrastole", "murmur"]  # scores 0.7, 0.6, 0.3, 0.7
    assert sensitivity_at_specificity(y_true, y_proba, pos_label=problem, specificity=1.0) == 0
    found = sensitivity_at_specificity(
        y_true, y_proba, pos_label=problem, labels=labels, specificity=0.5
    )
    assert found == 1


@pytest.mark.parametrize("pos_label", ["ill", "well"])
def test_binary_scorer_looks_at_the_right_class(pos_label):
    X, y = make_classification(200, weights=[0.7], class_sep=2, random_state=0)
    y = np.where(y, "well", "ill")
    scorer = make_scorer(
        sensitivity_at_specificity, response_method="predict_proba", pos_label=pos_label
    )
    assert cross_val_score(LogisticRegression(), X, y, scoring=scorer).min() > 0.6


def test_operating_point_returns_what_it_promises():
    rng = np.random.default_rng(1)
    y_true = rng.integers(0, 2, 400)
    y_score = 1.5 * y_true + rng.normal(size=400)
    point = operating_point(y_true, y_score, specificity=0.9, random_state=0)
    called = y_score >= point.threshold
    assert np.mean(called[y_true == 1]) == pytest.approx(point.sensitivity)
    assert np.mean(~called[y_true == 0]) == pytest.approx(point.specificity)
    assert point.specificity >= 0.9
    assert point.sensitivity == sensitivity_at_specificity(y_true, y_score, specificity=0.9)
    low, high = point.sensitivity_interval
    # the truth of two unit normals 1.5 apart at specificity 0.9
    assert low < 0.586 < high
    assert 0.05 < high - low < 0.35
    reverse = operating_point(y_true, y_score, sensitivity=0.8, random_state=0)
    assert reverse.specificity == specificity_at_sensitivity(y_true, y_score, sensitivity=0.8)


def test_copies_of_a_subject_add_no_certainty():
    rng = np.random.default_rng(2)
    y_true = np.tile([0, 1], 30)
    y_score = y_true + rng.normal(size=60)
    once = operating_point(y_true, y_score, specificity=0.8, random_state=0)
    five = [np.repeat(y, 5) for y in (y_true, y_score, np.arange(60))]
    by_subject = operating_point(five[0], five[1], groups=five[2], specificity=0.8, random_state=0)
    assert by_subject == once
    naive = operating_point(five[0], five[1], specificity=0.8, random_state=0)
    width = np.diff(naive.sensitivity_interval)[0]
    assert width < 0.7 * np.diff(once.sensitivity_interval)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Give either specificity or sensitivity"),
        ({"specificity": 0.9, "sensitivity": 0.9}, "Give either specificity or sensitivity"),
        ({"specificity": 90}, "specificity=90 must lie between 0 and 1"),
        ({"specificity": 0.9, "confidence_level": 95}, "confidence_level=95 must lie"),
        ({"specificity": 0.9, "groups": [1]}, "inconsistent numbers"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        operating_point(Y_TRUE, Y_SCORE, n_resamples=5, **arguments)


@pytest.mark.parametrize(
    ("y_true", "y_score", "arguments", "message"),
    [
        (["a", "b"], [0.1, 0.2], {}, "pass the positive class as pos_label="),
        ([1, 1], [0.1, 0.2], {}, "y_true needs recordings of pos_label=1 and others"),
        ([0, 1], [0.1, np.nan], {}, "holds NaN"),
        ([0, 1], [[0.1, 0.9]] * 2, {}, "pass the positive class as pos_label="),
        ([0, 1], [[0.1, 0.9, 0.0]] * 2, {"pos_label": 1}, "3 columns for 2 classes"),
        ([0, 1], [[0.1, 0.9]] * 2, {"pos_label": "x"}, "not in the classes"),
    ],
)
def test_wrong_scores(y_true, y_score, arguments, message):
    with pytest.raises(ValueError, match=message):
        sensitivity_at_specificity(y_true, y_score, **arguments)
