"""The same model under a random split and under a split by subject, on PASCAL.

How much of a score is memory of the patient? Each model is cross-validated in five folds, twice
for every seed: by StratifiedKFold (random) and by StratifiedGroupKFold (subjects united with
clusters of near-duplicates). Rows that the table already holds are skipped.

    OMP_NUM_THREADS=1 python benchmarks/leak_of_patients.py path/to/heartbeat-sounds
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.features import MFCC
from sklearn_heartkd.model_selection import combine_groups, near_duplicate_groups

RATE = 2000
RESULTS = Path(__file__).parent / "results" / "leak_of_patients.csv"
NAMES = {
    "lookup": "lookup of the group's commonest label, without audio",
    "forest": "random forest on MFCC statistics",
    "svm": "SVM on MFCC statistics",
    "neighbour": "nearest neighbour on MFCC statistics",
    "student": "StudentClassifier on MFCC sequences",
}


class Lookup(ClassifierMixin, BaseEstimator):
    """Predict the commonest label of the same group in the training data, else of all."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        labels = pd.Series(y)
        self.default_ = labels.mode()[0]
        self.table_ = labels.groupby(np.ravel(X)).agg(lambda part: part.mode()[0])
        return self

    def predict(self, X):
        return self.table_.reindex(np.ravel(X)).fillna(self.default_).to_numpy(dtype=str)


def make_model(name, seed):
    if name == "lookup":
        return Lookup()
    if name == "forest":
        return RandomForestClassifier(300, class_weight="balanced_subsample", random_state=seed)
    if name == "svm":
        return make_pipeline(StandardScaler(), SVC(C=10, class_weight="balanced"))
    if name == "neighbour":
        return make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    from sklearn_heartkd import StudentClassifier

    return StudentClassifier(random_state=seed)


def features(name, pascal, groups):
    if name == "lookup":
        return groups[:, None]
    if name == "student":
        recordings = np.stack([np.resize(x, 5 * RATE) for x in pascal.data])
        return MFCC(sampling_rate=RATE).fit_transform(recordings)
    return np.asarray(MFCC(sampling_rate=RATE, output="summary").fit_transform(pascal.data))


def scores(name, X, y, groups, split, seed):
    if split == "random":
        splitter, groups = StratifiedKFold(5, shuffle=True, random_state=seed), None
    else:
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    predicted = cross_val_predict(make_model(name, seed), X, y, groups=groups, cv=splitter)
    return {
        "accuracy": accuracy_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "macro_f1": f1_score(y, predicted, average="macro"),
    }


def markdown(table):
    measures = ["accuracy", "balanced_accuracy", "macro_f1"]
    lines = [
        "| set | model | seeds | measure | random split | by subject | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for (subset, model), rows in table.groupby(["subset", "model"], sort=False):
        by_split = rows.pivot(index="seed", columns="split", values=measures).dropna()
        for measure in measures:
            random, subject = by_split[measure, "random"], by_split[measure, "by subject"]
            cells = [_mean_and_spread(values) for values in (random, subject, random - subject)]
            name = {"a": "A", "b": "B", "ab": "A+B"}[subset]
            start = f"| {name} | {NAMES[model]} | {len(by_split)} | {measure.replace('_', ' ')} | "
            lines.append(start + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mean_and_spread(values):
    spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{spread}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models", nargs="+", choices=NAMES, default=["lookup", "forest", "svm", "neighbour"]
    )
    parser.add_argument("--subsets", nargs="+", choices=["a", "b", "ab"], default=["b", "a", "ab"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    rows = pd.read_csv(args.out).to_dict("records") if args.out.exists() else []
    done = {(row["subset"], row["model"], row["split"], row["seed"]) for row in rows}
    pascal = load_pascal(args.folder, sampling_rate=RATE)
    duplicates = near_duplicate_groups(pascal.data, RATE)
    groups = combine_groups(pascal.groups, duplicates)
    letters = pascal.frame["set"].to_numpy()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for model in args.models:
        X = features(model, pascal, groups)
        for subset in args.subsets:
            chosen = np.isin(letters, list(subset))
            for seed in range(args.seeds):
                for split in ("random", "by subject"):
                    if (subset, model, split, seed) in done:
                        continue
                    found = scores(
                        model, X[chosen], pascal.target[chosen], groups[chosen], split, seed
                    )
                    key = {"subset": subset, "model": model, "split": split, "seed": seed}
                    rows.append(key | {name: round(float(v), 4) for name, v in found.items()})
                    pd.DataFrame(rows).to_csv(args.out, index=False)
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
