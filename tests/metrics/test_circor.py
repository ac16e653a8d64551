import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import make_scorer

from sklearn_heartkd.metrics import (
    aggregate_by_patient,
    circor_outcome_cost,
    circor_weighted_accuracy,
)

# answers in the rows, truths in the columns, as in the challenge's description
MURMURS = ("present", "unknown", "absent")
COUNTS = np.array([[3, 1, 2], [1, 2, 1], [1, 1, 8]])


def patients(counts, answers, truths):
    rows = [
        (a, t)
        for i, a in enumerate(answers)
        for j, t in enumerate(truths)
        for _ in range(counts[i, j])
    ]
    y_pred, y_true = np.array(rows).T
    return y_true, y_pred


def test_weighted_accuracy_of_murmurs_by_hand():
    y_true, y_pred = patients(COUNTS, MURMURS, MURMURS)
    # (5 * 3 + 3 * 2 + 8) / (5 * 5 + 3 * 4 + 11)
    assert_allclose(circor_weighted_accuracy(y_true, y_pred), 29 / 48)
    assert_allclose(circor_weighted_accuracy(np.char.title(y_true), y_pred), 29 / 48)
    assert circor_weighted_accuracy(y_true, y_true) == 1


def test_weighted_accuracy_of_outcomes_by_hand():
    y_true, y_pred = patients(
        np.array([[4, 3], [2, 6]]), ["abnormal", "normal"], ["abnormal", "normal"]
    )
    assert_allclose(circor_weighted_accuracy(y_true, y_pred), (5 * 4 + 6) / (5 * 6 + 9))


def test_cost_by_hand():
    outcomes = ("abnormal", "normal")
    y_true, y_pred = patients(np.array([[4, 3], [2, 1]]), outcomes, outcomes)
    # 7 of 10 are referred
    expert = 25 + 397 * 0.7 - 1718 * 0.49 + 11296 * 0.2401
    assert_allclose(circor_outcome_cost(y_true, y_pred), 10 + expert + 4000 + 10_000)


@pytest.mark.parametrize(("share", "mean_cost"), [(0.5, 1000), (1.0, 10_000)])
def test_cost_of_the_expert_as_published(share, mean_cost):
    y_true = ["normal"] * 10
    y_pred = ["abnormal"] * round(10 * share) + ["normal"] * round(10 - 10 * share)
    assert_allclose(
        circor_outcome_cost(y_true, y_pred), 10 + mean_cost * [1, 0.5][share == 0.5], rtol=0.01
    )


def test_a_murmur_that_is_present_or_unknown_is_referred():
    y_true = ["abnormal", "normal", "normal", "abnormal"]
    as_outcomes = circor_outcome_cost(y_true, ["abnormal", "abnormal", "normal", "normal"])
    assert circor_outcome_cost(y_true, ["present", "unknown", "absent", "absent"]) == as_outcomes


def test_unknown_labels_are_named():
    with pytest.raises(ValueError, match="y_true holds 'loud'; its labels must be"):
        circor_weighted_accuracy(["loud"], ["absent"])
    with pytest.raises(ValueError, match="y_pred holds 'abnormal'"):
        circor_weighted_accuracy(["present", "absent"], ["abnormal", "absent"])
    with pytest.raises(ValueError, match=r"y_true holds 'present'; .*'abnormal'"):
        circor_outcome_cost(["present"], ["present"])
    with pytest.raises(ValueError, match="y_true holds"):
        circor_weighted_accuracy(["present", "normal"], ["present", "normal"])


def test_scores_work_as_scorers():
    assert make_scorer(circor_outcome_cost, greater_is_better=False) is not None


def test_the_recordings_of_a_patient_are_combined():
    y_score, groups = [[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], [7, 3, 7]
    names, mean = aggregate_by_patient(y_score, groups)
    assert names.tolist() == [3, 7]
    assert_allclose(mean, [[0.6, 0.4], [0.35, 0.65]])
    assert_allclose(
        aggregate_by_patient(y_score, groups, method="max")[1], [[0.6, 0.4], [5 / 13, 8 / 13]]
    )
    assert_allclose(aggregate_by_patient([0.1, 0.2, 0.9], groups)[1], [0.2, 0.5])
    assert_allclose(aggregate_by_patient([0.1, 0.2, 0.9], groups, method="max")[1], [0.2, 0.9])
    with pytest.raises(ValueError, match="method must be 'mean' or 'max', got 'median'"):
        aggregate_by_patient(y_score, groups, method="median")
