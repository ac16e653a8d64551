"""Made rows in the training of a student."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier
from sklearn_heartkd.distillation import Munge
from sklearn_heartkd.distillation._made import keep_labels
from sklearn_heartkd.distillation._objective import DistillationObjective
from sklearn_heartkd.distillation.losses._registry import resolve_losses

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
GROUPS = np.arange(40) // 2


def student(**parameters):
    return DenseStudentClassifier(hidden_layer_sizes=(4,), max_epochs=2, **parameters)


def distil(pupil=None, transfer=None, teacher=None, **parameters):
    return DistilledClassifier(
        teacher or LogisticRegression(),
        pupil or student(),
        losses="kd",
        transfer=transfer or Munge(3),
        random_state=0,
        **parameters,
    )


class Spy(Munge):
    """Remember the tables from which rows are made, and the rows."""

    given: list = []
    made: list = []

    def make(self, X, random_state=None):
        Spy.given.append(X)
        Spy.made.append(super().make(X, random_state))
        return Spy.made[-1]


@pytest.fixture(autouse=True)
def _nothing_made():
    Spy.given.clear()
    Spy.made.clear()


@pytest.fixture
def trained(monkeypatch):
    """The batches of all rows that students are trained on."""
    seen = []
    original = DistillationObjective.__init__

    def spy(self, terms, module, rows, *others):
        seen.append(rows)
        original(self, terms, module, rows, *others)

    monkeypatch.setattr(DistillationObjective, "__init__", spy)
    return seen


def test_the_student_learns_from_the_made_rows(trained):
    distil(transfer=Spy(3)).fit(X, Y)
    rows = trained[0]
    assert len(rows) == 4 * 40
    assert rows.labeled.sum() == 40
    assert_array_equal(rows.x[:][~rows.labeled, :, 0].numpy(), Spy.made[0])
    assert len(rows.subject[~rows.labeled].unique()) == 120
    assert not set(rows.subject[rows.labeled].tolist()) & set(rows.subject[~rows.labeled].tolist())


def test_rows_are_made_from_the_training_part_only(trained):
    pupil = student(early_stopping=True, validation_fraction=0.3)
    distil(pupil, Spy(3)).fit(X, Y, groups=GROUPS)
    rows = trained[0]
    assert_array_equal(Spy.given[0], rows.x[:][rows.labeled, :, 0].numpy())
    assert 20 < len(Spy.given[0]) < 36
    assert len(rows) == 4 * len(Spy.given[0])


def test_rows_of_weight_zero_make_none():
    weight = np.arange(40) % 4 != 0
    distil(transfer=Spy(3)).fit(X, Y, sample_weight=weight.astype(float))
    assert_array_equal(Spy.given[0], X[weight])


class ByFirstColumn(ClassifierMixin, BaseEstimator):
    """A teacher that is sure of the sign of the first column, whatever the labels."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.where(np.asarray(X)[:, 0] > 0, 0.99, 0.01)
        return np.column_stack([1 - p, p])


def test_the_teacher_answers_about_the_made_rows():
    few = np.array([[-1.0, 5], [1.0, 5], [-0.9, 5.1], [0.9, 5.1]] * 2)
    y = np.array([0, 1] * 4)
    model = DistilledClassifier(
        ByFirstColumn(),
        DenseStudentClassifier(hidden_layer_sizes=(8,), max_epochs=60),
        losses="kd",
        transfer=Munge(30, spread=0.3),
        random_state=0,
    ).fit(few, y)
    new = np.column_stack([np.linspace(-3, 3, 40), np.full(40, 5.0)])
    assert (model.predict(new) == (new[:, 0] > 0)).mean() > 0.9


def test_the_seed_decides():
    found = [distil(), distil()]
    one, other = (model.fit(X, Y).predict_proba(X) for model in found)
    assert_array_equal(one, other)
    changed = distil().set_params(random_state=1, student__random_state=0)
    assert not np.array_equal(changed.fit(X, Y).predict_proba(X), one)


@pytest.mark.parametrize("cv", [None, 3])
def test_categories_go_through_the_pipelines(cv, trained):
    kinds = np.random.default_rng(0).choice(["low", "high", "none"], 40)
    frame = pd.DataFrame({"kind": kinds, "level": X[:, 0]})
    teacher = make_pipeline(
        make_column_transformer((OrdinalEncoder(), ["kind"]), remainder="passthrough"),
        DecisionTreeClassifier(max_depth=3),
    )
    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = distil(make_pipeline(encoder, student()), Spy(3), teacher, cv=cv)
    model.fit(frame, Y, groups=GROUPS)
    assert set(Spy.made[0]["kind"]) == {"low", "high", "none"}
    assert list(model.feature_names_in_) == ["kind", "level"]
    ones = trained[0].x[:][:, :3, 0]
    assert set(ones.unique().tolist()) == {0.0, 1.0}
    assert (ones.sum(dim=1) == 1).all()


def test_it_works_beside_unlabeled_rows(trained):
    distil(transfer=Spy(3)).fit(X, Y, X_unlabeled=X[:7] + 1)
    assert len(trained[0]) == 40 + 7 + 120


def test_the_labels_count_as_much_as_without():
    terms = resolve_losses("kd", None, None, 2)
    kept = keep_labels(terms, Munge(4))
    assert [(name, weight) for name, _, weight in kept] == [("ce", 0.3 * 5), ("kd", 0.7)]


def test_what_is_no_table_is_refused():
    class NeverFitted(DummyClassifier):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("the teacher was fitted first")

    with pytest.raises(ValueError, match="transfer makes rows of tables, but X is not 2-D"):
        distil(teacher=NeverFitted()).fit(X[:, :, None], Y)
    with pytest.raises(ValueError, match="n_copies"):
        distil(transfer=Munge(0)).fit(X, Y)


def test_parameters_of_the_rows_are_nested_ones():
    model = clone(distil()).set_params(transfer__n_copies=7)
    assert model.transfer.n_copies == 7
