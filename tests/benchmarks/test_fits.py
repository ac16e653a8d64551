from functools import partial

import joblib
import numpy as np
import pytest
from sklearn.utils import Bunch

from benchmarks import noise_robustness, when_kmeans_helps
from benchmarks._tasks import Task, open_folder, run
from sklearn_heartkd.augmentation import AdditiveNoise
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.datasets import make_heart_sounds

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=1)


@pytest.fixture(scope="module")
def where():
    sounds = make_heart_sounds(
        24, classes=("normal", "murmur"), n_subjects=24, duration=1.0, random_state=0
    )
    splits = split_by_subject(sounds.target, sounds.groups, 2)
    return {"data": sounds, "splits": splits, "recipe": RECIPE}


def test_a_folder_belongs_to_its_recordings_and_settings(where, tmp_path):
    data, splits = where["data"], where["splits"]
    for _ in range(2):
        open_folder(tmp_path, data, splits, RECIPE)
    for other in ({"settings": "other"}, {"splits": splits[::-1]}):
        with pytest.raises(ValueError, match="--work"):
            open_folder(tmp_path, data, **({"splits": splits, "settings": RECIPE} | other))
    changed = Bunch(**data | {"data": 2 * data.data})
    with pytest.raises(ValueError, match="--work"):
        open_folder(tmp_path, changed, splits, RECIPE)


@pytest.mark.slow
def test_noisy_models_are_trained_and_tested_with_noise(where, tmp_path):
    noises = {"white": "white", "ambience": noise_robustness.make_ambience(2000, 2, 2)}
    compute = partial(noise_robustness.compute, noises=noises, folder=tmp_path, **where)
    frames = [
        run([Task(0, 0, f"{name}-{training}")], compute, tmp_path, n_jobs=1)
        for name in noise_robustness.MODELS
        for training in noise_robustness.TRAINING
    ]
    assert all(len(frame) == 12 * (1 + 2 * 5) for frame in frames)
    for training, expected in (("clean", 0), ("online", 2)):
        task = Task(0, 0, f"student_of_conv2d-{training}")
        student = joblib.load(task.file(tmp_path, "model")).estimator_[-1].student_
        augmentation = student.augmentation
        added = [] if augmentation == "auto" else augmentation
        assert sum(isinstance(item, AdditiveNoise) for item in added) == expected


def test_noise_has_the_ratio_that_was_asked_for(where):
    x = where["data"].data[0]
    noisy = noise_robustness.disturb(x, "white", 10, seed=0)
    assert np.mean(x**2) / np.mean((noisy - x) ** 2) == pytest.approx(10, rel=0.01)
    np.testing.assert_array_equal(noisy, noise_robustness.disturb(x, "white", 10, seed=0))


@pytest.mark.slow
def test_each_condition_changes_the_training_part_only(where, monkeypatch):
    one = {"auto, 0.5": {"n_clusters": "auto", "weight": 0.5}}
    monkeypatch.setattr(when_kmeans_helps, "REFINEMENTS", one)
    truth = where["data"].target
    found = {}
    for name in ("as_is", "wrong40", "quarter", "short"):
        frame = when_kmeans_helps.compute(Task(0, 0, name), **where)
        assert (frame["y_true"].to_numpy() == truth[frame["recording"]]).all()
        assert set(frame["model"]) == {"unrefined", *when_kmeans_helps.REFINEMENTS}
        found[name] = frame.iloc[0]
    assert found["as_is"]["recordings"] == 12
    assert found["quarter"]["recordings"] == 3
    assert found["short"]["epochs"] == 2


def test_a_larger_share_of_wrong_labels_holds_the_smaller_one():
    target, rows = np.array(["a", "b", "c"] * 10), np.arange(5, 30)
    few, many = (when_kmeans_helps.with_wrong_labels(target, rows, s, 0) for s in (0.2, 0.4))
    assert (few != target).sum() == 5
    assert (many != target).sum() == 10
    assert (many[:5] == target[:5]).all()
    assert (many[few != target] == few[few != target]).all()
