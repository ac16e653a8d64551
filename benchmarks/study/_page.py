"""The page of the study: every number on it comes from the csv files."""

import pandas as pd

from benchmarks.readme_table import markdown
from benchmarks.study._choices_text import choices_text
from benchmarks.study._goals import goals_text
from benchmarks.study._grounds import CHOSEN_ON
from benchmarks.study._names import shown, teacher_of
from benchmarks.study._pictures import forest_plot, size_plot
from benchmarks.study._scores import (
    METRICS,
    differences_of,
    pairs_of,
    scores_of,
    students_of_all,
)
from benchmarks.study._trainings import pretrained
from benchmarks.study._variants import (
    SCRATCH,
    losses_of,
    sizes_of,
    student_of,
    ways_of_teaching,
)
from sklearn_heartkd.comparison._models import TEACHERS

_PARTS = {"ab": "A+B, five classes", "a": "Set A, four classes", "b": "Set B, three classes"}
_FAMILIES = {
    "losses": "Distilled minus scratch, every loss",
    "teachers": "Distilled minus scratch, by teacher and loss",
    "over the teacher": "The student with the default loss minus its teacher",
    "teaching": "Ways to ask the teacher, minus its cached answers",
    "pretraining": "Pretrained minus not",
    "sizes": "Distilled minus scratch, by size",
    "k-means": "Refined by k-means minus not",
}
_DEFAULTS = {"teaching": "augmented", "sizes": "10k"}  # what a student without a label is there
_HEADS = METRICS | {
    "within_a": "balanced, A only",
    "within_b": "balanced, B only",
    "auc_extrastole": "AUC extrastole",
    "recall_extrastole": "recall extrastole",
    "precision_extrastole": "precision extrastole",
}
_HOW = """\
`python -m benchmarks.study --data path/to/heartbeat-sounds` makes all of it and writes this page; \
started again, it goes on where it was. Folds are by subject (set B) and by near-duplicate cluster \
(set A). Scratch and distilled students have the same network, epochs, augmentation and refinement. Scores \
are those of all out-of-fold predictions of a seed, averaged over the seeds, ± standard deviation over \
the seeds (–: one seed). Differences are averaged over the seeds that both models have; in brackets the \
95 % interval of a paired bootstrap over subjects and, where there are several, seeds. Nothing is \
corrected for the number of differences: of a hundred between equal models some five would exclude 0. \
Fits were made on several machines; on another processor the same seed gives another network, whose \
predictions differ in a recording or two, so a model has other scores here than in \
[comparison.md](comparison.md), where most networks have a start, too. The challenge's unlabelled \
recordings are not used anywhere. What the losses' short names (`kd`, `pkt`, `hint`, `at`, …) \
stand for is in [distillation.md](distillation.md#losses).
"""
_FOREST = """\
The random forest is fitted on statistics of whole recordings and frozen. Its students ask it about the \
windows of 5 s of these same training recordings: about pieces shorter than it was fitted on, and of \
recordings that it has seen. Out-of-fold answers were measured with {teacher} as teacher only.
"""
_CORES = 4  # of a laptop


def write_page(results, parts, page):
    """Write tables, pictures and the page from the results of the parts that there are.

    Parameters
    ----------
    results : Results
    parts : sequence of str
    page : Path
        Pictures go to the folder `images` beside it.
    """
    settings, chosen = results.settings(), results.chosen()
    losses = chosen["losses"] if chosen else []
    teacher = settings["teacher"]
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    text = ["# The study of distillation\n", _HOW, _duration(results)]
    if settings["max_epochs"] != "auto":
        text.append(
            f"**A trial with max_epochs={settings['max_epochs']}; its figures mean nothing.**\n"
        )
    goals, rest = [], choices_text(results)
    for part in results.parts(parts):
        predictions = results.predictions(part)
        if predictions.empty:
            continue
        scores = scores_of(predictions)
        parameters = results.fits(part).groupby("model")["parameters"].max()
        scores = scores.join(parameters)
        differences = differences_of(predictions, pairs_of(scores.index, teacher, losses))
        scores.to_csv(results.folder / f"scores_{part}.csv", float_format="%.6g")
        differences.to_csv(
            results.folder / f"differences_{part}.csv", index=False, float_format="%.6g"
        )
        if part == CHOSEN_ON and student_of(teacher).name in scores.index:
            goals = goals_text(scores, differences, teacher)
        kinds = _kinds(scores.index, teacher, losses)
        rest += _part(part, predictions, scores, differences, kinds, teacher, images)
    page.write_text("\n".join(text + goals + rest) + "\n", encoding="utf-8")


def _duration(results):
    """Return how long the study's own fits took, in words."""
    seconds, untimed = results.seconds()
    return (
        f"The study's own fits took {seconds / 3600:.1f} hours, summed over processes of one thread on a "
        "busy machine of two cores, with k-means refinement and predictions. Not in it are the "
        f"{untimed:,} fits of models of the comparison, most of the teachers among them, whose time is not "
        f"kept. On a laptop, leave it running overnight with `--jobs {_CORES}`, a process for each core.\n"
    )


def _part(part, predictions, scores, differences, kinds, teacher, images):
    first = predictions["seed"].min()
    recordings = predictions.drop_duplicates("recording")
    majority = recordings["y_true"].value_counts(normalize=True)
    text = [
        f"## {_PARTS[part]}\n",
        f"{len(recordings)} recordings of {recordings['subject'].nunique()} subjects, "
        f"{predictions['fold'].nunique()} folds; always answering *{majority.index[0]}* has an "
        f"accuracy of {majority.iloc[0]:.3f}.\n",
    ]
    for title, models, family in kinds:
        if family == "losses" and part != CHOSEN_ON:
            continue  # elsewhere there are the chosen ones only, which the next table has with all seeds
        table = scores.loc[models]
        if family == "losses":
            one_seed = predictions[
                predictions["model"].isin(models) & (predictions["seed"] == first)
            ]
            table = scores_of(one_seed).reindex(models).dropna(how="all").join(scores["parameters"])
            title += f", seed {first}"
        own = differences[differences["family"] == family] if len(differences) else differences
        if len(table) and (len(own) or family is None):
            text += [f"### {title}\n"]
            if family == "teachers" and any(teacher_of(model) == "forest" for model in models):
                text += [_FOREST.format(teacher=shown(teacher))]
            text += [markdown(_cells(table, _DEFAULTS.get(family))), ""]
            text += _told(own, family, part, images)
            text += _not_run(family, scores.index, teacher)
        if family == "sizes" and own["model"].nunique() > 1:
            size_plot(scores, teacher).savefig(images / f"study_sizes_{part}.png", dpi=110)
            text += [f"![Scores against parameters](images/study_sizes_{part}.png)\n"]
    refined = differences[differences["family"] == "k-means"] if len(differences) else differences
    if len(refined):
        text += ["### k-means refinement\n", _summary(refined), ""]
        text += [markdown(_cells(scores.loc[refined["model"].drop_duplicates()])), ""]
        text += _told(refined, "k-means", part, images)
    own = differences[differences["family"] == "over the teacher"]
    if len(own):
        text += _told(own, "over the teacher", part, images)
    return text


def _not_run(family, there, teacher):
    """Name what belongs to a table and was not run on this part."""
    wanted = {
        "teaching": ways_of_teaching(teacher).values(),
        "pretraining": [variant for more in pretrained().values() for variant in more],
        "sizes": sizes_of(teacher),
    }
    absent = [variant.name for variant in wanted.get(family, []) if variant.name not in there]
    return [f"Not run here: {', '.join(map(shown, absent))}.\n"] if absent else []


def _kinds(there, teacher, losses):
    """Return the tables of a part as (title, models, family of differences)."""
    teachers = [model for model in ("forest", *TEACHERS, "ensemble") if model in there]
    every_loss = [variant.name for variant in losses_of(teacher)]
    students = [variant.name for variant in students_of_all(losses)]
    ways = [variant.name for variant in ways_of_teaching(teacher).values()]
    starts = [
        name for plain, more in pretrained().items() for name in (plain, *(v.name for v in more))
    ]
    sizes = [variant.name for variant in sizes_of(teacher)]
    wanted = [
        ("Teachers and the student from scratch", [*teachers, SCRATCH], None),
        (f"Every loss, taught by {shown(teacher)}", [SCRATCH, *every_loss], "losses"),
        ("Losses and teachers", [SCRATCH, *students], "teachers"),
        ("Ways to ask the teacher", ways, "teaching"),
        ("Pretraining", starts, "pretraining"),
        ("Sizes", sizes, "sizes"),
    ]
    return [
        (title, [model for model in dict.fromkeys(models) if model in there], family)
        for title, models, family in wanted
    ]


def _cells(table, default=None):
    """Return scores as text, with their spread over the seeds."""
    cells = pd.DataFrame(index=[shown(model, default) for model in table.index])
    for key, head in _HEADS.items():
        if key in table and table[key].notna().any():
            pairs = zip(table[key], table[f"{key}_sd"], strict=True)
            cells[head] = [
                f"{value:.3f} ± {spread:.3f}" if spread == spread else f"{value:.3f} –"
                for value, spread in pairs
            ]
    cells["seeds"] = [str(count) for count in table["seeds"]]
    known = table["parameters"].notna()
    cells["parameters"] = [
        f"{count:,.0f}" if there else "–"
        for count, there in zip(table["parameters"], known, strict=True)
    ]
    return cells


def _told(differences, family, part, images):
    """Return the differences of a family as a table, with a picture where there are many."""
    if not len(differences):
        return []
    text = [f"{_FAMILIES[family]}:\n"]
    cells: dict[str, dict[str, str]] = {}
    for row in differences.itertuples():
        name = shown(row.model, _DEFAULTS.get(family))
        if family in ("teaching", "pretraining", "sizes", "over the teacher"):
            name += f" minus {shown(row.baseline, _DEFAULTS.get(family))}"
        line = cells.setdefault(name, {})
        line[METRICS[row.metric]] = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        line["seeds"] = str(row.seeds)
    table = pd.DataFrame.from_dict(cells, orient="index")
    text += [markdown(table[[*METRICS.values(), "seeds"]]), ""]
    if family in ("losses", "teachers", "k-means"):
        name = f"study_{family.replace('-', '')}_{part}.png"
        forest_plot(differences, _FAMILIES[family]).savefig(images / name, dpi=110)
        text += [f"![{_FAMILIES[family]}](images/{name})\n"]
    return text


def _summary(refined):
    """Return in words what the refinement does over all models."""
    said = []
    for metric in ("accuracy", "balanced_accuracy"):
        rows = refined[refined["metric"] == metric]
        said.append(
            f"{METRICS[metric]} by {rows['difference'].min():+.3f} to {rows['difference'].max():+.3f}, "
            f"{rows['difference'].mean():+.3f} on average over {len(rows)} models (interval above 0: "
            f"{(rows['low'] > 0).sum()}, below 0: {(rows['high'] < 0).sum()})"
        )
    return f"It changes {said[0]}, and {said[1]}.\n"
