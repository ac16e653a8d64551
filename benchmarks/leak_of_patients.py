"""The same models under a random split, by subject, and with rare classes oversampled, on PASCAL.

    OMP_NUM_THREADS=1 python -m benchmarks.leak_of_patients path/to/heartbeat-sounds

Each model is cross-validated in five folds, four times for every seed: by StratifiedKFold (random), by
StratifiedGroupKFold (subjects joined with clusters of near-duplicates), by StratifiedKFold after
RandomOverSampler copied recordings of the rare classes (the leak), and by StratifiedGroupKFold with
copies in the training folds only (the right way). Rows that the CSV file already holds are skipped.
Writes benchmarks/results/leak_of_patients.csv and the tables of docs/benchmarks/memory-of-the-patient.md.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
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
SETS = {"a": "A", "b": "B", "ab": "A+B"}
SPLITS = ("random", "by subject", "copies before random", "copies in training by subject")
MEASURES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}
NAMES = {
    "lookup": "lookup of the subject, no audio",
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
    model, sampler, numbers = make_model(name, seed), RandomOverSampler(random_state=seed), None
    if split.endswith("by subject"):
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    else:
        splitter, groups = StratifiedKFold(5, shuffle=True, random_state=seed), None
    if split == "copies in training by subject":
        model = make_sampling_pipeline(sampler, model)
    elif split == "copies before random":
        X, y = sampler.fit_resample(X, y)
        numbers = sampler.sample_indices_
    predicted = cross_val_predict(model, X, y, groups=groups, cv=splitter)
    found = {
        "accuracy": accuracy_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "macro_f1": f1_score(y, predicted, average="macro"),
    }
    if numbers is not None:
        seen = [np.isin(numbers[test], numbers[train]) for train, test in splitter.split(X, y)]
        found |= {"rows": len(y), "seen": np.concatenate(seen).mean()}
    return found


def tables():
    """Return the tables of docs/benchmarks/memory-of-the-patient.md."""
    page, results = "docs/benchmarks/memory-of-the-patient.md", pd.read_csv(OUT)
    return {
        (page, "leak of patients"): rows_as_markdown(_rows_of_scores(results)),
        (page, "copies"): rows_as_markdown(_rows_of_copies(results)),
    }


def _rows_of_scores(results):
    rows = []
    for (subset, model), part in results.groupby(["subset", "model"], sort=False):
        by_split = part.pivot(index="seed", columns="split", values=list(MEASURES)).dropna()
        for measure, name in MEASURES.items():
            random, subject, before, right = (by_split[measure, split] for split in SPLITS)
            row = {"set": SETS[subset], "model": NAMES[model], "measure": name}
            columns = {
                "random split": random,
                "by subject": subject,
                "random minus by subject": random - subject,
                "copies, then random split": before,
                "by subject, copies in training": right,
            }
            for column, values in columns.items():
                row[column] = mean_and_spread(values.mean(), values.std(ddof=1))
            rows.append(row)
    return rows


def _rows_of_copies(results):
    """Return how many tested recordings the training part contains; the model does not matter."""
    results = results[(results["split"] == SPLITS[2]) & (results["model"] == "neighbour")]
    rows = []
    for subset, part in results.groupby("subset", sort=False):
        seen = mean_and_spread(part["seen"].mean(), part["seen"].std(ddof=1))
        row = {"set": SETS[subset], "after oversampling": f"{part['rows'].iloc[0]:.0f} recordings"}
        rows.append(row | {"share of tested recordings that are also in training": seen})
    return rows


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
    keys = product(NAMES, ("b", "a", "ab"), range(args.seeds), SPLITS)
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
