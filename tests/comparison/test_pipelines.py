from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest

from sklearn_heartkd.classifiers import SupervisedPretraining
from sklearn_heartkd.comparison import Recipe
from sklearn_heartkd.comparison import _pipelines as pipelines_module
from sklearn_heartkd.features import LogMelSpectrogram
from tests.comparison.helpers import PRETRAINED, RECIPE, run


def test_scratch_and_distilled_student_train_alike():
    scratch = RECIPE.make("student", 3, {}).estimator[-1]
    teachers = {"conv1d": RECIPE.make("conv1d", 0, {})}
    teachers["conv1d"].estimator_ = teachers["conv1d"].estimator
    distilled = RECIPE.make("student_of_conv1d", 3, teachers).estimator[-1]
    assert repr(distilled.student.get_params()) == repr(scratch.get_params())
    assert distilled.refine is None


def test_all_but_the_student_from_scratch_are_pretrained():
    teachers = {"conv1d": PRETRAINED.make("conv1d", 3, {})}
    teachers["conv1d"].estimator_ = teachers["conv1d"].estimator
    alone = PRETRAINED.make("student_pretrained", 3, {}).estimator[-1]
    distilled = PRETRAINED.make("student_of_conv1d", 3, teachers).estimator[-1]
    for network in (teachers["conv1d"].estimator[-1], alone, distilled.student):
        assert isinstance(network.pretrain, SupervisedPretraining)
        assert network.pretrain.X.shape[0] == 10
    assert repr(distilled.student) == repr(alone)
    scratch = PRETRAINED.make("student", 3, {}).estimator[-1]
    assert scratch.pretrain is None
    assert repr(alone.set_params(pretrain=None)) == repr(scratch)
    assert repr(RECIPE.make("student_pretrained", 3, {}).estimator[-1]) == repr(scratch)


def test_synthetic_recordings_follow_the_recipe():
    recipe = Recipe(sampling_rate=4000, window=2.0, hop=1.0, n_synthetic=10, max_epochs=1)
    start = recipe.limits(0)["pretrain"]
    expected = LogMelSpectrogram(sampling_rate=4000).fit_transform(
        np.zeros((1, 8000), dtype=np.float32)
    )
    assert start.X.shape[1:] == expected.shape[1:]
    assert set(start.y) == {"artifact", "extrahls", "extrastole", "murmur", "normal"}


def test_pretraining_is_done_once_and_not_stored(data, tmp_path):
    models = ["student", "student_pretrained", "student_of_conv1d"]
    result = run(data, models=models, recipe=PRETRAINED, out=tmp_path)
    assert set(result.table.index) > {"student", "student_pretrained", "student_of_conv1d"}
    learned = list((tmp_path / "pretraining").rglob("output.pkl"))
    assert len(learned) == 2  # the teacher's and the student's, not one for each fold
    model = joblib.load(tmp_path / "parts" / "student_of_conv1d-seed0-fold1.model")
    distilled = model.estimator_[-1]
    assert distilled.student_.pretrain.X.shape == (0, 32, 30)
    assert [epoch["epoch"] for epoch in distilled.student_.pretraining_history_] == list(
        range(1, 11)
    )
    again = run(data, models=models, recipe=PRETRAINED, out=tmp_path)
    pd.testing.assert_frame_equal(again.predictions, result.predictions)
    with pytest.raises(ValueError, match="other recordings, folds or settings"):
        run(data, models=["student"], out=tmp_path)


def test_the_memory_of_the_recipe_is_used(data, tmp_path):
    recipe = replace(PRETRAINED, memory=str(tmp_path / "mine"))
    run(data, models=["student_pretrained"], recipe=recipe, out=tmp_path / "out")
    assert len(list((tmp_path / "mine").rglob("output.pkl"))) == 1
    assert not (tmp_path / "out" / "pretraining").exists()


def test_models_without_pretraining_make_no_recordings(monkeypatch):
    monkeypatch.setattr(pipelines_module, "_synthetic", lambda *arguments: 1 / 0)
    for model in ("svm", "forest", "rhythm", "student"):
        assert PRETRAINED.make(model, 0, {})
    with pytest.raises(ZeroDivisionError):
        PRETRAINED.make("conv1d", 0, {})
