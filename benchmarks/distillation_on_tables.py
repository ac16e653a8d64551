"""Distillation on tables: forests and boosting as teachers, with and without made rows.

    python -m benchmarks.distillation_on_tables [--seeds 0 1 2]
        [--kinds controls forest boosting linear small]

Eight tables, five stratified folds; each seed draws the generated tables anew. The student is
`DenseStudentClassifier` with default settings: from scratch, with three times its epochs, distilled, and
distilled with rows made by `Munge`; beside it an MLP and logistic regression of scikit-learn on the
labels. Settings were chosen on other draws and on inner splits. The kind "small" is a student of 16
hidden units, whose settings were not chosen: from scratch, for as many batches as the distilled one, and
distilled from a forest with made rows. Writes benchmarks/results/distillation_on_tables.csv and
distillation_on_tables_small.csv, from which a stopped run continues, and the tables of
docs/benchmarks/tables.md.
"""

import argparse
import math
import pickle
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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks._tables import RESULTS, mean_and_spread, rows_as_markdown, write_tables
from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier
from sklearn_heartkd.distillation import Munge

PAGE = "docs/benchmarks/tables.md"
OUT = RESULTS / "distillation_on_tables.csv"
SMALL = RESULTS / "distillation_on_tables_small.csv"
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
KINDS = ("controls", *TEACHERS, "linear")
KEY = ["data", "kind", "seed", "fold"]
TITLES = {
    "teacher": "the teacher",
    "scratch": "from scratch",
    "long": "three times the epochs",
    "distilled": "distilled",
    "munge": "distilled, made rows",
    "mlp": "MLP",
    "logistic": "logistic regression",
}
ALL_KINDS = (*KINDS, "small")
GAINS = (
    ("teacher", "logistic"),
    ("teacher", "scratch"),
    ("munge", "logistic"),
    ("munge", "scratch"),
)
TITLES_OF_SMALL = {
    "teacher": "forest",
    "logistic": "logistic regression",
    "scratch": "16 units from scratch",
    "long": "16 units, as many batches",
    "munge": "16 units, distilled, made rows",
}


def encoded(model):
    """Return a pipeline that turns categories into columns of 0 and 1 first."""
    numbers = make_column_selector(dtype_include="number")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer(("passthrough", numbers), remainder=encoder), model
    )


def split_of(name, seed, fold, n_folds):
    """Return the training and the test part of a fold, and what a model must be wrapped in."""
    X, y = DATA[name](seed)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    training, test = list(folds.split(X, y))[fold]
    is_frame = hasattr(X, "iloc")
    wrap = encoded if is_frame else lambda model: model
    take = X.iloc.__getitem__ if is_frame else X.astype(np.float32).__getitem__
    return (take(training), y[training]), (take(test), y[test]), wrap


def logistic_regression():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def scores(name, kind, seed, fold, n_folds):
    """Return the accuracies in one fold of the controls, or of a teacher and its students."""
    training, test, wrap = split_of(name, seed, fold, n_folds)
    student = DenseStudentClassifier(random_state=seed)
    found = {}

    def fit(model, estimator):
        fitted = estimator.fit(*training)
        found[model] = fitted.score(*test)
        return fitted

    if kind == "controls":
        fit("scratch", wrap(clone(student)))
        fit("long", wrap(clone(student).set_params(max_epochs="long")))
        mlp = MLPClassifier(max_iter=1000, random_state=seed)
        fit("mlp", wrap(make_pipeline(StandardScaler(), mlp)))
    elif kind == "linear":
        fit("logistic", wrap(logistic_regression()))
    else:
        teacher = fit("teacher", wrap(clone(TEACHERS[kind]).set_params(random_state=seed)))
        for model, transfer in (("distilled", None), ("munge", Munge())):
            options = {"losses": "kd", "transfer": transfer, "random_state": seed}
            fit(model, DistilledClassifier(FrozenEstimator(teacher), wrap(student), **options))
    key = {"data": name, "kind": kind, "seed": seed, "fold": fold}
    return pd.DataFrame([key | {"model": m, "accuracy": score} for m, score in found.items()])


def scores_of_small(name, seed, fold, n_folds):
    """Return accuracies and sizes in one fold of the small student, its forest and a linear model."""
    training, test, wrap = split_of(name, seed, fold, n_folds)
    student = DenseStudentClassifier(hidden_layer_sizes=(16,), random_state=seed)
    forest = wrap(RandomForestClassifier(random_state=seed)).fit(*training)
    options = {"losses": "kd", "transfer": Munge(), "random_state": seed}
    munge = DistilledClassifier(FrozenEstimator(forest), wrap(student), **options).fit(*training)
    # as many batches as the distilled student was trained for
    n_rows, batch_size = len(training[1]), 200
    n_batches = last(munge.student_).n_iter_ * round(n_rows * (1 + Munge().n_copies) / batch_size)
    epochs = math.ceil(n_batches / max(1, round(n_rows / batch_size)))
    fitted = {
        "teacher": forest,
        "logistic": wrap(logistic_regression()).fit(*training),
        "scratch": wrap(clone(student)).fit(*training),
        "long": wrap(clone(student).set_params(max_epochs=epochs)).fit(*training),
        "munge": munge,
    }
    key = {"data": name, "kind": "small", "seed": seed, "fold": fold}
    rows = [
        {"model": m, "accuracy": model.score(*test), "bytes": n_bytes(model)}
        for m, model in fitted.items()
    ]
    return pd.DataFrame([key | row for row in rows])


def last(model):
    """Return the last step of a pipeline in pipelines."""
    return last(model[-1]) if isinstance(model, Pipeline) else model


def n_bytes(model):
    """Return the size of weights in 32 bits, with mean and scale of each column; of a forest's pickle."""
    if isinstance(model, DistilledClassifier):
        model = model.student_
    final = last(model)
    if isinstance(final, RandomForestClassifier):
        return len(pickle.dumps(final))
    if isinstance(final, LogisticRegression):
        return 4 * (final.coef_.size + final.intercept_.size + 2 * final.n_features_in_)
    n_weights = sum(weight.numel() for weight in final.module_.parameters())
    return 4 * (n_weights + 2 * final.n_features_in_)


def tables():
    """Return the tables of docs/benchmarks/tables.md, of the folds of which every part is finished."""
    results = pd.read_csv(OUT)
    n_kinds = results.groupby(["data", "seed", "fold"])["kind"].transform("nunique")
    results = results[n_kinds == len(KINDS)]
    rows, gains, means = [], [], []
    for name, part in results.groupby("data", sort=False):
        for teacher in TEACHERS:
            own = part[~part["kind"].isin(set(TEACHERS) - {teacher})]
            own = own.pivot(index=["seed", "fold"], columns="model", values="accuracy")
            mean, spread = own.mean(), own.std()
            means.append(mean)
            key = {"data": name, "teacher": teacher}
            rows.append(key | {TITLES[m]: mean_and_spread(mean[m], spread[m]) for m in TITLES})
            gains.append(key | {title_of_gain(*pair): gain(own, *pair) for pair in GAINS})
    mean = pd.DataFrame(means).mean()
    rows.append({"data": "mean", "teacher": ""} | {TITLES[m]: f"{mean[m]:.3f}" for m in TITLES})
    less = {TITLES[m]: f"{mean['munge'] - mean[m]:+.3f}" for m in TITLES if m != "munge"}
    rows.append({"data": "made rows, minus it", "teacher": ""} | less | {TITLES["munge"]: ""})
    return {
        (PAGE, "tables"): rows_as_markdown(rows),
        (PAGE, "gains"): rows_as_markdown(gains),
        (PAGE, "small student"): rows_as_markdown(rows_of_small(pd.read_csv(SMALL))),
    }


def title_of_gain(model, other):
    short = {"munge": "made rows", "teacher": "teacher"}[model]
    return f"{short} minus {TITLES[other]}"


def gain(accuracies, model, other):
    """Return the mean and spread of the differences in each fold."""
    differences = accuracies[model] - accuracies[other]
    return f"{differences.mean():+.3f} ± {differences.std():.3f}"


def rows_of_small(results):
    rows, means = [], []
    for name, part in results.groupby("data", sort=False):
        accuracies = part.groupby("model")["accuracy"]
        mean, spread = accuracies.mean(), accuracies.std()
        means.append(mean)
        row = {"data": name} | {
            title: mean_and_spread(mean[m], spread[m]) for m, title in TITLES_OF_SMALL.items()
        }
        size = part.groupby("model")["bytes"].mean() / 1000
        row["kB: forest"] = f"{size['teacher']:,.0f}"
        row["16 units"] = f"{size['munge']:.1f}"
        row["logistic"] = f"{size['logistic']:.1f}"
        rows.append(row)
    mean = pd.DataFrame(means).mean()
    last_row = {title: f"{mean[m]:.3f}" for m, title in TITLES_OF_SMALL.items()}
    rows.append({"data": "mean"} | last_row | dict.fromkeys(list(rows[0])[-3:], ""))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=ALL_KINDS, choices=ALL_KINDS)
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed, fold, name, kind in product(options.seeds, range(options.folds), DATA, options.kinds):
        out = SMALL if kind == "small" else OUT
        parts = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=KEY)
        if (parts[KEY] == [name, kind, seed, fold]).all(axis=1).any():
            continue
        start = process_time()
        split = (seed, fold, options.folds)
        is_small = kind == "small"
        found = scores_of_small(name, *split) if is_small else scores(name, kind, *split)
        parts = pd.concat([parts, found]) if len(parts) else found
        parts.to_csv(out, index=False, float_format="%.4f")
        seconds = process_time() - start
        print(f"{name}, seed {seed}, fold {fold}, {kind}: {seconds:.0f} s", flush=True)
    write_tables(tables())


if __name__ == "__main__":
    main()
