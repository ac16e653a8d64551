"""How well extrasystoles are found on PASCAL, by subject: length, spectrum, rhythm, both.

Support vector machines tell *extrastole* from the rest. Their settings were chosen on inner splits
of the training folds; so is, in every fold, the threshold for the recall at a precision above 0.30.
The length of a recording is a shortcut, shown as a floor. Takes some three minutes.

    OMP_NUM_THREADS=1 python benchmarks/extrastole.py --data path/to/heartbeat-sounds
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import MFCC, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.datasets import load_pascal

RESULTS = Path(__file__).parent / "results" / "extrastole.csv"
RATE = 2000
PRECISION = 0.30
C = {"duration": 1.0, "statistics": 0.5, "rhythm": 1.0}
MODELS = {
    "duration": ["duration"],
    "statistics": ["statistics"],
    "rhythm": ["rhythm"],
    "statistics + rhythm": ["statistics", "rhythm"],
}


def tables(recordings):
    """Return what each machine sees; nothing in it is learnt."""
    statistics = make_union(
        MFCC(sampling_rate=RATE, output="summary"),
        LogMelSpectrogram(sampling_rate=RATE, output="summary"),
    )
    return {
        "duration": np.log([[len(recording)] for recording in recordings]),
        "statistics": statistics.fit_transform(recordings),
        "rhythm": RhythmFeatures(sampling_rate=RATE).fit_transform(recordings),
    }


def machine(table):
    return make_pipeline(StandardScaler(), SVC(C=C[table], class_weight="balanced"))


def threshold(y, score):
    """Return the threshold of the highest recall at a precision above PRECISION, if there is one."""
    precision, recall, thresholds = precision_recall_curve(y, score)
    reached = precision[:-1] > PRECISION
    if not reached.any():
        return np.inf
    return thresholds[np.argmax(np.where(reached, recall[:-1], -1.0))]


def predict(X, target, groups):
    """Return, out of fold, the scores of each model and whether they pass the inner threshold."""
    y = target == "extrastole"
    scores = {name: np.zeros(len(y)) for name in MODELS}
    alarms = {name: np.zeros(len(y), dtype=bool) for name in MODELS}
    outer = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for fold, (train, test) in enumerate(outer.split(target, target, groups)):
        splitter = StratifiedGroupKFold(4, shuffle=True, random_state=fold)
        inner = list(splitter.split(train, target[train], groups[train]))
        inside, outside = {}, {}
        for name in X:
            rows = X[name][train]
            inside[name] = cross_val_predict(
                machine(name), rows, y[train], cv=inner, method="decision_function"
            )
            fitted = machine(name).fit(rows, y[train])
            outside[name] = fitted.decision_function(X[name][test])
        for model, names in MODELS.items():
            scores[model][test] = sum(outside[name] for name in names)
            limit = threshold(y[train], sum(inside[name] for name in names))
            alarms[model][test] = scores[model][test] >= limit
    return scores, alarms


def interval(y, score, groups, n_resamples=1000):
    """Return the 95 % interval of the area under the curve over resampled subjects."""
    subjects = np.unique(groups, return_inverse=True)[1]
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(n_resamples):
        counts = np.bincount(rng.choice(subjects.max() + 1, subjects.max() + 1))
        weight = np.pad(counts, (0, subjects.max() + 1 - len(counts)))[subjects]
        if weight[y].any():
            areas.append(roc_auc_score(y, score, sample_weight=weight))
    return np.quantile(areas, [0.025, 0.975])


def describe(y, score, alarm, groups):
    low, high = interval(y, score, groups)
    return {
        "auc": roc_auc_score(y, score),
        "auc_low": low,
        "auc_high": high,
        "average_precision": average_precision_score(y, score),
        "recall": alarm[y].mean(),
        "precision": y[alarm].mean() if alarm.any() else np.nan,
        "recordings": len(y),
        "extrastole": y.sum(),
        "subjects": len(np.unique(groups)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder heartbeat-sounds")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    pascal = load_pascal(args.data, sampling_rate=RATE)
    X = tables(pascal.data)
    in_b = pascal.frame["set"].to_numpy() == "b"
    rows = []
    for trained_on, chosen in (("ab", np.full(len(in_b), True)), ("b", in_b)):
        part = {name: table[chosen] for name, table in X.items()}
        target, groups = pascal.target[chosen], pascal.groups[chosen]
        scores, alarms = predict(part, target, groups)
        shown = {trained_on: np.full(len(target), True)}
        if trained_on == "ab":
            shown["b"] = in_b
        for tested_on, mask in shown.items():
            for model in MODELS:
                y, score = (target == "extrastole")[mask], scores[model][mask]
                found = describe(y, score, alarms[model][mask], groups[mask])
                rows.append(
                    {"trained_on": trained_on, "tested_on": tested_on, "model": model} | found
                )
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False, float_format="%.4f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
