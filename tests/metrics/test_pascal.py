import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_heartkd.metrics import (
    artifact_f_score,
    discriminant_power_score,
    pascal_scorers,
    pascal_scores,
    total_precision_score,
    youden_index_score,
)

A_TRUE = ["artifact"] * 4 + ["extrahls"] * 2 + ["murmur"] * 3 + ["normal"] * 3
A_PRED = [
    *("artifact", "artifact", "artifact", "normal"),
    *("extrahls", "normal"),
    *("murmur", "murmur", "artifact"),
    *("normal", "murmur", "normal"),
]
B_TRUE = ["extrastole"] * 2 + ["murmur"] * 3 + ["normal"] * 5
B_PRED = ["extrastole", "murmur", "murmur", "murmur", "normal"] + ["normal"] * 4 + ["murmur"]


def test_set_a_by_hand():
    assert pascal_scores(A_TRUE, A_PRED, subset="a") == pytest.approx(
        {
            "precision_artifact": 3 / 4,
            "precision_extrahls": 1,
            "precision_murmur": 2 / 3,
            "precision_normal": 2 / 4,
            "total_precision": 3 / 4 + 1 + 2 / 3 + 2 / 4,
            "youden_index_artifact": 3 / 4 + 7 / 8 - 1,
            "f_score_artifact": 3 / 4,
        }
    )


def test_set_a_of_the_challenge_sheet_by_hand():
    scores = pascal_scores(A_TRUE, A_PRED, subset="a", variant="challenge")
    assert scores["youden_index_artifact"] == pytest.approx(3 / 4 + 5 / 8 - 1)
    p = s = 3 / 4
    assert scores["f_score_artifact"] == pytest.approx(0.81 * p * s / (0.81 * p + s))
    assert scores["total_precision"] == pytest.approx(3 / 4 + 1 + 2 / 3 + 2 / 4)


def test_perfect_answers():
    perfect = pascal_scores(A_TRUE, A_TRUE, variant="challenge")
    assert perfect["f_score_artifact"] == pytest.approx(0.4475, abs=1e-4)
    assert perfect["youden_index_artifact"] == 1
    assert pascal_scores(A_TRUE, A_TRUE)["f_score_artifact"] == 1


@pytest.mark.parametrize("variant", ["standard", "challenge"])
def test_set_b_by_hand(variant):
    # 4 of 5 problems are called a problem, though one extrastole is called murmur
    scores = pascal_scores(B_TRUE, B_PRED, subset="b", variant=variant)
    assert scores == pytest.approx(
        {
            "precision_extrastole": 1,
            "precision_murmur": 2 / 4,
            "precision_normal": 4 / 5,
            "total_precision": 1 + 2 / 4 + 4 / 5,
            "youden_index_heart_problem": 4 / 5 + 4 / 5 - 1,
            "discriminant_power_heart_problem": np.sqrt(3) / np.pi * (np.log10(4) + np.log10(4)),
        }
    )


def test_f_score_weighs_sensitivity_with_beta_squared():
    y_pred = ["artifact"] * 6 + A_PRED[6:]
    expected = fbeta_score(np.array(A_TRUE) == "artifact", np.array(y_pred) == "artifact", beta=0.9)
    assert artifact_f_score(A_TRUE, y_pred) == pytest.approx(expected)
    assert artifact_f_score(A_TRUE, y_pred, beta=3) > artifact_f_score(A_TRUE, y_pred, beta=0.3)


def test_nothing_found_scores_zero():
    y_pred = ["normal"] * len(A_TRUE)
    assert artifact_f_score(A_TRUE, y_pred) == 0
    assert youden_index_score(A_TRUE, y_pred) == 0
    assert total_precision_score(A_TRUE, y_pred) == pytest.approx(3 / 12)


def test_discriminant_power_at_the_edges():
    assert discriminant_power_score(B_TRUE, B_TRUE) == np.inf
    all_problems = ["murmur"] * len(B_TRUE)
    assert np.isnan(discriminant_power_score(B_TRUE, all_problems))
    corrected = np.sqrt(3) / np.pi * (np.log10(5.5 / 0.5) + np.log10(5.5 / 0.5))
    assert discriminant_power_score(B_TRUE, B_TRUE, correction=0.5) == pytest.approx(corrected)


@pytest.mark.parametrize("y_true", [["normal", "normal"], ["artifact", "artifact"]])
def test_a_missing_side_is_not_defined(y_true):
    with pytest.warns(UndefinedMetricWarning, match="not defined"):
        assert np.isnan(youden_index_score(y_true, ["artifact", "normal"]))


@pytest.mark.parametrize("subset", ["a", "b"])
def test_all_scorers_cross_validate(subset):
    y = np.tile(A_TRUE if subset == "a" else B_TRUE, 3)
    X = np.zeros((len(y), 1))
    scoring = pascal_scorers(subset=subset, variant="challenge")
    scores = cross_validate(
        DummyClassifier(strategy="constant", constant="normal"), X, y, scoring=scoring, cv=3
    )
    for name in scoring:
        assert np.all(np.isfinite(scores[f"test_{name}"])), name
    share = np.mean(y == "normal")
    np.testing.assert_allclose(scores["test_precision_normal"], share)
    np.testing.assert_allclose(scores["test_total_precision"], share)


def test_a_score_tunes_a_search():
    X, y = np.zeros((12, 1)), np.array(A_TRUE)
    search = GridSearchCV(
        DummyClassifier(strategy="constant", constant="normal"),
        {"constant": ["normal", "artifact"]},
        scoring=make_scorer(artifact_f_score, variant="challenge"),
        cv=[(np.arange(12), np.arange(12))],
    ).fit(X, y)
    assert search.best_params_ == {"constant": "artifact"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pascal_scores(A_TRUE, A_PRED, subset="c"),
            "subset='c' is unknown; use 'a' or 'b'",
        ),
        (lambda: youden_index_score(A_TRUE, A_PRED, variant="x"), "variant='x' is unknown; use"),
        (lambda: artifact_f_score(A_TRUE, A_PRED, variant="x"), "variant='x' is unknown; use"),
        (lambda: youden_index_score(A_TRUE, A_PRED[:3]), "inconsistent numbers of samples"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
