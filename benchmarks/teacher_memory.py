"""Time of a grid search over the student's parameters, with and without `memory` for the teacher.

    OMP_NUM_THREADS=1 python -m benchmarks.teacher_memory

Twelve points, three folds by subject, 90 synthetic recordings, a Conv2D teacher with three times the
student's epochs. Writes benchmarks/results/teacher_memory.csv: both times, their ratio, and whether the
log losses are identical to the last digit.
"""

from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from benchmarks._tables import RESULTS
from sklearn_heartkd import (
    Conv2DClassifier,
    DistilledClassifier,
    LogMelSpectrogram,
    StudentClassifier,
)
from sklearn_heartkd.datasets import make_heart_sounds

GRID = {"student__temperature": [1, 2, 4], "student__student__width": [2, 4, 6, 8]}


def search(sounds, memory):
    """Return the scores of all points and folds, and the seconds they took."""
    student = DistilledClassifier(
        Conv2DClassifier(max_epochs=9),
        StudentClassifier(max_epochs=3),
        teacher_outputs="cached",
        memory=memory,
        random_state=0,
    )
    grid = GridSearchCV(
        Pipeline([("features", LogMelSpectrogram()), ("student", student)]),
        GRID,
        cv=StratifiedGroupKFold(3),
        scoring="neg_log_loss",
        refit=False,
    )
    start = perf_counter()
    grid.fit(sounds.data, sounds.target, groups=sounds.groups, student__groups=sounds.groups)
    seconds = perf_counter() - start
    return np.stack([grid.cv_results_[f"split{fold}_test_score"] for fold in range(3)]), seconds


def main():
    sounds = make_heart_sounds(90, n_subjects=30, random_state=0)
    without, slow = search(sounds, None)
    with TemporaryDirectory() as folder:
        remembered, fast = search(sounds, folder)
    row = {
        "points": 12,
        "folds": 3,
        "seconds_without": round(slow, 1),
        "seconds_with": round(fast, 1),
        "ratio": round(slow / fast, 2),
        "identical_scores": bool(np.array_equal(without, remembered)),
    }
    pd.DataFrame([row]).to_csv(RESULTS / "teacher_memory.csv", index=False)


if __name__ == "__main__":
    main()
