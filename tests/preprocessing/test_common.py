import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_heartkd import BandPassFilter, FixedLength, SpikeRemover

FILTERS = [BandPassFilter(), BandPassFilter(method="fir"), SpikeRemover()]
ESTIMATORS = [*FILTERS, FixedLength(duration=0.1)]
CHECKS_NOT_RUN_BY_CHECK_ESTIMATOR = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks([*FILTERS, FixedLength()], xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # they mix both
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("check", CHECKS_NOT_RUN_BY_CHECK_ESTIMATOR)
def test_further_scikit_learn_checks(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def recordings_of_different_loudness(dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 3000)) * np.array([[1.0], [1e4], [1e-4], [1.0]])
    X[2, 1500:1504] = 1.0
    return X.astype(dtype)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_recording_is_treated_by_itself(estimator, dtype):
    X = recordings_of_different_loudness(dtype)
    before = X.copy()
    together = estimator.transform(X)
    assert together.dtype == dtype
    assert not np.array_equal(together, X)
    np.testing.assert_array_equal(X, before)
    for i in range(len(X)):
        np.testing.assert_array_equal(together[i], estimator.transform(X[i : i + 1])[0])


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_ragged_recordings_give_what_each_gives_alone(estimator):
    X = recordings_of_different_loudness()
    ragged = [row[: 2500 + 100 * i] for i, row in enumerate(X)]
    together = clone(estimator).fit_transform(ragged)
    for row, expected in zip(ragged, together, strict=True):
        np.testing.assert_array_equal(estimator.transform(row[np.newaxis])[0], expected)
        if not isinstance(estimator, FixedLength):
            assert expected.shape == row.shape


@pytest.mark.parametrize("estimator", [BandPassFilter(), SpikeRemover()], ids=repr)
def test_ragged_recordings_are_no_table_even_if_pandas_is_asked_for(estimator):
    estimator = clone(estimator).set_output(transform="pandas")
    filtered = estimator.fit_transform([np.ones(3), np.ones(4)])
    assert isinstance(filtered, np.ndarray)
    assert not hasattr(estimator, "get_feature_names_out")
    assert isinstance(estimator.fit_transform(np.ones((2, 3))), pd.DataFrame)
