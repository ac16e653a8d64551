"""Processor time of reading PASCAL, beside a plain loop of soundfile and soxr.

    OMP_NUM_THREADS=1 python -m benchmarks.reading DIR

585 files to 2 kHz. The methods take turns, and the round with the least processor time of each counts.
Writes benchmarks/results/reading.csv.
"""

import sys
from functools import partial
from time import process_time

import numpy as np
import pandas as pd
import soundfile
import soxr

from benchmarks._tables import RESULTS
from sklearn_heartkd.datasets import load_pascal, read_recordings

RATE = 2000
ROUNDS = 3


def plain(files):
    """Read the files, and check nothing."""
    waveforms = []
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        waveforms.append(soxr.resample(samples.mean(axis=1), rate, RATE))
    return waveforms


def main(folder):
    files = list(load_pascal(folder).filenames)
    methods = {
        "plain loop": partial(plain, files),
        "read_recordings": partial(read_recordings, files, RATE),
        "read_recordings, 2 threads": partial(read_recordings, files, RATE, n_jobs=2),
        "load_pascal": partial(load_pascal, folder),
    }
    for own, other in zip(methods["plain loop"](), methods["read_recordings"]()[0], strict=True):
        np.testing.assert_array_equal(own, other)
    seconds = dict.fromkeys(methods, np.inf)
    for _ in range(ROUNDS):
        for name, method in methods.items():
            start = process_time()
            method()
            seconds[name] = min(seconds[name], process_time() - start)
    table = pd.DataFrame({"seconds": seconds}).rename_axis("what").round(2)
    table["ratio"] = (pd.Series(seconds) / seconds["plain loop"]).round(2)
    table.to_csv(RESULTS / "reading.csv")
    print(table.to_string())


if __name__ == "__main__":
    main(sys.argv[1])
