"""Speed and memory of MFCC beside a librosa loop over the recordings, in the same run.

    python benchmarks/features_speed.py

500 recordings of 5 s at 4 kHz, 20 coefficients of 40 mel bands, frames of 256 samples every 64.
The arithmetic libraries are kept to one thread; the threads counted are those of `n_jobs`. Each
method runs in turn, round after round, and its fastest round counts.
"""

import argparse
import time
import tracemalloc

import librosa
import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_heartkd import MFCC

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


def working_memory(X, n_jobs):
    """Return the peak memory of `transform` beyond its input and output, in bytes."""
    mfcc = MFCC(sampling_rate=RATE, normalize=False, n_jobs=n_jobs, **STFT)
    mfcc.transform(X[:2])
    tracemalloc.start()
    features = mfcc.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - features.nbytes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    loudness = 10.0 ** rng.uniform(-2, 2, size=(arguments.recordings, 1))
    X = (loudness * rng.standard_normal((arguments.recordings, 5 * RATE))).astype(np.float32)

    methods = {"librosa, one after another": librosa_loop}
    for n_jobs in (1, 2):
        mfcc = MFCC(sampling_rate=RATE, normalize=False, n_jobs=n_jobs, **STFT)
        methods[f"MFCC(n_jobs={n_jobs})"] = mfcc.transform
        mfcc = MFCC(sampling_rate=RATE, n_jobs=n_jobs, **STFT)
        methods[f"MFCC(n_jobs={n_jobs}), standardised"] = mfcc.transform
    seconds, results = fastest(methods, X, arguments.rounds)

    reference, expected = next(iter(methods)), results["librosa, one after another"]
    print(f"{'method':<32}{'recordings/s':>14}{'ratio':>8}  largest difference from librosa")
    for name in methods:
        difference = np.abs(results[name] - expected)
        agreement = "" if "standardised" in name else f"{difference.max():.1e}"
        if agreement and np.any(difference > 1e-3 + 1e-5 * np.abs(expected)):
            raise SystemExit(f"{name} differs from librosa by {agreement}")
        speed, ratio = len(X) / seconds[name], seconds[reference] / seconds[name]
        print(f"{name:<32}{speed:>14.0f}{ratio:>8.2f}  {agreement}")
    for n_jobs in (1, 2):
        few, many = working_memory(X[: len(X) // 10], n_jobs), working_memory(X, n_jobs)
        print(
            f"memory beyond input and output, n_jobs={n_jobs}: {few / 2**20:.1f} MiB for "
            f"{len(X) // 10} recordings, {many / 2**20:.1f} MiB for {len(X)}"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
