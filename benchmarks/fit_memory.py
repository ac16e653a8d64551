"""Memory that `fit` takes beside X, as a share of X.

    OMP_NUM_THREADS=1 python -m benchmarks.fit_memory

The peak of RssAnon above its value before `fit`, divided by X.nbytes, for float32 X in memory and
memory-mapped, one epoch, batches of 64; "distilled" has a Conv2D teacher. Rows that the table already
holds are skipped. Writes benchmarks/results/fit_memory.csv.
"""

from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks._memory import peak_memory
from benchmarks._tables import RESULTS
from sklearn_heartkd import Conv2DClassifier, DistilledClassifier, StudentClassifier

OUT = RESULTS / "fit_memory.csv"
SHAPE = 32, 155  # of a row: the log-mel bands of 5 s
MEGABYTES = {"student": 1000, "distilled": 300}  # of X


def measure(name, mapped):
    """Return the peak as a share of X."""
    n = MEGABYTES[name] * 10**6 // (4 * SHAPE[0] * SHAPE[1])
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
    table = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    done = {(row["model"], row["X"]) for row in table}
    for name, X in product(MEGABYTES, ("in memory", "mapped")):
        if (name, X) not in done:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                share = pool.submit(measure, name, X == "mapped").result()
            megabytes = MEGABYTES[name]
            table.append({"model": name, "X": X, "MB": megabytes, "share": round(share, 3)})
            pd.DataFrame(table).to_csv(OUT, index=False)
            print(table[-1], flush=True)


if __name__ == "__main__":
    main()
