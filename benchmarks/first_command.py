"""What `heartkd compare` shows without recordings: few labels, and the student that uses the others.

    python -m benchmarks.first_command [--seeds 0 1 2] [--work DIR]

Writes benchmarks/results/first_command.csv (balanced accuracy of each model for each seed of the
recordings, and over the seeds together) and the table of docs/benchmarks/few-labels.md. The setting was
tuned on the seeds 100 to 104; the seeds 0 to 2 are reported. A stopped run continues from --work.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._tables import RESULTS, markdown, write_tables
from sklearn_heartkd.comparison import FEW, Recipe, compare, display_name, few_labels, score_models

CSV = RESULTS / "first_command.csv"
PAGE = "docs/benchmarks/few-labels.md"
COLUMNS = ["value", "low", "high", "difference", "difference_low", "difference_high"]


def scored(predictions, groups, name):
    """Return the balanced accuracies of the models without refinement."""
    plain = predictions[predictions["model"].isin(FEW)]
    scores = score_models(plain, groups)
    own = scores[scores["metric"] == "balanced_accuracy"].set_index("model")[COLUMNS]
    return own.assign(seeds=name).set_index("seeds", append=True)


def measure(seeds, work):
    """Return the scores of each seed, and of all seeds together."""
    parts, predictions, groups = [], [], []
    for seed in seeds:
        data = few_labels(seed)
        result = compare(
            data,
            splits=data.splits,
            unlabeled=data.unlabeled,
            models=FEW,
            recipe=Recipe.default(synthetic=True),
            out=work / f"seed{seed}",
            verbose=True,
        )
        parts.append(scored(result.predictions, data.groups, str(seed)))
        print(parts[-1].round(3).to_string(), flush=True)
        # the recordings of other seeds are of other subjects
        shifted = result.predictions["recording"] + sum(map(len, groups))
        predictions.append(result.predictions.assign(recording=shifted))
        groups.append(np.array([f"{seed} {group}" for group in data.groups]))
    name = f"{seeds[0]} to {seeds[-1]}"
    parts.append(scored(pd.concat(predictions), np.concatenate(groups), name))
    return pd.concat(parts)


def tables():
    """Return the table of docs/benchmarks/few-labels.md, which is none before the first run."""
    if not CSV.exists():
        return {}
    stored = pd.read_csv(CSV, dtype={"seeds": str}).set_index(["model", "seeds"])

    def cells(row, names):
        value, low, high = row[names]
        return f"{value:.3f} ({low:.3f} to {high:.3f})".replace("-", "−")

    shown = {}
    for seeds in dict.fromkeys(stored.index.get_level_values("seeds")):
        if " to " in seeds:
            own = stored.xs(seeds, level="seeds")
            shown[f"seeds {seeds}"] = own.apply(cells, axis=1, names=COLUMNS[:3])
            gain = own.apply(cells, axis=1, names=COLUMNS[3:])
            shown[f"minus the student from scratch, seeds {seeds}"] = gain
    table = pd.DataFrame(shown).loc[[model for model in FEW if model in stored.index]]
    return {
        (PAGE, "first command"): markdown(table.rename(index=display_name).rename_axis("model"))
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default="first_command")
    options = parser.parse_args()
    new = measure(options.seeds, options.work).reset_index()
    if CSV.exists():
        old = pd.read_csv(CSV, dtype={"seeds": str})
        new = pd.concat([new, old[~old["seeds"].isin(new["seeds"])]])
    new.to_csv(CSV, index=False, float_format="%.5g")
    write_tables(tables())


if __name__ == "__main__":
    main()
