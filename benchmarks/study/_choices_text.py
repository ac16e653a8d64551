"""The section of the study's page on what was chosen on the inner splits."""

import pandas as pd

from benchmarks.readme_table import markdown
from benchmarks.study._names import shown
from benchmarks.study._variants import TUNED_LOSS

_CHOSEN = """\
Every outer fold's training part of A+B is split once more by subject, three quarters to one; the \
models below learn from the three quarters and are scored on the rest. Scores are means over \
the folds; the choices are ranked by accuracy plus balanced accuracy, rounded to four digits, of equal \
sums the higher balanced accuracy first. One choice is made for all folds, so a \
recording that one fold tests on may have been in the inner validation part of another fold.
"""

_FINALS = """\
Losses are compared at temperature 1 and with a weight of 0.5 of InfoNCE in all tables above. What led \
there, and combinations of it, with every seed (columns *seed*), and the foremost with every teacher (that \
of the first such column with all seeds, the others with one); the columns hold the sum. The best on \
average over the teachers is the default:
"""


def choices_text(results):
    """Return the section on what was chosen, as a list of paragraphs."""
    chosen = results.chosen()
    if chosen is None:
        return []
    table = pd.read_csv(results.folder / "selection.csv")
    text = ["## What was chosen, on inner splits\n", _CHOSEN]
    text.append(
        f"Teacher: {shown(chosen['teacher'])} (the best one: {shown(chosen['best_teacher'])}); seed "
        f"{chosen['seed']}. The three losses that go on: "
        f"{', '.join(f'`{loss}`' for loss in chosen['losses'])}; the best temperature of "
        f"`{TUNED_LOSS}`: {chosen['temperature']}.\n"
    )
    for kind, rows in table.groupby("kind", sort=False):
        text += [f"{_title(kind)}:\n", markdown(_ranked(rows)), ""]
    if (results.folder / "finals.csv").exists():
        finals = pd.read_csv(results.folder / "finals.csv")
        text += [_FINALS, markdown(_ranked(finals, in_detail=True)), ""]
    for name in ("trainings.csv", "starts.csv"):
        if not (results.folder / name).exists():
            continue
        trainings = pd.read_csv(results.folder / name)
        for kind, rows in trainings.groupby("kind", sort=False):
            text += [f"{_title(kind)}:\n", markdown(_ranked(rows, in_detail=True)), ""]
    return text


def _ranked(rows, in_detail=False):
    rows = rows.sort_values("rank").set_index("choice")
    heads = {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced accuracy",
        "macro_f1": "macro-F1",
        "sum": "sum of the first two",
    }
    if in_detail:
        details = [name for name in rows if name.startswith("sum_")]
        heads |= {name: name.removeprefix("sum_").replace("seed", "seed ") for name in details}
    cells = rows[list(heads)].map(lambda value: f"{value:.3f}" if value == value else "–")
    return cells.rename(columns=heads)


def _title(kind):
    if kind.startswith("k-means of "):
        return f"Refinement of the {shown(kind.removeprefix('k-means of '))} by k-means"
    if kind.startswith("start of "):
        model = shown(kind.removeprefix("start of "))
        return f"Contrastive pretraining of the {model}, by epochs (auto makes 450 batches), every seed"
    if kind.startswith("labelled start of "):
        model = shown(kind.removeprefix("labelled start of "))
        return (
            f"Supervised pretraining of the {model} on labelled synthetic recordings (with a distilled "
            "student, of its teacher too), every seed"
        )
    if kind.startswith("augmentation of "):
        model = shown(kind.removeprefix("augmentation of "))
        return f"Augmentation of the {model}, without and with noise, every seed"
    titles = {
        "teacher": f"Teachers, by the student that each makes with `{TUNED_LOSS}`",
        "loss": "[Losses](distillation.md#losses) (ce is training from scratch)",
        "loss by the forest": "Losses, taught by a random forest, which has no embeddings and is asked "
        "about windows of recordings that it was fitted on whole",
        "weights": f"Weights of cross-entropy, soft targets and InfoNCE in `{TUNED_LOSS}`",
        "class weight": "Class weights of the student from scratch, inverse frequency to this power",
        "batch size": "Batch size of the student from scratch, with the same number of rows seen",
        "temperature": f"Temperature of `{TUNED_LOSS}`",
    }
    return titles[kind]
