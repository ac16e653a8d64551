"""The meta-estimators are metadata routers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate

from sklearn_heartkd import (
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.metrics import RejectingClassifier
from sklearn_heartkd.utils._meta_classifier import MetaClassifier
from sklearn_heartkd.utils._metadata import MetadataRouterMixin

Y = np.array([0, 1] * 12)
GROUPS = np.arange(24) // 2
X = np.random.default_rng(0).standard_normal((24, 6)) + 0.5 * Y[:, None]
WEIGHT = np.where(np.arange(24) < 2, 0.0, 1.0)
SITE = np.array(list("abcdefghijklmnopqrstuvwx"))


class Site(ClassifierMixin, BaseEstimator):
    """Keep the metadata of each fit."""

    fits: list = []

    def fit(self, X, y, sample_weight=None, site=None, device_id=None):
        Site.fits.append({"X": X, "weight": sample_weight, "site": site, "device": device_id})
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture(autouse=True)
def no_fits():
    Site.fits.clear()


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def student():
    return StudentClassifier(width=2, depth=1, max_epochs=1)


MAKE = {
    "distilled": lambda inner: DistilledClassifier(inner, student(), random_state=0),
    "refined": lambda inner: KMeansRefinedClassifier(inner, random_state=0),
    "windowed": lambda inner: WindowedClassifier(inner, window=3, hop=3, sampling_rate=1),
    "rejecting": lambda inner: RejectingClassifier(inner, error_rate=0.5, cv=2, reject_label=-1),
}
every = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def asking(**requests):
    return Site().set_fit_request(**requests)


@every
def test_own_metadata_follow_the_rows(make, routing):
    inner = asking(site=True, device_id=True, sample_weight=False)
    model = make(inner)
    if hasattr(model, "student"):
        model.student.set_fit_request(sample_weight=True)
    model.fit(X, Y, sample_weight=WEIGHT, groups=GROUPS, site=SITE, device_id="stethoscope")
    last = Site.fits[-1]
    expected = np.repeat(SITE[2:], 2) if isinstance(model, WindowedClassifier) else SITE[2:]
    assert_array_equal(last["site"], expected)
    assert len(last["site"]) == len(last["X"])
    assert {fit["device"] for fit in Site.fits} == {"stethoscope"}
    assert all(fit["weight"] is None for fit in Site.fits)


@pytest.mark.parametrize(
    "make",
    [
        lambda inner: MAKE["distilled"](inner).set_params(cv=2),
        lambda inner: MAKE["refined"](inner).set_params(weight="auto", cv=2),
        MAKE["rejecting"],
    ],
    ids=["distilled", "refined", "rejecting"],
)
def test_inner_folds_cut_metadata(make, routing):
    make(asking(site=True, device_id=True)).fit(X, Y, groups=GROUPS, site=SITE, device_id=[1, 2])
    rows = {tuple(row): site for row, site in zip(X, SITE, strict=True)}
    assert len(Site.fits) == 3
    for fit in Site.fits:
        assert_array_equal([rows[tuple(row)] for row in fit["X"]], fit["site"])
        assert fit["device"] == [1, 2]


@every
def test_an_unset_request_raises(make, routing):
    with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.*Site\.fit"):
        make(Site()).fit(X, Y, sample_weight=WEIGHT)


@every
def test_unknown_metadata_raise(make, routing):
    with pytest.raises(TypeError, match="'shoe_size'"):
        make(asking(site=True)).fit(X, Y, groups=GROUPS, shoe_size=SITE)


@every
def test_without_routing_own_metadata_are_refused(make):
    with pytest.raises(ValueError, match="'site'"):
        make(Site()).fit(X, Y, groups=GROUPS, site=SITE)


def test_the_default_student_requests_weights(routing):
    teacher = LogisticRegression().set_fit_request(sample_weight=True)
    model = DistilledClassifier(teacher, random_state=0)
    requests = model.get_metadata_routing().consumes("fit", ["sample_weight", "groups"])
    assert requests == {"sample_weight", "groups"}
    routed = model._route(sample_weight=WEIGHT, groups=GROUPS)
    assert routed["student"].keys() == {"sample_weight", "groups"}
    assert routed["teacher__teacher"].keys() == {"sample_weight"}


@every
def test_our_own_metadata_are_requested_by_default(make, routing):
    own = {"groups", "devices", "X_unlabeled", "groups_unlabeled"}
    assert make(LogisticRegression()).get_metadata_routing().consumes("fit", own) == own
    assert student().get_metadata_routing().consumes("fit", own) == {"groups", "devices"}


def test_each_of_several_teachers_gets_its_own(routing):
    teachers = [
        ("site", asking(site=True, device_id=False)),
        ("device", asking(site=False, device_id=True)),
    ]
    DistilledClassifier(teachers, student()).fit(X, Y, site=SITE, device_id=3)
    assert [fit["device"] for fit in Site.fits] == [None, 3]
    assert_array_equal(Site.fits[0]["site"], SITE)
    assert Site.fits[1]["site"] is None


def test_cross_validation_hands_metadata_to_the_teacher(routing):
    model = MAKE["refined"](asking(site=True))
    cross_validate(model, X, Y, params={"site": SITE, "groups": GROUPS}, cv=2)
    assert [len(fit["site"]) for fit in Site.fits] == [12, 12]


@every
@pytest.mark.parametrize("weight", [np.zeros(24), [0] * 24])
def test_weights_that_are_all_0_are_refused(make, weight):
    with pytest.raises(ValueError, match="at least one non-zero"):
        make(LogisticRegression()).fit(X, Y, sample_weight=weight, groups=GROUPS)


def test_all_share_one_base():
    meta = DistilledClassifier, KMeansRefinedClassifier, WindowedClassifier
    assert all(issubclass(one, MetaClassifier) for one in meta)
    assert all(issubclass(one, MetadataRouterMixin) for one in (*meta, RejectingClassifier))


def test_the_warning_without_groups_speaks_of_rows():
    with pytest.warns(UserWarning, match="rows of one subject") as caught:
        MAKE["rejecting"](LogisticRegression()).fit(X, Y)
    assert "recording" not in str(caught[0].message)
