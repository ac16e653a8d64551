"""Whether the runtime notices that a recording is not of a heart, on a device that it never heard.

    apt-get install espeak-ng lincity-ng-data hyperrogue-music
    python -m benchmarks.out_of_domain --data path/to/folder [--music DIR …] [--work DIR]

The folder contains heartbeat-sounds/ (PASCAL) and physionet2016/ (databases a, c, d, e, f). Each of
these seven devices is left out in turn, with a fifth of the subjects of the others; their hearts (first
10 s) are in. Out are 100 sounds each of the kinds of `_other_sounds.py`, and the 40 recordings that PASCAL
labels artifact. Candidates: the Mahalanobis distance in several tables of features. Writes
benchmarks/results/out_of_domain.csv and the tables of docs/benchmarks/out-of-domain.md. Features and rows
stay in --work, where a stopped run continues.
"""

import argparse
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import StandardScaler

from benchmarks._other_sounds import KINDS, make
from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from benchmarks._tasks import keep
from sklearn_heartkd import Autocorrelogram, LogMelSpectrogram, RhythmFeatures, StudentClassifier
from sklearn_heartkd.datasets import load_pascal, load_physionet2016
from sklearn_heartkd.deployment import DomainDetector
from sklearn_heartkd.deployment.runtime import signal_quality, sound_statistics

MUSIC = ["/usr/share/games/lincity-ng/music", "/usr/share/hyperrogue/music"]
RATE, SECONDS, N_SOUNDS = 2000, 10, 100
SEED = 1  # 0 made the sounds on which the statistics of the detector were chosen
LABELS = ("murmur", "abnormal", "normal")
DEVICES = ("A", "B", "a", "c", "d", "e", "f")
CANDIDATES = {
    "detector": "statistics, nearest device (DomainDetector)",
    "one": "statistics, one Gaussian",
    "acf": "ACF table, 8 × 23, nearest device",
    "levels": "deviation of each mel band, nearest device",
    "rhythm": "RhythmFeatures, nearest device",
    "embedding": "embedding of a student on ACF, nearest device",
}


def load(path, music):
    """Return hearts and other sounds with kind, device, class and subject of each."""
    pascal = load_pascal(Path(path) / "heartbeat-sounds")
    physionet = load_physionet2016(Path(path) / "physionet2016")
    frame = pd.DataFrame(
        {
            "waveform": [*pascal.data, *physionet.data],
            "device": [*pascal.frame["set"].str.upper(), *physionet.frame["database"]],
            "target": [*pascal.target, *physionet.target],
            "group": [*pascal.groups, *physionet.groups],
        }
    )
    frame["kind"] = np.where(frame["target"] == "artifact", "artifact (PASCAL A)", "heart")
    for kind in KINDS:
        sounds = make(kind, N_SOUNDS, SEED, music)
        made = pd.DataFrame(
            {"waveform": sounds, "kind": kind, "device": "", "target": "", "group": ""}
        )
        frame = pd.concat([frame, made], ignore_index=True)
    waveforms = [np.asarray(row[: SECONDS * RATE], np.float32) for row in frame.pop("waveform")]
    return waveforms, frame


def tables_of(waveforms):
    """Return the tables in which distances are measured."""
    levels = LogMelSpectrogram(normalize=False, top_db=None)
    return {
        "statistics": np.array([sound_statistics(row, RATE) for row in waveforms]),
        "acf": Autocorrelogram(n_mels=8, n_lags=23, output="flat").fit_transform(waveforms),
        "levels": np.array([levels.fit_transform([row])[0].std(axis=1) for row in waveforms]),
        "rhythm": RhythmFeatures().fit_transform(waveforms),
        "sequences": Autocorrelogram().fit_transform(waveforms),
    }


def nearest(table, train, devices):
    """Return the squared Mahalanobis distance of each row to the nearest device of the training."""
    scaled = StandardScaler().fit(table[train]).transform(table)
    centers = [scaled[train][devices == device].mean(axis=0) for device in np.unique(devices)]
    within = [
        scaled[train][devices == d] - c for d, c in zip(np.unique(devices), centers, strict=True)
    ]
    gaussian = LedoitWolf(assume_centered=True).fit(np.concatenate(within))
    return np.min([gaussian.mahalanobis(scaled - center) for center in centers], axis=0)


class OfTable(DomainDetector):
    """The detector, of statistics that are computed once."""

    def _statistics(self, X, reset):
        return X


def distances(candidate, frame, heard, train):
    """Return the distance of every sound from the training rows."""
    devices = frame["device"].to_numpy()[train]
    if candidate in ("detector", "one"):
        known = devices if candidate == "detector" else None
        detector = OfTable(sampling_rate=RATE).fit(heard["statistics"][train], devices=known)
        return -detector.score_samples(heard["statistics"])
    if candidate != "embedding":
        return nearest(heard[candidate], train, devices)
    # where "abnormal" is not a murmur, the label does not teach
    own = train[np.isin(devices, list("ABac")) & frame["target"].isin(LABELS).to_numpy()[train]]
    student = StudentClassifier(balance=True, random_state=0)
    X, y = heard["sequences"], frame["target"].replace("abnormal", "murmur").to_numpy()
    groups = frame["group"].to_numpy()[own]
    student.fit(X[own], y[own], groups=groups, devices=frame["device"].to_numpy()[own])
    return nearest(student.embed(X), train, devices)


def compute(left_out, candidate, frame, heard):
    """Return a row for each kind of sound: area, and share flagged by detector and by the quality."""
    hearts = np.flatnonzero(frame["kind"] == "heart")
    others = hearts[frame["device"].to_numpy()[hearts] != left_out]
    split = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    inside, outside = next(split.split(others, groups=frame["group"].to_numpy()[others]))
    found = distances(candidate, frame, heard, others[inside])
    unknown = np.setdiff1d(hearts, others)
    poor = heard["problems"]
    sets = {"left out": unknown, "known": others[outside]}
    sets |= {
        kind: np.flatnonzero(frame["kind"] == kind)
        for kind in frame["kind"].unique()
        if kind != "heart"
    }
    rows = []
    for kind, members in sets.items():
        row = {"candidate": candidate, "left_out": left_out, "kind": kind, "n": len(members)}
        for name, score in (("area", found), ("area_rhythm", -heard["rhythm_alone"])):
            labels = np.r_[np.zeros(len(unknown)), np.ones(len(members))]
            row[name] = roc_auc_score(labels, np.r_[score[unknown], score[members]])
        row["flagged"] = np.mean(found[members] > 1) if candidate == "detector" else np.nan
        row["poor"] = poor[members].mean()
        row["either"] = np.mean(poor[members] | (found[members] > 1))
        rows.append(row)
    return pd.DataFrame(rows)


def tables():
    """Return the tables of the page, by its path and their markers."""
    results = pd.read_csv(RESULTS / "out_of_domain.csv")
    kinds = [kind for kind in results["kind"].unique() if kind not in ("left out", "known")]
    is_kind = results["kind"].isin(kinds)
    areas = results[is_kind].groupby(["candidate", "kind"])["area"].agg(["mean", "min"])
    candidates = [
        {"distance in": title}
        | {kind: "{:.2f} ({:.2f})".format(*areas.loc[(name, kind)]) for kind in kinds}
        for name, title in CANDIDATES.items()
        if name in results["candidate"].unique()
    ]
    own = results[results["candidate"] == "detector"]
    rhythm = own[own["kind"].isin(kinds)].groupby("kind")["area_rhythm"].agg(["mean", "min"])
    candidates.append(
        {"distance in": "rhythm of the signal quality alone"}
        | {kind: "{:.2f} ({:.2f})".format(*rhythm.loc[kind]) for kind in kinds}
    )
    shares = own.groupby("kind", sort=False)[["flagged", "poor", "either"]].mean()
    flagged = [
        {
            "recordings": {
                "left out": "hearts, device left out",
                "known": "hearts, known devices",
            }.get(k, k)
        }
        | {
            "unlike the training": f"{row.flagged:.0%}",
            "signal quality": f"{row.poor:.0%}",
            "either": f"{row.either:.0%}",
        }
        for k, row in zip(shares.index, shares.itertuples(), strict=True)
    ]
    devices = own[own["kind"] == "left out"]
    by_device = [
        {"device left out": row.left_out, "hearts": row.n}
        | {"unlike the training": f"{row.flagged:.1%}", "signal quality": f"{row.poor:.1%}"}
        for row in devices.itertuples()
    ]
    page = "docs/benchmarks/out-of-domain.md"
    return {
        (page, "areas out of domain"): rows_as_markdown(candidates),
        (page, "flagged out of domain"): rows_as_markdown(flagged),
        (page, "devices out of domain"): rows_as_markdown(by_device),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--music", nargs="+", default=MUSIC, metavar="DIR")
    parser.add_argument("--work", type=Path, default=Path("work/out_of_domain"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    music = sorted(file for folder in options.music for file in Path(folder).rglob("*.ogg"))
    waveforms, frame = cached(options.work / "sounds", partial(load, options.data, music))
    heard = cached(options.work / "heard", partial(listen, waveforms))
    parts = []
    for candidate in CANDIDATES:
        for device in DEVICES:
            job = partial(compute, device, candidate, frame, heard)
            parts.append(cached(options.work / f"{candidate}-{device}", job))
            print(
                f"{candidate}, {device}: {parts[-1].set_index('kind')['area'].round(2).to_dict()}"
            )
        pd.concat(parts).to_csv(RESULTS / "out_of_domain.csv", index=False, float_format="%.4f")
        write_tables(tables())


def listen(waveforms):
    """Return the tables of all candidates, and what signal quality finds."""
    quality = [signal_quality(row, RATE) for row in waveforms]
    return tables_of(waveforms) | {
        "problems": np.array([bool(one.problems) for one in quality]),
        "rhythm_alone": np.array([one.rhythm for one in quality]),
    }


def cached(path, function):
    """Return what the function returned when it was first called for this path."""
    if not path.exists():
        keep(function(), path)
    return joblib.load(path)


if __name__ == "__main__":
    main()
