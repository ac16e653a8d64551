"""A memory keeps fitted teachers, and only where it can find them again."""

import warnings

import pytest
from joblib import Memory
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_heartkd import Conv1DClassifier, DistilledClassifier
from tests.distillation.helpers import student


class Counted(GaussianNB):
    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counted.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("as_text", [True, False])
def test_memory_fits_a_teacher_once_per_split(as_text, sequences, sounds, tmp_path):
    Counted.fits = 0
    memory = str(tmp_path) if as_text else Memory(tmp_path, verbose=0)
    model = DistilledClassifier(Counted(), student(), random_state=0, memory=memory)
    grid = {"temperature": [1, 2, 4], "student__width": [2, 3]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Persisting input arguments")
        search.fit(sequences, sounds.target)
    assert Counted.fits == 2 + 1
    expected = clone(search.best_estimator_).set_params(memory=None)
    expected.fit(sequences, sounds.target)
    assert Counted.fits == 4
    assert_array_equal(
        search.best_estimator_.predict_proba(sequences), expected.predict_proba(sequences)
    )


def test_memory_keeps_networks_and_tells_data_and_settings_apart(
    sequences, sounds, tmp_path, monkeypatch
):
    fits = []
    original = Conv1DClassifier._fit

    def spy(self, *arguments, **options):
        if "unlabeled" not in options:  # it is the teacher
            fits.append(self)
        return original(self, *arguments, **options)

    monkeypatch.setattr(Conv1DClassifier, "_fit", spy)
    network = Conv1DClassifier(width=2, depth=1, max_epochs=1)
    model = DistilledClassifier(network, student(), random_state=0, memory=str(tmp_path))

    def fit(X=sequences, **parameters):
        found = clone(model).set_params(**parameters).fit(X, sounds.target)
        return found.predict_proba(X)

    first = fit()
    assert_array_equal(fit(), first)
    fit(temperature=5)
    assert len(fits) == 1
    fit(teacher__width=3)
    fit(X=sequences + 1)
    fit(random_state=1)
    assert len(fits) == 4


def test_a_memory_that_finds_nothing_again_is_warned_of(sequences, sounds, tmp_path):
    X, y = sequences, sounds.target
    forest = RandomForestClassifier(2)
    model = DistilledClassifier(forest, student(), memory=str(tmp_path))
    message = r"\['RandomForestClassifier'\] draws a new one .* set random_state to an int"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(random_state=0).fit(X, y)
        clone(model).set_params(teacher__random_state=0).fit(X, y)
        clone(model).set_params(teacher=GaussianNB()).fit(X, y)
        clone(model).set_params(memory=None).fit(X, y)


def test_answers_from_a_memory_mapped_file(sequences, sounds, tmp_path):
    memory = Memory(tmp_path, mmap_mode="r", verbose=0)
    model = DistilledClassifier(GaussianNB(), student(), random_state=0, memory=memory)
    found = [clone(model).fit(sequences, sounds.target).predict_proba(sequences) for _ in range(2)]
    assert_array_equal(*found)


@pytest.mark.parametrize(
    "library", ["sklearn_heartkd.distillation._teaching.__version__", "sklearn.__version__"]
)
def test_another_version_fits_its_teachers_anew(library, sequences, sounds, tmp_path, monkeypatch):
    Counted.fits = 0
    model = DistilledClassifier(Counted(), student(), random_state=0, memory=str(tmp_path))
    for _ in range(2):
        clone(model).fit(sequences, sounds.target)
    assert Counted.fits == 1
    monkeypatch.setattr(library, "99.0")
    clone(model).fit(sequences, sounds.target)
    assert Counted.fits == 2


def test_a_teacher_that_cannot_be_recognised_again_is_named(sequences, sounds, tmp_path):
    doubled = make_pipeline(FunctionTransformer(lambda X: 2 * X), GaussianNB())
    model = DistilledClassifier(doubled, student(), random_state=0)
    model.fit(sequences, sounds.target)
    model.set_params(memory=str(tmp_path))
    message = "cannot recognize the teacher 'teacher' again.* in a module, or set memory=None"
    with pytest.raises(ValueError, match=message):
        model.fit(sequences, sounds.target)


class Cache:
    """A memory with nothing but a method `cache`."""

    def cache(self, function, ignore=None):
        return function


def test_a_memory_of_another_kind(sequences, sounds):
    model = DistilledClassifier(GaussianNB(), student(), random_state=0, memory=Cache())
    model.fit(sequences, sounds.target)


class Shy(GaussianNB):
    def __getstate__(self):
        raise NotImplementedError("no copies")


def test_whatever_keeps_a_teacher_from_being_stored_is_told(sequences, sounds, tmp_path):
    model = DistilledClassifier(Shy(), student(), random_state=0, memory=str(tmp_path))
    with pytest.raises(ValueError, match=r"teacher 'teacher' again \(no copies\)"):
        model.fit(sequences, sounds.target)
