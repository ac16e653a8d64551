"""A user's script: it is checked with ``mypy --strict`` and never run."""

from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

import sklearn_heartkd
from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    ContrastivePretraining,
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    DistilledClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    LSTMClassifier,
    RhythmFeatures,
    RNNClassifier,
    SpikeRemover,
    StudentClassifier,
    SupervisedPretraining,
    WindowedClassifier,
)
from sklearn_heartkd.augmentation import AugmentingOverSampler
from sklearn_heartkd.datasets import (
    load_audio_folder,
    load_bmd_hs,
    load_circor,
    load_pascal,
    load_physionet2016,
    load_table,
    make_heart_sounds,
    read_recording,
)
from sklearn_heartkd.deployment import export_c, export_onnx, load_model, save_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel
from sklearn_heartkd.distillation import CRD, InfoNCE, SoftTargets
from sklearn_heartkd.inspection import ExplanationDisplay, explain, faithfulness
from sklearn_heartkd.metrics import RejectingClassifier, compare_models
from sklearn_heartkd.model_selection import check_dataset, near_duplicate_groups

version: str = sklearn_heartkd.__version__
folder = Path("recordings")
for recordings in (
    load_audio_folder(folder),
    load_bmd_hs(folder),
    load_circor(folder),
    load_pascal(folder, sampling_rate=2000, duration=5.0),
    load_physionet2016(folder),
    load_table(folder / "table.csv", file="file", target="label", subject="patient"),
    make_heart_sounds(30, random_state=0),
):
    print(recordings.data, recordings.target)
X, y, groups = recordings.data, recordings.target, recordings.groups
waveform, rate = read_recording(folder / "one.wav", 2000)

for transformer in (BandPassFilter(), SpikeRemover(), FixedLength(), MFCC(), RhythmFeatures()):
    print(transformer.fit(X).transform(X))
sequences = LogMelSpectrogram(output="sequence", cmvn=True).fit(X).transform(X)
print(Autocorrelogram(output="flat").fit(X).get_feature_names_out())
start = SupervisedPretraining(sequences, y)
for network in (
    Conv1DClassifier(pretrain=start),
    Conv2DClassifier(pretrain=ContrastivePretraining()),
    LSTMClassifier(early_stopping=True),
    RNNClassifier(cell="gru"),
    StudentClassifier(width=8),
    DenseStudentClassifier(hidden_layer_sizes=(16,)),
):
    probabilities: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    probabilities = network.fit(sequences, y, groups=groups).predict_proba(sequences)
    print(network.embed(sequences), network.decision_function(sequences), network.classes_)
print(AugmentingOverSampler().fit_resample(sequences, y))

student = DistilledClassifier(
    [("forest", RandomForestClassifier()), ("network", Conv2DClassifier())],
    StudentClassifier(),
    losses=[("kd", SoftTargets(), 0.7), ("crd", CRD(), 0.2), ("infonce", InfoNCE(), 0.1)],
    cv=3,
    refine="kmeans",
    random_state=0,
)
model = WindowedClassifier(make_pipeline(LogMelSpectrogram(), student), window=3.0)
model.fit(X, y, groups=groups).predict(X)
refined = KMeansRefinedClassifier(Conv1DClassifier()).fit(sequences, y)
rejecting = RejectingClassifier(refined).fit(sequences, y)

save_model(model, folder / "model.skops")
print(load_model(folder / "model.skops").predict(X))
export_onnx(model, folder / "model.onnx")
export_c(model, folder / "model.c")
print(HeartSoundModel.load(folder / "model.onnx").predict_proba(waveform, rate))

ExplanationDisplay(explain(model, X), target="murmur").plot()
print(faithfulness(model, X, explain(model, X)))
print(check_dataset(X, y), near_duplicate_groups(X, 2000))
print(compare_models)
