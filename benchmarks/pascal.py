"""The comparison on the PASCAL recordings: A+B, A, B, and across the two sets.

    python benchmarks/pascal.py --data path/to/heartbeat-sounds [--work DIR] [--seeds 0 1 2]
        [--models conv2d student student_of_conv2d]

Writes the table and the out-of-fold predictions to benchmarks/results/pascal_*/; pictures, and what
is needed to go on after an interruption, stay in --work. Every split is by subject (set B) and by
near-duplicate cluster (set A).
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_heartkd.comparison import (
    N_SYNTHETIC,
    Recipe,
    compare,
    display_name,
    render,
    write_results,
)
from sklearn_heartkd.datasets import load_pascal

RESULTS = Path(__file__).parent / "results"
PARTS = ("ab", "a", "b", "a_to_b", "b_to_a")


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
    wanted = np.flatnonzero(np.isin(data.target, ["normal", "murmur"]))
    data = select(data, wanted)
    is_training = (data.frame["set"].str.lower() == train_on).to_numpy()
    return data, [(np.flatnonzero(is_training), np.flatnonzero(~is_training))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", default="results")
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
            out=Path(options.work) / f"pretrained_{part}",
        )
        folder = RESULTS / f"pascal_{part}"
        folder.mkdir(parents=True, exist_ok=True)
        result.table.to_csv(folder / "table.csv", float_format="%.7g")
        subjects = np.asarray(data.groups)[result.predictions["recording"]]
        predictions = result.predictions.assign(subject=subjects)
        predictions.to_csv(folder / "predictions.csv.gz", index=False, float_format="%.4g")
        write_results(result, data, Path(options.work) / f"pretrained_{part}")
        print(f"\nPASCAL {part}: {len(data.target)} recordings, seeds {options.seeds}")
        print(render(result.table, display_name).to_string(), flush=True)


if __name__ == "__main__":
    main()
