import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_heartkd import (
    MFCC,
    BandPassFilter,
    DistilledClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.classifiers._windowed import cut_windows


class Recorder(ClassifierMixin, BaseEstimator):
    """Keep what reaches fit; the probability of class 1 is the mean of a window."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.seen_ = X, y, sample_weight, groups
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = X.mean(axis=1)
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize("length", [1, 5, 6, 7, 9, 12, 20, 23])
@pytest.mark.parametrize("hop", [1, 3, 6])
def test_windows_cover_every_sample(length, hop):
    windows, source = cut_windows([np.arange(length)], 6, hop)
    assert windows.shape == (len(source), 6)
    assert set(windows.ravel()) == set(range(length))
    assert len(windows) == 1 + max(0, -(-(length - 6) // hop))


def test_windows_start_at_the_hops_and_end_with_the_recording():
    windows, source = cut_windows([np.arange(10), np.arange(4)], 4, 3)
    assert_array_equal(windows[:, 0], [0, 3, 6, 0])
    assert_array_equal(source, [0, 0, 0, 1])


def test_short_recordings_are_looped_not_padded():
    windows, _ = cut_windows([np.array([1, 2])], 5, 5)
    assert_array_equal(windows, [[1, 2, 1, 2, 1]])


def model(estimator=None, **parameters):
    return WindowedClassifier(
        estimator or Recorder(), **{"window": 2, "hop": 1, "sampling_rate": 2} | parameters
    )


RAGGED = [np.full(6, 0.25), np.r_[np.zeros(4), np.ones(4)], np.full(3, 1.0)]


def test_labels_groups_and_weights_go_with_their_windows():
    fitted = model().fit(RAGGED, ["a", "b", "b"], sample_weight=[1, 2, 3], groups=[7, 8, 9])
    windows, y, sample_weight, groups = fitted.estimator_.seen_
    assert windows.shape == (6, 4)
    assert list(y) == ["a", "a", "b", "b", "b", "b"]
    assert list(sample_weight) == [1, 1, 2, 2, 2, 3]
    assert list(groups) == [7, 7, 8, 8, 8, 9]


def test_without_groups_the_windows_of_a_recording_stay_together():
    fitted = model().fit(RAGGED, ["a", "b", "b"], sample_weight=[1, 0, 2])
    assert list(fitted.estimator_.seen_[3]) == [0, 0, 1]
    fitted = model(make_pipeline(GaussianNB())).fit(RAGGED, ["a", "b", "b"])
    assert fitted.predict(RAGGED).shape == (3,)


STOPPING = StudentClassifier(width=2, depth=1, max_epochs=1, early_stopping=True)


@pytest.mark.parametrize(
    "estimator",
    [
        STOPPING,
        make_pipeline(StandardScaler(), STOPPING),
        KMeansRefinedClassifier(GaussianNB(), weight="auto", cv=2),
        DistilledClassifier([("net", STOPPING)], StudentClassifier(max_epochs=1)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_inner_split_keeps_recordings_together_but_asks_for_the_subjects(estimator):
    X, y = np.random.default_rng(0).standard_normal((12, 10)), np.arange(12) % 2
    fitted = model(estimator, random_state=0)
    message = "WindowedClassifier splits its training data without groups"
    with pytest.warns(UserWarning, match=message) as caught:
        alone = fitted.fit(X, y).predict_proba(X)
    assert len(caught) == 1
    assert_array_equal(fitted.fit(X, y, groups=np.arange(12)).predict_proba(X), alone)


def test_without_an_inner_split_nobody_asks_for_the_subjects():
    X, y = np.random.default_rng(0).standard_normal((12, 10)), np.arange(12) % 2
    frozen = FrozenEstimator(clone(STOPPING).fit(X[:, :4], y, groups=np.arange(12)))
    pupil = StudentClassifier(max_epochs=1)
    for estimator in (pupil, frozen, DistilledClassifier(frozen, pupil)):
        model(estimator).fit(X, y)


def test_probabilities_are_averaged_over_the_windows():
    fitted = model().fit(RAGGED, ["a", "b", "b"])
    assert_allclose(fitted.predict_proba(RAGGED)[:, 1], [0.25, 0.5, 1.0])
    assert list(fitted.predict(RAGGED)) == ["a", "a", "b"]


def test_ragged_recordings_of_every_container():
    objects = np.empty(3, dtype=object)
    objects[:] = RAGGED
    expected = model().fit(RAGGED, [0, 1, 1]).predict_proba(RAGGED)
    for X in (tuple(RAGGED), objects):
        assert_array_equal(model().fit(X, [0, 1, 1]).predict_proba(X), expected)


def test_a_fitted_model_takes_recordings_of_other_lengths():
    X = np.random.default_rng(0).standard_normal((8, 12))
    fitted = model(GaussianNB()).fit([*X, X[0, :9]], np.arange(9) % 2)
    assert fitted.predict([X[0, :5], X[1]]).shape == (2,)


def test_windows_are_in_seconds():
    X = np.zeros((4, 4000))
    fitted = WindowedClassifier(Recorder(), window=0.5, hop=0.25, sampling_rate=4000)
    assert fitted.fit(X, [0, 1, 0, 1]).estimator_.seen_[0].shape == (4 * 3, 2000)


def test_the_embedding_is_averaged_too():
    X = np.random.default_rng(0).standard_normal((12, 3000)).astype(np.float32)
    y = np.arange(12) % 2
    student = StudentClassifier(width=2, depth=1, max_epochs=1)
    windowed = WindowedClassifier(
        make_pipeline(MFCC(), student), window=0.5, hop=0.5, random_state=0
    ).fit(X, y)
    windows = X.reshape(36, 1000)
    expected = windowed.estimator_[-1].embed(windowed.estimator_[0].transform(windows))
    assert_allclose(windowed.embed(X), expected.reshape(12, 3, -1).mean(axis=1), rtol=1e-4)
    assert not hasattr(model(GaussianNB()).fit(RAGGED, [0, 1, 1]), "embed")
    refined = KMeansRefinedClassifier(windowed).fit([*X, X[0, :2500]], np.r_[y, 0])
    assert refined.refiner_.centers.shape == (2, windowed.embed(X).shape[1])


def test_a_windowed_network_on_recordings_of_any_length_teaches():
    rng = np.random.default_rng(0)
    ragged = [rng.standard_normal(1500 + 50 * i) for i in range(12)]
    student = StudentClassifier(width=2, depth=1, max_epochs=1)
    teacher = WindowedClassifier(make_pipeline(MFCC(), student), window=0.5, hop=0.5)
    distilled = DistilledClassifier(
        teacher, make_pipeline(MFCC(output="summary"), student), random_state=0
    )
    filtered = BandPassFilter().fit_transform(ragged)
    for X in (ragged, filtered):
        assert distilled.fit(X, np.arange(12) % 2).predict(X).shape == (12,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop": 3}, "hop=3 is longer than window=2"),
        ({"window": 0}, "'window' parameter"),
        ({"estimator": LinearSVC()}, "LinearSVC has no predict_proba.*CalibratedClassifierCV"),
    ],
)
def test_settings_that_cannot_work_say_why(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model().set_params(**change).fit(RAGGED, [0, 1, 1])


def test_weights_that_the_classifier_would_ignore_are_refused():
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(TypeError, match="sample_weight was given, but KNeighborsClassifier"):
        model(KNeighborsClassifier(1)).fit(RAGGED, [0, 1, 1], sample_weight=[1, 2, 3])


def pipeline(*first):
    return make_pipeline(*first, MFCC(), StudentClassifier(width=2, depth=1, max_epochs=1))


OF_ANY_LENGTH = {
    "windowed": WindowedClassifier(pipeline(), window=0.5, hop=0.5),
    "fixed": pipeline(FixedLength(duration=0.5)),
    "refined": KMeansRefinedClassifier(WindowedClassifier(pipeline(), window=0.5, hop=0.5)),
    "distilled": DistilledClassifier(
        make_pipeline(MFCC(output="summary"), GaussianNB()), pipeline(FixedLength(duration=0.5))
    ),
}


@pytest.mark.parametrize("classifier", OF_ANY_LENGTH.values(), ids=OF_ANY_LENGTH)
def test_one_recording_of_another_length_is_as_in_a_list_of_many(classifier):
    X = np.random.default_rng(0).standard_normal((12, 2400))
    classifier = clone(classifier).fit(X, np.arange(12) % 2)
    short = X[0, :1700]
    alone = classifier.predict_proba([short])
    assert_allclose(alone, classifier.predict_proba([short, X[1]])[:1], rtol=1e-5)


def test_features_name_the_length_that_they_know():
    mfcc = MFCC().fit(np.ones((2, 2400)))
    with pytest.raises(ValueError, match="one length, 2400 samples in fit, got 1700 samples"):
        mfcc.transform([np.ones(1700)])


@pytest.mark.parametrize(
    "step",
    [
        MFCC(sampling_rate=1000, fmax=400),
        BandPassFilter(sampling_rate=1000),
        FixedLength(duration=1.0, sampling_rate=1000),
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_of_another_sampling_rate_are_refused(step):
    X, y = np.random.default_rng(0).standard_normal((8, 4000)), np.arange(8) % 2
    steps = [step] if isinstance(step, MFCC) else [step, MFCC()]
    model = WindowedClassifier(
        make_pipeline(*steps, StudentClassifier(width=2, depth=1, max_epochs=1))
    )
    message = f"{type(step).__name__} has sampling_rate=1000, but WindowedClassifier has .*=2000"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


class Decimate(BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[:, ::2]

    def __sklearn_is_fitted__(self):
        return True


def test_a_step_of_the_user_may_change_the_sampling_rate():
    X, y = np.random.default_rng(0).standard_normal((8, 4000)), np.arange(8) % 2
    network = StudentClassifier(width=2, depth=1, max_epochs=1)
    WindowedClassifier(make_pipeline(Decimate(), MFCC(sampling_rate=1000, fmax=400), network)).fit(
        X, y
    )
