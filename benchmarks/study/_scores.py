"""Scores of the models of a part, and differences between them with their intervals."""

import pandas as pd
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from benchmarks.study._names import teacher_of
from benchmarks.study._trainings import pretrained
from benchmarks.study._variants import (
    ALL_TEACHERS,
    DEFAULT_LOSS,
    SCRATCH,
    SIZES,
    losses_for,
    losses_of,
    sizes_of,
    student_of,
    ways_of_teaching,
)
from sklearn_heartkd.comparison._models import REFINED
from sklearn_heartkd.comparison._table import score
from sklearn_heartkd.metrics import compare_models

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "macro-F1",
}
HARD = "extrastole"
RESAMPLES = 2000


def scores_of(predictions):
    """Return the scores of all models, over all predictions of a seed.

    Parameters
    ----------
    predictions : DataFrame
        Of one part, complete seeds only.

    Returns
    -------
    DataFrame
        Indexed by model: the mean over the seeds of each score, its standard deviation over the
        seeds in `<score>_sd` (NaN for one seed), and the number of `seeds`.
    """
    runs = predictions.groupby(["model", "seed"], sort=False)
    by_run = runs.apply(_scores_of_run, include_groups=False)
    by_model = by_run.groupby("model", sort=False)
    table = by_model.mean().join(by_model.std(ddof=1).add_suffix("_sd"))
    return table.assign(seeds=by_model.size())


def _scores_of_run(own):
    found = score(own).rename({"macro_f1": "f1_macro"}).to_dict()
    if "set" in own and own["set"].nunique() > 1:
        for name, part in own.groupby("set"):
            found[f"within_{name}"] = score(part)["balanced_accuracy"]
    if HARD in set(own["y_true"]):
        truth, guess = own["y_true"] == HARD, own["y_pred"] == HARD
        found[f"auc_{HARD}"] = roc_auc_score(truth, own[f"p_{HARD}"])
        found[f"recall_{HARD}"] = recall_score(truth, guess)
        found[f"precision_{HARD}"] = precision_score(truth, guess, zero_division=0)
    return pd.Series(found)


def pairs_of(models, teacher, losses):
    """List the differences that the study is about, among the models that there are.

    Parameters
    ----------
    models : iterable of str
    teacher : str
        The one whose students have every loss, way of teaching and size.
    losses : list of str
        Those that were chosen to go with every teacher.

    Returns
    -------
    DataFrame
        Columns family, model, baseline: each is model minus baseline.
    """
    models = set(models)
    pairs = [("losses", variant.name, SCRATCH) for variant in losses_of(teacher)]
    pairs += [("teachers", variant.name, SCRATCH) for variant in students_of_all(losses)]
    pairs += [("over the teacher", student_of(name).name, name) for name in ALL_TEACHERS]
    ways = {way: variant.name for way, variant in ways_of_teaching(teacher).items()}
    pairs += [("teaching", ways[way], ways["cached"]) for way in ("augmented", "out of fold")]
    pairs += [
        ("pretraining", variant.name, plain)
        for plain, variants in pretrained().items()
        for variant in variants
    ]
    sizes = [variant.name for variant in sizes_of(teacher)]
    pairs += [("sizes", sizes[2 * i + 1], sizes[2 * i]) for i in range(len(SIZES))]
    pairs += [
        ("k-means", model, model.removesuffix(REFINED))
        for model in sorted(
            models, key=lambda name: ("student" in name, teacher_of(name) or "", name)
        )
        if model.endswith(REFINED)
    ]
    table = pd.DataFrame(pairs, columns=["family", "model", "baseline"]).drop_duplicates()
    there = table["model"].isin(models) & table["baseline"].isin(models)
    return table[there & (table["model"] != table["baseline"])].reset_index(drop=True)


def students_of_all(losses):
    """Return the students of every teacher with some losses and with the default one."""
    wanted = dict.fromkeys([*losses, DEFAULT_LOSS])
    return [
        student_of(teacher, losses=loss)
        for teacher in ALL_TEACHERS
        for loss in wanted
        if loss in losses_for(teacher)
    ]


def differences_of(predictions, pairs, *, n_resamples=RESAMPLES):
    """Return each difference with its 95 % interval.

    It is averaged over the seeds that both models have, in the family "losses" over the first one; the
    interval is of a paired bootstrap over subjects and, where there are several, seeds.

    Returns
    -------
    DataFrame
        The columns of `pairs`, then metric, seeds, difference, low and high.
    """
    by_model = dict(list(predictions.groupby("model", sort=False)))
    tables = []
    for pair in pairs.itertuples():
        first, second = by_model[pair.model], by_model[pair.baseline]
        seeds = sorted(set(first["seed"]) & set(second["seed"]))
        if not seeds:
            continue
        if pair.family == "losses":
            seeds = seeds[:1]
        both = pd.concat([second, first])
        compared = compare_models(
            both[both["seed"].isin(seeds)],
            "subject",
            baseline=pair.baseline,
            metrics=tuple(METRICS),
            n_resamples=n_resamples,
            random_state=0,
        )
        compared = compared[compared["model"] == pair.model]
        tables.append(
            pd.DataFrame(
                {
                    "family": pair.family,
                    "model": pair.model,
                    "baseline": pair.baseline,
                    "metric": compared["metric"],
                    "seeds": len(seeds),
                    "difference": compared["difference"],
                    "low": compared["difference_low"],
                    "high": compared["difference_high"],
                }
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
