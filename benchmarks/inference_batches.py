"""Time of predictions by the number of rows in a batch, relative to batches of 256.

    OMP_NUM_THREADS=1 python -m benchmarks.inference_batches

512 random log-mel spectrograms of 5 s at 2 and at 4 kHz, on one thread. The sizes take turns, and the
round with the least processor time of each counts. `predict` is the classifier's own, and `old : new`
the time of batches of 256 divided by its. Rows that the table already holds are skipped. Writes
benchmarks/results/inference_batches.csv.
"""

import argparse
from functools import partial
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from benchmarks._tables import RESULTS
from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    LSTMClassifier,
    RNNClassifier,
    StudentClassifier,
)

OUT = RESULTS / "inference_batches.csv"
NETWORKS = StudentClassifier, Conv2DClassifier, Conv1DClassifier, LSTMClassifier, RNNClassifier
SHAPES = {2000: (32, 155), 4000: (40, 311)}  # bands and frames
SIZES = 32, 64, 128, 256


def predict(module, X, size):
    """Predict in batches of some rows."""
    with torch.inference_mode():
        for start in range(0, len(X), size):
            module(torch.tensor(X[start : start + size]))


def measure(network, rate, n_rows, rounds):
    """Return a row of the table."""
    X = np.random.default_rng(0).standard_normal((n_rows, *SHAPES[rate]), dtype=np.float32)
    model = network(max_epochs=1, random_state=0).fit(X[:20], np.arange(20) % 2)
    methods = {f"{size} rows": partial(predict, model.module_, X, size) for size in SIZES}
    methods["`predict`"] = partial(model.predict, X)
    seconds = dict.fromkeys(methods, np.inf)
    for _ in range(rounds):
        for name, method in methods.items():
            start = process_time()
            method()
            seconds[name] = min(seconds[name], process_time() - start)
    old = seconds["256 rows"]
    row = {"network": network.__name__, "Hz": rate}
    row |= {name: round(value / old, 2) for name, value in seconds.items()}
    return row | {"old : new": round(old / seconds["`predict`"], 2)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    table = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    done = {(row["network"], row["Hz"]) for row in table}
    for network, rate in product(NETWORKS, SHAPES):
        if (network.__name__, rate) not in done:
            table.append(measure(network, rate, options.rows, options.rounds))
            pd.DataFrame(table).to_csv(OUT, index=False)
            print(table[-1], flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
