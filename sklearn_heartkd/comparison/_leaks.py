"""The search for test recordings that a model has already seen in training."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_heartkd.model_selection import check_dataset, near_duplicate_groups


class Leaks(NamedTuple):
    """The result of `find_leaks`."""

    shared_subjects: list  # with recordings in several test parts, so in training and test
    shared_pairs: pd.DataFrame  # near-duplicates in different test parts
    n_pairs: int  # near-duplicates in all
    findings: list  # of the check of the data; empty if the recordings are not files


def find_leaks(data, predictions):
    """Look for subjects and near-duplicates on both sides of a split, given its predictions."""
    folds = predictions.groupby(["seed", "recording"])["fold"].first().unstack("seed")
    # with given splits, some recordings are only trained on
    folds = folds.reindex(range(len(data.target))).fillna(-1)
    groups = np.asarray(data.groups)
    several = folds.groupby(groups).nunique().max(axis=1) > 1
    findings = []
    if all(Path(name).is_file() for name in data.filenames):
        frame = data.frame
        source = next((column for column in ("set", "database") if column in frame), None)
        report = check_dataset(
            data.filenames,
            data.target,
            subjects=frame["subject"].tolist(),
            sources=None if source is None else frame[source].tolist(),
            names=[Path(name).name for name in data.filenames],
        )
        findings, pairs = report.findings, report.pairs
    else:
        _, pairs = near_duplicate_groups(
            list(data.data), data.sampling_rate, y=data.target, return_pairs=True
        )
    first, second = (folds.loc[pairs[side]].to_numpy() for side in ("first", "second"))
    apart = pairs[(first != second).any(axis=1)]
    return Leaks(several[several].index.tolist(), apart, len(pairs), findings)
