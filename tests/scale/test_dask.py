"""joblib's dask backend: the same results on a cluster of two processes."""

import os
from itertools import chain

import dask.array
import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_heartkd import (
    MFCC,
    DistilledClassifier,
    KMeansRefinedClassifier,
    StudentClassifier,
)
from tests.comparison.helpers import run
from tests.scale.helpers import Counted, Kill, thread_counts

pytestmark = pytest.mark.slow
STUDENT = StudentClassifier(width=2, depth=1, max_epochs=2, random_state=0)


def score(model, data, cv=2):
    return cross_val_score(model, *data, cv=cv, scoring="neg_log_loss", error_score="raise")


@pytest.mark.parametrize(
    "model",
    [
        DistilledClassifier(RandomForestClassifier(5), STUDENT, random_state=0),
        KMeansRefinedClassifier(STUDENT),
    ],
    ids=lambda model: type(model).__name__,
)
def test_scores_are_those_of_one_process(model, client, sequences):
    with joblib.parallel_config("dask"):
        found = score(model, sequences)
    assert_array_equal(found, score(model, sequences))


def test_a_search_finds_the_same_and_shows_its_progress(client, sounds, capsys):
    model = make_pipeline(MFCC(output="summary"), SVC())
    search = GridSearchCV(model, {"mfcc__n_mfcc": [10, 13], "svc__C": [1, 10]}, cv=2)
    with joblib.parallel_config("dask", verbose=10):
        found = search.fit(sounds.data, sounds.target).cv_results_
    assert "4 concurrent workers" in (shown := capsys.readouterr().err)
    assert "8 out of   8" in shown
    expected = search.fit(sounds.data, sounds.target).cv_results_
    for key in (key for key in expected if "time" not in key):
        assert_array_equal(found[key], expected[key])


def test_a_killed_worker_changes_nothing(client, sequences, tmp_path):
    splits = list(StratifiedKFold(2).split(*sequences))
    model = clone(STUDENT).set_params(callbacks=[Kill(tmp_path / "killed")])
    before = set(client.scheduler_info()["workers"])
    client.amm.stop()  # it removes copies
    with joblib.parallel_config("dask", scatter=[*sequences, *chain(*splits)]):
        found = score(model, sequences, splits)
    client.amm.start()
    client.wait_for_workers(2)
    assert set(client.scheduler_info()["workers"]) != before
    assert_array_equal(found, score(model, sequences, splits))


def test_workers_share_a_memory(client, sequences, tmp_path):
    fits, memory = tmp_path / "fits", str(tmp_path / "memory")
    fits.mkdir()
    model = DistilledClassifier(Counted(fits), STUDENT, random_state=0, memory=memory)
    grid = {"temperature": [1, 4], "student__width": [2, 3]}
    search = GridSearchCV(model, grid, cv=2, refit=False, error_score="raise")
    with joblib.parallel_config("dask"):
        score(model, sequences)
        search.fit(*sequences)
    assert len(found := list(fits.iterdir())) == 2
    assert not any(path.name.startswith(f"{os.getpid()}-") for path in found)


def test_each_task_has_one_thread(client):
    assert list(client.run(thread_counts).values()) == [{1}, {1}]
    with joblib.parallel_config("dask"):
        found = joblib.Parallel()(joblib.delayed(thread_counts)() for _ in range(4))
    assert found == [{1}] * 4


def test_compare_is_that_of_one_process(client, sounds, capsys):
    models = ["svm", "student"]
    with joblib.parallel_config("dask", scatter=[sounds]):
        found = run(sounds, models=models, verbose=True)
    assert "\n4/4 " in capsys.readouterr().err
    pd.testing.assert_frame_equal(found.predictions, run(sounds, models=models).predictions)


def test_features_in_blocks_are_those_of_one_array(client, sounds):
    X, mfcc = np.stack(sounds.data), MFCC(output="summary")
    blocks = dask.array.from_array(X, chunks=(5, -1))
    found = blocks.map_blocks(mfcc.fit_transform, meta=np.empty((0, 0), np.float32))
    assert_array_equal(found.compute(), mfcc.fit_transform(X))
