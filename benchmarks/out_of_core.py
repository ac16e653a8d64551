"""Time and memory from a store on disk to a distilled student, by the number of windows.

    OMP_NUM_THREADS=1 python -m benchmarks.out_of_core [--windows 1000 10000 100000]

Synthetic windows of 5 s at 2 kHz are written to a store, their log-mel bands to a second one, and a student
is distilled from it (one epoch each for teacher and student, without a search for near-duplicates), in a
process that may allocate 4 GB (RLIMIT_DATA, which leaves out the page cache). 100,000 windows take 6 GB of
disk. Writes the table of docs/benchmarks/scaling.md and benchmarks/results/out_of_core.csv: processor time
per window of each stage, its ratio to that of the first size, and the peak of RssAnon above its value at
the start.
"""

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from benchmarks._memory import peak_memory
from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import (
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)
from sklearn_heartkd.datasets import store

LIMIT = 4 * 10**9
OUT = RESULTS / "out_of_core.csv"


class Windows:
    """Windows of noise with a beat, made when they are read; those of one class are louder."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, block):
        rows = np.arange(self.n)[block]
        noise = np.random.default_rng(rows[0]).standard_normal((len(rows), 10000), np.float32)
        beat = np.exp(-np.square(np.arange(10000) % 1600 - 200) / 5000).astype(np.float32)
        return noise * beat * (1 + rows[:, None] % 2).astype(np.float32)


def measure(n):
    """Return a row of the table."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    rows = np.arange(n)
    source = Bunch(data=Windows(n), target=rows % 2, groups=rows // 10, sampling_rate=2000)
    model = DistilledClassifier(
        Conv2DClassifier(width=4, depth=2, max_epochs=1, batch_size=64),
        StudentClassifier(max_epochs=1, batch_size=64),
        random_state=0,
    )
    warm = LogMelSpectrogram().fit_transform(Windows(64)[:])
    model.fit(warm, rows[:64] % 2)  # loads what is imported late
    with peak_memory() as peak, TemporaryDirectory(dir=".") as folder:
        times = [process_time()]
        windows = store(source, f"{folder}/windows")
        times.append(process_time())
        features = store(windows, f"{folder}/features", transformer=LogMelSpectrogram())
        times.append(process_time())
        model.fit(features.data, features.target, groups=features.groups)
        times.append(process_time())
    write, transform, fit = np.diff(times) / n * 1000
    row = {"windows": n, "write_ms": write, "features_ms": transform, "distill_ms": fit}
    return row | {"peak_mb": peak[0] / 1e6}


def tables():
    """Return the table of docs/benchmarks/scaling.md."""
    table = pd.read_csv(OUT)
    rows = [
        {
            "windows": f"{int(row['windows']):,}",
            "writing, ms a window": f"{row['write_ms']:.2f}",
            "features, ms": f"{row['features_ms']:.2f}",
            "training, ms": f"{row['distill_ms']:.2f}",
            "all, relative to the first": f"{row['ratio_to_first']:.2f}",
            "memory, MB": f"{row['peak_mb']:.0f}",
        }
        for _, row in table.iterrows()
    ]
    return {("docs/benchmarks/scaling.md", "out of core"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, nargs="+", default=[1000, 10_000])
    table = []
    for n in parser.parse_args().windows:
        # a process for each size, so that its memory is its own
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            table.append(pool.submit(measure, n).result())
        total = sum(table[-1][stage] for stage in ("write_ms", "features_ms", "distill_ms"))
        table[-1]["total_ms"] = total
        table[-1]["ratio_to_first"] = total / table[0]["total_ms"]
        pd.DataFrame(table).round(3).to_csv(OUT, index=False)
        print(pd.DataFrame(table).round(3).to_string(index=False), flush=True)
    write_tables(tables())


if __name__ == "__main__":
    main()
