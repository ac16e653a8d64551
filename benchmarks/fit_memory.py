"""Memory that `fit` takes beside X, as a share of X.

    OMP_NUM_THREADS=1 python -m benchmarks.fit_memory [--megabytes 1000]

The peak of RssAnon above its value before `fit`, divided by X.nbytes, for float32 X in memory and
memory-mapped, one epoch, batches of 64. Writes benchmarks/results/fit_memory.csv.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks._memory import peak_memory
from benchmarks._tables import RESULTS
from sklearn_heartkd import Conv2DClassifier, DistilledClassifier, StudentClassifier

SHAPE = 32, 155  # of a row: the log-mel bands of 5 s


def measure(name, mapped, n):
    """Return the peak as a share of X."""
    student = StudentClassifier(max_epochs=1, batch_size=64, random_state=0)
    model = student
    if name == "distilled":
        teacher = Conv2DClassifier(max_epochs=1, batch_size=64)
        model = DistilledClassifier(teacher, student, random_state=0)
    y = np.arange(n) % 2
    some = np.random.default_rng(0).standard_normal((80, *SHAPE), dtype=np.float32)
    model.fit(some, y[:80])  # loads what is imported late
    with TemporaryDirectory(dir=".") as folder:
        file = Path(folder, "X.npy")
        X = np.lib.format.open_memmap(file, "w+", np.float32, (n, *SHAPE))
        for start in range(0, n, 80):
            X[start : start + 80] = some[: n - start]
        X.flush()
        X = np.load(file, mmap_mode="r" if mapped else None)
        with peak_memory() as peak:
            model.fit(X, y)
    return peak[0] / X.nbytes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    n = parser.parse_args().megabytes * 10**6 // (4 * SHAPE[0] * SHAPE[1])
    table = []
    for name in ("student", "distilled"):
        for mapped in (False, True):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                share = pool.submit(measure, name, mapped, n).result()
            X = "mapped" if mapped else "in memory"
            table.append({"model": name, "X": X, "share": round(share, 3)})
            print(pd.DataFrame(table).to_string(index=False), flush=True)
    pd.DataFrame(table).to_csv(RESULTS / "fit_memory.csv", index=False)


if __name__ == "__main__":
    main()
