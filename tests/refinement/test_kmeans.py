import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import Conv1DClassifier, KMeansRefinedClassifier, StudentClassifier
from sklearn_heartkd.refinement import ClusterTable


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    target = np.arange(60) % 3
    X = rng.standard_normal((60, 4))
    X[:, 0] += 2 * target
    return X, np.array(["artifact", "murmur", "normal"])[target], np.arange(60) // 3


# The clusters


def blobs():
    rng = np.random.default_rng(0)
    target = np.repeat([0, 1], 20)
    X = 0.1 * rng.standard_normal((40, 2))
    X[:, 0] += 5 * target
    X[30:, 1] += 5
    return X, target


def learn(X, target, weight=None, **parameters):
    weight = np.ones(len(X)) if weight is None else weight
    options = {"n_classes": 2, "n_clusters": 2, "random_state": 0} | parameters
    return ClusterTable.learn(X, target, weight, **options)


def test_a_class_of_two_groups_has_two_clusters():
    X, target = blobs()
    clusters = learn(X, target, n_clusters=4)
    assert clusters.centers.shape == (4, 2)
    assert len(set(clusters.assign(X[:20])) & set(clusters.assign(X[20:]))) == 0
    assert len({*clusters.assign(X[20:30])} & {*clusters.assign(X[30:])}) == 0


def test_the_table_counts_the_weighted_classes_of_a_cluster_and_one_unknown_recording():
    X = np.array([[0.0], [0.1], [0.2], [9.0]])
    target = np.array([0, 0, 1, 1])
    weight = np.array([1.0, 2.0, 1.0, 4.0])
    clusters = learn(X, target, weight)
    near, far = clusters.assign(np.array([[0.0], [9.0]]))
    prior = np.array([3, 5]) / 8
    assert_allclose(clusters.table[near], (np.array([3, 1]) + prior) / 5)
    assert_allclose(clusters.table[far], (np.array([0, 4]) + prior) / 5)
    assert_allclose(clusters.predict_proba(X).sum(axis=1), 1)
    p = np.tile([0.2, 0.8], (4, 1))
    expected = 0.75 * p + 0.25 * clusters.predict_proba(X)
    assert_allclose(clusters.refine(p, X, 0.25), expected)


def test_the_nearest_centre_is_assigned():
    X, target = blobs()
    clusters = learn(X, target, n_clusters=3)
    distances = np.linalg.norm(X[:, None] - clusters.centers, axis=2)
    assert_array_equal(clusters.assign(X), distances.argmin(axis=1))


def test_centres_close_together_and_far_from_zero_are_told_apart():
    rng = np.random.default_rng(0)
    centers = (100 + 0.01 * rng.standard_normal((4, 20))).astype(np.float32)
    X = (100 + 0.01 * rng.standard_normal((50, 20))).astype(np.float32)
    distances = np.square(X[:, None].astype(np.float64) - centers).sum(axis=2)
    assert_array_equal(ClusterTable(centers, None).assign(X), distances.argmin(axis=1))


def test_weights_are_repetitions():
    X, target = blobs()
    times = 1 + np.arange(40) % 3
    weighted = learn(X, target, times.astype(float), n_clusters=3)
    repeated = learn(np.repeat(X, times, axis=0), np.repeat(target, times), n_clusters=3)
    assert_allclose(weighted.centers, repeated.centers)
    assert_allclose(weighted.table, repeated.table)


def test_more_clusters_than_recordings_are_refused():
    model = KMeansRefinedClassifier(GaussianNB(), n_clusters=7)
    with pytest.raises(ValueError, match="n_clusters=7 is more than the 6 rows"):
        model.fit(np.arange(12.0).reshape(6, 2), np.arange(6) % 2)


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_any_number_of_clusters(n_clusters):
    X, target = blobs()
    clusters = learn(X, target, n_clusters=n_clusters)
    assert clusters.table.shape == (n_clusters, 2)
    assert np.isfinite(clusters.centers).all()


def test_equal_recordings_leave_clusters_empty_without_a_warning():
    clusters = learn(np.zeros((6, 2)), np.arange(6) % 2, n_clusters=4)
    assert_allclose(clusters.predict_proba(np.zeros((1, 2))), [[0.5, 0.5]])


# The classifier


def test_probabilities_are_the_average_of_classifier_and_clusters(data):
    X, y, _ = data
    model = KMeansRefinedClassifier(LogisticRegression(), weight=0.3).fit(X, y)
    own = model.estimator_.predict_proba(X)
    table = model.refiner_.predict_proba(np.log(np.clip(own, 1e-12, None)))
    assert_allclose(model.predict_proba(X), 0.7 * own + 0.3 * table)
    assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])
    assert model.weight_ == 0.3
    zero = clone(model).set_params(weight=0.0).fit(X, y)
    assert_allclose(zero.predict_proba(X), own)


def test_embeddings_are_found_through_pipelines_and_frozen_models(data):
    X, y, _ = data
    network = StudentClassifier(width=2, depth=1, max_epochs=2, random_state=0)
    plain = KMeansRefinedClassifier(network).fit(X, y)
    assert plain.refiner_.centers.shape == (3, plain.embed(X).shape[1])
    frozen = KMeansRefinedClassifier(FrozenEstimator(plain.estimator_)).fit(X, y)
    assert_array_equal(frozen.predict_proba(X), plain.predict_proba(X))
    piped = KMeansRefinedClassifier(make_pipeline(StandardScaler(), network)).fit(X, y)
    assert piped.embed(X).shape == plain.embed(X).shape
    assert not hasattr(KMeansRefinedClassifier(LogisticRegression()).fit(X, y), "embed")


@pytest.mark.parametrize("shape", [(60, 4), (60, 2, 2)])
def test_sequences_and_tables(shape, data):
    X, y, groups = data
    network = Conv1DClassifier(width=2, depth=1, max_epochs=1)
    model = KMeansRefinedClassifier(network, n_clusters=5, random_state=0)
    model.fit(X.reshape(shape), y, groups=groups)
    assert model.predict_proba(X.reshape(shape)).shape == (60, 3)
    assert len(model.refiner_.table) == 5


def test_a_frozen_classifier_is_not_fitted_again(data):
    X, y, _ = data
    fitted = RandomForestClassifier(5, random_state=0).fit(X, y)
    model = KMeansRefinedClassifier(FrozenEstimator(fitted)).fit(X[:30], y[:30])
    assert model.estimator_.estimator is fitted
    assert list(model.classes_) == ["artifact", "murmur", "normal"]
    known = y != "normal"
    part = FrozenEstimator(GaussianNB().fit(X[known], y[known]))
    with pytest.raises(
        ValueError, match=r"does not know \['normal'\], only \['artifact', 'murmur'"
    ):
        KMeansRefinedClassifier(part).fit(X, y)


def test_a_classifier_without_probabilities_or_weights_is_refused(data):
    X, y, _ = data
    with pytest.raises(TypeError, match=r"SVC has no predict_proba.*CalibratedClassifierCV"):
        KMeansRefinedClassifier(SVC()).fit(X, y)
    with pytest.raises(TypeError, match="KNeighborsClassifier takes no sample weights"):
        KMeansRefinedClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(60))


def test_recordings_without_weight_count_as_absent(data):
    X, y, _ = data
    weight = (np.arange(60) % 4 > 0).astype(float)
    y = np.where(weight == 0, "noise", y)
    network = StudentClassifier(width=2, depth=1, max_epochs=2, random_state=0)
    model = KMeansRefinedClassifier(network, random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=weight)
    without = model.fit(X[weight > 0], y[weight > 0])
    assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_random_state_seeds_the_classifier(data):
    X, y, _ = data
    model = KMeansRefinedClassifier(RandomForestClassifier(3), random_state=0)
    expected = model.fit(X, y).predict_proba(X)
    assert isinstance(model.estimator_.random_state, int)
    assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
    assert not np.array_equal(model.set_params(random_state=1).fit(X, y).predict_proba(X), expected)


# The weight that is chosen


class Guess(ClassifierMixin, BaseEstimator):
    """Probabilities that are right about the recordings by a chosen share; embeds X itself."""

    groups_seen: list = []

    def __init__(self, right=True):
        self.right = right

    def fit(self, X, y, sample_weight=None, groups=None):
        Guess.groups_seen.append(groups)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        label = (X[:, 0] > 1) == self.right
        return np.where(np.arange(2) == label[:, None], 0.99, 0.01)

    def embed(self, X):
        return X


def two_classes(separated):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = 0.1 * rng.standard_normal((40, 3))
    X[:, 0] += 2 * y if separated else 1
    return X, y, np.arange(40) // 2


def test_the_weight_is_chosen_by_what_it_does_on_held_out_subjects():
    X, y, groups = two_classes(separated=True)
    good = KMeansRefinedClassifier(Guess(right=True), weight="auto", cv=4).fit(X, y, groups=groups)
    assert good.weight_ == 0.0
    bad = KMeansRefinedClassifier(Guess(right=False), weight="auto", cv=4).fit(X, y, groups=groups)
    assert bad.weight_ == 0.9


def test_no_subject_crosses_the_inner_splits():
    X, y, groups = two_classes(separated=True)
    Guess.groups_seen.clear()
    KMeansRefinedClassifier(Guess(), weight="auto", cv=4).fit(X, y, groups=groups)
    whole, *folds = Guess.groups_seen
    assert_array_equal(whole, groups)
    assert len(folds) == 4
    for fold in folds:
        assert len(fold) == 2 * len(set(fold)) < 40


def test_sample_weights_count_in_the_choice():
    X, y, groups = two_classes(separated=True)
    wrong_rows = np.arange(40) < 10
    X[wrong_rows, 0] = 2 - X[wrong_rows, 0]
    model = KMeansRefinedClassifier(Guess(), weight="auto", cv=4)
    trusting = clone(model).fit(X, y, sample_weight=np.where(wrong_rows, 1e-3, 1), groups=groups)
    doubting = clone(model).fit(X, y, sample_weight=np.where(wrong_rows, 1, 1e-3), groups=groups)
    assert trusting.weight_ < doubting.weight_


def test_choosing_without_groups_warns_and_without_cv_is_refused():
    X, y, _ = two_classes(separated=True)
    model = KMeansRefinedClassifier(Guess(), weight="auto")
    with pytest.raises(ValueError, match="give a cv to split them, such as cv=3"):
        model.fit(X, y)
    with pytest.warns(
        UserWarning, match="KMeansRefinedClassifier splits its training data without"
    ):
        model.set_params(cv=3).fit(X, y)


@pytest.mark.parametrize(
    "parameters", [{"weight": 1.5}, {"weight": "half"}, {"n_clusters": 0}, {"estimator": 3}]
)
def test_wrong_parameters(parameters, data):
    model = KMeansRefinedClassifier(GaussianNB()).set_params(**parameters)
    with pytest.raises((ValueError, TypeError), match=next(iter(parameters)) + "|classifier"):
        model.fit(*data[:2])


def test_splits_given_as_a_list_number_the_rows_of_weight_0_too():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = X[order], y[order]
    splits = list(KFold(3).split(X))
    model = KMeansRefinedClassifier(GaussianNB(), weight="auto", cv=splits, random_state=0)
    expected = model.fit(X, y).predict_proba(X)
    far = np.full((2, 4), 1e3)
    moved = [(train + 2, test + 2) for train, test in splits]
    model.set_params(cv=moved)
    model.fit(np.r_[far, X], np.r_[[0, 1], y], sample_weight=np.r_[0, 0, np.ones(len(y))])
    np.testing.assert_allclose(model.predict_proba(X), expected)
