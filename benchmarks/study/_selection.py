"""What is chosen on the inner splits: training, teacher, losses, their weights, the refinement."""

import pandas as pd

from benchmarks.study._trainings import (
    augmentations_of,
    labelled_starts_of,
    networks,
    starts_of,
)
from benchmarks.study._variants import (
    SCRATCH,
    TEMPERATURES,
    WEIGHTS,
    Variant,
    finalists,
    losses_for,
    refinements_of,
    tried,
    tuned,
)
from sklearn_heartkd.comparison._models import TEACHERS

N_CHOSEN = 3
FOREST_LOSSES = ("kd", "kd+infonce", "hint", "kd+hint")


def candidates(teacher):
    """Return what is compared on the inner splits: a dict of choices by kind, and variants by choice."""
    scratch = {"ce": Variant(SCRATCH)}
    found = networks() | {
        "teacher": {name: tuned(name) for name in (teacher, *TEACHERS, "ensemble")},
        "loss": scratch | {loss: tried(teacher, loss) for loss in losses_for(teacher)},
        "loss by the forest": scratch | {loss: tried("forest", loss) for loss in FOREST_LOSSES},
        "temperature": {f"{t:g}": tuned(teacher, t) for t in TEMPERATURES},
        "weights": {" + ".join(map(str, w)): tuned(teacher, weights=w) for w in WEIGHTS},
    }
    for model in (teacher, SCRATCH, f"student_of_{teacher}"):
        found[f"k-means of {model}"] = {"none": Variant(model)} | {
            f"{count} clusters, weight {weight}": variant
            for (count, weight), variant in refinements_of(model).items()
        }
    return found


def variants_of(teacher):
    """Return all variants that the first seed fits, those of the finals with other teachers too."""
    kinds = [*candidates(teacher).values(), *finals(teacher)[1].values()]
    return [variant for choices in kinds for variant in choices.values()]


def rank(fits, kinds):
    """Rank the choices of every kind by accuracy plus balanced accuracy.

    Each score is the mean over the inner validation parts of all outer folds, and over the seeds. The
    sum is rounded to four digits; of equal ones the higher balanced accuracy comes first, then the order
    in the list.

    Parameters
    ----------
    fits : DataFrame
        Scores of the fits on the inner splits.
    kinds : dict of str to dict of str to Variant
        The choices by kind.

    Returns
    -------
    DataFrame
        With the columns kind, choice, model, the scores, sum, the sum of each seed in
        ``sum_seed<seed>``, and rank.

    Raises
    ------
    ValueError
        If some choice was not fitted on as many folds and seeds as the others.
    """
    names = ["accuracy", "balanced_accuracy", "macro_f1"]
    rows = [
        {"kind": kind, "choice": choice, "model": variant.name}
        for kind, choices in kinds.items()
        for choice, variant in choices.items()
    ]
    table = pd.DataFrame(rows)
    fits = fits[fits["model"].isin(table["model"])]
    grouped = fits.groupby("model")[names]
    means, counts = grouped.mean(), grouped.size()
    unfinished = sorted(
        name for name in table["model"].unique() if counts.get(name, 0) < counts.max()
    )
    if unfinished:
        raise ValueError(
            f"The selection still waits for fits of {unfinished}; run the stage select to its end."
        )
    table = table.join(means, on="model")
    table["sum"] = (table["accuracy"] + table["balanced_accuracy"]).round(4)
    sums = fits.assign(sum=fits["accuracy"] + fits["balanced_accuracy"])
    by_seed = sums.pivot_table("sum", "model", "seed").add_prefix("sum_seed")
    table = table.join(by_seed, on="model")
    ordered = table.sort_values(["sum", "balanced_accuracy"], ascending=False, kind="stable")
    table["rank"] = ordered.groupby("kind").cumcount() + 1
    return table


def finals(teacher):
    """Return what every seed compares, and by other teacher what the first seed compares."""
    others = [name for name in (*TEACHERS, "ensemble") if name != teacher]
    elsewhere = {name: finalists(name, first=2) for name in others}
    return {"ce": Variant(SCRATCH)} | finalists(teacher), elsewhere


def trainings(teacher):
    """Return by kind how a model may start and be augmented; every seed compares them."""
    kinds = {"start": starts_of(teacher), "augmentation": augmentations_of(teacher)}
    return _by_kind(kinds)


def labelled_starts(teacher):
    """Return by kind how a model starts from labelled synthetic recordings; with every seed."""
    return _by_kind({"labelled start": labelled_starts_of(teacher)})


def _by_kind(kinds):
    return {
        f"{kind} of {model}": choices
        for kind, models in kinds.items()
        for model, choices in models.items()
    }


def rank_finals(fits, teacher, seeds):
    """Rank the finalists by accuracy plus balanced accuracy, averaged over the teachers.

    Parameters
    ----------
    fits : DataFrame
        Scores of the fits on the inner splits.
    teacher : str
        The one that teaches with every seed.
    seeds : list of int
        The other teachers teach with the first.

    Returns
    -------
    DataFrame
        As of `rank`, with the sum of each teacher in ``sum_<teacher>``, and ``sum_teachers``, their
        mean; NaN where not every teacher was tried.
    """
    choices, elsewhere = finals(teacher)
    table = rank(fits[fits["seed"].isin(seeds)], {"finals": choices})
    table[f"sum_{teacher}"] = table["sum"]
    for name, others in elsewhere.items():
        own = rank(fits[fits["seed"] == seeds[0]], {name: others}).set_index("choice")["sum"]
        table = table.join(own.rename(f"sum_{name}"), on="choice")
    names = [f"sum_{name}" for name in (teacher, *elsewhere)]
    table["sum_teachers"] = table[names].mean(axis=1, skipna=False).round(4)
    ordered = table.sort_values(["sum_teachers", "sum"], ascending=False, kind="stable")
    return ordered.assign(rank=range(1, len(table) + 1)).reset_index(drop=True)


def choose(table, teacher, seed):
    """Return what won, in the form of selection.json; training from scratch is no candidate."""
    distilling = table[(table["kind"] == "loss") & (table["choice"] != "ce")].sort_values("rank")
    best = table[table["rank"] == 1].set_index("kind")["choice"]
    return {
        "teacher": teacher,
        "best_teacher": best["teacher"],
        "seed": seed,
        "losses": distilling["choice"].head(N_CHOSEN).tolist(),
        "temperature": float(best["temperature"]),
        "weights": best["weights"],
        "networks": {kind: str(best[kind]) for kind in networks()},
        "kmeans": {
            kind.removeprefix("k-means of "): choice
            for kind, choice in best.items()
            if kind.startswith("k-means of ")
        },
    }
