"""When k-means refinement makes a classifier more accurate, on PASCAL A+B by subject.

    python benchmarks/when_kmeans_helps.py path/to/heartbeat-sounds [--seeds 0 1 2] [--jobs 2]

The student from scratch is trained as it is and in worse conditions: wrong labels, few epochs, few
subjects, nothing against overfitting. Each fitted network is refined with several numbers of clusters
and weights. Predictions stay in --work, where an interrupted run goes on. Writes
benchmarks/results/when_kmeans_helps.csv and the results in docs/kmeans.md; a trial (fewer folds,
epochs or conditions) writes both to --work instead.
"""

import argparse
import re
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import Bunch

from sklearn_heartkd import StudentClassifier
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.comparison._storage import check_same, result_file, write_whole
from sklearn_heartkd.comparison._tasks import Task, fit_and_predict
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.metrics import compare_models

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "when_kmeans_helps.csv"
PAGE = ROOT / "docs" / "kmeans.md"

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
CLAIMED = 0.02


def with_wrong_labels(target, rows, share, random_state):
    """Return the labels with some of those in `rows` replaced by another class.

    Parameters
    ----------
    target : ndarray of shape (n_recordings,)
    rows : ndarray of int
        The training rows; the labels of all others stay.
    share : float
        Of the rows that get a label drawn uniformly from the other classes.
    random_state : int or sequence of int
        Of equal seeds, a larger share holds the smaller one.

    Returns
    -------
    ndarray of shape (n_recordings,)
    """
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


def prepare(task, data, split):
    """Return the data and the split of a task's condition; the test part stays as it is."""
    training, test = split
    target = np.asarray(data.target)
    if task.model in WRONG:
        wrong = with_wrong_labels(target, training, WRONG[task.model], (task.seed, task.fold))
        return Bunch(**{**data, "target": wrong}), split
    if task.model == "quarter":
        training = quarter_of(training, target, np.asarray(data.groups), task.fold)
    return data, (training, test)


def fit(task, data, split, recipe, work):
    """Fit the student of one condition and its refinements, and keep their test predictions."""
    data, split = prepare(task, data, split)
    network = StudentClassifier(**recipe.limits(task.seed) | SETTINGS.get(task.model, {}))
    plain = task._replace(model=PLAIN)
    _, fitted, frame = fit_and_predict(plain, recipe.windowed(network), data, split)
    frames = [frame]
    for name, settings in REFINEMENTS.items():
        refined = recipe.refine(fitted, task.seed, **settings)
        frames.append(fit_and_predict(task._replace(model=name), refined, data, split)[2])
    found = pd.concat(frames, ignore_index=True).assign(
        condition=task.model,
        recordings=len(split[0]),
        epochs=fitted.estimator_[-1].n_iter_,
    )
    write_whole(found, result_file(work, task))
    return task.name


def run(options, data):
    """Fit what is not yet in the folder, and return the predictions of all tasks."""
    recipe = Recipe(sampling_rate=data.sampling_rate, max_epochs=options.max_epochs)
    splits = split_by_subject(data.target, data.groups, 5)
    (options.work / "parts").mkdir(parents=True, exist_ok=True)
    check_same(options.work / "settings.json", data, splits, (recipe, SETTINGS, REFINEMENTS))
    tasks = [
        Task(seed, fold, condition)
        for seed, fold, condition in product(options.seeds, options.folds, options.conditions)
    ]
    jobs = [
        delayed(fit)(task, data, splits[task.fold], recipe, options.work)
        for task in tasks
        if not result_file(options.work, task).exists()
    ]
    torch.set_num_threads(1)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        n_jobs = min(options.jobs, max(1, len(jobs)))
        for name in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs):
            print(name, flush=True)
    found = [joblib.load(result_file(options.work, task)) for task in tasks]
    return pd.concat(found, ignore_index=True)


def score(predictions, subjects):
    """Return the scores of each condition and refinement, and refined minus unrefined.

    Parameters
    ----------
    predictions : DataFrame
        As `run` returns it.
    subjects : array-like of shape (n_data,)

    Returns
    -------
    DataFrame
        A row a condition, model and metric: `value`, `difference` and their intervals, `changed`,
        the share of the test recordings whose class the refinement changes, and the fewest and most
        training recordings and epochs over the folds.
    """
    tables = []
    for condition, part in predictions.groupby("condition", sort=False):
        table = compare_models(
            part, np.asarray(subjects), baseline=PLAIN, metrics=tuple(METRICS), random_state=0
        )
        answers = part.pivot(index=["seed", "recording"], columns="model", values="y_pred")
        changed = answers.ne(answers[PLAIN], axis=0).mean()
        limits = {
            f"{name}_{end}": part[name].agg(end)
            for name, end in product(("recordings", "epochs"), ("min", "max"))
        }
        table = table.drop(columns=["std", "t", "p_value"])
        tables.append(
            table.assign(condition=condition, changed=table["model"].map(changed), **limits)
        )
    keys = ["condition", "model", "metric"]
    return pd.concat(tables).set_index(keys).reset_index()


def signed(row):
    """Return a difference with its interval, in bold where that excludes 0."""
    text = f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
    return f"**{text}**" if row.difference_low > 0 or row.difference_high < 0 else text


def span(low, high):
    """Return a range of whole numbers as text."""
    return f"{low}" if low == high else f"{low} to {high}"


def overview(table):
    """Return, per condition, the unrefined scores and the range of what refinement does to them."""
    heads = ["training part", "recordings", "epochs"]
    for metric in METRICS.values():
        heads += [metric, "change by refinement", "intervals above 0, below 0"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for condition, part in table.groupby("condition", sort=False):
        first = part.iloc[0]
        cells = [
            CONDITIONS[condition],
            span(first["recordings_min"], first["recordings_max"]),
            span(first["epochs_min"], first["epochs_max"]),
        ]
        for metric in METRICS:
            own = part[part["metric"] == metric]
            refined = own[own["model"] != PLAIN]
            change = refined["difference"]
            above, below = excluding_zero(refined)
            cells += [
                f"{own.loc[own['model'] == PLAIN, 'value'].item():.3f}",
                f"{change.min():+.3f} to {change.max():+.3f}",
                f"{above}, {below} of {len(refined)}",
            ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def excluding_zero(rows):
    """Count the differences whose interval lies above 0 and below 0."""
    return (rows["difference_low"] > 0).sum(), (rows["difference_high"] < 0).sum()


def everything(table):
    """Return every refinement of every condition as markdown."""
    heads = ["training part", "clusters", "weight", "classes changed"]
    for metric in METRICS.values():
        heads += [metric, "refined minus unrefined"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for (condition, model), rows in table.groupby(["condition", "model"], sort=False):
        refined = model != PLAIN
        cells = [CONDITIONS[condition], *(model.split(", ") if refined else ("–", "–"))]
        cells.append(f"{rows['changed'].iloc[0]:.1%}" if refined else "–")
        for row in rows.set_index("metric").loc[list(METRICS)].itertuples():
            cells += [f"{row.value:.3f}", signed(row) if refined else "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def reading(table):
    """Return what the table says, in words."""
    refined = table[table["model"] != PLAIN]
    sentences = []
    for metric, name in METRICS.items():
        rows = refined[refined["metric"] == metric]
        above, below = excluding_zero(rows)
        best = rows.loc[rows["difference"].idxmax()]
        clusters, weight = best["model"].split(", ")
        sentences.append(
            f"Of the {len(rows)} differences in {name}, {(rows['difference'] >= CLAIMED).sum()} are at "
            f"least {CLAIMED:+.2f}; {above} intervals lie above 0 and {below} below. The most favourable "
            f"is {signed(best)}: {CONDITIONS[best['condition']]}, {clusters} clusters, weight {weight}."
        )
    return "\n\n".join(sentences)


def report(table, predictions, subjects, max_epochs="auto"):
    """Return the results as markdown."""
    recordings = predictions["recording"].unique()
    seeds = sorted(predictions["seed"].unique())
    parts = [
        f"{len(recordings)} test recordings of {len(np.unique(np.asarray(subjects)[recordings]))} "
        f"subjects in {predictions['fold'].nunique()} fold(s), seed(s) {', '.join(map(str, seeds))}. "
        "Ranges are over the numbers of clusters and weights; in brackets 95 % intervals, bold where "
        "they exclude 0.",
        overview(table),
        reading(table),
        everything(table),
    ]
    if max_epochs != "auto" or predictions["fold"].nunique() < 5:
        parts.insert(0, "**A trial with fewer folds or epochs; its figures mean nothing.**")
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, default=Path("results") / "when_kmeans_helps")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folds", type=int, nargs="+", choices=range(5), default=range(5))
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
    parser.add_argument("--max-epochs", type=int, help="for a trial")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    options = parser.parse_args()
    options.max_epochs = options.max_epochs or "auto"
    data = load_pascal(options.folder, subset="ab")
    predictions = run(options, data)
    table = score(predictions, data.groups)
    text = report(table, predictions, data.groups, options.max_epochs)
    print(text)
    complete = len(set(options.folds)) == 5 and set(options.conditions) == set(CONDITIONS)
    trial = options.max_epochs != "auto" or not complete
    results, page = RESULTS, PAGE
    if trial:
        results, page = (options.work / path.name for path in (RESULTS, PAGE))
    table.to_csv(results, index=False, float_format="%.4f")
    block = f"<!-- results -->\n{text}\n<!-- end of results -->"
    pattern = r"<!-- results -->.*<!-- end of results -->"
    written = re.sub(pattern, lambda _: block, PAGE.read_text("utf-8"), flags=re.DOTALL)
    page.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
