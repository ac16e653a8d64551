import numpy as np
import pytest

from sklearn_heartkd.metrics import net_benefit


def test_the_definition_of_vickers_and_elkin():
    rng = np.random.default_rng(0)
    y = rng.choice(["murmur", "normal"], 50)
    p = rng.uniform(size=50)
    curve = net_benefit(y, p, pos_label="murmur")
    assert len(curve) == 99
    for t, found, everybody in curve.itertuples(index=False):
        true = sum(1 for label, q in zip(y, p, strict=True) if q >= t and label == "murmur")
        false = sum(1 for label, q in zip(y, p, strict=True) if q >= t and label == "normal")
        assert found == pytest.approx(true / 50 - false / 50 * t / (1 - t))
        rate = np.mean(y == "murmur")
        assert everybody == pytest.approx(rate - (1 - rate) * t / (1 - t))


def test_a_perfect_model_is_as_good_as_the_prevalence():
    curve = net_benefit([0, 1, 1, 0], [0, 1, 1, 0], thresholds=[0.1, 0.9])
    assert curve["net_benefit"].tolist() == [0.5, 0.5]
    nobody = net_benefit([0, 1], [0, 0], thresholds=[0.5])
    assert nobody["net_benefit"].tolist() == [0]


@pytest.mark.parametrize("threshold", [0, 1, np.nan])
def test_thresholds_outside(threshold):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        net_benefit([0, 1], [0.2, 0.7], thresholds=[threshold])


def test_nothing_to_score():
    with pytest.raises(ValueError, match="y_true is empty"):
        net_benefit([], [])
