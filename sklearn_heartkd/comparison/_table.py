"""The table of a comparison: scores with their spread, and costs."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score

from sklearn_heartkd.comparison._scores import SCORES
from sklearn_heartkd.metrics import efficiency_profile
from sklearn_heartkd.utils._unwrap import unwrap


def score(frame):
    """Return the three scores of predictions; classes without recordings are ignored."""
    truth, guess = frame["y_true"], frame["y_pred"]
    present = np.unique(truth)
    options = {"labels": present, "average": "macro", "zero_division": 0}
    return pd.Series(
        {
            "accuracy": accuracy_score(truth, guess),
            "balanced_accuracy": recall_score(truth, guess, **options),
            "macro_f1": f1_score(truth, guess, **options),
        }
    )


def summarize(predictions, costs):
    """Return the table of a comparison, one row per model in the order of `costs`.

    The scores are those of all out-of-fold predictions of a seed together, averaged over the seeds;
    the columns `..._sd` are the standard deviation over folds and seeds, NaN if there is only one
    split.
    """
    runs, folds = (
        predictions.groupby(keys).apply(score, include_groups=False).groupby("model")
        for keys in (["model", "seed"], ["model", "seed", "fold"])
    )
    table = runs.mean().join(folds.std(ddof=1).add_suffix("_sd"))
    columns = [name + end for name in SCORES for end in ("", "_sd")]
    return table.loc[costs.index, columns].join(costs).rename_axis("model")


def costs_of(files, data, recipe, n_jobs):
    """Return parameters, kilobytes and milliseconds per recording of stored models.

    Networks count their weights as float32, other models their pickled size. The time is that of one
    recording, from waveform to probabilities, on one thread: of 5 s, or of the length that all
    training recordings have.
    """
    recording = np.asarray(data.data[0])
    rows = Parallel(n_jobs=n_jobs)(
        delayed(_costs)(path, recording, recipe.sampling_rate) for path in files.values()
    )
    return pd.DataFrame(rows, index=list(files))


def _costs(path, recording, sampling_rate):
    model = joblib.load(path)
    n_samples = getattr(model, "n_features_in_", round(5 * sampling_rate))
    recording = np.resize(recording, n_samples)[None]
    whole = efficiency_profile(model, recording, n_calls=20)
    averages = [part for part in unwrap(model) if isinstance(part, VotingClassifier)]
    members = [whole]
    if averages:  # an average is as large as its members, which may be networks and others
        members = [
            efficiency_profile(member, recording, n_calls=1, n_warmup=0)
            for member in averages[0].estimators_
        ]
    return {
        # NaN if not all of it is networks
        "parameters": sum(profile["parameters"] for profile in members),
        "kilobytes": sum(map(_bytes, members)) / 1024,
        "milliseconds": whole["latency_ms"],
    }


def _bytes(profile):
    is_network = np.isfinite(profile["parameters"])
    return profile["float32_bytes"] if is_network else profile["final_pickle_bytes"]
