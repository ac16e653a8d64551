"""Scores computed from stacks of (weighted) confusion matrices."""

import numpy as np


def _ratio(numerator, denominator):
    """Divide; NaN where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return numerator / denominator


def _mean_defined(values):
    """Average over the last axis without NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _counts(matrices):
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    return hits, matrices.sum(axis=-1), matrices.sum(axis=-2)


def _accuracy(matrices):
    hits, true, _ = _counts(matrices)
    return _ratio(hits.sum(axis=-1), true.sum(axis=-1))


def _recalls(matrices):
    hits, true, _ = _counts(matrices)
    return _ratio(hits, true)


def _precisions(matrices):
    hits, true, called = _counts(matrices)
    return np.where((called == 0) & (true > 0), 0.0, _ratio(hits, called))


def _f1s(matrices):
    hits, true, called = _counts(matrices)
    return _ratio(2 * hits, true + called)


_SUMMARIES = {
    "accuracy": _accuracy,
    "balanced_accuracy": lambda matrices: _mean_defined(_recalls(matrices)),
    "f1_macro": lambda matrices: _mean_defined(_f1s(matrices)),
}
_PER_CLASS = {"recall": _recalls, "precision": _precisions, "f1": _f1s}


def score_functions(metrics, classes):
    """Look up the metrics by name; each function maps (..., true, predicted) to (...)."""
    functions = {}
    classes = [str(label) for label in classes]
    for metric in metrics:
        kind, _, label = str(metric).partition("_")
        if metric in _SUMMARIES:
            functions[metric] = _SUMMARIES[metric]
        elif kind in _PER_CLASS and label in classes:
            functions[metric] = _of_class(_PER_CLASS[kind], classes.index(label))
        else:
            raise ValueError(
                f"metric {metric!r} is unknown; use {', '.join(_SUMMARIES)}, or recall_, "
                f"precision_ or f1_ with one of the classes {', '.join(classes)}."
            )
    return functions


def _of_class(score, i):
    return lambda matrices: score(matrices)[..., i]
