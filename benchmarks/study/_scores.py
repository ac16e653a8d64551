"""Rankings on the inner splits, and scores and differences on the outer folds."""

import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from benchmarks.study._stages import (
    OTHERS,
    STUDENT,
    TEACHER,
    candidates,
    finals,
    labelled_starts,
    own,
    pairs,
    trainings,
)
from sklearn_heartkd.metrics import compare_models

METRICS = ("accuracy", "balanced_accuracy", "f1_macro")
HARD = "extrastole"


def score(frame):
    """Return the scores of some predictions; classes without recordings do not count."""
    truth, guess = frame["y_true"], frame["y_pred"]
    options = {"labels": truth.unique(), "average": "macro", "zero_division": 0}
    return pd.Series(
        {
            "accuracy": accuracy_score(truth, guess),
            "balanced_accuracy": recall_score(truth, guess, **options),
            "f1_macro": f1_score(truth, guess, **options),
        }
    )


def rank(fits, kinds):
    """Rank the choices of every kind by accuracy plus balanced accuracy on the inner splits.

    Each score is the mean over folds and seeds. The sum is rounded to four digits; of equal sums the
    higher balanced accuracy comes first, then the order of the choices. Raises ValueError if a choice
    was not fitted on as many folds and seeds as the others.
    """
    rows = [(kind, choice, m.name) for kind, c in kinds.items() for choice, m in c.items()]
    table = pd.DataFrame(rows, columns=["kind", "choice", "model"])
    fits = fits[fits["model"].isin(table["model"])]
    by_model = fits.groupby("model")[["accuracy", "balanced_accuracy", "macro_f1"]]
    counts = by_model.size().reindex(table["model"].unique(), fill_value=0)
    if counts.nunique() > 1:
        waiting = sorted(counts.index[counts < counts.max()])
        raise ValueError(f"The stage was not run to its end; fits are missing of {waiting}.")
    table = table.join(by_model.mean(), on="model")
    table["sum"] = (table["accuracy"] + table["balanced_accuracy"]).round(4)
    sums = fits.assign(sum=fits["accuracy"] + fits["balanced_accuracy"])
    table = table.join(sums.pivot_table("sum", "model", "seed").add_prefix("sum_seed"), on="model")
    ordered = table.sort_values(["sum", "balanced_accuracy"], ascending=False, kind="stable")
    return table.assign(rank=ordered.groupby("kind").cumcount() + 1)


def rank_finals(fits, seeds):
    """Rank the finalists by the sum, averaged over the teachers; NaN where not all were tried.

    The first teacher is scored with all seeds, the others with the first one.
    """
    table = rank(fits[fits["seed"].isin(seeds)], {"finals": {"ce": own("student")} | finals()})
    table[f"sum_{TEACHER}"] = table["sum"]
    for name in OTHERS:
        sums = rank(fits[fits["seed"] == seeds[0]], {name: finals(name, 2)})
        table = table.join(sums.set_index("choice")["sum"].rename(f"sum_{name}"), on="choice")
    names = [f"sum_{name}" for name in (TEACHER, *OTHERS)]
    table["sum_teachers"] = table[names].mean(axis=1, skipna=False).round(4)
    ordered = table.sort_values(["sum_teachers", "sum"], ascending=False, kind="stable")
    return ordered.assign(rank=range(1, len(table) + 1)).reset_index(drop=True)


def rankings(stage, fits, seeds):
    """Return the tables that a stage on the inner splits makes from its fits, by file name."""
    fits = fits[fits["seed"].isin(seeds)]
    if stage == "select":
        return {"selection": rank(fits[fits["seed"] == seeds[0]], candidates())}
    if stage == "finals":
        return {"finals": rank_finals(fits, seeds), "trainings": rank(fits, trainings())}
    return {"starts": rank(fits, labelled_starts())}


def choose(table, seed):
    """Return what the stage `select` chose; training from scratch is not a candidate."""
    losses = table[(table["kind"] == "loss") & (table["choice"] != "ce")].sort_values("rank")
    best = table[table["rank"] == 1].set_index("kind")["choice"]
    return {
        "teacher": TEACHER,
        "best_teacher": best["teacher"],
        "seed": seed,
        "losses": losses["choice"].head(3).tolist(),
        "temperature": float(best["temperature"]),
        "weights": best["weights"],
        "networks": {kind: best[kind] for kind in ("class weight", "batch size")},
        "kmeans": {name: best[f"k-means of {name}"] for name in (TEACHER, "student", STUDENT)},
    }


def scores_of(predictions):
    """Return the scores of all models: mean over the seeds, and standard deviation in `<score>_sd`."""
    runs = predictions.groupby(["model", "seed"], sort=False)
    by_model = runs.apply(_scores_of_run, include_groups=False).groupby("model", sort=False)
    table = by_model.mean().join(by_model.std(ddof=1).add_suffix("_sd"))
    return table.assign(seeds=by_model.size())


def _scores_of_run(rows):
    found = score(rows).to_dict()
    if rows["set"].nunique() > 1:
        for name, part in rows.groupby("set"):
            found[f"within_{name}"] = score(part)["balanced_accuracy"]
    if HARD in set(rows["y_true"]):
        truth, guess = rows["y_true"] == HARD, rows["y_pred"] == HARD
        found[f"auc_{HARD}"] = roc_auc_score(truth, rows[f"p_{HARD}"])
        found[f"recall_{HARD}"] = recall_score(truth, guess)
        found[f"precision_{HARD}"] = precision_score(truth, guess, zero_division=0)
    return pd.Series(found)


def differences_of(predictions, losses, n_resamples=2000):
    """Return each difference of the study with its 95 % interval, over the common seeds.

    The family "losses" uses the first seed only. Intervals are of a paired bootstrap over subjects and,
    where there are several, seeds.
    """
    by_model = dict(list(predictions.groupby("model", sort=False)))
    wanted = [(family, model.name, baseline.name) for family, model, baseline in pairs(losses)]
    refined = sorted(name for name in by_model if name.endswith("+kmeans"))
    wanted += [("k-means", name, name.removesuffix("+kmeans")) for name in refined]
    found = []
    for family, model, baseline in wanted:
        if not {model, baseline} <= set(by_model):
            continue
        both = pd.concat([by_model[baseline], by_model[model]])
        seeds = sorted(set(by_model[model]["seed"]) & set(by_model[baseline]["seed"]))
        seeds = seeds[:1] if family == "losses" else seeds
        table = compare_models(
            both[both["seed"].isin(seeds)],
            "subject",
            baseline=baseline,
            metrics=METRICS,
            n_resamples=n_resamples,
            random_state=0,
        )
        low, high = table["difference_low"], table["difference_high"]
        table = table.assign(family=family, baseline=baseline, seeds=len(seeds), low=low, high=high)
        columns = ["family", "model", "baseline", "metric", "seeds", "difference", "low", "high"]
        found.append(table.loc[table["model"] == model, columns])
    return pd.concat(found, ignore_index=True)
