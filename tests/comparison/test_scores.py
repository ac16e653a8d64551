import pandas as pd
import pytest

from sklearn_heartkd.comparison import display_name, latex, render, score_models, verdicts
from sklearn_heartkd.metrics import oof_frame


def test_the_table_reads_well(comparison):
    text = render(comparison.table).to_string()
    assert "student of Conv1D + k-means" in text
    assert "±" in text
    assert "nan" not in text


def test_the_scores_are_sorted_and_have_intervals(comparison, data):
    scores = score_models(comparison.predictions, data.groups, metric="f1_macro")
    values = scores[scores["metric"] == "f1_macro"]["value"]
    assert values.is_monotonic_decreasing
    shown = render(comparison.table, scores=scores)
    assert list(shown.columns[:4]) == [
        *("macro-F1", "accuracy", "balanced accuracy", "minus student from scratch"),
    ]
    first = scores.iloc[0]
    assert shown["macro-F1"].iloc[0] == (
        f"{first['value']:.3f} ({first['low']:.3f} to {first['high']:.3f})"
    )
    assert shown.loc["student from scratch", "minus student from scratch"] == "–"
    assert "p" not in shown  # two folds are too few for the test
    with pytest.raises(ValueError, match="metric 'beauty' is unknown"):
        score_models(comparison.predictions, data.groups, metric="beauty")


def test_latex_is_escaped():
    shown = pd.DataFrame({"50 %": ["−1 ± 2", "–"]}, index=["a_b & c", "\\x"])
    lines = latex(shown).splitlines()
    assert lines[0] == r"\begin{tabular}{lr}"
    assert lines[2] == r" & 50 \% \\"
    assert lines[4] == r"a\_b \& c & $-$1 $\pm$ 2 \\"
    assert lines[5] == r"\textbackslash{}x & -- \\"


def test_a_model_of_others_is_shown_under_its_name(comparison, data):
    own = comparison.predictions.query("model == 'svm'").assign(model="always rest")
    predictions = pd.concat([comparison.predictions, own])
    scores = score_models(predictions, data.groups)
    shown = render(comparison.table, scores=scores)
    assert shown.loc["always rest", "accuracy"] == shown.loc["SVM", "accuracy"]
    assert shown.loc["always rest", "kB"] == "–"
    assert len(verdicts(scores)) == 1
    assert display_name("always rest+kmeans") == "always rest+kmeans"


def row(model, difference, low, high):
    names = ("model", "metric", "baseline", "difference", "difference_low", "difference_high")
    baseline = {"student_of_tables": "dense"}.get(model, "student")
    return dict(zip(names, (model, "accuracy", baseline, difference, low, high), strict=True))


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ((0.06, 0.03, 0.09), "is better than the student from scratch by 0.06 (0.03 to 0.09)"),
        ((-0.06, -0.09, -0.03), "is worse than the student from scratch by 0.06 (0.03 to 0.09)"),
        ((0.01, -0.02, 0.04), "No difference in accuracy was found"),
        ((0.01, 0.0, 0.04), "No difference in accuracy was found"),
    ],
)
def test_the_sentence_follows_from_the_interval(figures, sentence):
    scratch = row("student", 0, 0, 0)
    scores = pd.DataFrame([row("student_of_lstm", *figures), scratch, row("svm", 1, 1, 1)])
    (found,) = verdicts(scores)
    assert sentence in found
    assert "student of LSTM" in found


def test_no_sentence_without_a_student_from_scratch():
    rows = pd.DataFrame([row("svm", 0, 0, 0), row("student_of_lstm", 1, 1, 1)])
    assert verdicts(rows.assign(baseline="svm")) == []


def test_each_distilled_student_is_compared_with_the_same_student_from_scratch():
    models = ["svm", "student", "dense", "student_of_tables", "student_of_conv2d", "dense+kmeans"]
    truth = ["a", "b"] * 3
    parts = [
        oof_frame(
            model,
            seed=0,
            fold=0,
            recording=range(6),
            y_true=truth,
            y_pred=["a"] * i + truth[i:],
        )
        for i, model in enumerate(models)
    ]
    scores = score_models(pd.concat(parts), range(6))
    own = scores[scores["metric"] == "balanced_accuracy"].set_index("model")
    assert own["baseline"].to_dict() == {
        **dict.fromkeys(models, "dense"),
        "student_of_conv2d": "student",
    }
    for _, row in own.iterrows():
        assert row["difference"] == row["value"] - own.loc[row["baseline"], "value"]
