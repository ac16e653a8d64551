"""Cost of a prediction: size, operations, memory and time."""

from __future__ import annotations

import pickle
import sys
import tracemalloc
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from time import perf_counter
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_is_fitted
from threadpoolctl import threadpool_limits

from sklearn_heartkd.utils._unwrap import final_estimator, unwrap

_PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "embed")


def efficiency_profile(
    estimator: Any, X: Any, *, n_calls: int = 100, n_warmup: int = 5
) -> pd.Series:
    """Measure the cost of predicting one recording.

    The recordings are predicted one at a time, on one thread, by a copy of the estimator.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier, pipeline, search or meta-estimator.
    X : array-like or sequence of n_recordings inputs
        Recordings or features, as `estimator.predict` takes them.
    n_calls, n_warmup : int
        Number of timed predictions, which repeat X if necessary, and of those before them.

    Returns
    -------
    pandas.Series
        Named after the final estimator, with these entries:

        - `parameters`: number of trainable parameters of the network;
        - `macs`: multiply-accumulates of the network for the first recording, counted by torch in
          matrix products, convolutions and recurrent layers;
        - `float32_bytes`, `int8_bytes`: size of the network's weights and floating-point buffers;
          in int8, biases, norms and buffers have four bytes each, and each output channel has a
          four-byte scale;
        - `final_pickle_bytes`: size of the final estimator alone as ``pickle.dumps`` writes it, for all
          models; the whole model, as ``joblib.dump`` writes it, can be much larger;
        - `peak_memory_bytes`: arrays and tensors alive at once while the first recording is
          predicted, without the model and without workspaces inside torch's kernels;
        - `latency_ms`, `latency_p95_ms`: median and 95th percentile of a whole prediction;
        - `front_end_ms`, `front_end_p95_ms`: the part of the pipeline steps before the last one;
        - `network_ms`, `network_p95_ms`: the part of the network's forward pass, or of the final
          estimator's prediction.

        Entries for networks are NaN for other models.

    See Also
    --------
    efficiency_ratio : Compare teacher and student.

    Notes
    -----
    The final estimator is the innermost one that predicts: the last step of a pipeline, the best
    estimator of a search, the student of a distilled classifier. Sizes do not contain what is around it:
    the teachers, which prediction does not need, the steps before it, and the clusters of a refinement.
    A voting ensemble of networks counts all of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_heartkd.metrics import efficiency_profile
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    >>> profile = efficiency_profile(model, X, n_calls=10)
    >>> bool(profile["front_end_ms"] + profile["network_ms"] <= 1.5 * profile["latency_ms"])
    True
    """
    check_is_fitted(estimator)
    if n_calls < 1:
        raise ValueError(f"n_calls={n_calls} must be at least 1.")
    final = final_estimator(estimator)
    profile = dict.fromkeys(("parameters", "macs", "float32_bytes", "int8_bytes"), np.nan)
    profile["final_pickle_bytes"] = len(pickle.dumps(final))
    model = deepcopy(estimator)
    recordings = [_safe_indexing(X, [i]) for i in range(min(_num_samples(X), n_calls))]
    modules = _modules(model)
    with _single_thread():
        if modules:
            profile.update(_network_costs(model, modules, recordings[0]))
        profile["peak_memory_bytes"] = _peak_memory(model, recordings[0], bool(modules))
        profile.update(_latencies(model, modules, recordings, n_calls, n_warmup))
    return pd.Series(profile, name=type(final).__name__, dtype=float)


def efficiency_ratio(
    teacher: Any, student: Any, X: Any, *, n_calls: int = 100, n_warmup: int = 5
) -> pd.DataFrame:
    """Compare the cost of a teacher and a student.

    Both are measured with :func:`efficiency_profile`.

    Parameters
    ----------
    teacher, student : estimator
        Fitted models that both take X.
    X, n_calls, n_warmup : optional
        As in :func:`efficiency_profile`.

    Returns
    -------
    pandas.DataFrame
        One row per entry of :func:`efficiency_profile`, with the columns `teacher`, `student` and
        `ratio`, the teacher's cost over the student's.

    See Also
    --------
    efficiency_profile : The entries, and how they are measured.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.metrics import efficiency_ratio
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = RandomForestClassifier().fit(X, y)
    >>> student = LogisticRegression(max_iter=1000).fit(X, y)
    >>> table = efficiency_ratio(teacher, student, X, n_calls=5)
    >>> bool(table.loc["final_pickle_bytes", "ratio"] > 10)
    True
    """
    models = {"teacher": teacher, "student": student}
    table = pd.DataFrame(
        {
            name: efficiency_profile(model, X, n_calls=n_calls, n_warmup=n_warmup)
            for name, model in models.items()
        }
    )
    table["ratio"] = table["teacher"] / table["student"].replace(0.0, np.nan)
    return table


def _modules(model):
    """List the torch modules that predict for `model`."""
    final = final_estimator(model)
    if hasattr(final, "module_"):
        return [final.module_]
    members = getattr(final, "estimators_", [])
    members = members.ravel() if isinstance(members, np.ndarray) else members
    return [module for member in members for module in _modules(member)]


@contextmanager
def _single_thread():
    """Compute on one thread, and restore the number of threads afterward."""
    torch = sys.modules.get("torch")
    n_threads = torch.get_num_threads() if torch else None
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        if torch:
            stack.callback(torch.set_num_threads, n_threads)
            torch.set_num_threads(1)
        yield


def _network_costs(model, modules, recording):
    from sklearn_heartkd.metrics._torch_cost import count_bytes, count_macs, count_parameters

    shapes = []

    def note(module, inputs):
        shapes.append((module, inputs[0].shape))

    handles = [module.register_forward_pre_hook(note) for module in modules]
    model.predict(recording)
    for handle in handles:
        handle.remove()
    sizes = [count_bytes(module) for module in modules]
    return {
        "parameters": sum(count_parameters(module) for module in modules),
        "macs": sum(count_macs(module, shape) for module, shape in shapes),
        "float32_bytes": sum(float32 for float32, _ in sizes),
        "int8_bytes": sum(int8 for _, int8 in sizes),
    }


def _peak_memory(model, recording, has_modules):
    """Return the most bytes of arrays and tensors alive at once during a prediction."""
    model.predict(recording)  # fill the caches, which are not part of a prediction
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        peaks = [0]
        with ExitStack() as stack:
            if has_modules:
                from sklearn_heartkd.metrics._torch_cost import LiveTensors

                def note(live):
                    peaks.append(live + tracemalloc.get_traced_memory()[0] - before)

                stack.enter_context(LiveTensors(note))
            tracemalloc.reset_peak()
            model.predict(recording)
        return max(*peaks, tracemalloc.get_traced_memory()[1] - before)
    finally:
        if not was_tracing:
            tracemalloc.stop()


class _Stopwatch:
    """Sum the time spent in some functions; nested calls count once."""

    def __init__(self):
        self.seconds = 0.0
        self._depth = 0

    def replace(self, owner, name):
        """Replace a method of `owner` with a timed version."""
        function = getattr(owner, name)

        def timed(*args, **kwargs):
            self._depth += 1
            start = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += perf_counter() - start

        setattr(owner, name, timed)


def _latencies(model, modules, recordings, n_calls, n_warmup):
    """Time predictions of single recordings; `model` is a copy and is modified."""
    front_end, network = _Stopwatch(), _Stopwatch()
    for part in unwrap(model):
        if isinstance(part, Pipeline):
            for _, step in part.steps[:-1]:
                if hasattr(step, "transform"):
                    front_end.replace(step, "transform")
    for module in modules:
        network.replace(module, "forward")
    if not modules:
        final = final_estimator(model)
        for name in _PREDICTIONS:
            if hasattr(final, name):
                network.replace(final, name)
    times = []
    for call in range(n_warmup + n_calls):
        front_end.seconds = network.seconds = 0.0
        start = perf_counter()
        model.predict(recordings[call % len(recordings)])
        times.append((perf_counter() - start, front_end.seconds, network.seconds))
    milliseconds = 1000 * np.array(times[n_warmup:])
    middle, slow = np.percentile(milliseconds, [50, 95], axis=0)
    result = {}
    for i, name in enumerate(("latency", "front_end", "network")):
        result[f"{name}_ms"], result[f"{name}_p95_ms"] = middle[i], slow[i]
    return result
