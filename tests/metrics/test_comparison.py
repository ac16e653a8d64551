import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.utils import check_random_state

from sklearn_heartkd.metrics import compare_models, corrected_t_test, oof_frame
from sklearn_heartkd.metrics._bootstrap import draw_counts

CLASSES = np.array(["extrastole", "murmur", "normal"])


def make_oof(accuracies, *, n_seeds=2, n_folds=4, n_recordings=80, random_state=0):
    """Out-of-fold predictions of models that are right with the given probabilities."""
    rng = np.random.default_rng(random_state)
    groups = np.arange(n_recordings) // 2
    y_true = CLASSES[rng.choice(3, n_recordings, p=[0.2, 0.3, 0.5])]
    frames = []
    for seed in range(n_seeds):
        fold_of = rng.permutation(groups.max() + 1)[groups] % n_folds
        for model, accuracy in accuracies.items():
            right = rng.random(n_recordings) < accuracy
            y_pred = np.where(right, y_true, CLASSES[rng.integers(0, 3, n_recordings)])
            for fold in range(n_folds):
                i = np.flatnonzero(fold_of == fold)
                frames.append(
                    oof_frame(
                        model, seed=seed, fold=fold, recording=i, y_true=y_true[i], y_pred=y_pred[i]
                    )
                )
    return pd.concat(frames, ignore_index=True), groups


def cell(table, model, metric):
    row = table[(table["model"] == model) & (table["metric"] == metric)]
    assert len(row) == 1
    return row.iloc[0]


SKLEARN = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "f1_macro": lambda t, p: f1_score(t, p, average="macro", zero_division=0),
    "recall_murmur": lambda t, p: recall_score(t, p, labels=["murmur"], average="macro"),
    "precision_murmur": lambda t, p: precision_score(t, p, labels=["murmur"], average="macro"),
    "f1_murmur": lambda t, p: f1_score(t, p, labels=["murmur"], average="macro"),
}


def test_values_are_scikit_learns_averaged_over_seeds():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8})
    table = compare_models(oof, groups, metrics=list(SKLEARN), n_resamples=10, random_state=0)
    assert table["model"].tolist() == ["svm"] * 6 + ["net"] * 6
    for model in ("svm", "net"):
        own = oof[oof["model"] == model]
        for metric, score in SKLEARN.items():
            by_seed = [score(part["y_true"], part["y_pred"]) for _, part in own.groupby("seed")]
            row = cell(table, model, metric)
            assert row["value"] == pytest.approx(np.mean(by_seed))
            by_fold = [
                score(part["y_true"], part["y_pred"]) for _, part in own.groupby(["seed", "fold"])
            ]
            assert row["std"] == pytest.approx(np.std(by_fold, ddof=1))


def test_intervals_equal_a_slow_and_obvious_bootstrap():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_recordings=40)
    table = compare_models(
        oof, groups, metrics=["balanced_accuracy"], n_resamples=30, random_state=3
    )
    random_state = check_random_state(3)
    subjects = draw_counts(groups.max() + 1, 30, random_state)
    seeds = draw_counts(2, 30, random_state)
    scores = {"svm": [], "net": []}
    for subject_counts, seed_counts in zip(subjects, seeds, strict=True):
        for model in scores:
            total = 0.0
            for seed, count in enumerate(seed_counts):
                part = oof[(oof["model"] == model) & (oof["seed"] == seed)]
                weight = subject_counts[groups[part["recording"]]]
                drawn = part.loc[part.index.repeat(weight)]
                total += count * balanced_accuracy_score(drawn["y_true"], drawn["y_pred"])
            scores[model].append(total / 2)
    row = cell(table, "net", "balanced_accuracy")
    low, high = np.quantile(scores["net"], [0.025, 0.975])
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    paired = np.subtract(scores["net"], scores["svm"])
    low, high = np.quantile(paired, [0.025, 0.975])
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((low, high))


def test_classes_without_recordings_do_not_count():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_seeds=1)
    oof = oof[oof["y_true"] != "extrastole"].reset_index(drop=True)
    assert (oof["y_pred"] == "extrastole").any()
    # only one subject's recordings are taken for the absent class
    other = (oof["y_pred"] == "extrastole") & (
        groups[oof["recording"]] != groups[oof["recording"][0]]
    )
    oof.loc[other, "y_pred"] = "normal"
    oof.loc[0, "y_pred"] = "extrastole"
    table = compare_models(oof, groups, metrics=["f1_macro"], n_resamples=200, random_state=3)

    def score(part, weight=None):
        options = {"labels": ["murmur", "normal"], "average": "macro", "sample_weight": weight}
        return f1_score(part["y_true"], part["y_pred"], **options)

    n_subjects = len(np.unique(groups[oof["recording"]]))
    for model in ("svm", "net"):
        part = oof[oof["model"] == model].sort_values("recording", kind="stable")
        subject = pd.factorize(groups[part["recording"]])[0]
        row = cell(table, model, "f1_macro")
        assert row["value"] == pytest.approx(score(part))
        counts = draw_counts(n_subjects, 200, check_random_state(3))
        drawn = [score(part, weight[subject]) for weight in counts]
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_roc_auc_equals_a_slow_and_obvious_bootstrap():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_seeds=1, n_recordings=40)
    rng = np.random.default_rng(0)
    oof["p_normal"] = np.round(rng.random(len(oof)) + 0.3 * (oof["y_true"] == "normal"), 1)
    table = compare_models(oof, groups, metrics=["roc_auc_normal"], n_resamples=30, random_state=3)
    part = oof[oof["model"] == "net"]
    truth = part["y_true"] == "normal"
    row = cell(table, "net", "roc_auc_normal")
    assert row["value"] == pytest.approx(roc_auc_score(truth, part["p_normal"]))
    drawn = [
        roc_auc_score(truth, part["p_normal"], sample_weight=counts[groups[part["recording"]]])
        for counts in draw_counts(groups.max() + 1, 30, check_random_state(3))
    ]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    with pytest.raises(ValueError, match="needs the probability 'p_murmur'"):
        compare_models(oof, groups, metrics=["roc_auc_murmur"])


def test_a_single_fold_has_no_test():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_seeds=1, n_folds=1)
    table = compare_models(oof, groups, metrics=["accuracy"], n_resamples=20, random_state=0)
    row = cell(table, "net", "accuracy")
    assert np.isnan([row["std"], row["t"], row["p_value"]]).all()
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_difference_and_test_against_the_baseline():
    oof, groups = make_oof({"svm": 0.4, "net": 0.9, "twin": 0.9}, n_folds=5)
    table = compare_models(oof, groups, baseline="net", n_resamples=500, random_state=0)
    itself = cell(table, "net", "accuracy")
    assert itself[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert np.isnan(itself["p_value"])
    worse = cell(table, "svm", "accuracy")
    assert worse["difference_high"] < 0
    assert worse["p_value"] < 0.05
    twin = cell(table, "twin", "accuracy")
    assert twin["difference_low"] < 0 < twin["difference_high"]
    assert twin["p_value"] > 0.05


def test_corrected_t_test_by_hand():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_folds=4)
    row = cell(compare_models(oof, groups, metrics=["accuracy"], n_resamples=5), "net", "accuracy")
    hits = (oof["y_true"] == oof["y_pred"]).groupby([oof["model"], oof["seed"], oof["fold"]]).mean()
    d = (hits["net"] - hits["svm"]).to_numpy()
    t = d.mean() / np.sqrt((1 / 8 + 1 / 3) * d.var(ddof=1))
    assert row["t"] == pytest.approx(t)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), 7))
    # without the correction it is the one-sample t-test
    assert corrected_t_test(d, 0.0) == pytest.approx(tuple(stats.ttest_1samp(d, 0)))


def test_corrected_t_test_without_spread():
    t, p_value = corrected_t_test([0.0, 0.0, 0.0], 0.25)
    assert np.isnan(t)
    assert p_value == 1
    with pytest.raises(ValueError, match="at least 2 folds"):
        corrected_t_test([0.1], 0.25)


def test_copies_of_a_subject_add_no_certainty():
    oof, _ = make_oof({"svm": 0.5, "net": 0.8}, n_recordings=40)
    n = 40
    copies = [oof.assign(recording=oof["recording"] + n * i) for i in range(4)]
    arguments = {"n_resamples": 200, "random_state": 0}
    once = compare_models(oof, np.arange(n), **arguments)
    by_subject = compare_models(pd.concat(copies), np.tile(np.arange(n), 4), **arguments)
    compared = ["value", "low", "high", "difference_low", "difference_high"]
    pd.testing.assert_frame_equal(by_subject[compared], once[compared])
    naive = compare_models(pd.concat(copies), **arguments)
    assert np.all(naive["high"] - naive["low"] < 0.8 * (once["high"] - once["low"]))


def test_intervals_respect_the_seeds():
    oof, groups = make_oof({"net": 0.9}, n_seeds=1)
    lucky = oof.assign(seed=0, y_pred=oof["y_true"])
    unlucky = oof.assign(seed=1, y_pred=np.where(oof["recording"] % 2, oof["y_true"], "none"))
    table = compare_models(
        pd.concat([lucky, unlucky]), groups, metrics=["accuracy"], random_state=0
    )
    row = cell(table, "net", "accuracy")
    assert row["value"] == pytest.approx(0.75)
    assert row["low"] < 0.55
    assert row["high"] == 1.0


def test_models_with_other_seeds_can_be_compared():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8}, n_seeds=3)
    oof = oof[(oof["model"] == "net") | (oof["seed"] == 0)]
    table = compare_models(oof, groups, metrics=["accuracy"], n_resamples=100, random_state=0)
    one_seed = oof[oof["seed"] == 0]
    expected = compare_models(one_seed, groups, metrics=["accuracy"], n_resamples=5)
    assert cell(table, "net", "accuracy")["t"] == cell(expected, "net", "accuracy")["t"]


@pytest.mark.parametrize("form", ["array", "series", "dict", "column"])
def test_forms_of_groups(form):
    oof, groups = make_oof({"svm": 0.5, "net": 0.8})
    given = {
        "array": groups,
        "series": pd.Series([f"subject {g}" for g in groups]),
        "dict": dict(enumerate(groups.tolist())),
        "column": "subject",
    }[form]
    if form == "column":
        oof["subject"] = groups[oof["recording"]]
    arguments = {"n_resamples": 50, "random_state": 0}
    pd.testing.assert_frame_equal(
        compare_models(oof, given, **arguments), compare_models(oof, groups, **arguments)
    )


def test_the_seed_decides_and_the_global_state_stays():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8})
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = compare_models(oof, groups, n_resamples=20, random_state=0)
    pd.testing.assert_frame_equal(
        first, compare_models(oof, groups, n_resamples=20, random_state=0)
    )
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert not first.equals(compare_models(oof, groups, n_resamples=20, random_state=1))


def test_the_order_of_the_rows_does_not_matter():
    oof, groups = make_oof({"svm": 0.5, "net": 0.8})
    shuffled = pd.concat([oof[:1], oof[1:].sample(frac=1, random_state=0)])
    arguments = {"n_resamples": 50, "random_state": 0, "baseline": "svm"}
    pd.testing.assert_frame_equal(
        compare_models(shuffled, groups, **arguments), compare_models(oof, groups, **arguments)
    )


def _without_some(oof):
    return oof.drop(oof.index[(oof["model"] == "net") & (oof["recording"] == 3)])


def _relabeled(oof):
    return oof.assign(y_true=np.where(oof["model"] == "net", "normal", oof["y_true"]))


def _other_folds(oof):
    return oof.assign(fold=np.where(oof["model"] == "net", oof["recording"] % 4, oof["fold"]))


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        (lambda oof: oof.drop(columns="fold"), {}, "lacks the column 'fold'"),
        (lambda oof: oof[:0], {}, "is empty"),
        (lambda oof: pd.concat([oof, oof[:1]]), {}, "is predicted twice by model 'svm'"),
        (_without_some, {}, "'net' with seed 0 predicts 79 of 80"),
        (_relabeled, {}, "has several true labels"),
        (_other_folds, {}, "different folds with the same seed"),
        (lambda oof: oof, {"baseline": "cnn"}, "baseline='cnn' is not one of the models"),
        (lambda oof: oof, {"metrics": ["auc"]}, "metric 'auc' is unknown; use accuracy"),
        (lambda oof: oof, {"metrics": ["recall_x"]}, "metric 'recall_x' is unknown"),
        (lambda oof: oof, {"groups": [1, 2]}, "groups has 2 entries"),
        (lambda oof: oof, {"groups": "patient"}, "groups='patient' is not a column"),
        (lambda oof: oof, {"groups": {0: "a"}}, "has no subject in groups"),
    ],
)
def test_wrong_input(spoil, arguments, message):
    oof, _ = make_oof({"svm": 0.5, "net": 0.8})
    with pytest.raises(ValueError, match=message):
        compare_models(spoil(oof), n_resamples=5, **arguments)


def test_oof_frame_needs_names_for_its_columns():
    with pytest.raises(ValueError, match="the class of each column as classes="):
        oof_frame(
            "svm", seed=0, fold=0, recording=[0], y_true=["a"], y_pred=["a"], y_proba=[[0.5, 0.5]]
        )
