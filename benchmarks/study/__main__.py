"""The study of distillation on PASCAL, in stages.

    python -m benchmarks.study --data path/to/heartbeat-sounds [--work DIR] [--stages select finals]

`select` scores every loss on inner splits of the training folds and chooses three; `finals` compares
the best ones with every seed, which sets the default loss; `starts` compares starts from labeled
synthetic recordings. On the outer folds, `losses` runs every loss with one teacher and one seed,
`teachers` the chosen losses with every teacher and seed, `teaching` the ways to query the teacher and
contrastive pretraining, `sizes` students of 1, 5, 10 and 50 thousand parameters. Fits stay in --work,
where a stopped run continues. Writes benchmarks/results/study/, where stored fits are kept, and the
tables and pictures of docs/benchmarks/study.md.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from time import perf_counter

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks._tables import RESULTS, write_tables
from benchmarks._tasks import Task, fit, keep, open_folder, predict, run
from benchmarks.study import report
from benchmarks.study._scores import choose, differences_of, rankings, score, scores_of
from benchmarks.study._stages import INNER, OUTER, models_of, own
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.metrics import efficiency_profile

PARTS = ("ab", "a", "b")
FIT = ["model", "seed", "fold"]


def split_inside(training, target, groups, fold):
    """Split the rows of a training part by subject, three quarters to one, seeded by the fold."""
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=fold)
    y, subjects = np.asarray(target)[training], np.asarray(groups)[training]
    first, second = next(splitter.split(np.zeros((len(y), 1)), y, subjects))
    return training[first], training[second]


def compute(task, models, data, splits, recipe, folder):
    """Fit one model, and its k-means refinement where it has one; return their predictions."""
    start, (training, test) = perf_counter(), splits[task.fold]
    model = models[task.model]
    sources = {name: joblib.load(_file(task, folder, name)) for name in model.sources}
    fitted = fit(model.make(recipe, task.seed, sources), data, training)
    keep(fitted, _file(task, folder, task.model))
    frames = [predict(fitted, task, data, test)]
    if model.refined:
        refined = fit(recipe.refine(fitted, task.seed), data, training)
        frames.append(predict(refined, task._replace(model=f"{task.model}+kmeans"), data, test))
    members = getattr(fitted, "estimators_", [fitted])
    waveform = np.asarray(data.data[test[0]])[np.newaxis]
    costs = [efficiency_profile(member, waveform, n_calls=1) for member in members]
    parameters = sum(cost["parameters"] for cost in costs)
    return pd.concat(frames).assign(parameters=parameters, seconds=perf_counter() - start)


def _file(task, folder, model):
    return task._replace(model=model).file(folder, "model")


def run_stage(models, data, splits, recipe, seeds, folder, n_jobs):
    """Return the predictions of some models and of those that they learn from."""
    open_folder(folder, data, splits, recipe)
    models = {model.name: model for model in models}
    # sources may have sources themselves, so the first ones are fitted first
    levels = [models]
    while needed := {name for model in levels[0].values() for name in model.sources}:
        levels.insert(0, {name: models.get(name) or own(name) for name in sorted(needed)})
    found = []
    for level in levels:
        tasks = [Task(s, f, name) for name in level for s in seeds for f in range(len(splits))]
        options = {"data": data, "splits": splits, "recipe": recipe, "folder": folder}
        found.append(run(tasks, partial(compute, models=level, **options), folder, n_jobs))
    return pd.concat(found, ignore_index=True).drop_duplicates([*FIT, "recording"])


def store(path, new, row):
    """Add fits to a file; those that it already holds stay, and are not measured again.

    On another processor the same seed gives a network that differs in a recording or two. To measure
    again, remove the rows.
    """
    if path.exists():
        old = pd.read_csv(path)
        is_old = pd.MultiIndex.from_frame(new[FIT]).isin(pd.MultiIndex.from_frame(old[FIT]))
        new = pd.concat([old, new[~is_old]], ignore_index=True)
    new.sort_values(row).to_csv(path, index=False, float_format="%.6g" if row == FIT else "%.3g")


def scores_of_fits(predictions, part):
    """Return the scores of each fit on its test part."""
    rows = []
    for key, frame in predictions.groupby(FIT, sort=False):
        row = {"part": part, **dict(zip(FIT, key, strict=True)), **score(frame)}
        row["macro_f1"] = row.pop("f1_macro")
        rows.append(row | frame.iloc[0][["parameters", "seconds"]].to_dict())
    return pd.DataFrame(rows)


def complete(folder, part):
    """Return the stored predictions of the models and seeds whose folds are all finished."""
    recordings = pd.read_csv(folder / f"recordings_{part}.csv", index_col="recording")
    found = pd.read_csv(folder / f"predictions_{part}.csv.gz").join(recordings, on="recording")
    count = found.groupby(["model", "seed"])["recording"].transform("size")
    return found[count == len(recordings)].reset_index(drop=True)


def inner(options, load, recipe_of):
    """Run the stages on the inner splits, and store their rankings."""
    data = load(subset="ab")
    outer = split_by_subject(data.target, data.groups, options.folds)
    splits = [
        split_inside(rows, data.target, data.groups, fold) for fold, (rows, _) in enumerate(outer)
    ]
    for stage in [stage for stage in INNER if stage in options.stages]:
        seeds = options.seeds[:1] if stage == "select" else options.seeds
        where = options.work / "inner_ab"
        arguments = data, splits, recipe_of(data), seeds, where, options.jobs
        found = run_stage(models_of(stage, []), *arguments)
        path = options.results / "fits_inner_ab.csv"
        store(path, scores_of_fits(found, "inner_ab"), FIT)
        for name, table in rankings(stage, pd.read_csv(path), options.seeds).items():
            table.to_csv(options.results / f"{name}.csv", index=False, float_format="%.6g")
            if name == "selection":
                text = json.dumps(choose(table, options.seeds[0]), indent=1)
                (options.results / "selection.json").write_text(text + "\n", encoding="utf-8")


def outer(options, load, recipe_of, part):
    """Run the stages on the outer folds of one part, and store scores and differences."""
    stages = [stage for stage in OUTER if stage in options.stages]
    losses = json.loads((options.results / "selection.json").read_text("utf-8"))["losses"]
    data = load(subset=part)
    splits = split_by_subject(data.target, data.groups, options.folds)
    recordings = pd.DataFrame({"subject": data.groups, "y_true": data.target})
    recordings["set"] = data.frame["set"].to_numpy()
    recordings.to_csv(options.results / f"recordings_{part}.csv", index_label="recording")
    for stage in stages:
        if stage == "losses" and part != "ab":
            continue
        seeds = options.seeds[:1] if stage == "losses" else options.seeds
        arguments = data, splits, recipe_of(data), seeds, options.work / part, options.jobs
        found = run_stage(models_of(stage, losses), *arguments)
        store(options.results / f"fits_{part}.csv", scores_of_fits(found, part), FIT)
        columns = [*FIT, "recording", "y_pred", "p_extrastole"]
        found = found[[name for name in columns if name in found]]
        path = options.results / f"predictions_{part}.csv.gz"
        store(path, found, ["model", "seed", "recording"])
    predictions = complete(options.results, part)
    fits = pd.read_csv(options.results / f"fits_{part}.csv")
    scores = scores_of(predictions).join(fits.groupby("model")["parameters"].max())
    scores.to_csv(options.results / f"scores_{part}.csv", float_format="%.6g")
    table = differences_of(predictions, losses)
    path = options.results / f"differences_{part}.csv"
    table.to_csv(path, index=False, float_format="%.6g")


def main(arguments=None, load=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="the folder of the PASCAL recordings")
    parser.add_argument("--work", type=Path, default=Path("results") / "study")
    parser.add_argument("--results", type=Path, default=RESULTS / "study")
    parser.add_argument("--stages", nargs="+", choices=INNER + OUTER, default=INNER + OUTER)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--max-epochs", type=int, help="of every network; for a trial")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    options = parser.parse_args(arguments)
    is_trial = options.max_epochs is not None or options.folds != 5
    if is_trial and options.results == RESULTS / "study":
        parser.error("a trial needs another folder for its --results")
    options.results.mkdir(parents=True, exist_ok=True)
    load = load or partial(load_pascal, options.data)

    def recipe_of(data):
        return Recipe(
            sampling_rate=data.sampling_rate,
            max_epochs=options.max_epochs or "auto",
            memory=str(options.work / "pretraining"),
        )

    inner(options, load, recipe_of)
    if set(options.stages) & set(OUTER):
        for part in options.parts:
            outer(options, load, recipe_of, part)
    if not is_trial:
        write_tables(report.tables())
        report.draw()


if __name__ == "__main__":
    main()
