"""The tables and pictures of docs/benchmarks/study.md, from the stored CSV files."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks._tables import IMAGES, RESULTS, interval, mean_and_spread, rows_as_markdown

FOLDER = RESULTS / "study"
PAGE = "docs/benchmarks/study.md"
TEACHERS = ("conv1d", "conv2d", "lstm", "rnn", "ensemble", "forest")
STARTED = ("conv1d", "conv2d", "lstm", "rnn", "student", "student_of_conv2d")


def read(name):
    """Return a stored table of the study."""
    return pd.read_csv(FOLDER / f"{name}.csv")


def best_losses():
    """Return the finalists on the inner splits that were tried with every teacher."""
    rows = read("finals").dropna(subset="sum_teachers")
    return [
        {"loss": f"`{row.choice.split(',')[0]}`{row.choice.partition('infonce')[2]}"}
        | {"Conv2D, three seeds": f"{row.sum:.3f}", "mean of five teachers": f"{row.teachers:.3f}"}
        for row in rows.rename(columns={"sum_teachers": "teachers"}).itertuples()
    ]


def starts():
    """Return the sum of the scores without and with a start from synthetic recordings."""
    table = read("starts").set_index(["kind", "choice"])["sum"]
    found = []
    for name in STARTED:
        sums = table[f"labelled start of {name}"]
        start = sums["2,000 synthetic recordings"]
        found.append(
            {"network": f"`{name}`", "without": f"{sums['none']:.3f}", "with": f"{start:.3f}"}
            | {"difference": f"{start - sums['none']:+.3f}"}
        )
    return found


def teachers():
    """Return the default student of every teacher minus the student from scratch."""
    table = read("differences_ab")
    table = table[table["family"] == "teachers"].set_index(["model", "metric"])
    scores = read("scores_ab").set_index("model")
    found = []
    for name in TEACHERS:
        cells = {"teacher": f"`{name}`"}
        row = scores.loc[name]
        cells["its accuracy"] = mean_and_spread(row["accuracy"], row["accuracy_sd"])
        for metric in ("accuracy", "balanced_accuracy"):
            row = table.loc[(f"student_of_{name}", metric)]
            cells[metric.replace("_", " ")] = interval(row["difference"], row["low"], row["high"])
        found.append(cells)
    return found


def tables():
    """Return the tables of docs/benchmarks/study.md."""
    found = {"losses": best_losses(), "starts": starts(), "teachers": teachers()}
    return {(PAGE, name): rows_as_markdown(rows) for name, rows in found.items()}


def draw():
    """Draw the differences of every loss with their intervals."""
    table = read("differences_ab")
    table = table[table["family"] == "losses"].set_index("metric")
    models = table.loc["accuracy", "model"].tolist()
    figure = Figure(figsize=(9, 1.5 + 0.3 * len(models)), layout="constrained")
    with matplotlib.rc_context({"font.size": 10}):
        axes = figure.subplots(1, 2, sharey=True)
        for ax, metric in zip(axes, ("accuracy", "balanced_accuracy"), strict=True):
            for y, row in enumerate(table.loc[[metric]].itertuples()):
                color = "#2166ac" if row.low > 0 else "#b2182b" if row.high < 0 else "#777777"
                ax.plot([row.low, row.high], [y, y], color=color)
                ax.plot(row.difference, y, "o", color=color)
            ax.axvline(0, color="black", linewidth=0.8)
            ax.grid(axis="x", color="0.9")
            ax.set(xlabel=f"{metric.replace('_', ' ')}, distilled minus scratch")
        names = [model.removeprefix("student_of_conv2d-") for model in models]
        names = ["kd+infonce" if name == "student_of_conv2d" else name for name in names]
        axes[0].set_yticks(range(len(models)), names)
        axes[0].invert_yaxis()
    figure.savefig(IMAGES / "study_losses_ab.png", dpi=110)
