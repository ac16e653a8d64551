import numpy as np
import pandas as pd
import pytest

from sklearn_heartkd.comparison import (
    Recipe,
    compare,
    read_predictions,
    score_models,
    write_results,
)
from sklearn_heartkd.comparison._worst_errors import worst_errors
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import compare_models
from tests.comparison.helpers import RECIPE

HOSTILE = [
    *("no murmur", "mid-systolic", "2nd sound", "soufflé", "{}", "<b>", 'say "ah"', "it's", "a,b"),
    *("=cmd|' /C calc'!A0", "'+1", "_private", "class", "accuracy", "model", "all", "macro", "NA"),
    *("$x^2", "%d\n$", "1", "confidence", "p_confidence", "\udcff", "Index", "$title"),
]


def test_class_names_of_any_kind(tmp_path):
    n = 4 * len(HOSTILE)
    data = make_heart_sounds(n, n_subjects=n, duration=1.0, random_state=3)
    data.target = np.tile(HOSTILE, 4)
    recipe = Recipe(max_epochs=1, window=1.0, hop=1.0)
    result = compare(data, folds=2, models=["student"], recipe=recipe, out=tmp_path, n_jobs=1)
    report = write_results(result, data, tmp_path, n_errors=2, n_jobs=1)
    page = report.read_text("utf-8")
    assert page.count("<article>") == 2
    assert "<b>" not in page
    errors = worst_errors(result.predictions, "student", 99)
    assert errors["confidence"].between(0, 1).all()
    stored = read_predictions(tmp_path / "predictions.csv")
    labels = ["y_true", "y_pred"]
    assert stored[labels].to_numpy().tolist() == result.predictions[labels].to_numpy().tolist()
    assert list(stored) == list(result.predictions)
    text = (tmp_path / "predictions.csv").read_text("utf-8", "surrogateescape")
    assert "'=cmd" in text
    assert not {",=", ",+", ',"=', ',"+'} & {
        text[i : i + n] for i in range(len(text)) for n in (2, 3)
    }


@pytest.fixture
def written(comparison, data, tmp_path):
    (tmp_path / "table.csv").write_text("old")
    few = comparison.table.index.intersection(["svm", "svm+kmeans"])
    predictions = comparison.predictions.query("model in @few")
    own = comparison._replace(table=comparison.table.loc[few], predictions=predictions)
    write_results(own, data, tmp_path, n_jobs=1)
    return own, tmp_path


def test_the_table_has_the_intervals(written, data):
    own, folder = written
    table = pd.read_csv(folder / "table.csv", index_col="model")
    assert set(table) == {
        *own.table,
        *(
            f"{s}_{e}"
            for s in ("accuracy", "balanced_accuracy", "macro_f1")
            for e in ("low", "high", "difference", "difference_low", "difference_high", "p_value")
        ),
    }
    scores = compare_models(
        own.predictions, data.groups, metrics=["f1_macro"], n_resamples=1000, random_state=0
    )
    scores = scores.set_index("model").loc[table.index]
    assert table["macro_f1_p_value"].isna().all()  # two folds are too few for the test
    for end in ("low", "high", "difference", "difference_low", "difference_high"):
        expected = scores[end].to_numpy()
        assert table[f"macro_f1_{end}"].to_numpy() == pytest.approx(expected, nan_ok=True)
    accuracy = own.table["accuracy"].loc[table.index]
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy.to_numpy())
    assert table["balanced_accuracy"].is_monotonic_decreasing


def test_the_metric_sorts_and_is_in_the_table(written, data):
    own, folder = written
    scores = score_models(own.predictions, data.groups, metric="roc_auc_murmur")
    page = write_results(own, data, folder, scores=scores, n_jobs=1).read_text("utf-8")
    assert "by roc auc murmur" in page
    table = pd.read_csv(folder / "table.csv", index_col="model")
    assert table["roc_auc_murmur"].is_monotonic_decreasing
    assert (table["roc_auc_murmur_low"] <= table["roc_auc_murmur"]).all()


def test_models_of_others_are_in_all_files(comparison, data, tmp_path):
    one = comparison.predictions.query("model == 'svm'")
    others = [one.assign(model=name) for name in ("always <i>rest", "student of mine", "a/b")]
    predictions = pd.concat([comparison.predictions, *others])
    own = comparison._replace(predictions=predictions)
    page = write_results(own, data, tmp_path, n_errors=0, n_jobs=1).read_text("utf-8")
    assert page.count("always &lt;i&gt;rest") >= 4
    table = pd.read_csv(tmp_path / "table.csv", index_col="model")
    assert table.loc["a/b", "accuracy"] == table.loc["svm", "accuracy"]
    assert np.isnan(table.loc["a/b", "kilobytes"])
    names = {path.name for path in tmp_path.glob("confusion_*.png")}
    assert {"confusion_always__i_rest.png", "confusion_a_b.png"} < names
    stored = read_predictions(tmp_path / "predictions.csv")
    assert set(stored["model"]) == set(predictions["model"])


def test_all_files_are_replaced_or_none(written, data, monkeypatch):
    own, folder = written
    before = {path: path.read_bytes() for path in folder.iterdir()}
    names = {path.name for path in before}
    assert {"table.csv", "predictions.csv", "report.html", "confusion_svm.png"} < names
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_results(own, data, folder, n_errors=0, n_jobs=1)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_failed_model_is_in_the_report(written, data):
    own, folder = written
    failed = own._replace(failures={"conv1d": "RuntimeError: <i>too hot"})
    page = write_results(failed, data, folder, n_jobs=1).read_text("utf-8")
    assert "Conv1D could not be fitted: RuntimeError: &lt;i&gt;too hot." in page


def test_given_splits_are_reported(data, tmp_path):
    copies = type(data)(**data)
    copies.data = data.data.copy()
    copies.data[1], copies.data[15] = data.data[0], data.data[2]  # within training, and across
    splits = [(np.arange(8), np.arange(8, 16))]
    options = {"models": ["forest"], "recipe": RECIPE, "n_jobs": 1}
    result = compare(copies, splits=splits, out=tmp_path, **options)
    page = write_results(result, copies, tmp_path, n_jobs=1).read_text("utf-8")
    assert "0 subjects and 1 pairs of near-duplicates are in training and test" in page
