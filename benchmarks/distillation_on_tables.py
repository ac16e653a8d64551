"""Distillation on tables: forests and boosting as teachers, with and without made rows.

    python -m benchmarks.distillation_on_tables [--seeds 0 1 2] [--kinds controls forest boosting]

Eight tables, five stratified folds; each seed draws the generated tables anew. The student is
`DenseStudentClassifier` with default settings: from scratch, with three times its epochs, distilled, and
distilled with rows made by `Munge`; beside it an MLP of scikit-learn on the labels. Settings were chosen
on other draws and on inner splits. Writes benchmarks/results/distillation_on_tables.csv, from which a
stopped run continues, and the table of docs/benchmarks/tables.md.
"""

import argparse
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_classification,
    make_moons,
)
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks._tables import RESULTS, mean_and_spread, rows_as_markdown, write_tables
from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier
from sklearn_heartkd.distillation import Munge

OUT = RESULTS / "distillation_on_tables.csv"
TEACHERS = {"forest": RandomForestClassifier(), "boosting": HistGradientBoostingClassifier()}


def three_classes(seed, **options):
    return make_classification(
        1000, 20, n_informative=8, n_redundant=4, n_classes=3, random_state=seed, **options
    )


def noisy_moons(seed):
    X, y = make_moons(500, noise=0.25, random_state=seed)
    return np.hstack([X, np.random.default_rng(seed).standard_normal((500, 20))]), y


def mixed(seed, n=600):
    """Return numbers and categories whose effect on the class depends on each other."""
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((n, 5))
    levels = {"valve": 4, "place": 5, "sound": 3, "device": 6}
    codes = {name: rng.integers(0, k, n) for name, k in levels.items()}
    score = numbers[:, 0] + numbers[:, 1] * (codes["valve"] % 2) - numbers[:, 2] ** 2 / 2
    for name, k in levels.items():
        score = score + rng.standard_normal(k)[codes[name]]
    score = score + rng.standard_normal((4, 3))[codes["valve"], codes["sound"]]
    y = np.digitize(score + 0.5 * rng.standard_normal(n), np.median(score, keepdims=True))
    X = pd.DataFrame(numbers, columns=[f"number{i}" for i in range(5)])
    return X.assign(**{name: [f"{name}{c}" for c in code] for name, code in codes.items()}), y


def diabetes_thirds(seed):
    X, y = load_diabetes(return_X_y=True)
    return X, np.digitize(y, np.quantile(y, [1 / 3, 2 / 3]))


DATA = {
    "three classes": three_classes,
    "three classes, 10 % of labels flipped": lambda seed: three_classes(seed, flip_y=0.1),
    "digits": lambda seed: load_digits(return_X_y=True),
    "breast cancer": lambda seed: load_breast_cancer(return_X_y=True),
    "wine": lambda seed: load_wine(return_X_y=True),
    "moons and 20 columns of noise": noisy_moons,
    "numbers and categories": mixed,
    "diabetes in thirds": diabetes_thirds,
}
KINDS = ("controls", *TEACHERS)
KEY = ["data", "kind", "seed", "fold"]
TITLES = {
    "teacher": "the teacher",
    "scratch": "from scratch",
    "long": "three times the epochs",
    "distilled": "distilled",
    "munge": "distilled, made rows",
    "mlp": "MLP",
}


def encoded(model):
    """Return a pipeline that turns categories into columns of 0 and 1 first."""
    numbers = make_column_selector(dtype_include="number")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer(("passthrough", numbers), remainder=encoder), model
    )


def scores(name, kind, seed, fold, n_folds):
    """Return the accuracies in one fold of the controls, or of a teacher and its students."""
    X, y = DATA[name](seed)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    training, test = list(folds.split(X, y))[fold]
    is_frame = hasattr(X, "iloc")
    wrap = encoded if is_frame else lambda model: model
    take = X.iloc.__getitem__ if is_frame else X.astype(np.float32).__getitem__
    student = DenseStudentClassifier(random_state=seed)
    found = {}

    def fit(model, estimator):
        fitted = estimator.fit(take(training), y[training])
        found[model] = fitted.score(take(test), y[test])
        return fitted

    if kind == "controls":
        fit("scratch", wrap(clone(student)))
        fit("long", wrap(clone(student).set_params(max_epochs="long")))
        mlp = MLPClassifier(max_iter=1000, random_state=seed)
        fit("mlp", wrap(make_pipeline(StandardScaler(), mlp)))
    else:
        teacher = fit("teacher", wrap(clone(TEACHERS[kind]).set_params(random_state=seed)))
        for model, transfer in (("distilled", None), ("munge", Munge())):
            options = {"losses": "kd", "transfer": transfer, "random_state": seed}
            fit(model, DistilledClassifier(FrozenEstimator(teacher), wrap(student), **options))
    key = {"data": name, "kind": kind, "seed": seed, "fold": fold}
    return pd.DataFrame([key | {"model": m, "accuracy": score} for m, score in found.items()])


def tables():
    """Return the table of docs/benchmarks/tables.md, of the folds of which every part is finished."""
    results = pd.read_csv(OUT)
    n_kinds = results.groupby(["data", "seed", "fold"])["kind"].transform("nunique")
    results = results[n_kinds == len(KINDS)]
    rows, means = [], []
    for name, part in results.groupby("data", sort=False):
        for teacher in TEACHERS:
            own = part[part["kind"].isin([teacher, "controls"])].groupby("model")["accuracy"]
            mean, spread = own.mean(), own.std()
            means.append(mean)
            row = {"data": name, "teacher": teacher}
            cells = {TITLES[m]: mean_and_spread(mean[m], spread[m]) for m in TITLES}
            rows.append(row | cells)
    mean = pd.DataFrame(means).mean()
    rows.append({"data": "mean", "teacher": ""} | {TITLES[m]: f"{mean[m]:.3f}" for m in TITLES})
    columns = ["teacher", "scratch", "long", "distilled", "mlp"]
    less = {TITLES[m]: f"{mean['munge'] - mean[m]:+.3f}" for m in columns}
    rows.append({"data": "made rows, minus it", "teacher": ""} | less | {TITLES["munge"]: ""})
    return {("docs/benchmarks/tables.md", "tables"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed, fold, name, kind in product(options.seeds, range(options.folds), DATA, options.kinds):
        parts = pd.read_csv(OUT) if OUT.exists() else pd.DataFrame(columns=KEY)
        if (parts[KEY] == [name, kind, seed, fold]).all(axis=1).any():
            continue
        start = process_time()
        parts = pd.concat([parts, scores(name, kind, seed, fold, options.folds)])
        parts.to_csv(OUT, index=False, float_format="%.4f")
        seconds = process_time() - start
        print(f"{name}, seed {seed}, fold {fold}, {kind}: {seconds:.0f} s", flush=True)
    write_tables(tables())


if __name__ == "__main__":
    main()
