"""Speed of MFCC and of a librosa loop over the recordings, in the same run.

    python -m benchmarks.features_speed

500 recordings of 5 s at 4 kHz, 20 coefficients of 40 mel bands, frames of 256 samples every 64. The
numerical libraries use one thread; `n_jobs` counts the others. The methods take turns, and the fastest
round of each counts. Writes benchmarks/results/features_speed.csv and the table of docs/benchmarks.md.
"""

import time

import librosa
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import MFCC

OUT = RESULTS / "features_speed.csv"
RATE = 4000
STFT = {"n_mfcc": 20, "n_fft": 256, "hop_length": 64, "n_mels": 40, "fmin": 20.0, "fmax": 2000.0}


def librosa_loop(X):
    """Compute the coefficients one recording after another."""
    return np.stack([librosa.feature.mfcc(y=x, sr=RATE, center=False, **STFT) for x in X])


def tables():
    """Return the table of docs/benchmarks.md."""
    table = pd.read_csv(OUT, dtype=str, keep_default_na=False)
    columns = {"speed": "recordings per second", "difference": "largest difference"}
    table = table.rename(columns=columns)
    return {("docs/benchmarks.md", "features"): rows_as_markdown(table)}


def main():
    rng = np.random.default_rng(0)
    loudness = 10.0 ** rng.uniform(-2, 2, size=(500, 1))
    X = (loudness * rng.standard_normal((500, 5 * RATE))).astype(np.float32)
    reference = "librosa, one after another"
    methods = {reference: librosa_loop}
    for n_jobs in (1, 2):
        mfcc = MFCC(sampling_rate=RATE, normalize=False, n_jobs=n_jobs, **STFT)
        methods[f"`MFCC(n_jobs={n_jobs})`"] = mfcc.transform
        mfcc = MFCC(sampling_rate=RATE, n_jobs=n_jobs, **STFT)
        methods[f"`MFCC(n_jobs={n_jobs})`, standardized"] = mfcc.transform
    seconds, results = dict.fromkeys(methods, np.inf), {}
    for _ in range(5):
        for name, method in methods.items():
            start = time.perf_counter()
            results[name] = method(X)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    rows = []
    for name in methods:
        row = {"method": name, "speed": round(len(X) / seconds[name])}
        row["ratio"] = round(seconds[reference] / seconds[name], 2)
        if name.endswith("`"):
            np.testing.assert_allclose(results[name], results[reference], rtol=1e-5, atol=1e-3)
            row["difference"] = f"{np.abs(results[name] - results[reference]).max():.1e}"
        rows.append(row)
    pd.DataFrame(rows).to_csv(OUT, index=False)
    write_tables(tables())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
