"""Area and balanced accuracy on devices left out, with intervals by subject."""

import numpy as np
import pandas as pd

N_RESAMPLES = 1000
METRICS = ("area", "balanced accuracy", "false alarms")
MEAN = "mean of A, B, a"
HEADLINE = ("PASCAL A", "PASCAL B", "PhysioNet a")


def areas(score, positive, weights):
    """Return the area under the ROC curve for each row of `weights`; ties count a half."""
    values, rank = np.unique(score, return_inverse=True)
    steps = np.zeros((len(score), len(values)))
    steps[np.arange(len(score)), rank] = 1
    hits, misses = (weights * positive) @ steps, (weights * ~positive) @ steps
    below = np.cumsum(misses, axis=1) - misses / 2
    with np.errstate(invalid="ignore"):
        return (hits * below).sum(axis=1) / (hits.sum(axis=1) * misses.sum(axis=1))


def balanced_accuracies(predicted, positive, weights):
    """Return the mean of sensitivity and specificity for each row of `weights`."""
    right = predicted == positive
    with np.errstate(invalid="ignore"):
        return (
            sum(
                (weights * (right & part)).sum(axis=1) / (weights * part).sum(axis=1)
                for part in (positive, ~positive)
            )
            / 2
        )


def resampled(predictions):
    """Return the scores of each model on each device, of the data and of resamples.

    Parameters
    ----------
    predictions : DataFrame
        One row for each model, seed and recording, with device, subject, truth, score, predicted.

    Returns
    -------
    dict
        By model, device and metric: an array of the score, and of its resamples over subjects and
        seeds. All models share the draws.
    """
    found = {}
    for device, part in predictions.groupby("device", sort=False):
        rng = np.random.default_rng(0)
        subjects = np.sort(part["subject"].unique())
        drawn = rng.multinomial(
            len(subjects), np.full(len(subjects), 1 / len(subjects)), N_RESAMPLES
        )
        counts = np.vstack([np.ones(len(subjects)), drawn])
        choice = rng.random(N_RESAMPLES)
        for model, rows in part.groupby("model", sort=False):
            scores = []
            for _, run in rows.groupby("seed"):
                weights = counts[:, np.searchsorted(subjects, run["subject"])]
                positive = (run["truth"] == "murmur").to_numpy()
                predicted = (run["predicted"] == "murmur").to_numpy()
                scores.append(
                    [
                        areas(run["score"].to_numpy(), positive, weights),
                        balanced_accuracies(predicted, positive, weights),
                        (weights * (predicted & ~positive)).sum(axis=1)
                        / np.maximum((weights * ~positive).sum(axis=1), 1),
                    ]
                )
            scores = np.array(scores)  # seeds, metrics, resamples
            seed = (choice * len(scores)).astype(int)
            for metric, values in zip(METRICS, scores.transpose(1, 0, 2), strict=True):
                spread = values[seed, np.arange(1, N_RESAMPLES + 1)]
                found[model, device, metric] = np.append(values[:, 0].mean(), spread)
    return found


def with_mean(found):
    """Add the mean over the devices of the headline."""
    for model, metric in {(model, metric) for model, _, metric in found}:
        parts = [found.get((model, device, metric)) for device in HEADLINE]
        if all(part is not None for part in parts):
            found[model, MEAN, metric] = np.mean(parts, axis=0)
    return found


def table(found):
    """Return score and interval of each model, metric and device."""
    rows = []
    for (model, device, metric), values in found.items():
        low, high = np.nanpercentile(values[1:], [2.5, 97.5])
        rows.append((model, device, metric, values[0], low, high))
    names = ["model", "device", "metric", "value", "low", "high"]
    return pd.DataFrame(rows, columns=names).sort_values(names[:3], ignore_index=True)


def differences(found, pairs):
    """Return the differences between pairs of models, over the mean of the headline."""
    rows = []
    for model, other in pairs:
        for metric in METRICS[:2]:
            if (model, MEAN, metric) in found and (other, MEAN, metric) in found:
                values = found[model, MEAN, metric] - found[other, MEAN, metric]
                low, high = np.percentile(values[1:], [2.5, 97.5])
                rows.append((model, other, metric, values[0], low, high))
    return pd.DataFrame(rows, columns=["model", "other", "metric", "value", "low", "high"])
