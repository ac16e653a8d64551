"""The comparison on the PASCAL recordings: A+B, A, B, and from one set to the other.

    python -m benchmarks.pascal --data path/to/heartbeat-sounds [--work DIR] [--seeds 0 1 2]
        [--parts ab] [--models conv2d student student_of_conv2d]

Writes the table and the out-of-fold predictions to benchmarks/results/pascal_*/, the tables of
docs/benchmarks/pascal.md, and the pictures of README.md and of that page. Fits stay in --work, where a
stopped run continues. Every split is by subject (set B) and by near-duplicate cluster (set A).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from benchmarks._tables import IMAGES, RESULTS, interval, markdown, write_tables
from sklearn_heartkd.comparison import (
    N_SYNTHETIC,
    Recipe,
    compare,
    confusion_figure,
    display_name,
    quality_against_size_figure,
    render,
)
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.metrics import compare_models

PARTS = ("ab", "a", "b", "a_to_b", "b_to_a")
PAGE = "docs/benchmarks/pascal.md"
SHORT = ("svm", "forest", "rnn", "conv2d", "student", "student_pretrained", "student_of_conv2d")
BASELINES = ("student", "student_pretrained")


def select(data, rows):
    """Return the part of a Bunch with some rows."""
    part = Bunch(**data)
    part["data"] = [data.data[i] for i in rows]
    for key in ("target", "groups", "filenames"):
        part[key] = np.asarray(data[key])[rows]
    part["frame"] = data.frame.iloc[rows].reset_index(drop=True)
    return part


def normal_against_murmur(path, train_on):
    """Return normal and murmur of both sets, and one split that trains on one set only."""
    data = load_pascal(path, subset="ab")
    data = select(data, np.flatnonzero(np.isin(data.target, ["normal", "murmur"])))
    is_training = (data.frame["set"].str.lower() == train_on).to_numpy()
    return data, [(np.flatnonzero(is_training), np.flatnonzero(~is_training))]


def read_table(part):
    """Return the stored table of one part."""
    return pd.read_csv(RESULTS / f"pascal_{part}" / "table.csv", index_col="model")


def read_predictions(part):
    """Return the stored out-of-fold predictions of one part."""
    return pd.read_csv(RESULTS / f"pascal_{part}" / "predictions.csv.gz")


def differences(predictions, baseline):
    """Return the differences of the networks to a student without a teacher, as text."""
    wanted = predictions[~predictions["model"].str.contains("dummy|svm|rhythm|forest|kmeans|mixed")]
    if baseline == "student_pretrained":
        wanted = wanted[wanted["model"].str.contains("^student_")]
    metrics = ("accuracy", "balanced_accuracy")
    compared = compare_models(wanted, "subject", baseline=baseline, metrics=metrics, random_state=0)
    rows = compared[compared["model"] != baseline].set_index("model")
    cells = [
        interval(row.difference, row.difference_low, row.difference_high)
        for row in rows.itertuples()
    ]
    shown = rows.assign(text=cells, metric=rows["metric"].str.replace("_", " ")).reset_index()
    shown = shown.pivot_table("text", "model", "metric", aggfunc="first", sort=False)
    return shown.rename(index=display_name).rename_axis(index="model", columns=None)


def within_sets(predictions):
    """Return the scores of the models of A+B on all recordings, on those of A and on those of B."""
    rows = {}
    for model in SHORT:
        own = predictions[predictions["model"] == model]
        row = rows[display_name(model)] = {}
        for name, prefix in (("A+B", ("a-", "b-")), ("within A", "a-"), ("within B", "b-")):
            part = own[own["subject"].str.startswith(prefix)]
            hits = (part["y_true"] == part["y_pred"]).groupby([part["seed"], part["y_true"]])
            row[f"{name}, accuracy"] = f"{np.mean(part['y_true'] == part['y_pred']):.3f}"
            row[f"{name}, balanced accuracy"] = f"{hits.mean().mean():.3f}"
    return pd.DataFrame(rows).T.rename_axis("model")


def tables():
    """Return the tables of docs/benchmarks/pascal.md."""
    found = {}
    for part in PARTS:
        found[PAGE, f"table {part}"] = markdown(render(read_table(part), display_name))
    found[PAGE, "within the sets"] = markdown(within_sets(read_predictions("ab")))
    for baseline in BASELINES:
        table = differences(read_predictions("ab"), baseline)
        found[PAGE, f"differences to {baseline}"] = markdown(table)
    return found


def draw():
    """Draw the pictures of README.md and docs/benchmarks/pascal.md."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure = quality_against_size_figure(read_table("ab"))
    figure.savefig(IMAGES / "quality_against_size.png", dpi=110)
    for model in ("conv2d", "student_of_conv2d"):
        figure = confusion_figure(read_predictions("ab"), model)
        figure.savefig(IMAGES / f"confusion_{model}.png", dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", type=Path, default="results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--models", nargs="+", help="a selection; all by default")
    options = parser.parse_args()
    for part in options.parts:
        splits = None
        if part in ("a_to_b", "b_to_a"):
            data, splits = normal_against_murmur(options.data, train_on=part[0])
        else:
            data = load_pascal(options.data, subset=part)
        result = compare(
            data,
            seeds=options.seeds,
            splits=splits,
            models=options.models,
            recipe=Recipe(sampling_rate=data.sampling_rate, n_synthetic=N_SYNTHETIC),
            out=options.work / f"pretrained_{part}",
        )
        folder = RESULTS / f"pascal_{part}"
        folder.mkdir(parents=True, exist_ok=True)
        result.table.to_csv(folder / "table.csv", float_format="%.7g")
        subjects = np.asarray(data.groups)[result.predictions["recording"]]
        predictions = result.predictions.assign(subject=subjects)
        predictions.to_csv(folder / "predictions.csv.gz", index=False, float_format="%.4g")
        print(f"\nPASCAL {part}: {len(data.target)} recordings, seeds {options.seeds}")
        print(render(result.table, display_name).to_string(), flush=True)
    write_tables(tables())
    draw()


if __name__ == "__main__":
    main()
