"""Import, fit, distill, save, load and export: what has to work with every supported version."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_heartkd import (
    MFCC,
    Conv1DClassifier,
    Conv2DClassifier,
    DistilledClassifier,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    RhythmFeatures,
    RNNClassifier,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import AugmentingOverSampler
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import export_c, export_onnx, load_model, save_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel
from sklearn_heartkd.inspection import ExplanationDisplay, explain

STUDENT = StudentClassifier(max_epochs=2)


@pytest.fixture(scope="module")
def sounds():
    return make_heart_sounds(24, classes=("murmur", "normal"), n_subjects=12, random_state=0)


@pytest.fixture(scope="module")
def distilled(sounds):
    """A student with clusters, taught by a network, on windows of recordings."""
    student = DistilledClassifier(
        Conv2DClassifier(width=2, depth=2, max_epochs=1), STUDENT, refine="kmeans", random_state=0
    )
    model = WindowedClassifier(make_pipeline(LogMelSpectrogram(), student))
    return model.fit(sounds.data, sounds.target, groups=sounds.groups)


@pytest.mark.parametrize(
    "network",
    [Conv1DClassifier, Conv2DClassifier, LSTMClassifier, RNNClassifier, StudentClassifier],
)
def test_networks(network, sounds):
    model = make_pipeline(MFCC(), network(max_epochs=1, random_state=0))
    probabilities = model.fit(sounds.data, sounds.target).predict_proba(sounds.data)
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_distillation_in_a_cross_validation(sounds):
    model = make_pipeline(
        MFCC(), DistilledClassifier(RandomForestClassifier(10), STUDENT, cv=3, random_state=0)
    )
    scores = cross_val_score(
        model,
        sounds.data,
        sounds.target,
        groups=sounds.groups,
        cv=StratifiedGroupKFold(2),
        params={"distilledclassifier__groups": sounds.groups},
    )
    assert scores.shape == (2,)


def test_refinement_of_a_classical_model(sounds):
    table = make_pipeline(RhythmFeatures(), StandardScaler()).fit_transform(sounds.data)
    model = KMeansRefinedClassifier(LogisticRegression(), random_state=0)
    assert model.fit(table, sounds.target).score(table, sounds.target) > 0.5


def test_over_sampling(sounds):
    rows = np.arange(20)
    sampler = AugmentingOverSampler(random_state=0)
    X, y = sampler.fit_resample(sounds.data[rows], sounds.target[rows])
    assert len(X) == len(y) >= 20


def test_saved_and_loaded(distilled, sounds, tmp_path):
    path = tmp_path / "model.skops"
    save_model(distilled, path)
    assert_allclose(
        load_model(path).predict_proba(sounds.data), distilled.predict_proba(sounds.data)
    )


def test_exported_to_onnx(distilled, sounds, tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx(distilled, path)
    found = HeartSoundModel.load(path).predict_proba(sounds.data[0])
    assert_allclose(found, distilled.predict_proba(sounds.data[:1])[0], atol=1e-4)


def test_exported_to_c(distilled, tmp_path):
    export_c(distilled, tmp_path / "model.c")
    assert "heartkd_" in (tmp_path / "model.h").read_text()


def test_explained(sounds):
    model = make_pipeline(LogMelSpectrogram(), STUDENT).fit(sounds.data, sounds.target)
    explanation = explain(model, sounds.data[:1])
    assert explanation.additivity_error.max() < 1e-3
    assert ExplanationDisplay(explanation, target="murmur").plot().figure_.axes


def test_command_line():
    done = subprocess.run(
        [sys.executable, "-c", "from sklearn_heartkd.cli import main; main(['check', '--help'])"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
