"""The same models under a random split and under a split by subject, on PASCAL.

    OMP_NUM_THREADS=1 python -m benchmarks.leak_of_patients path/to/heartbeat-sounds

Each model is cross-validated in five folds, twice for every seed: by StratifiedKFold (random) and by
StratifiedGroupKFold (subjects joined with clusters of near-duplicates). Rows that the table already
holds are skipped. Writes benchmarks/results/leak_of_patients.csv and the table of
docs/benchmarks/memory-of-the-patient.md.
"""

import argparse
from itertools import product
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

from benchmarks._tables import RESULTS, mean_and_spread, rows_as_markdown, write_tables
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.features import MFCC
from sklearn_heartkd.model_selection import combine_groups, near_duplicate_groups

RATE = 2000
OUT = RESULTS / "leak_of_patients.csv"
MEASURES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}
NAMES = {
    "lookup": "lookup of the subject's most frequent label, no audio",
    "forest": "random forest on MFCC statistics",
    "svm": "SVM on MFCC statistics",
    "neighbour": "nearest neighbor on MFCC statistics",
}


class Lookup(ClassifierMixin, BaseEstimator):
    """Predict the most frequent label of the same group in the training data, else of all."""

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
    return make_pipeline(StandardScaler(), KNeighborsClassifier(1))


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


def tables():
    """Return the table of docs/benchmarks/memory-of-the-patient.md."""
    rows = []
    for (subset, model), part in pd.read_csv(OUT).groupby(["subset", "model"], sort=False):
        by_split = part.pivot(index="seed", columns="split", values=list(MEASURES)).dropna()
        for measure, name in MEASURES.items():
            random, subject = by_split[measure, "random"], by_split[measure, "by subject"]
            row = {"set": {"a": "A", "b": "B", "ab": "A+B"}[subset], "model": NAMES[model]}
            row["measure"] = name
            columns = {
                "random split": random,
                "by subject": subject,
                "difference": random - subject,
            }
            for column, values in columns.items():
                row[column] = mean_and_spread(values.mean(), values.std(ddof=1))
            rows.append(row)
    return {
        ("docs/benchmarks/memory-of-the-patient.md", "leak of patients"): rows_as_markdown(rows)
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    rows = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    done = {(row["subset"], row["model"], row["split"], row["seed"]) for row in rows}
    pascal = load_pascal(args.folder, sampling_rate=RATE)
    duplicates = near_duplicate_groups(pascal.data, RATE)
    groups = combine_groups(pascal.groups, duplicates)
    statistics = np.asarray(MFCC(sampling_rate=RATE, output="summary").fit_transform(pascal.data))
    keys = product(NAMES, ("b", "a", "ab"), range(args.seeds), ("random", "by subject"))
    for model, subset, seed, split in keys:
        if (subset, model, split, seed) in done:
            continue
        X = groups[:, None] if model == "lookup" else statistics
        rows_of_set = np.isin(pascal.frame["set"].to_numpy(), list(subset))
        data = X[rows_of_set], pascal.target[rows_of_set], groups[rows_of_set]
        found = scores(model, *data, split, seed)
        key = {"subset": subset, "model": model, "split": split, "seed": seed}
        rows.append(key | {name: round(float(value), 4) for name, value in found.items()})
        pd.DataFrame(rows).to_csv(OUT, index=False)
    write_tables(tables())


if __name__ == "__main__":
    main()
