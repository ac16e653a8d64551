"""Time of an epoch of distillation, relative to an epoch of the same student from scratch.

    OMP_NUM_THREADS=1 python -m benchmarks.epoch_time [--rounds 7]

Processor time on one thread, log-mel features of 600 windows of 5 s, a Conv2D teacher that is already
fitted. Each measurement stands between two fits from scratch. Rows that benchmarks/results/epoch_time.csv
already holds are skipped. Writes that file and the table of docs/benchmarks/speed.md.
"""

import argparse
from itertools import product
from time import process_time

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import (
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)

OUT = RESULTS / "epoch_time.csv"
DEFAULT = DistilledClassifier(StudentClassifier()).losses
SINGLE = ("kd", "infonce", "crd", "supcon", "rkd", "sp", "pkt", "hint", "at", "dkd", "dist", "ssd")
TEACHER = ("cached", "augmented")
N_WINDOWS, N_CLASSES, N_SUBJECTS = 600, 5, 150
EPOCHS = 2


class Clock(Callback):
    """Keep the seconds of each epoch in `seconds_`."""

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.start_ = process_time()

    def on_epoch_end(self, net, **kwargs):
        self.seconds_.append(process_time() - self.start_)


def make_student():
    return StudentClassifier(max_epochs=EPOCHS, callbacks=[Clock()], random_state=0)


def seconds_of(model, X, y, groups):
    """Return the median seconds of an epoch of the student in `model`."""
    model.fit(X, y, groups=groups)
    student = getattr(model, "student_", model)
    return np.median(student.callbacks[0].seconds_)


def measure(rounds, done):
    """Yield the rows of each choice of losses, between two fits from scratch, that are not done."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((N_WINDOWS, 10000), dtype=np.float32)
    X = LogMelSpectrogram().fit_transform(noise)
    y, groups = rng.integers(N_CLASSES, size=N_WINDOWS), rng.integers(N_SUBJECTS, size=N_WINDOWS)
    teacher = FrozenEstimator(Conv2DClassifier(max_epochs=1, random_state=0).fit(X, y))
    for number, losses in product(range(rounds), (DEFAULT, *SINGLE)):
        if (number, losses) in done:
            continue
        models = [make_student()]
        for outputs in TEACHER:
            options = {"losses": losses, "teacher_outputs": outputs, "random_state": 0}
            models.append(DistilledClassifier(teacher, make_student(), **options))
        models.append(make_student())
        first, *distilled, last = (seconds_of(model, X, y, groups) for model in models)
        scratch = (first + last) / 2
        for outputs, seconds in zip(TEACHER, distilled, strict=True):
            row = {"round": number, "losses": losses, "teacher": outputs}
            row["scratch_ms"] = round(1000 * scratch, 1)
            yield row | {"ratio": round(seconds / scratch, 3)}


def tables():
    """Return the table of docs/benchmarks/speed.md: median ratios and their quartiles."""
    rows = []
    for losses, part in pd.read_csv(OUT).groupby("losses", sort=False):
        row = {"losses": f"{losses} (default)" if losses == DEFAULT else losses}
        for outputs in TEACHER:
            ratio = part.loc[part["teacher"] == outputs, "ratio"].quantile([0.25, 0.5, 0.75])
            text = f"{ratio[0.5]:.2f} ({ratio[0.25]:.2f} to {ratio[0.75]:.2f})"
            row[f"teacher {outputs}"] = text
        rows.append(row)
    return {("docs/benchmarks/speed.md", "epoch time"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = pd.read_csv(OUT).to_dict("records") if OUT.exists() else []
    done = {(row["round"], row["losses"]) for row in rows}
    for row in measure(options.rounds, done):
        rows.append(row)
        pd.DataFrame(rows).to_csv(OUT, index=False)
    write_tables(tables())


if __name__ == "__main__":
    main()
