import numpy as np
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import cross_validate

from sklearn_heartkd.metrics import (
    physionet2016_macc_score,
    physionet2016_scorers,
    physionet2016_scores,
)

# abnormal good: a a q n; abnormal poor: q n; normal good: n n n q a; normal poor: q
Y_TRUE = np.array([1] * 6 + [-1] * 6)
Y_PRED = np.array([1, 1, 0, -1, 0, -1, -1, -1, -1, 0, 1, 0])
QUALITY = np.array([1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0])
NAMES = {1: "abnormal", -1: "normal", 0: "unsure"}


def test_by_hand_with_the_weights_of_the_data():
    se = 4 / 6 * 2 / 4 + 2 / 6 * (0 + 1) / 2
    sp = 5 / 6 * 3 / 5 + 1 / 6 * (0 + 1) / 1
    scores = physionet2016_scores(Y_TRUE, Y_PRED, quality=QUALITY)
    assert scores == pytest.approx({"sensitivity": se, "specificity": sp, "macc": (se + sp) / 2})


def test_by_hand_with_given_weights():
    weights = (0.8602, 0.1398, 0.9252, 0.0748)
    scores = physionet2016_scores(Y_TRUE, Y_PRED, quality=QUALITY, weights=weights)
    assert scores["sensitivity"] == pytest.approx(0.8602 * 2 / 4 + 0.1398 * 1 / 2)
    assert scores["specificity"] == pytest.approx(0.9252 * 3 / 5 + 0.0748 * 1)


def test_unsure_is_right_on_poor_recordings_only():
    unsure = np.zeros(12, dtype=int)
    assert physionet2016_macc_score(Y_TRUE, unsure) == 0
    assert physionet2016_macc_score(Y_TRUE, unsure, quality=-np.ones(12)) == 1
    assert physionet2016_macc_score(Y_TRUE, Y_TRUE, quality=QUALITY) == 1


def test_strings_and_codes_agree():
    def named(y):
        return [NAMES[code] for code in y.tolist()]

    codes = physionet2016_scores(Y_TRUE, Y_PRED, quality=QUALITY)
    assert physionet2016_scores(named(Y_TRUE), named(Y_PRED), quality=QUALITY) == codes
    own = physionet2016_scores(
        Y_TRUE == 1,
        np.select([Y_PRED == 1, Y_PRED == -1], [1, 0], 2),
        quality=QUALITY,
        labels=(1, 0, 2),
    )
    assert own == codes


def test_quality_in_words():
    words = np.where(QUALITY == 1, np.where(np.arange(12) % 2, "good", ""), "poor")
    expected = physionet2016_scores(Y_TRUE, Y_PRED, quality=QUALITY)
    assert physionet2016_scores(Y_TRUE, Y_PRED, quality=words) == expected
    with pytest.raises(ValueError, match="quality holds 'noisy'; use numbers"):
        physionet2016_scores(Y_TRUE, Y_PRED, quality=["noisy"] * 12)


def test_scorers_get_the_quality_by_metadata_routing():
    X = np.arange(12.0)[:, None]
    model = DummyClassifier(strategy="constant", constant=1)
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            model,
            X,
            Y_TRUE,
            scoring=physionet2016_scorers(weights=(0.5, 0.5, 0.5, 0.5)),
            cv=[(np.arange(12), np.arange(12))],
            params={"quality": QUALITY},
        )
    assert scores["test_sensitivity"] == 1
    assert scores["test_specificity"] == 0
    assert scores["test_macc"] == 0.5
    plain = cross_validate(model, X, Y_TRUE, scoring=physionet2016_scorers(), cv=2)
    np.testing.assert_array_equal(plain["test_macc"], 0.5)


def test_a_missing_class_is_not_defined():
    with pytest.warns(UndefinedMetricWarning, match="has no abnormal recording"):
        scores = physionet2016_scores([-1, -1], [-1, 1])
    assert np.isnan(scores["sensitivity"])
    assert scores["specificity"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": (0.9, 0.1, 0.9, 0.1)}, "one quality is missing"),
        ({"weights": (0.9, 0.1)}, "must be the four numbers"),
        ({"labels": ("ill", "well", "unsure")}, "y_true holds"),
        ({"quality": [1]}, "inconsistent numbers"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        physionet2016_scores(Y_TRUE, Y_PRED, **arguments)


def test_a_strange_answer_is_named():
    with pytest.raises(ValueError, match="y_pred holds 'maybe', but may hold only"):
        physionet2016_macc_score(["normal", "abnormal"], ["normal", "maybe"])
