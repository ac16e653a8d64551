"""Processor time of the features of a recording, beside a librosa loop and beside the spectrum.

    OMP_NUM_THREADS=1 python -m benchmarks.features_speed

100 synthetic recordings of 5 s, at 4 kHz (20 coefficients of 40 mel bands, frames of
256 samples every 64) and at 2 kHz (the defaults), on one thread. The methods take turns, and the round
with the least processor time of each counts. `ratio` is librosa's time divided by the method's;
`: spectrum` is the method's time divided by that of the standardized MFCC. The memory is the peak of
what Python and NumPy allocate, less the features. Writes benchmarks/results/features_speed.csv and the
table of docs/benchmarks/speed.md.
"""

import time
import tracemalloc

import librosa
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import MFCC, Autocorrelogram, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds

OUT = RESULTS / "features_speed.csv"
STFTS = {
    4000: {
        "n_mfcc": 20,
        "n_fft": 256,
        "hop_length": 64,
        "n_mels": 40,
        "fmin": 20.0,
        "fmax": 2000.0,
    },
    2000: {"n_mfcc": 20, "n_fft": 128, "hop_length": 64, "n_mels": 32, "fmin": 20.0, "fmax": 800.0},
}
ROUNDS = 20
LIBROSA, SPECTRUM = "librosa, one after another", "`MFCC()`"


def methods_at(rate):
    """Return the methods to compare, by name."""

    def librosa_loop(X):
        options = {"sr": rate, "center": False, **STFTS[rate]}
        return np.stack([librosa.feature.mfcc(y=x, **options) for x in X])

    parameters = {"sampling_rate": rate, **STFTS[rate]}
    bands = {name: value for name, value in parameters.items() if name != "n_mfcc"}
    return {
        LIBROSA: librosa_loop,
        "`MFCC(normalize=False)`": MFCC(normalize=False, **parameters).transform,
        SPECTRUM: MFCC(**parameters).transform,
        '`MFCC(output="summary")`': MFCC(output="summary", **parameters).transform,
        "`MFCC(cmvn=True)`": MFCC(cmvn=True, **parameters).transform,
        "`Autocorrelogram()`": Autocorrelogram(**bands).transform,
        "`RhythmFeatures()`": RhythmFeatures(sampling_rate=rate).transform,
    }


def memory(method, X):
    """Return the peak of the allocated bytes, less those of the result."""
    tracemalloc.start()
    try:
        features = method(X)
        return tracemalloc.get_traced_memory()[1] - features.nbytes
    finally:
        tracemalloc.stop()


def compare(rate):
    """Return a row for each method."""
    X = make_heart_sounds(100, duration=5.0, sampling_rate=rate, random_state=0).data
    methods = methods_at(rate)
    results = {name: method(X) for name, method in methods.items()}
    plain = "`MFCC(normalize=False)`"
    np.testing.assert_allclose(results[plain], results[LIBROSA], rtol=1e-5, atol=1e-3)
    seconds = dict.fromkeys(methods, np.inf)
    for _ in range(ROUNDS):
        for name, method in methods.items():
            start = time.process_time()
            method(X)
            seconds[name] = min(seconds[name], (time.process_time() - start) / len(X))
    rows = []
    for name, method in methods.items():
        row = {"rate": rate, "method": name, "microseconds": round(1e6 * seconds[name])}
        row["ratio"] = round(seconds[LIBROSA] / seconds[name], 2)
        row["spectra"] = round(seconds[name] / seconds[SPECTRUM], 2)
        row["memory"] = round(memory(method, X) / 2**20, 1)
        if name == plain:
            row["difference"] = f"{np.abs(results[name] - results[LIBROSA]).max():.1e}"
        rows.append(row)
    return rows


def tables():
    """Return the table of docs/benchmarks/speed.md."""
    table = pd.read_csv(OUT, dtype=str, keep_default_na=False)
    columns = {
        "rate": "Hz",
        "microseconds": "microseconds a recording",
        "spectra": ": spectrum",
        "memory": "memory, MiB",
        "difference": "largest difference",
    }
    return {
        ("docs/benchmarks/speed.md", "features"): rows_as_markdown(table.rename(columns=columns))
    }


def main():
    rows = [row for rate in STFTS for row in compare(rate)]
    pd.DataFrame(rows).to_csv(OUT, index=False)
    print(pd.DataFrame(rows).to_string())
    write_tables(tables())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
