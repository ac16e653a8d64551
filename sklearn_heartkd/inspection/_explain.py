"""explain."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._forest import ForestClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_heartkd.classifiers._base import NetworkClassifier
from sklearn_heartkd.inspection import _attribution, _steps
from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._explanation_task import make_task
from sklearn_heartkd.inspection._views import TableView, WindowedView
from sklearn_heartkd.utils._unwrap import unwrap

_TREES = (ForestClassifier, DecisionTreeClassifier, HistGradientBoostingClassifier)
METHODS = ("auto", "deep", "kernel", "tree")


def explain(
    model,
    X,
    *,
    background=None,
    method="auto",
    features=None,
    sampling_rate=None,
    cell=(4, 0.125),
    n_evaluations=None,
    random_state=0,
):
    """Attribute what a model says about recordings to their bands and frames.

    Explained are logits: of a network its own, of other classifiers the log-probabilities, of trees
    their probabilities. A k-means refinement is left out: its classifier is explained. Of a
    :class:`~sklearn_heartkd.WindowedClassifier` the mean score of a recording's windows is explained.
    The model is not changed.

    Parameters
    ----------
    model : classifier, Pipeline or exported model
        Fitted. Networks, pipelines with :class:`~sklearn_heartkd.MFCC` or
        :class:`~sklearn_heartkd.LogMelSpectrogram`, distilled, refined and windowed classifiers,
        any scikit-learn classifier on these features, and models exported by
        :func:`~sklearn_heartkd.deployment.export_onnx`.
    X : array-like or sequence of 1-D arrays
        What the model takes: recordings, sequences or a table.
    background : like X, default=None
        Recordings to compare with: what is taken away from a recording is replaced by their mean
        level in each band. None replaces it by the median of the recording's own band: the values then
        tell what the events in a recording add to a recording without events. For a table, the
        median of each column.
    method : {"auto", "deep", "kernel", "tree"}, default="auto"
        "deep" is shap's DeepExplainer (DeepLIFT [1]_, [2]_), exact in the sum, for convolutional
        networks on sequences. "kernel" is KernelExplainer over cells of the grid (columns of a table),
        for every model; its values sum to the score by construction, each with an error of estimation.
        "tree" is TreeExplainer [3]_, for forests and trees. "auto" takes deep or tree where they work
        and kernel elsewhere; `method` of the result says which it was.
    features : MFCC or LogMelSpectrogram, default=None
        What made X, where the model takes features: gives the grid its times and frequencies.
    sampling_rate : float, default=None
        In Hz: says that X are waveforms where the model does not.
    cell : tuple (int, float), default=(4, 0.125)
        Of the kernel method: into how many bands the frequencies are divided, and how many seconds
        a cell lasts.
    n_evaluations : int, default=None
        Of the kernel method; None is twice the number of cells and 512.
    random_state : int, default=0
        Seeds the kernel method.

    Returns
    -------
    Explanation

    Raises
    ------
    ImportError
        If shap is missing (the extra ``explain``).
    ValueError
        If the method does not fit the model.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Kundaje, "Learning important features through propagating
       activation differences", ICML 2017.
    .. [2] S. Lundberg, S.-I. Lee, "A unified approach to interpreting model predictions", NeurIPS
       2017.
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
        raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
    n_bands, seconds = cell
    if n_bands < 1 or seconds <= 0:
        raise ValueError(f"cell must be a number of bands and seconds above 0, got {cell!r}.")
    task = make_task(model, X, background, features=features, sampling_rate=sampling_rate)
    chosen = _choose(method, task)
    if chosen == "tree":
        return _explain_by_trees(task, model, X, features)
    if isinstance(task.view, TableView):
        return _explain_table(task, model, X, n_evaluations, random_state)
    view, n = task.view, len(task.view.grids)
    if chosen == "deep":
        values = _deep(task)
    else:
        values = [_kernel(task, row, cell, n_evaluations, random_state) for row in range(n)]
    ends = [_ends(view, row) for row in range(n)]
    one_length = len({grid.shape for grid in view.grids}) == 1
    front_end = task.front_end
    longest = max(grid.shape[1] for grid in view.grids)
    times = frequencies = None
    if front_end is not None:
        times = frame_times(front_end, longest)
        if front_end.dct is None:
            frequencies = band_centres(front_end)
    return Explanation(
        values=np.stack(values) if one_length else values,
        grid=np.stack(view.grids) if one_length else view.grids,
        scores=np.stack([end[1] for end in ends]),
        base=np.stack([end[0] for end in ends]),
        classes=task.classes,
        method=chosen,
        unit=task.unit,
        explained=_explained(model, task),
        times=times,
        frequencies=frequencies,
        sampling_rate=None if front_end is None else front_end.sampling_rate,
        recordings=task.recordings,
    )


def _choose(method, task):
    parts = task.parts
    on_grid = not isinstance(task.view, TableView)
    whole = isinstance(task.view, WindowedView)
    deep = (
        parts is not None
        and on_grid
        and not parts.after
        and isinstance(parts.classifier, NetworkClassifier)
        and _attribution.is_convolutional(parts.classifier.module_)
        and getattr(parts.features, "output", "sequence") == "sequence"
    )
    tree = parts is not None and isinstance(parts.classifier, _TREES) and not whole
    if method == "auto":
        return "deep" if deep else "tree" if tree else "kernel"
    if (method == "deep" and not deep) or (method == "tree" and not tree):
        name = "this model" if parts is None else type(parts.classifier).__name__
        raise ValueError(
            f"method={method!r} cannot explain {name} on this input; use method='kernel' or 'auto'."
        )
    return method


def _explained(model, task):
    if task.parts is None:
        return type(model).__name__
    name = type(task.parts.classifier).__name__
    refined = any(
        hasattr(part, "refiner_") or getattr(part, "refiner_", None) is not None
        for part in unwrap(model)
    )
    return f"{name} without k-means" if refined else name


def frame_times(front_end, n_frames):
    """Return the middle of each frame in seconds."""
    starts = np.arange(n_frames) * front_end.hop_length
    return (starts + front_end.n_fft / 2) / front_end.sampling_rate


def band_centres(front_end):
    """Return the middle of each band in Hz."""
    bins = np.arange(front_end.mel.shape[1]) * front_end.sampling_rate / front_end.n_fft
    total = front_end.mel.sum(axis=1)
    return (front_end.mel @ bins) / np.where(total > 0, total, 1)


def _ends(view, row):
    """Return the scores of a recording where everything is replaced, and where nothing is."""
    keep = np.zeros((2, *view.grids[row].shape), dtype=bool)
    keep[1] = True
    return view.score(row, keep)


def _deep(task):
    parts, view = task.parts, task.view
    dct = None if parts.features is None else parts.features._dct_matrix()
    network = _attribution.logits_of(parts.classifier.module_, dct)
    inner = view.view if isinstance(view, WindowedView) else view
    found = [
        _attribution.deep_values(network, grid, np.broadcast_to(reference, grid.shape))
        for grid, reference in zip(inner.grids, inner.references, strict=True)
    ]
    if inner is view:
        return found
    whole = []
    for row in range(len(view.grids)):
        values = [found[window] for window in view.windows(row)]
        whole.append(view.spread(row, values, mean=False))
    return whole


def cells_of(task, row, cell):
    """Return the number of the cell that each band and frame of a recording belongs to."""
    n_bands, n_frames = task.view.grids[row].shape
    front_end = task.front_end
    frames = 1
    if front_end is not None:
        frames = max(1, round(cell[1] * front_end.sampling_rate / front_end.hop_length))
    elif n_frames > 40:
        frames = -(-n_frames // 40)
    in_band = np.arange(n_bands) * min(cell[0], n_bands) // n_bands
    in_time = np.arange(n_frames) // frames
    return in_band[:, None] * (in_time[-1] + 1) + in_time


def _kernel(task, row, cell, n_evaluations, seed):
    number = cells_of(task, row, cell)
    n_cells = number.max() + 1
    values = _attribution.kernel_values(
        lambda masks: task.view.score(row, masks[:, number]),
        n_cells,
        n_evaluations=2 * n_cells + 512 if n_evaluations is None else n_evaluations,
        seed=seed,
    )
    return values[:, number] / np.bincount(number.ravel())[number]


def _explain_table(task, model, X, n_evaluations, seed):
    view = task.view
    n, n_columns = view.table.shape
    values, ends = [], []
    for row in range(n):
        values.append(
            _attribution.kernel_values(
                lambda masks, row=row: view.score(row, masks),
                n_columns,
                n_evaluations=2 * n_columns + 512 if n_evaluations is None else n_evaluations,
                seed=seed,
            )
        )
        ends.append(view.score(row, np.array([[False] * n_columns, [True] * n_columns])))
    return Explanation(
        values=None,
        grid=None,
        scores=np.stack([end[1] for end in ends]),
        base=np.stack([end[0] for end in ends]),
        classes=task.classes,
        method="kernel",
        unit=task.unit,
        explained=_explained(model, task),
        feature_values=np.stack(values),
        feature_names=_names(X, n_columns, None),
    )


def _names(X, n_columns, features):
    if features is not None and getattr(features, "output", "summary") != "sequence":
        names = features.get_feature_names_out()
        if len(names) == n_columns:
            return [str(name) for name in names]
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    return [f"x{i}" for i in range(n_columns)]


def _explain_by_trees(task, model, X, features):
    parts = task.parts
    table = X.to_numpy() if hasattr(X, "columns") and parts.features is None else X
    if parts.features is not None:
        table = parts.features.transform(_steps.transform(parts.before, X))
    table = np.asarray(_steps.transform(parts.after, table))
    table = table.reshape(len(table), -1)
    values, base = _attribution.tree_values(parts.classifier, table)
    if values.shape[1] != len(task.classes):  # boosted trees of two classes: one log-odds
        values = np.concatenate([-values / 2, values / 2], axis=1)
        base = np.concatenate([-base / 2, base / 2])
    unit, scores = "probability", None
    if isinstance(parts.classifier, HistGradientBoostingClassifier):
        raw = parts.classifier.decision_function(table)
        scores = np.stack([-raw / 2, raw / 2], axis=1) if raw.ndim == 1 else raw
        unit = "logit"
    else:
        scores = parts.classifier.predict_proba(table)
    maker = features if features is not None else parts.features
    return Explanation(
        values=None,
        grid=None,
        scores=np.asarray(scores, dtype=float),
        base=np.broadcast_to(base, scores.shape).copy(),
        classes=task.classes,
        method="tree",
        unit=unit,
        explained=_explained(model, task),
        sampling_rate=None if task.front_end is None else task.front_end.sampling_rate,
        recordings=task.recordings,
        feature_values=values,
        feature_names=_names(X, table.shape[1], maker),
    )
