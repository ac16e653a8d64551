import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_heartkd import MFCC, Autocorrelogram, LogMelSpectrogram

SEQUENCES = [MFCC(), LogMelSpectrogram(cmvn=True), Autocorrelogram()]
TABLES = [
    MFCC(output="flat"),
    MFCC(output="summary"),
    LogMelSpectrogram(output="flat"),
    LogMelSpectrogram(cmvn=True, output="summary"),
    Autocorrelogram(output="flat"),
]
FURTHER_CHECKS = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
]
TABLE_CHECKS = [
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks([*SEQUENCES, *TABLES], xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", [*SEQUENCES, *TABLES], ids=repr)
@pytest.mark.parametrize("check", FURTHER_CHECKS)
def test_further_scikit_learn_checks(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # they mix both
@pytest.mark.parametrize("estimator", TABLES, ids=repr)
@pytest.mark.parametrize("check", TABLE_CHECKS)
def test_scikit_learn_checks_of_tables(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def noise(n_recordings=5, n_samples=1500, dtype=np.float64):
    rng = np.random.default_rng(0)
    loudness = 10.0 ** np.linspace(-2, 2, n_recordings)[:, np.newaxis]
    return (loudness * rng.standard_normal((n_recordings, n_samples))).astype(dtype)


@pytest.mark.parametrize("estimator", [*SEQUENCES[:2], *TABLES[:4]], ids=repr)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_recording_is_treated_by_itself(estimator, normalize, dtype):
    X = noise(dtype=dtype)
    estimator = clone(estimator).set_params(normalize=normalize)
    together = estimator.transform(X)
    assert together.dtype == dtype
    alone = np.concatenate([estimator.transform(X[i : i + 1]) for i in range(len(X))])
    tolerance = 1e-3 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("estimator", [MFCC(), MFCC(output="summary")], ids=repr)
def test_threads_change_nothing(estimator):
    X = noise(n_recordings=7)
    expected = estimator.transform(X)
    threaded = clone(estimator).set_params(n_jobs=2)
    np.testing.assert_allclose(threaded.transform(X), expected, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(threaded.transform(X[:1]), expected[:1], rtol=1e-12, atol=1e-10)


def test_threads_work_on_ragged_recordings():
    ragged = [row[: 900 + 100 * i] for i, row in enumerate(noise())]
    estimator = MFCC(output="summary")
    threaded = clone(estimator).set_params(n_jobs=2).fit_transform(ragged)
    np.testing.assert_allclose(threaded, estimator.fit_transform(ragged), rtol=1e-12)


@pytest.mark.parametrize("estimator", [*SEQUENCES, *TABLES], ids=repr)
def test_a_data_frame_of_waveforms_gives_the_same_as_the_array(estimator):
    X = noise()
    frame = pd.DataFrame(X).add_prefix("sample")
    np.testing.assert_array_equal(clone(estimator).fit_transform(frame), estimator.transform(X))


@pytest.mark.parametrize("estimator", SEQUENCES, ids=repr)
@pytest.mark.parametrize("method", ["get_feature_names_out", "set_output"])
def test_sequences_say_that_they_have_neither_names_nor_containers(estimator, method):
    assert not hasattr(estimator, method)
    with pytest.raises(AttributeError) as error:
        getattr(estimator, method)
    assert "3-D array, which has neither feature names nor set_output" in str(error.value.__cause__)
    assert hasattr(clone(estimator).set_params(output="flat"), method)


def test_a_sequence_stays_an_array_when_pandas_is_asked_for_globally():
    from sklearn import config_context

    with config_context(transform_output="pandas"):
        assert isinstance(MFCC().fit_transform(noise()), np.ndarray)
        assert isinstance(MFCC(output="flat").fit_transform(noise()), pd.DataFrame)


def working_memory(estimator, X):
    tracemalloc.start()
    try:
        features = estimator.transform(X)
        return tracemalloc.get_traced_memory()[1] - features.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("estimator", [MFCC(), MFCC(output="summary"), Autocorrelogram()], ids=repr)
def test_memory_does_not_grow_with_the_recordings(estimator):
    X = noise(n_recordings=160, n_samples=4000).astype(np.float32)
    estimator.transform(X[:1])
    assert working_memory(estimator, X) < 1.3 * working_memory(estimator, X[:40])


def test_pickles_are_small_and_give_the_same():
    estimator = MFCC().fit(noise())
    stored = pickle.dumps(estimator)
    assert len(stored) < 1000
    np.testing.assert_array_equal(
        pickle.loads(stored).transform(noise()), estimator.transform(noise())
    )


def test_importing_the_features_loads_neither_librosa_nor_torch():
    code = (
        "import sys; from sklearn_heartkd import MFCC, FixedLength; MFCC(); "
        "sys.exit(bool({'librosa', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
