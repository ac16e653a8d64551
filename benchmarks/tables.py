"""Distillation on tables: scikit-learn's own data sets, forests and boosting as teachers.

    python -m benchmarks.tables [--seeds 0 1 2] [--jobs 2]

Five stratified folds; students of two architectures, each from scratch and distilled, with default
settings (the Conv1D has width 8 and depth 2). Differences have 95 % intervals of a paired bootstrap
over rows and seeds. Writes benchmarks/results/tables.csv and the table of docs/benchmarks.md.
"""

import argparse

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from benchmarks._tables import RESULTS, interval, mean_and_spread, rows_as_markdown, write_tables
from sklearn_heartkd import Conv1DClassifier, DistilledClassifier, StudentClassifier
from sklearn_heartkd.metrics import compare_models, oof_frame

OUT = RESULTS / "tables.csv"
DATA = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "digits": load_digits,
}
TEACHERS = {"forest": RandomForestClassifier(), "boosting": HistGradientBoostingClassifier()}
STUDENTS = {
    "StudentClassifier": StudentClassifier(),
    "Conv1DClassifier": Conv1DClassifier(width=8, depth=2),
}


def models(seed):
    """Return the models by name: teachers, students from scratch, and taught ones."""
    found = dict(TEACHERS) | STUDENTS
    for student_name, student in STUDENTS.items():
        for teacher_name, teacher in TEACHERS.items():
            found[f"{student_name} of {teacher_name}"] = DistilledClassifier(teacher, student)
    return {name: clone(model).set_params(random_state=seed) for name, model in found.items()}


def run(data, seed):
    """Return the out-of-fold predictions of every model on one data set."""
    X, y = DATA[data](return_X_y=True)
    X = X.astype(np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    frames = []
    for fold, (training, test) in enumerate(folds.split(X, y)):
        for name, model in models(seed).items():
            predicted = model.fit(X[training], y[training]).predict(X[test])
            options = {"seed": seed, "fold": fold, "recording": test}
            frames.append(oof_frame(name, y_true=y[test], y_pred=predicted, **options))
    return pd.concat(frames)


def tables():
    """Return the table of docs/benchmarks.md."""
    rows = []
    for (data, student), part in pd.read_csv(OUT).groupby(["data", "student"], sort=False):
        own = part.set_index("model")
        row = {"data": data, "student": student}
        for name in (*TEACHERS, student):
            title = "from scratch" if name == student else name
            row[title] = mean_and_spread(own.loc[name, "value"], own.loc[name, "std"])
        for teacher in TEACHERS:
            columns = ["difference", "difference_low", "difference_high"]
            difference = own.loc[f"{student} of {teacher}", columns]
            row[f"taught by {teacher}, minus scratch"] = interval(*difference)
        rows.append(row)
    return {("docs/benchmarks.md", "tables"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tasks = [(data, seed) for data in DATA for seed in options.seeds]
    with Parallel(options.jobs) as parallel:
        frames = parallel(delayed(run)(*task) for task in tasks)
    found = []
    for data in DATA:
        kept = [frame for (name, _), frame in zip(tasks, frames, strict=True) if name == data]
        for student in STUDENTS:
            oof = pd.concat(kept)
            names = [name for name in models(0) if name.startswith(student) or name in TEACHERS]
            oof = oof[oof["model"].isin(names)]
            table = compare_models(oof, baseline=student, metrics=["accuracy"], random_state=0)
            found.append(table.assign(data=data, student=student))
    columns = ["data", "student", "model", "value", "std"]
    columns += ["difference", "difference_low", "difference_high"]
    table = pd.concat(found)[columns].drop_duplicates()
    table.to_csv(OUT, index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
