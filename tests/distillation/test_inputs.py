"""What DistilledClassifier takes, beside sequences, and how it says what it does not."""

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_circles
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_heartkd import (
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
    SupervisedPretraining,
)
from sklearn_heartkd.distillation import DistillationLoss, SoftTargets
from tests.distillation.helpers import Oracle, student


def test_a_forest_of_circles_teaches_a_student():
    X, y = make_circles(300, noise=0.05, factor=0.4, random_state=0)
    X = X.astype(np.float32)
    model = DistilledClassifier(RandomForestClassifier(30), random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.95


def test_stacking_teaches(sequences, sounds):
    X, y = sequences.mean(axis=2), sounds.target
    stack = StackingClassifier([("a", GaussianNB())], cv=2)
    for model in (
        DistilledClassifier(make_pipeline(StandardScaler(), stack), student()),
        KMeansRefinedClassifier(stack),
    ):
        assert model.fit(X, y).predict_proba(X).shape == (24, 2)


def test_columns_that_are_no_numbers_go_to_the_pipelines():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    frame = pd.DataFrame({"x": rng.standard_normal(40), "kind": np.where(y, "loud", "quiet")})
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough"
    )
    pupil = make_pipeline(clone(encode), StudentClassifier())
    model = DistilledClassifier(make_pipeline(encode, GaussianNB()), pupil, random_state=0)
    assert model.fit(frame, y).score(frame, y) == 1
    assert model.feature_names_in_.tolist() == ["x", "kind"]
    refined = KMeansRefinedClassifier(make_pipeline(clone(encode), GaussianNB())).fit(frame, y)
    assert refined.score(frame, y) == 1
    for fitted in (model, refined):
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.predict(frame.rename(columns={"kind": "sort"}))


def test_missing_values_go_to_who_takes_them():
    X = np.where(np.arange(80).reshape(40, 2) % 7 == 0, np.nan, np.arange(40)[:, None] % 2)
    y = np.arange(40) % 2
    teach = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)
    pupil = make_pipeline(SimpleImputer(), student())
    model = DistilledClassifier(teach, pupil, random_state=0).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.isfinite(KMeansRefinedClassifier(teach).fit(X, y).predict_proba(X)).all()
    for refused in (DistilledClassifier(teach), DistilledClassifier(GaussianNB(), pupil)):
        with pytest.raises(ValueError, match="X holds NaN or infinity, first in row 0"):
            refused.fit(X, y)
    with pytest.raises(ValueError, match="infinity, first in row 3"):
        model.predict(np.where(np.arange(80).reshape(40, 2) == 7, np.inf, X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"student__width": 4},
            r"student=None has no .* 'width'; give .*student=StudentClassifier\(\), "
            r"or DenseStudentClassifier\(\) for tables\.$",
        ),
        (
            {"losses__kd__temperature": 3},
            r"losses='kd.infonce' has no .*'kd__temperature'; give .* losses=SoftTargets\(\)\.$",
        ),
    ],
)
def test_parameters_of_what_is_no_object_are_explained(change, message):
    with pytest.raises(ValueError, match=message):
        DistilledClassifier(GaussianNB()).set_params(**change)
    objects = {"student": StudentClassifier(), "losses": [("kd", SoftTargets(), 1.0)]}
    model = DistilledClassifier(GaussianNB()).set_params(**objects, **change)
    assert model.get_params()[next(iter(change))] == next(iter(change.values()))


@pytest.mark.parametrize("shares", [{"a": 1}, ["x"]])
def test_teacher_weights_are_a_list_of_numbers(shares, sequences, sounds):
    model = DistilledClassifier([("a", GaussianNB())], student(), teacher_weights=shares)
    with pytest.raises(ValueError, match=r"teacher_weights must be a list of numbers .* got"):
        model.fit(sequences, sounds.target)


def test_names_of_teachers_are_text(sequences, sounds):
    with pytest.raises(ValueError, match=r"teacher has the names \[1\], but names must be strings"):
        DistilledClassifier([(1, GaussianNB())], student()).fit(sequences, sounds.target)


def test_the_warning_about_groups_points_to_the_caller(sequences, sounds):
    with pytest.warns(UserWarning, match="without groups") as caught:
        DistilledClassifier(GaussianNB(), student(), cv=2).fit(sequences, sounds.target)
    assert [warning.filename for warning in caught] == [__file__]


def test_training_that_diverges_is_named(data):
    X, y = data
    wild = StudentClassifier(width=2, depth=1, max_epochs=3, learning_rate=1e20, random_state=0)
    for refine in (None, "kmeans"):
        model = DistilledClassifier(GaussianNB(), wild, refine=refine, random_state=0)
        with pytest.raises(ValueError, match=r"diverged in epoch 1: .* Lower learning_rate=1e\+20"):
            model.fit(X, y)
    calm = StudentClassifier(width=2, depth=1, max_epochs=1, random_state=0)
    start = SupervisedPretraining(X, y, learning_rate=1e20, max_epochs=3)
    with pytest.raises(ValueError, match=r"Lower learning_rate=1e\+20"):
        calm.set_params(pretrain=start).fit(X, y)


def test_more_clusters_than_recordings_are_refused_before_anything_is_fitted(data):
    X, y = data
    with pytest.raises(ValueError, match="n_clusters=50 is more than the 36 rows"):
        DistilledClassifier(Oracle(), student(), refine="kmeans", n_clusters=50).fit(X, y)
    with pytest.raises(ValueError, match="n_clusters=50 is more than the 36 rows"):
        KMeansRefinedClassifier(Oracle(), n_clusters=50).fit(X, y)
    assert Oracle.fits == []


def test_groups_behind_a_sampler_are_told_where_to_go(data):
    X, y = data
    table = X.mean(axis=2)
    groups = np.arange(36) // 2
    keep = y != y[0]
    keep[:8] = True
    model = make_imblearn_pipeline(
        RandomOverSampler(random_state=0), DistilledClassifier(GaussianNB(), student(), cv=2)
    )
    with pytest.raises(ValueError, match=r"groups has \d+ values for \d+ .* WindowedClassifier"):
        model.fit(table[keep], y[keep], distilledclassifier__groups=groups[keep])


def test_the_name_of_the_labels_is_taken(data):
    model = DistilledClassifier(GaussianNB(), student(), losses=[("ce", SoftTargets(), 0.5)])
    with pytest.raises(ValueError, match=r"losses has \['ce'\] more than once"):
        model.fit(*data)


class Saying(ClassifierMixin, BaseEstimator):
    """A teacher that says something fixed."""

    def __init__(self, said=None, embedding=None):
        self.said = said
        self.embedding = embedding

    def fit(self, X, y):
        if self.said is not None:
            self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.resize(self.said, (len(X), len(self.said))) if len(self.said) else X[0]

    def embed(self, X):
        return np.ones((len(X), 2)) if self.embedding is None else np.ones(self.embedding)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize(
    ("teacher", "error", "message"),
    [
        (Saying([-0.5, 0.5, 1.0]), ValueError, r"gives \[-0.5, 0.5, 1.0\] for row 0"),
        (Saying([3.0, 3.0, 3.0]), ValueError, "which are not probabilities"),
        (Saying([0.5, 0.5]), ValueError, "but knows 3 classes"),
        (Saying([]), ValueError, r"probabilities of shape \(64,\) for"),
        (Saying(), TypeError, "has no classes_ after fit"),
    ],
)
def test_teachers_that_say_something_else_than_probabilities(teacher, error, message, cv, data):
    model = DistilledClassifier(teacher, student(), cv=cv)
    with pytest.raises(error, match=rf"The teacher 'teacher'( in a fold)? .*{message}"):
        model.fit(*data, groups=np.arange(36))


def test_embeddings_that_are_no_table_are_named(data):
    teacher = Saying([0.2, 0.3, 0.5], embedding=(36,))
    with pytest.raises(ValueError, match=r"gives embeddings of shape \(36,\) for 36 recordings"):
        DistilledClassifier(teacher, student()).fit(*data)


def test_probabilities_in_a_data_frame_teach(data):
    class Framed(GaussianNB):
        def predict_proba(self, X):
            return pd.DataFrame(super().predict_proba(X), columns=self.classes_)

    X, y = data
    found, expected = (
        DistilledClassifier(teacher, student(), random_state=0).fit(X, y).predict_proba(X)
        for teacher in (Framed(), GaussianNB())
    )
    np.testing.assert_array_equal(found, expected)


class Mistaken(DistillationLoss):
    def __init__(self, made="module"):
        self.made = made

    def make_term(self, setting):
        return Wrong(self.made) if self.made != "function" else lambda *given: 0.0


class Wrong(torch.nn.Module):
    def __init__(self, made):
        super().__init__()
        self.made = made

    def forward(self, student, teacher, batch):
        return student.logits.sum(dim=1) if self.made == "vector" else None


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (DistillationLoss(), NotImplementedError, r"no method make_term\(context\)"),
        (Mistaken("function"), TypeError, r"'own' \(Mistaken\) must return a torch.nn.Module"),
        (Mistaken("vector"), TypeError, r"'own' must compute one number, .* got shape \(\d+,\)"),
        (Mistaken("nothing"), TypeError, "'own' must compute one number, .* got None"),
    ],
)
def test_mistakes_in_a_loss_of_ones_own_are_named(loss, error, message, data):
    model = DistilledClassifier(GaussianNB(), student(), losses=[("own", loss, 1.0)])
    with pytest.raises(error, match=message):
        model.fit(*data)


@pytest.mark.parametrize("kind", [object, "category"])
def test_columns_that_hold_numbers_are_numbers(kind, data):
    X, y = data
    frame = pd.DataFrame((10 * X[:, :, 0]).round(), columns=list("abcd"))
    model = DistilledClassifier(GaussianNB(), student(), random_state=0)
    expected = clone(model).fit(frame, y).predict_proba(frame)
    frame["d"] = frame["d"].astype(kind)
    np.testing.assert_allclose(model.fit(frame, y).predict_proba(frame), expected, rtol=1e-6)


def test_embeddings_that_are_not_finite_make_no_clusters(data):
    teacher = Saying([0.2, 0.3, 0.5])
    teacher.embed = lambda X: np.full((len(X), 2), np.nan)
    refined = KMeansRefinedClassifier(GaussianNB())
    X, y = data[0][:, :, 0], data[1]
    with pytest.raises(ValueError, match="The classifier gives embeddings that are not finite"):
        refined._learn_clusters(teacher.fit(X, y), X, y, None, 0)


@pytest.mark.parametrize("cv", [None, 3])
def test_a_classifier_without_probabilities_of_its_own_is_not_refined(cv, data):
    X, y = data[0][:, :, 0], data[1]
    weight = 0.5 if cv is None else "auto"
    model = KMeansRefinedClassifier(Saying([3.0, 3.0, 3.0]), weight=weight, cv=cv)
    with pytest.raises(ValueError, match=r"gives \[3.0, 3.0, 3.0\] for row 0, which are not prob"):
        model.fit(X, y, groups=np.arange(36))
