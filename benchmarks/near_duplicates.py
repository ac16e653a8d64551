"""Recall, precision, time and memory of the near-duplicate search on planted copies.

    OMP_NUM_THREADS=1 python -m benchmarks.near_duplicates

Synthetic recordings of 5 s, ten of each subject; a tenth of the recordings are copies of others,
each changed in one way. Every number of recordings runs in a separate process, and numbers that the
table already holds are skipped. Writes benchmarks/results/near_duplicates.csv and the table of
docs/benchmarks/speed.md.
"""

import multiprocessing
import resource
import time

import numpy as np
import pandas as pd
import soxr

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.model_selection import near_duplicate_groups

RATE = 2000
SECONDS = 5.0
OUT = RESULTS / "near_duplicates.csv"


def noisy(x, rng):
    noise = rng.normal(size=len(x))
    return x + 0.1 * np.sqrt(np.mean(x**2) / np.mean(noise**2)) * noise


CHANGES = {
    "gain": lambda x, rng: x * 10 ** rng.uniform(-2, 1),
    "offset": lambda x, rng: x + rng.uniform(-1, 1),
    "polarity": lambda x, rng: -x,
    "noise at 20 dB": noisy,
    "resampling": lambda x, rng: soxr.resample(soxr.resample(x, RATE, 11025), 11025, RATE),
    "cut of 4 s": lambda x, rng: x[(start := rng.integers(RATE)) : start + 4 * RATE],
    "all of them": lambda x, rng: (
        0.3 - noisy(0.2 * soxr.resample(soxr.resample(x, RATE, 4410), 4410, RATE)[RATE:], rng)
    ),
}


def planted(n_recordings, seed=0):
    """Return recordings, and the kind of change by the pair (original, copy)."""
    rng = np.random.default_rng(seed)
    n_copies = n_recordings // 10
    n_originals = n_recordings - n_copies
    sounds = make_heart_sounds(
        n_originals, n_subjects=max(n_originals // 10, 10), duration=SECONDS, random_state=seed
    )
    recordings = list(sounds.data)
    truth = {}
    kinds = list(CHANGES)
    for k, original in enumerate(rng.choice(n_originals, n_copies, replace=False)):
        kind = kinds[k % len(kinds)]
        truth[int(original), len(recordings)] = kind
        recordings.append(CHANGES[kind](recordings[original], rng).astype(np.float32))
    return recordings, truth


def measure(n_recordings):
    recordings, truth = planted(n_recordings)
    row = {"recordings": n_recordings}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    _, pairs = near_duplicate_groups(recordings, RATE, return_pairs=True)
    row["seconds"] = round(time.perf_counter() - start, 1)
    row["cpu_seconds"] = round(time.process_time() - cpu, 1)
    row["recordings_mb"] = round(sum(x.nbytes for x in recordings) / 1e6)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row["added_peak_mb"] = round((after - before) * 1024 / 1e6)
    found = set(zip(pairs["first"], pairs["second"], strict=True))
    row |= {"planted": len(truth), "found": len(found)}
    row["recall"] = round(len(found & truth.keys()) / len(truth), 4)
    row["precision"] = round(len(found & truth.keys()) / max(len(found), 1), 4)
    for kind in CHANGES:
        of_kind = {pair for pair, which in truth.items() if which == kind}
        row[f"recall: {kind}"] = round(len(found & of_kind) / len(of_kind), 4)
    return row


def tables():
    """Return the table of docs/benchmarks/speed.md."""
    columns = ["recordings", "seconds", "cpu_seconds", "added_peak_mb", "recall", "precision"]
    table = pd.read_csv(OUT)[columns].rename(
        columns={"cpu_seconds": "CPU seconds", "added_peak_mb": "added memory, MB"}
    )
    rows = table.map(lambda value: f"{value:,}" if value == value // 1 > 99 else f"{value:g}")
    return {("docs/benchmarks/speed.md", "near-duplicates"): rows_as_markdown(rows)}


def main():
    table = pd.read_csv(OUT) if OUT.exists() else pd.DataFrame({"recordings": []})
    context = multiprocessing.get_context("spawn")  # a separate peak memory for each
    for size in (200, 2000, 20_000):
        if size not in table["recordings"].to_numpy():
            with context.Pool(1) as pool:
                row = pool.apply(measure, [size])
            table = pd.DataFrame([*table.to_dict("records"), row])
            table.to_csv(OUT, index=False)
    write_tables(tables())


if __name__ == "__main__":
    main()
