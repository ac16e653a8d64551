import numpy as np
import pytest
from sklearn.utils import Bunch

from sklearn_heartkd.comparison import _tables as tables_module
from sklearn_heartkd.comparison import few_labels
from sklearn_heartkd.comparison._tables import (
    MeanOfTables,
    Rebalanced,
    RecordingTable,
    dense_student,
    remembered,
)
from sklearn_heartkd.comparison._tasks import part_of
from sklearn_heartkd.comparison._worst_errors import worst_errors_html
from sklearn_heartkd.features import MFCC, LogMelSpectrogram
from tests.comparison.helpers import RECIPE, run


def test_columns_are_computed_once_where_they_are_remembered(data, tmp_path, monkeypatch):
    X = data.data[:4]
    alone = RecordingTable(groups=("mfcc", "mel")).fit_transform(X)
    options = {"sampling_rate": 2000, "output": "summary"}
    expected = [kind(**options).fit_transform(X) for kind in (MFCC, LogMelSpectrogram)]
    np.testing.assert_array_equal(alone, np.hstack(expected))
    with remembered(str(tmp_path)):
        np.testing.assert_array_equal(RecordingTable(groups=("mfcc", "mel")).transform(X), alone)
        monkeypatch.setattr(tables_module, "MFCC", None)
        np.testing.assert_array_equal(RecordingTable(groups=("mfcc", "mel")).transform(X), alone)
    with pytest.raises(TypeError):
        RecordingTable(groups=("mfcc",)).transform(X)


def test_the_mean_of_tables_is_the_mean_of_its_members(data):
    mean = MeanOfTables(n_estimators=3, random_state=0)
    mean.fit(data.data, data.target, groups=np.asarray(data.groups))
    assert len(mean.members_) == 9
    proba = [member.predict_proba(data.data) for member in mean.members_.values()]
    np.testing.assert_allclose(mean.predict_proba(data.data), np.mean(proba, axis=0))
    expected = mean.classes_[np.mean(proba, axis=0).argmax(axis=1)]
    assert mean.predict(data.data).tolist() == expected.tolist()


def test_rebalanced_classes_are_equally_frequent_on_the_unlabeled_recordings():
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])

    class Known:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            return proba[X]

    model = Rebalanced(Known()).fit([0], ["a"], X_unlabeled=[0, 1, 2])
    expected = proba / [0.8, 0.2]
    np.testing.assert_allclose(
        model.predict_proba([0, 1, 2]), expected / expected.sum(axis=1, keepdims=True)
    )
    assert model.predict([0, 1, 2]).tolist() == ["a", "a", "b"]


@pytest.mark.parametrize("n_rows", [5, 40, 200])
def test_the_dense_student_takes_as_many_steps_on_any_number_of_rows(n_rows):
    epochs = dense_student(n_rows, 0).max_epochs
    assert epochs * max(n_rows, 32) / 32 == pytest.approx(600, rel=0.02)
    assert dense_student(n_rows, 0, 2).max_epochs == 2


def test_few_labels():
    sounds = few_labels(3)
    assert len(sounds.splits) == 2
    tested = np.concatenate([test for _, test in sounds.splits])
    assert sorted(tested) == list(range(400))
    for training, test in sounds.splits:
        subjects = set(sounds.groups[training])
        assert len(subjects) == 20
        assert all(np.unique(sounds.target[training], return_counts=True)[1] == 8)
        assert not subjects & {*sounds.groups[test], *sounds.unlabeled.groups}
    assert sounds.frame["device"].nunique() == 4


def test_unlabeled_recordings_of_tested_subjects_are_left_out(data):
    unlabeled = Bunch(data=data.data[:6] + 1, groups=np.array([*data.groups[:4], "x", "x"]))
    training, test = np.arange(8, 16), np.array([0, 2])
    part = part_of(data, (training, test), unlabeled)
    assert part.unlabeled["groups_unlabeled"].tolist() == [*data.groups[[1, 3]], "x", "x"]
    np.testing.assert_array_equal(part.unlabeled["X_unlabeled"], data.data[[1, 3, 4, 5]] + 1)
    assert part_of(data, (training, test), None).unlabeled == {}


def test_unlabeled_recordings_change_the_student_that_learns_from_them(data, tmp_path):
    models = ["dense", "dense_rebalanced", "student_of_tables"]
    alone = run(data, models=models)
    more = Bunch(data=data.data[::-1] * 0.5, groups=[f"u{i}" for i in range(16)])
    result = run(data, models=models, unlabeled=more, out=tmp_path)
    assert set(result.table.index) == {
        name + end for name in ("tables", *models) for end in ("", "+kmeans")
    }
    for model, changed in {
        "dense": False,
        "dense_rebalanced": True,
        "student_of_tables": True,
    }.items():
        before, after = (
            found.predictions.set_index("model").loc[model, "p_murmur"].to_numpy()
            for found in (alone, result)
        )
        assert np.array_equal(before, after) != changed
    costs = result.table.loc[["dense", "student_of_tables"], "parameters"]
    assert costs.nunique() == 1
    assert costs.max() <= 10_000
    html = worst_errors_html(result, data, tmp_path, 1)  # also of a model of tables
    assert html.count("<audio") == html.count("<img") == 1
    with pytest.raises(ValueError, match="other recordings, folds or settings"):
        run(data, models=["svm"], out=tmp_path)


def test_the_controls_and_the_distilled_student_are_the_same_network():
    sources = dict.fromkeys(("tables", "dense"), MeanOfTables())
    scratch = RECIPE.make("dense", 3, {}, n_rows=90)
    distilled = RECIPE.make("student_of_tables", 3, sources, n_rows=90)
    assert repr(distilled.student) == repr(scratch)
