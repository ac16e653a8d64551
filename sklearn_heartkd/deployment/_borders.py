"""Recordings on the border between two k-means clusters, where rounding chooses the nearest."""

import numpy as np

from sklearn_heartkd.classifiers._windowed import average_over_windows, cut_windows

TOLERANCE = 1e-5


def predict_with_borders(model, description, recordings):
    """Return a model's probabilities, and which recordings the device may rightly answer otherwise.

    These are on the border between two clusters: moving an embedding by 1e-5 of its length changes the
    nearest one.
    """
    if not description.clusters and not description.recording_clusters:
        return model.predict_proba(recordings), np.zeros(len(recordings), dtype=bool)
    expected, embedding = _predict_and_embed(model, description.network.module_, recordings)
    source = _sources(description, recordings)
    embedding = embedding[: len(source)]  # where it was asked for twice, as behind a search
    on_border = np.zeros(len(recordings), dtype=bool)
    for clusters in description.clusters:
        on_border[source[_is_near_two(embedding, clusters.centers)]] = True
    averages = average_over_windows(embedding, source, len(recordings))
    for clusters in description.recording_clusters:
        on_border |= _is_near_two(averages, clusters.centers)
    return expected, on_border


def _predict_and_embed(model, module, recordings):
    """Return the probabilities, and the embeddings of the windows they were made from."""
    embeddings = []

    def keep(module, inputs, output):
        embeddings.append(output.embedding.detach().cpu().numpy().astype(np.float64))

    hook = module.register_forward_hook(keep)
    try:
        probabilities = model.predict_proba(recordings)
    finally:
        hook.remove()
    return probabilities, np.concatenate(embeddings)


def _sources(description, recordings):
    """Return the recording of each window."""
    if description.n_hop is None:
        return np.arange(len(recordings))
    lengths = [len(row) for row in recordings]
    for step in description.recording_steps:
        if isinstance(step, int):
            lengths = [step] * len(lengths)
    rows = [np.empty(length, dtype=bool) for length in lengths]
    return cut_windows(rows, description.n_window, description.n_hop)[1]


def _is_near_two(embedding, centers):
    distances = np.square(embedding[:, np.newaxis] - centers).sum(axis=2)
    nearest = distances.argmin(axis=1)
    apart = np.linalg.norm(centers - centers[nearest, np.newaxis], axis=2)
    reach = 2 * TOLERANCE * np.linalg.norm(embedding, axis=1, keepdims=True) * apart
    return (distances - distances.min(axis=1, keepdims=True) <= reach).sum(axis=1) > 1
