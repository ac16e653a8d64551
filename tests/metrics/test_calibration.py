import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score

from sklearn_heartkd.metrics import (
    ReliabilityDisplay,
    expected_calibration_error,
    reject_threshold,
    reliability_curve,
    risk_coverage_curve,
)

# confidences 0.9, 0.9, 0.7, 0.6, 0.5; right, wrong, right, right, wrong
LABELS = ["extrastole", "murmur", "normal"]
Y_TRUE = np.array(["normal", "murmur", "murmur", "extrastole", "murmur"])
Y_PROBA = np.array(
    [[0.0, 0.1, 0.9], [0.05, 0.05, 0.9], [0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.5, 0.3, 0.2]]
)


def test_reliability_by_hand():
    curve = reliability_curve(Y_TRUE, Y_PROBA, n_bins=4)  # (.25, .5], (.5, .75], (.75, 1]
    np.testing.assert_allclose(curve["confidence"], [0.5, 0.65, 0.9])
    np.testing.assert_allclose(curve["accuracy"], [0, 1, 0.5])
    np.testing.assert_allclose(curve["weight"], [0.2, 0.4, 0.4])


def test_expected_calibration_error_by_hand():
    error = expected_calibration_error(Y_TRUE, Y_PROBA, n_bins=4)
    assert error == pytest.approx(0.2 * 0.5 + 0.4 * 0.35 + 0.4 * 0.4)
    certain = np.eye(3)[[LABELS.index(label) for label in Y_TRUE]]
    assert expected_calibration_error(Y_TRUE, certain) == 0
    assert expected_calibration_error(Y_TRUE[:1], certain[4:], labels=LABELS) == 1


def test_weights_are_copies():
    weight = np.array([1, 3, 0, 2, 1])
    copies = np.repeat(np.arange(5), weight)
    weighted = reliability_curve(Y_TRUE, Y_PROBA, sample_weight=weight, n_bins=4)
    copied = reliability_curve(Y_TRUE[copies], Y_PROBA[copies], labels=LABELS, n_bins=4)
    np.testing.assert_allclose(weighted, copied)
    weighted = risk_coverage_curve(Y_TRUE, Y_PROBA, sample_weight=weight)
    copied = risk_coverage_curve(Y_TRUE[copies], Y_PROBA[copies], labels=LABELS)
    np.testing.assert_allclose(weighted, copied)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_agrees_with_scikit_learn_on_confidences(strategy):
    rng = np.random.default_rng(0)
    y_proba = rng.dirichlet([2, 1, 0.5], size=400)
    y_true = rng.integers(0, 3, 400)
    accuracy, confidence = calibration_curve(
        y_true == y_proba.argmax(axis=1), y_proba.max(axis=1), n_bins=6, strategy=strategy
    )
    curve = reliability_curve(y_true, y_proba, n_bins=6, strategy=strategy)
    np.testing.assert_allclose(curve["accuracy"], accuracy)
    np.testing.assert_allclose(curve["confidence"], confidence)


def test_one_column_is_the_second_class():
    p = np.array([0.9, 0.2, 0.6])
    one = expected_calibration_error(["b", "a", "a"], p)
    assert one == expected_calibration_error(["b", "a", "a"], np.column_stack([1 - p, p]))


def test_calibration_error_is_a_scorer():
    X, y = make_classification(150, n_informative=4, n_classes=3, random_state=0)
    scorer = make_scorer(
        expected_calibration_error, response_method="predict_proba", greater_is_better=False
    )
    scores = cross_val_score(LogisticRegression(), X, np.array(LABELS)[y], scoring=scorer, cv=3)
    assert np.all((scores < 0) & (scores > -0.4))


def test_risk_coverage_by_hand():
    curve = risk_coverage_curve(Y_TRUE, Y_PROBA)
    np.testing.assert_allclose(curve["threshold"], [0.9, 0.7, 0.6, 0.5])
    np.testing.assert_allclose(curve["coverage"], [0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(curve["risk"], [1 / 2, 1 / 3, 1 / 4, 2 / 5])


@pytest.mark.parametrize(
    ("error_rate", "threshold"),
    [(1, 0.5), (0.4, 0.5), (0.39, 0.6), (0.25, 0.6), (0.24, np.inf), (0, np.inf)],
)
def test_reject_threshold_by_hand(error_rate, threshold):
    # a higher error rate further up the curve does not matter
    assert reject_threshold(Y_TRUE, Y_PROBA, error_rate) == threshold


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reject_threshold(Y_TRUE, Y_PROBA, 5), "error_rate=5 must lie between 0 and 1"),
        (lambda: reliability_curve(Y_TRUE[:3], Y_PROBA[:3]), "3 columns for 2 classes"),
        (lambda: reliability_curve(Y_TRUE, 3 * Y_PROBA), "must hold probabilities"),
        (lambda: reliability_curve(Y_TRUE, Y_PROBA * np.nan), "must hold probabilities"),
        (
            lambda: reliability_curve(["x"] * 5, Y_PROBA, labels=LABELS),
            "holds 'x', which is not in labels",
        ),
        (lambda: reliability_curve(Y_TRUE, Y_PROBA, strategy="x"), "strategy='x' is unknown"),
        (lambda: reliability_curve(Y_TRUE, Y_PROBA / 2), r"Row 0 of y_proba sums to 0\.5"),
        (lambda: reliability_curve(Y_TRUE, Y_PROBA, n_bins=0), "n_bins=0 must be an integer"),
        (lambda: reliability_curve(Y_TRUE, Y_PROBA, n_bins=2.5), "n_bins=2.5 must be an integer"),
        (
            lambda: reliability_curve(Y_TRUE, Y_PROBA, sample_weight=np.zeros(len(Y_TRUE))),
            "one of them above 0",
        ),
        (
            lambda: reject_threshold(Y_TRUE, Y_PROBA, 0.1, sample_weight=-np.ones(len(Y_TRUE))),
            "sample_weight must be finite, at least 0",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_display_shows_the_curve(ax):
    X, y = make_classification(150, n_informative=4, n_classes=3, random_state=0)
    model = LogisticRegression().fit(X[::2], y[::2])
    display = ReliabilityDisplay.from_estimator(model, X[1::2], y[1::2], n_bins=5, ax=ax)
    curve = reliability_curve(y[1::2], model.predict_proba(X[1::2]), n_bins=5)
    np.testing.assert_array_equal(display.line_.get_xdata(), curve["confidence"])
    np.testing.assert_array_equal(display.line_.get_ydata(), curve["accuracy"])
    assert np.all(np.diff(display.points_.get_sizes()[np.argsort(curve["weight"])]) >= 0)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any(text.startswith("LogisticRegression: calibration error 0.") for text in texts)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_two_displays_share_the_axes(ax):
    first = ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA, name="teacher", ax=ax)
    ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA, name="student", ax=ax, color="#D55E00")
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(texts) == 3
    first.plot(name="again", linestyle="--")
    assert first.ax_ is not ax
    assert first.line_.get_linestyle() == "--"
    plt.close(first.figure_)


def test_display_refuses_regressors():
    model = LinearRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="LinearRegression is not a classifier"):
        ReliabilityDisplay.from_estimator(model, [[0.0]], [0])
