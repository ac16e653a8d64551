"""When k-means refinement makes a classifier more accurate, on PASCAL A+B by subject.

    python -m benchmarks.when_kmeans_helps path/to/heartbeat-sounds [--seeds 0 1 2] [--jobs 2]

The student from scratch is trained as usual and in worse conditions: wrong labels, few epochs, few
subjects, no regularization. Each fitted network is refined with several numbers of clusters and
weights. Fits stay in --work, where a stopped run continues. Writes
benchmarks/results/when_kmeans_helps.csv and the table of docs/benchmarks/refinement.md.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Bunch

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from benchmarks._tasks import Task, fit, open_folder, predict, run
from sklearn_heartkd import StudentClassifier
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.metrics import compare_models

OUT = RESULTS / "when_kmeans_helps.csv"
CONDITIONS = {
    "as_is": "as it is",
    "wrong20": "20 % wrong labels",
    "wrong40": "40 % wrong labels",
    "short": "2 epochs",
    "quarter": "a quarter of the subjects",
    "overconfident": "no augmentation, smoothing, dropout",
}
WRONG = {"wrong20": 0.2, "wrong40": 0.4}
SETTINGS = {
    "short": {"max_epochs": 2},
    "overconfident": {"augmentation": None, "label_smoothing": 0.0, "dropout": 0.0},
}
PLAIN = "unrefined"
REFINEMENTS = {
    f"{n_clusters}, {weight}": {"n_clusters": n_clusters, "weight": weight}
    for n_clusters, weight in product(("auto", 20), (0.25, 0.5, 1.0))
}
METRICS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}


def with_wrong_labels(target, rows, share, random_state):
    """Return the labels; a share of those in `rows` is drawn uniformly from the other classes."""
    rng = np.random.default_rng(random_state)
    classes, number = np.unique(target, return_inverse=True)
    shift = rng.integers(1, len(classes), size=len(rows))
    chosen = rng.permutation(len(rows))[: round(share * len(rows))]
    number[rows[chosen]] += shift[chosen]
    return classes[number % len(classes)]


def quarter_of(rows, target, groups, random_state):
    """Return the rows of a quarter of the subjects, stratified by class."""
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=random_state)
    return rows[next(splitter.split(rows, target[rows], groups[rows]))[1]]


def compute(task, data, splits, recipe):
    """Fit the student of one condition and its refinements; return their test predictions."""
    training, test = splits[task.fold]
    changed, target = data, np.asarray(data.target)
    if task.model in WRONG:
        seed = task.seed, task.fold
        wrong = with_wrong_labels(target, training, WRONG[task.model], seed)
        changed = Bunch(**data | {"target": wrong})
    if task.model == "quarter":
        training = quarter_of(training, target, np.asarray(data.groups), task.fold)
    network = StudentClassifier(**recipe.limits(task.seed) | SETTINGS.get(task.model, {}))
    fitted = fit(recipe.windowed(network), changed, training)
    frames = [predict(fitted, task._replace(model=PLAIN), data, test)]
    for name, settings in REFINEMENTS.items():
        refined = fit(recipe.refine(fitted, task.seed, **settings), changed, training)
        frames.append(predict(refined, task._replace(model=name), data, test))
    epochs = fitted.estimator_[-1].n_iter_
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(condition=task.model, recordings=len(training), epochs=epochs)


def score(predictions, subjects):
    """Return scores and differences by condition, model and metric.

    `changed` is the share of the test recordings whose class the refinement changes.
    """
    found = []
    for condition, part in predictions.groupby("condition", sort=False):
        options = {"baseline": PLAIN, "metrics": tuple(METRICS), "random_state": 0}
        table = compare_models(part, np.asarray(subjects), **options)
        answers = part.pivot(index=["seed", "recording"], columns="model", values="y_pred")
        changed = answers.ne(answers[PLAIN], axis=0).mean()
        table = table.drop(columns=["std", "t", "p_value"]).assign(condition=condition)
        table["changed"] = table["model"].map(changed)
        for name, end in product(("recordings", "epochs"), ("min", "max")):
            table[f"{name}_{end}"] = part[name].agg(end)
        found.append(table)
    keys = ["condition", "model", "metric"]
    return pd.concat(found).set_index(keys).reset_index()


def overview(table):
    """Return the unrefined scores of each condition and the range of the changes."""
    rows = []
    for condition, part in table.groupby("condition", sort=False):
        first = part.iloc[0]
        row = {"training part": CONDITIONS[condition], "recordings": first["recordings_min"]}
        for metric, name in METRICS.items():
            own = part[part["metric"] == metric]
            refined = own[own["model"] != PLAIN]
            change = refined["difference"]
            row[name] = f"{own.loc[own['model'] == PLAIN, 'value'].item():.3f}"
            row[f"change of {name}"] = f"{change.min():+.3f} to {change.max():+.3f}"
            above, below = (refined["difference_low"] > 0), (refined["difference_high"] < 0)
            row[f"above, below 0 ({name})"] = f"{above.sum()}, {below.sum()} of {len(refined)}"
        rows.append(row)
    return rows


def tables():
    """Return the table of docs/benchmarks/refinement.md."""
    return {
        ("docs/benchmarks/refinement.md", "overview"): rows_as_markdown(overview(pd.read_csv(OUT)))
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, default=Path("results") / "when_kmeans_helps")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    options = parser.parse_args()
    data = load_pascal(options.folder, subset="ab")
    recipe = Recipe(sampling_rate=data.sampling_rate)
    splits = split_by_subject(data.target, data.groups, 5)
    open_folder(options.work, data, splits, (recipe, SETTINGS, REFINEMENTS))
    tasks = [Task(*key) for key in product(options.seeds, range(5), CONDITIONS)]
    compute_one = partial(compute, data=data, splits=splits, recipe=recipe)
    predictions = run(tasks, compute_one, options.work, options.jobs)
    score(predictions, data.groups).to_csv(OUT, index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
