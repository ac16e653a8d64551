"""The share of explanations that falls into murmurs, on synthetic sounds, where these are known.

    OMP_NUM_THREADS=1 python -m benchmarks.explanation_hits_murmurs

Each network learns normal sounds and murmurs. Explained are recordings of other subjects: "whole" ones,
in which murmurs take a third of the time, and "spliced" ones, of which only the middle third is a
recording with a murmur. The share is that of the positive evidence for "murmur"
(`Explanation.share_in`); the ratio is this share over the share of time, averaged over the recordings.
Writes benchmarks/results/explanation_hits_murmurs.csv and the table of docs/benchmarks/explanations.md.
"""

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import (
    Conv1DClassifier,
    Conv2DClassifier,
    LogMelSpectrogram,
    RNNClassifier,
    StudentClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import explain, faithfulness

RATE, SECONDS = 2000, 4.0
OUT = RESULTS / "explanation_hits_murmurs.csv"
NETWORKS = {
    "Conv1D": (Conv1DClassifier, 20),
    "Conv2D": (Conv2DClassifier, 15),
    "student": (StudentClassifier, 30),
    "RNN (GRU)": (RNNClassifier, 20),
}


def make(n, seed):
    return make_heart_sounds(
        n, classes=("normal", "murmur"), n_subjects=n, duration=SECONDS, random_state=seed
    )


def murmurs_of(sounds, row):
    events = sounds.events
    chosen = (events["recording"] == row) & (events["kind"] == "murmur")
    return events.loc[chosen, ["start", "end"]].to_numpy()


def whole(sounds):
    rows = np.flatnonzero(sounds.target == "murmur")
    return sounds.data[rows], [murmurs_of(sounds, row) for row in rows]


def spliced(sounds, fade=0.05):
    """Fade from a normal recording into a murmur for the middle third, and back."""
    murmur = np.flatnonzero(sounds.target == "murmur")
    normal = np.flatnonzero(sounds.target == "normal")
    seconds = np.arange(round(SECONDS * RATE)) / RATE
    start, end = SECONDS / 3, 2 * SECONDS / 3
    share = np.clip(np.minimum(seconds - start, end - seconds) / fade, 0, 1)
    mixed, intervals = [], []
    for a, b in zip(murmur, normal, strict=True):
        one, other = (sounds.data[row] / sounds.data[row].std() for row in (a, b))
        mixed.append(share * one + (1 - share) * other)
        inside = murmurs_of(sounds, a).clip(start, end)
        intervals.append(inside[inside[:, 1] > inside[:, 0]])
    return np.array(mixed, dtype=np.float32), intervals


def hits(model, X, intervals):
    explanation = explain(model, X)
    pairs = [explanation.share_in(i, inside, target="murmur") for i, inside in enumerate(intervals)]
    share, time = np.transpose(pairs)
    faithful = faithfulness(model, X, explanation, target="murmur", n_random=2)
    return {
        "method": explanation.method,
        "found": np.mean(model.predict(X) == "murmur"),
        "share_of_time": time.mean(),
        "share_of_attribution": share.mean(),
        "ratio": (share / time).mean(),
        "largest_possible_ratio": (1 / time).mean(),
        "deletion_gain": faithful.deletion_gain.mean(),
        "insertion_gain": faithful.insertion_gain.mean(),
        "additivity_error": explanation.additivity_error.max(),
    }


def tables():
    """Return the table of docs/benchmarks/explanations.md."""
    rows = [
        {
            "model": f"{row.model} ({row.method})",
            "recordings": row.recordings,
            "share of time": f"{row.share_of_time:.2f}",
            "share of the evidence": f"{row.share_of_attribution:.2f}",
            "ratio": f"{row.ratio:.1f}",
            "largest possible ratio": f"{row.largest_possible_ratio:.1f}",
        }
        for row in pd.read_csv(OUT).itertuples()
    ]
    return {("docs/benchmarks/explanations.md", "evidence in murmurs"): rows_as_markdown(rows)}


def main():
    training, test = make(120, 0), make(32, 1)
    rows = []
    for name, (kind, epochs) in NETWORKS.items():
        network = kind(max_epochs=epochs, random_state=0)
        model = make_pipeline(LogMelSpectrogram(), network).fit(training.data, training.target)
        accuracy = model.score(test.data, test.target)
        for recordings, (X, intervals) in {"whole": whole(test), "spliced": spliced(test)}.items():
            row = {"model": name, "recordings": recordings, "accuracy": accuracy}
            rows.append({**row, **hits(model, X, intervals)})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(OUT, index=False, float_format="%.3g")
    write_tables(tables())


if __name__ == "__main__":
    main()
