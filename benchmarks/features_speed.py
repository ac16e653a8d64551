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


def fastest(methods, X, n_rounds):
    """Return the fewest seconds and the last result of each method."""
    seconds, results = dict.fromkeys(methods, np.inf), {}
    for method in methods.values():
        method(X[:2])
    for _ in range(n_rounds):
        for name, method in methods.items():
            start = time.perf_counter()
            results[name] = method(X)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds, results


def tables():
    """Return the table of docs/benchmarks.md."""
    rows = [
        {
            "method": row.method,
            "recordings per second": f"{row.speed:.0f}",
            "ratio": f"{row.ratio:.2f}",
            "largest difference": ""
            if row.difference != row.difference
            else f"{row.difference:.1e}",
        }
        for row in pd.read_csv(OUT).itertuples()
    ]
    return {("docs/benchmarks.md", "features"): rows_as_markdown(rows)}


def main():
    rng = np.random.default_rng(0)
    loudness = 10.0 ** rng.uniform(-2, 2, size=(500, 1))
    X = (loudness * rng.standard_normal((500, 5 * RATE))).astype(np.float32)
    methods = {"librosa, one after another": librosa_loop}
    for n_jobs in (1, 2):
        mfcc = MFCC(sampling_rate=RATE, normalize=False, n_jobs=n_jobs, **STFT)
        methods[f"`MFCC(n_jobs={n_jobs})`"] = mfcc.transform
        mfcc = MFCC(sampling_rate=RATE, n_jobs=n_jobs, **STFT)
        methods[f"`MFCC(n_jobs={n_jobs})`, standardized"] = mfcc.transform
    seconds, results = fastest(methods, X, 5)
    expected = results["librosa, one after another"]
    rows = []
    for name in methods:
        row = {"method": name, "speed": len(X) / seconds[name]}
        row["ratio"] = seconds["librosa, one after another"] / seconds[name]
        if name.endswith("`"):
            difference = np.abs(results[name] - expected)
            row["difference"] = difference.max()
            if np.any(difference > 1e-3 + 1e-5 * np.abs(expected)):
                raise SystemExit(f"{name} differs from librosa by {difference.max()}")
        rows.append(row)
    pd.DataFrame(rows).to_csv(OUT, index=False, float_format="%.4g")
    write_tables(tables())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
