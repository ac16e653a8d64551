"""Train the model that is part of the package, and write the tables of its model card.

    python -m benchmarks.leave_one_device_out --data path/to/folder     # its scores, first
    python -m benchmarks.train_bundled_model path/to/folder [--work DIR]

The folder contains heartbeat-sounds/ (PASCAL) and physionet2016/. A student of PASCAL A, B and PhysioNet
a, c, murmur against normal, in batches balanced over device and class. Its threshold is chosen on the
devices A, B and a, each left out in turn, and tried on d, e and f. The domain detector knows all seven
devices. Writes murmur_student.skops and murmur_student.onnx, of one fit, and
benchmarks/results/bundled.csv.
Fits stay in --work, where a stopped run continues. `--quick --out DIR` is a trial.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from benchmarks._tables import RESULTS, ROOT, rows_as_markdown, write_tables
from benchmarks.out_of_domain import cached
from sklearn_heartkd import (
    Autocorrelogram,
    LogMelSpectrogram,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.datasets import load_pascal, load_physionet2016
from sklearn_heartkd.deployment import DomainDetector, export_onnx, save_model
from sklearn_heartkd.metrics import ThresholdClassifier

FOLDER = "sklearn_heartkd/deployment/models"
RATE, SECONDS = 2000, 10  # of each recording the first seconds
FRONT_ENDS = {"ACF": Autocorrelogram(), "CMVN": LogMelSpectrogram(cmvn=True)}
FRONT_END = "ACF"  # fewest normals of devices left out that are called a murmur
TAUGHT_BY, CHOSEN_ON, TRIED_ON = "ABac", "ABa", "def"
MOST_ALARMS = 0.15  # share of normal recordings of an unknown device that are called a murmur
SCOPE = (
    "The bundled model tells murmur from normal in recordings of a stethoscope on the chest. On devices "
    "that it does not know it is often wrong; see its model card. Not a medical device."
)
TRAINING_DATA = (
    "PASCAL CHSC 2011, sets A and B, and PhysioNet/CinC 2016, databases a and c: murmur or abnormal, and "
    "normal"
)


def load(path):
    """Return the first seconds of all hearts, with device, class and subject."""
    pascal = load_pascal(Path(path) / "heartbeat-sounds", sampling_rate=RATE)
    physionet = load_physionet2016(Path(path) / "physionet2016", sampling_rate=RATE)
    frame = pd.DataFrame(
        {
            "device": [*pascal.frame["set"].str.upper(), *physionet.frame["database"]],
            "target": [*pascal.target, *physionet.target],
            "group": [*pascal.groups, *physionet.groups],
        }
    )
    frame["target"] = frame["target"].replace("abnormal", "murmur")
    waveforms = [row[: SECONDS * RATE] for row in (*pascal.data, *physionet.data)]
    rows = np.flatnonzero(frame["target"] != "artifact")
    return [waveforms[i] for i in rows], frame.iloc[rows].reset_index(drop=True)


def fit(waveforms, frame, devices, quick=False):
    """Return a student of murmur and normal on some of the devices."""
    taught = frame["device"].isin(list(devices)) & frame["target"].isin(["murmur", "normal"])
    rows = np.flatnonzero(taught)
    student = StudentClassifier(
        balance=True, max_epochs=1 if quick else "auto", random_state=0, verbose=0
    )
    model = WindowedClassifier(
        make_pipeline(FRONT_ENDS[FRONT_END], student), window=5.0, hop=2.5, sampling_rate=RATE
    )
    own = frame.iloc[rows]
    return model.fit(
        [waveforms[i] for i in rows],
        own["target"].to_numpy(str),
        groups=own["group"].to_numpy(str),
        devices=own["device"].to_numpy(str),
    )


def ask(model, waveforms, frame, device):
    """Return the score of each recording of a device that the model does not know."""
    own = frame[(frame["device"] == device) & frame["target"].isin(["murmur", "normal"])]
    score = model.predict_proba([waveforms[i] for i in own.index])[:, 0]
    return own[["device", "target", "group"]].assign(score=score)


def rates(scores, threshold):
    """Return sensitivity and share of false alarms of each device."""
    called = (scores["score"] >= threshold).astype(float)
    share = called.groupby([scores["device"], scores["target"]], sort=False).mean().unstack()
    return share["murmur"], share["normal"]


def choose(scores):
    """Return the threshold of the highest mean balanced accuracy among those of few false alarms."""
    chosen = scores[scores["device"].isin(list(CHOSEN_ON))]
    best = (-1.0, 0.5)
    for threshold in np.round(np.arange(0.02, 0.99, 0.01), 2):
        sensitivity, alarms = rates(chosen, threshold)
        if alarms.mean() <= MOST_ALARMS:
            best = max(best, ((sensitivity - alarms).mean(), threshold))
    return float(best[1])


def tables():
    """Return the table of the card: how the model without a device does on it, at the threshold."""
    scores = pd.read_csv(RESULTS / "bundled.csv")
    threshold = choose(scores)
    sensitivity, alarms = rates(scores, threshold)
    rows = []
    for device, own in scores.groupby("device", sort=False):
        area = roc_auc_score(own["target"] == "murmur", own["score"])
        rows.append(
            {
                "device left out": device,
                "normal / murmur or abnormal": "{} / {}".format(
                    *(np.sum(own["target"] == name) for name in ("normal", "murmur"))
                ),
                "area": f"{area:.2f}",
                "balanced accuracy": f"{(sensitivity[device] + 1 - alarms[device]) / 2:.2f}",
                "sensitivity": f"{sensitivity[device]:.2f}",
                "normals called murmur": f"{alarms[device]:.0%}",
            }
        )
    return {(f"{FOLDER}/MODEL_CARD.md", "threshold"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of heartbeat-sounds and physionet2016")
    parser.add_argument("--work", type=Path, default=Path("work/bundled"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / FOLDER)
    options = parser.parse_args()
    if options.quick and options.out == ROOT / FOLDER:
        parser.error("--quick is a trial and needs another folder for its --out")
    for folder in (options.work, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    waveforms, frame = load(options.data)
    scores = []
    for left_out in (*CHOSEN_ON, TRIED_ON):
        devices = [device for device in TAUGHT_BY if device not in left_out]
        job = partial(fit, waveforms, frame, devices, options.quick)
        model = cached(options.work / f"{FRONT_END}-{''.join(devices)}", job)
        scores += [ask(model, waveforms, frame, device) for device in left_out]
        print(f"taught by {''.join(devices)}: {rates(scores[-1], 0.5)}", flush=True)
    scores = pd.concat(scores)
    threshold = choose(scores)
    final = ThresholdClassifier(
        FrozenEstimator(model), threshold=threshold, pos_label="murmur", neg_label="normal"
    ).fit(waveforms[:2], ["murmur", "normal"])
    detector = DomainDetector(sampling_rate=RATE).fit(waveforms, devices=frame["device"])
    print(f"threshold {threshold}, domain {(detector.predict(waveforms) == -1).mean():.3f} outside")
    extras = {"domain": detector, "scope": SCOPE}
    export_onnx(
        final,
        options.out / "murmur_student.onnx",
        waveforms[:50],
        training_data=TRAINING_DATA,
        **extras,
    )
    save_model(
        final,
        options.out / "murmur_student.skops",
        metadata={"training_data": TRAINING_DATA},
        **extras,
    )
    if not options.quick:
        scores.to_csv(RESULTS / "bundled.csv", index=False, float_format="%.5f")
        write_tables(tables())


if __name__ == "__main__":
    main()
