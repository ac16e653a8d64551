"""Time of a small search on Dask and on loky, relative to one process.

    OMP_NUM_THREADS=1 python -m benchmarks.scaling_out [--rounds 5]

Processor time of this process and of its workers, which are two and have imported everything before. The
search is one of 8 fits of a student on 300 sequences. Prints the median ratio of each engine and of
its wall-clock time, and writes all measurements to benchmarks/results/scaling_out.csv.
"""

import argparse
from contextlib import nullcontext
from time import perf_counter

import joblib
import numpy as np
import pandas as pd
import psutil
from dask.distributed import Client
from sklearn.model_selection import GridSearchCV

from benchmarks._tables import RESULTS
from sklearn_heartkd import StudentClassifier

OUT = RESULTS / "scaling_out.csv"


def make_data():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.standard_normal((300, 20, 64), dtype=np.float32)
    X[:, 0] += y[:, None]
    return X, y


def processor_time():
    """Return the seconds that this process and its living children have used."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def seconds_of(engine, X, y):
    """Return processor and wall-clock seconds of a search, without the fit of the best model."""
    model = StudentClassifier(max_epochs=5, random_state=0)
    search = GridSearchCV(model, {"width": [8, 12, 16, 20]}, cv=2, refit=False)
    processor, wall = processor_time(), perf_counter()
    with engine():
        search.fit(X, y)
    return processor_time() - processor, perf_counter() - wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    X, y = make_data()
    engines = {
        "serial": nullcontext,
        "loky": lambda: joblib.parallel_config("loky", n_jobs=2),
        "dask": lambda: joblib.parallel_config("dask"),
    }
    rows = []
    with Client(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"):
        for number in range(options.rounds + 1):
            for name, engine in engines.items():
                processor, wall = seconds_of(engine, X, y)
                if number:  # the first round imports
                    rows.append(
                        {"round": number, "engine": name, "cpu_s": processor, "wall_s": wall}
                    )
    table = pd.DataFrame(rows)
    table.round(3).to_csv(OUT, index=False)
    times = table.pivot(index="round", columns="engine")
    for name in engines:
        ratios = [
            (times[kind, name] / times[kind, "serial"]).median() for kind in ("cpu_s", "wall_s")
        ]
        print(
            f"{name}: {ratios[0]:.2f} times the processor time, {ratios[1]:.2f} of the wall-clock time"
        )


if __name__ == "__main__":
    main()
