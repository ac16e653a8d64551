"""Write the tables of benchmarks/results/pascal_* into README.md and docs/comparison.md.

python benchmarks/readme_table.py
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_heartkd.comparison import display_name, render

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results"
TITLES = {
    "ab": "A+B, five classes",
    "a": "Set A alone, four classes",
    "b": "Set B alone, three classes",
    "a_to_b": "Normal against murmur: trained on set A, tested on set B",
    "b_to_a": "Normal against murmur: trained on set B, tested on set A",
}
FOR_README = (
    "svm", "forest", "conv1d", "conv2d", "lstm", "rnn", "ensemble", "student",
    "student_of_conv1d", "student_of_conv2d", "student_of_lstm", "student_of_rnn", "student_of_ensemble",
)  # fmt: skip


def markdown(table):
    """Return a data frame of strings as a markdown table, its index first."""
    lines = ["| | " + " | ".join(table.columns) + " |", "|---" * (table.shape[1] + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(row) + " |"
        for name, row in zip(table.index, table.values, strict=True)
    ]
    return "\n".join(lines)


def protocol(part):
    """Return the protocol of one comparison in words, counted from its predictions."""
    predictions = pd.read_csv(RESULTS / f"pascal_{part}" / "predictions.csv")
    seeds = sorted(predictions["seed"].unique())
    count = predictions["recording"].nunique()
    folds = predictions["fold"].nunique()
    how = (
        f"{folds} folds by subject (set B) and near-duplicate cluster (set A)"
        if folds > 1
        else "one split, from set to set"
    )
    majority = predictions.drop_duplicates("recording")["y_true"].value_counts(normalize=True)
    runs = ", ".join(map(str, seeds))
    spread = "± standard deviation over folds and seeds; " if folds * len(seeds) > 1 else ""
    return (
        f"{count} recordings, {how}, seed{'s' * (len(seeds) > 1)} {runs}; scores of all "
        f"out-of-fold predictions of a seed, averaged over seeds; {spread}always answering "
        f"*{majority.index[0]}* has an accuracy of {majority.iloc[0]:.3f}. Milliseconds: one recording of "
        "5 s, from waveform to probabilities, in Python on one thread."
    )


def main():
    tables = {
        part: pd.read_csv(RESULTS / f"pascal_{part}" / "table.csv", index_col="model")
        for part in TITLES
        if (RESULTS / f"pascal_{part}" / "table.csv").exists()
    }
    short = tables["ab"].loc[[model for model in FOR_README if model in tables["ab"].index]]
    block = (
        "<!-- results -->\n"
        f"On the PASCAL recordings, sets A+B, five classes ({protocol('ab')}):\n\n"
        f"{markdown(render(short, display_name))}\n\n"
        "With k-means refinement, and for set A, set B and from one set to the other: "
        "[docs/comparison.md](docs/comparison.md). "
        "The command: `python benchmarks/pascal.py --data path/to/heartbeat-sounds`.\n\n"
        "![Quality against size](docs/images/quality_against_size.png)\n"
        "<!-- end of results -->"
    )
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    pattern = r"<!-- results -->.*<!-- end of results -->"
    readme.write_text(re.sub(pattern, lambda _: block, text, flags=re.DOTALL), encoding="utf-8")

    page = [
        "# The comparison on PASCAL\n",
        "All of it by one command, `python benchmarks/pascal.py --data path/to/heartbeat-sounds`, which "
        "goes on where it was interrupted; `python benchmarks/readme_table.py` writes this page. "
        "Out-of-fold predictions and confusion matrices are in `benchmarks/results/`.\n",
    ]
    for part, table in tables.items():
        page += [
            f"## {TITLES[part]}\n",
            f"{protocol(part)}\n",
            markdown(render(table, display_name)),
        ]
        refined = table[table.index.str.endswith("+kmeans")]
        plain = table.loc[refined.index.str.removesuffix("+kmeans")]
        change = refined["accuracy"].to_numpy() - plain["accuracy"].to_numpy()
        page += [
            f"\nk-means refinement changes accuracy by {change.min():+.3f} to {change.max():+.3f}, "
            f"{np.mean(change):+.3f} on average over the {len(change)} models.\n"
        ]
    (ROOT / "docs" / "comparison.md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
