"""All right answers for a recording on the border between two k-means clusters."""

import numpy as np

from sklearn_heartkd.classifiers._windowed import average_over_windows, cut_windows

TOLERANCE = 1e-5
_MOST_ANSWERS = 256


def possible_answers(model, description, recordings):
    """Return a model's probabilities, and those that rounding can change them to.

    Where moving an embedding by 1e-5 of its length takes it over the border between two k-means
    clusters, either of them may be the nearest on the device.

    Parameters
    ----------
    model : estimator
    description : Description
        The description of the model.
    recordings : list of ndarray of shape (n_samples,), float32

    Returns
    -------
    list of ndarray of shape (n_answers, n_classes)
        For each recording the model's own answer, then the others; only its own where there would
        be more than 256.
    """
    if not description.clusters and not description.recording_clusters:
        return list(model.predict_proba(recordings)[:, np.newaxis])
    expected, embedding = _predict_and_embed(model, description.network.module_, recordings)
    source = _sources(description, recordings)
    embedding = embedding[: len(source)]  # where it was asked for twice, as behind a search
    averages = average_over_windows(embedding, source, len(recordings))
    return [
        own + _changes(embedding[source == i], averages[i], description, len(own))
        for i, own in enumerate(expected)
    ]


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


def _changes(windows, average, description, n_classes):
    """Return what rounding may add to the probabilities of one recording; the first row is 0."""
    none = np.zeros((1, n_classes))
    changes = none
    for row in windows:
        of_window = _cross_borders(none, row, description.clusters) / len(windows)
        changes = _distinct(changes[:, np.newaxis] + of_window)
        if len(changes) > _MOST_ANSWERS:
            return none
    changes = _cross_borders(changes, average, description.recording_clusters)
    return changes if len(changes) <= _MOST_ANSWERS else none


def _cross_borders(changes, embedding, refinements):
    """Pass changes of the probabilities through refinements, once for each of the near clusters."""
    for clusters in refinements:
        distances = np.square(clusters.centers - embedding).sum(axis=1)
        nearest = distances.argmin()
        apart = np.linalg.norm(clusters.centers - clusters.centers[nearest], axis=1)
        reach = 2 * TOLERANCE * np.linalg.norm(embedding) * apart
        near = np.flatnonzero(distances - distances[nearest] <= reach)
        near = np.concatenate([[nearest], near[near != nearest]])
        jumps = clusters.weight * (clusters.table[near] - clusters.table[nearest])
        changes = _distinct((1 - clusters.weight) * changes[:, np.newaxis] + jumps)
    return changes


def _distinct(changes):
    """Return different rows, in the order of their first appearance."""
    rows = changes.reshape(-1, changes.shape[-1])
    _, first = np.unique(rows.round(9) + 0.0, axis=0, return_index=True)
    return rows[np.sort(first)]
