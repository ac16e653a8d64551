"""The table of a comparison: scores with their spread, and costs."""

import numpy as np
import pandas as pd
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score

from sklearn_heartkd.metrics import efficiency_profile
from sklearn_heartkd.utils._unwrap import unwrap

SCORES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1"}


def score(frame):
    """Return the three scores of some predictions; classes without recordings do not count."""
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
    """Return the table of a comparison, one row a model in the order of `costs`.

    The scores are those of all out-of-fold predictions of a seed together, averaged over the seeds;
    the spread, in the columns `..._sd`, is the standard deviation over folds and seeds, NaN
    where there is only one split.

    Parameters
    ----------
    predictions : pandas.DataFrame
    costs : pandas.DataFrame
        Indexed by model.
    """
    rows = {}
    for model in costs.index:
        own = predictions[predictions["model"] == model]
        whole = own.groupby("seed").apply(score, include_groups=False).mean()
        parts = own.groupby(["seed", "fold"]).apply(score, include_groups=False)
        spread = parts.std(ddof=1)
        row = {}
        for name in SCORES:
            row[name], row[f"{name}_sd"] = whole[name], spread[name]
        rows[model] = row
    return pd.DataFrame.from_dict(rows, orient="index").join(costs).rename_axis("model")


def costs_of(models, data, recipe):
    """Return parameters, kilobytes and milliseconds per recording of fitted models.

    Networks count their weights as float32; other models their pickled size. The time is that of one
    recording of 5 s, from waveform to probabilities, on one thread; where all recordings of the training
    data have one length, of a recording of that length.

    Parameters
    ----------
    models : dict of str to classifier
    data : Bunch
    recipe : Recipe
    """
    rows = {}
    for name, model in models.items():
        n_samples = getattr(model, "n_features_in_", round(5 * recipe.sampling_rate))
        recording = np.resize(np.asarray(data.data[0]), n_samples)[None]
        members = [efficiency_profile(m, recording, n_calls=1) for m in _members(model)]
        rows[name] = {
            # NaN where not all of it is networks
            "parameters": sum(profile["parameters"] for profile in members),
            "kilobytes": sum(map(_bytes, members)) / 1024,
            "milliseconds": efficiency_profile(model, recording, n_calls=20)["latency_ms"],
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _members(model):
    averages = [part for part in unwrap(model) if isinstance(part, VotingClassifier)]
    return averages[0].estimators_ if averages else [model]


def _bytes(profile):
    is_network = np.isfinite(profile["parameters"])
    return profile["float32_bytes"] if is_network else profile["pickle_bytes"]


def render(table, names):
    """Return the table as text, scores as mean ± standard deviation.

    Parameters
    ----------
    table : pandas.DataFrame
    names : callable
        From the name of a model to the one shown.
    """
    shown = pd.DataFrame(index=[names(model) for model in table.index])
    for key, title in SCORES.items():
        pairs = zip(table[key], table[f"{key}_sd"], strict=True)
        shown[title] = [
            f"{value:.3f}" if np.isnan(spread) else f"{value:.3f} ± {spread:.3f}"
            for value, spread in pairs
        ]
    shown["parameters"] = [
        "–" if np.isnan(value) else f"{value:,.0f}" for value in table["parameters"]
    ]
    shown["kB"] = [f"{value:,.0f}" for value in table["kilobytes"]]
    shown["ms per 5 s"] = [f"{value:.2f}" for value in table["milliseconds"]]
    return shown
