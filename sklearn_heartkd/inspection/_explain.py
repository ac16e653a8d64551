"""explain."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._forest import ForestClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.inspection import _attribution
from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._explanation_task import make_task
from sklearn_heartkd.inspection._grid import band_centers, frame_times, number_cells
from sklearn_heartkd.inspection._views import WindowedView
from sklearn_heartkd.utils._nested import transform
from sklearn_heartkd.utils._unwrap import unwrap

_TREES = (ForestClassifier, DecisionTreeClassifier, HistGradientBoostingClassifier)
METHODS = ("auto", "deep", "kernel", "tree")


def explain(
    model: Any,
    X: Any,
    *,
    background: Any = None,
    method: str = "auto",
    features: Any = None,
    sampling_rate: float | None = None,
    cell: tuple[int, float] = (4, 0.125),
    n_evaluations: int | None = None,
    random_state: int = 0,
) -> Explanation:
    """Attribute a model's scores of recordings to their bands and frames.

    The scores are the logits of a network, the log-probabilities of other classifiers, and the
    probabilities of trees. A k-means refinement is ignored: its classifier is explained. For a
    :class:`~sklearn_heartkd.WindowedClassifier`, the mean score of a recording's windows is explained.
    The model is not changed.

    Parameters
    ----------
    model : classifier, Pipeline or exported model
        A fitted model: a network, a pipeline with :class:`~sklearn_heartkd.MFCC` or
        :class:`~sklearn_heartkd.LogMelSpectrogram`, a distilled, refined or windowed classifier, any
        scikit-learn classifier of these features, or a model exported by
        :func:`~sklearn_heartkd.deployment.export_onnx`.
    X : array-like or sequence of 1-D arrays
        Input of the model: recordings, sequences or a table.
    background : array-like or sequence of 1-D arrays, default=None
        Recordings to compare with: a removed part of a recording is replaced by their mean level in
        each band. None means the median of the recording's own band: the values then show what the
        events in a recording add to a recording without events. For a table, the reference is the
        median of each column.
    method : {"auto", "deep", "kernel", "tree"}, default="auto"
        "deep" is shap's DeepExplainer (DeepLIFT [1]_, [2]_), whose values sum exactly, for
        convolutional networks on sequences. "kernel" is KernelExplainer over cells of the grid
        (columns of a table), for every model; its values sum to the score by construction, but each
        is an estimate. "tree" is TreeExplainer [3]_, for forests and trees. "auto" uses deep or tree
        if possible and kernel otherwise; see `method` of the result.
    features : MFCC or LogMelSpectrogram, default=None
        The transformer that computed X, if the model takes features. It gives the grid its times and
        frequencies.
    sampling_rate : float, default=None
        In Hz; pass it if X contains waveforms and the model has no feature step.
    cell : tuple (int, float), default=(4, 0.125)
        Number of bands into which the kernel method divides the frequencies, and seconds of a cell.
    n_evaluations : int, default=None
        Number of evaluations of the kernel method. None means twice the number of cells plus 512.
    random_state : int, default=0
        Seed of the kernel method.

    Returns
    -------
    Explanation
        The values with their grid, scores, times and frequencies.

    See Also
    --------
    faithfulness : Check an explanation.
    ExplanationDisplay : Plot an explanation.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Kundaje, "Learning important features through propagating
       activation differences", ICML 2017.
    .. [2] S. Lundberg, S.-I. Lee, "A unified approach to interpreting model predictions", NeurIPS 2017.
    .. [3] S. Lundberg et al., "From local explanations to global understanding with explainable AI
       for trees", Nature Machine Intelligence 2, 2020.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.inspection import explain
    >>> sounds = make_heart_sounds(16, classes=("normal", "murmur"), duration=2.0, random_state=0)
    >>> model = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=2, random_state=0))
    >>> explanation = explain(model.fit(sounds.data, sounds.target), sounds.data[:3])
    >>> explanation.values.shape
    (3, 2, 32, 61)
    >>> explanation.method, bool(explanation.additivity_error.max() < 1e-5)
    ('deep', True)
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown; use one of {', '.join(METHODS)}.")
    if cell[0] < 1 or cell[1] <= 0:
        raise ValueError(f"cell={cell!r} must be a number of bands and seconds, both above 0.")
    task = make_task(model, X, background, features=features, sampling_rate=sampling_rate)
    method = _choose(method, task)
    if method == "tree":
        values, scores, base, unit = _explain_trees(task.parts, _table(task, X))
    else:
        if method == "deep":
            values = _explain_network(task)
        else:
            values = _explain_cells(task, cell, n_evaluations, random_state)
        unit, (scores, base) = task.unit, _ends(task.view)
    shared = {"unit": unit, "explained": _name(model, task), "recordings": task.recordings}
    if task.front_end is not None:
        shared["sampling_rate"] = task.front_end.sampling_rate
        if task.front_end.dct is None:
            shared["frequencies"] = band_centers(task.front_end)
    grids: Any = None
    if method == "tree" or task.is_table:
        table = np.stack(values)
        maker = task.parts.features if features is None else features
        names = _feature_names(X, table.shape[2], maker)
        shared |= {"feature_values": table, "feature_names": names}
        values = None
    else:
        grids = task.view.grids
        if task.front_end is not None:
            shared["times"] = frame_times(task.front_end, max(grid.shape[1] for grid in grids))
        if len({grid.shape for grid in grids}) == 1:
            values, grids = np.stack(values), np.stack(grids)
    return Explanation(values, grids, scores, base, task.classes, method, **shared)


def _choose(method, task):
    """Return the method, and raise if it cannot explain the model."""
    parts, deep, tree = task.parts, False, False
    if parts is not None:
        deep = (
            isinstance(parts.classifier, NetworkClassifier)
            and not task.is_table
            and not parts.after
            and parts.is_linear
            and _attribution.is_convolutional(parts.classifier.module_)
        )
        tree = isinstance(parts.classifier, _TREES) and not isinstance(task.view, WindowedView)
    if method == "auto":
        return "deep" if deep else "tree" if tree else "kernel"
    if (method == "deep" and not deep) or (method == "tree" and not tree):
        name = "this model" if parts is None else type(parts.classifier).__name__
        raise ValueError(
            f"method={method!r} cannot explain {name} on this input; use method='kernel' or 'auto'."
        )
    return method


def _ends(view):
    """Return the scores if nothing is replaced and if everything is, of shape (n, n_classes)."""
    ends = []
    for row, grid in enumerate(view.grids):
        keep = np.ones((2, *grid.shape), dtype=bool)
        keep[1] = False
        ends.append(view.score(row, keep))
    return np.swapaxes(ends, 0, 1)


def _explain_network(task):
    parts, view = task.parts, task.view
    dct = None if parts.features is None else parts.features._front_end().dct
    network = _attribution.logits_of(parts.classifier.module_, dct)
    inner = view.inner if isinstance(view, WindowedView) else view
    values = [
        _attribution.deep_values(network, grid, np.broadcast_to(reference, grid.shape))
        for grid, reference in zip(inner.grids, inner.references, strict=True)
    ]
    return values if inner is view else view.join(values)


def _explain_cells(task, cell, n_evaluations, seed):
    """Estimate the values of cells, and share them among the bands and frames of each."""
    found = []
    for row, grid in enumerate(task.view.grids):
        number = number_cells(grid.shape, cell, task.front_end)
        n_cells = number.max() + 1
        values = _attribution.kernel_values(
            lambda masks, row=row, number=number: task.view.score(row, masks[:, number]),
            n_cells,
            n_evaluations=2 * n_cells + 512 if n_evaluations is None else n_evaluations,
            seed=seed,
        )
        found.append(values[:, number] / np.bincount(number.ravel())[number])
    return found


def _table(task, X):
    """Return the features that a forest or tree takes."""
    parts = task.parts
    if parts.features is None:
        features = np.asarray(X)
    else:
        features = parts.features.transform(transform(parts.before, task.recordings))
    features = np.asarray(transform(parts.after, features))
    return features.reshape(len(features), -1)


def _explain_trees(parts, table):
    """Return values, scores, base and unit of the trees' own output."""
    trees = parts.classifier
    values, base = _attribution.tree_values(trees, table)
    if isinstance(trees, HistGradientBoostingClassifier):
        scores, unit = trees.decision_function(table), "logit"
        if scores.ndim == 1:  # one log-odds for two classes: half of it for each
            scores = np.stack([-scores / 2, scores / 2], axis=1)
            values = np.concatenate([-values / 2, values / 2], axis=1)
            base = np.concatenate([-base / 2, base / 2])
    else:
        scores, unit = trees.predict_proba(table).astype(float), "probability"
    return values, scores, np.broadcast_to(base, scores.shape).copy(), unit


def _feature_names(X, n_columns, maker):
    if maker is not None and getattr(maker, "output", "summary") != "sequence":
        names = maker.get_feature_names_out()
    else:
        names = getattr(X, "columns", ())
    if len(names) != n_columns:
        names = [f"x{i}" for i in range(n_columns)]
    return [str(name) for name in names]


def _name(model, task):
    """Return the name of the explained classifier."""
    if task.parts is None:
        return type(model).__name__
    name = type(task.parts.classifier).__name__
    refined = any(getattr(part, "refiner_", None) is not None for part in unwrap(model))
    return f"{name} without k-means" if refined else name
