"""Scores of many resamples of the same predictions at once."""

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


def _mean_f1(matrices):
    """Average over the classes that have recordings, which are the same for all models.

    Otherwise a class that has none would count in those resamples only in which a model calls it.
    """
    _, true, _ = _counts(matrices)
    return _mean_defined(np.where(true > 0, _f1s(matrices), np.nan))


_SUMMARIES = {
    "accuracy": _accuracy,
    "balanced_accuracy": lambda matrices: _mean_defined(_recalls(matrices)),
    "f1_macro": _mean_f1,
}
_PER_CLASS = {"recall_": _recalls, "precision_": _precisions, "f1_": _f1s}
_ROC_AUC = "roc_auc_"


def check_metrics(metrics, classes):
    """Raise for a metric that :class:`ResampledScores` does not know."""
    if isinstance(metrics, str):
        raise TypeError(f"metrics={metrics!r} must be a list of names, such as [{metrics!r}].")
    names = [str(label) for label in classes]
    known = {*_SUMMARIES, *(prefix + name for prefix in (*_PER_CLASS, _ROC_AUC) for name in names)}
    for metric in metrics:
        if metric not in known:
            raise ValueError(
                f"metric {metric!r} is unknown; use {', '.join(_SUMMARIES)}, or "
                f"{', '.join(_PER_CLASS)}, {_ROC_AUC} with one of the classes {', '.join(names)}."
            )


class ResampledScores:
    """Score sets of predictions (runs or folds) under many draws of the subjects.

    `frame` is that of `check_oof`; `unit` and `subject` are the numbers of each row's set and subject.
    """

    def __init__(self, frame, unit, subject, classes):
        self.frame = frame
        self.unit = unit
        self.subject = subject
        self.classes = [str(label) for label in classes]
        shape = (subject.max() + 1, unit.max() + 1, len(classes), len(classes))
        self.cells = np.zeros(shape)
        np.add.at(self.cells, (subject, unit, frame["true_code"], frame["pred_code"]), 1)

    def __call__(self, metric, counts):
        """Return scores of shape (n_resamples, n_units), NaN where they are not defined.

        `counts` of shape (n_resamples, n_subjects) is how often each subject was drawn.
        """
        if metric.startswith(_ROC_AUC):
            return self._roc_auc(metric.removeprefix(_ROC_AUC), counts)
        matrices = counts @ self.cells.reshape(len(self.cells), -1)
        matrices = matrices.reshape(len(counts), *self.cells.shape[1:])
        if metric in _SUMMARIES:
            return _SUMMARIES[metric](matrices)
        prefix, _, label = metric.partition("_")
        return _PER_CLASS[prefix + "_"](matrices)[..., self.classes.index(label)]

    def _roc_auc(self, label, counts):
        column = f"p_{label}"
        if column not in self.frame or self.frame[column].isna().any():
            raise ValueError(
                f"roc_auc_{label} needs the probability {column!r} of every model and recording; "
                "add it to oof_predictions or leave this metric out."
            )
        proba = self.frame[column].to_numpy()
        positive = (self.frame["true_code"] == self.classes.index(label)).to_numpy()
        scores = np.empty((len(counts), self.cells.shape[1]))
        for unit in range(scores.shape[1]):
            rows = np.flatnonzero(self.unit == unit)
            rows = rows[np.argsort(proba[rows], kind="stable")]
            weight = counts[:, self.subject[rows]].astype(float)
            ties = np.flatnonzero(np.append(True, np.diff(proba[rows]) != 0))
            pos = np.add.reduceat(weight * positive[rows], ties, axis=1)
            neg = np.add.reduceat(weight * ~positive[rows], ties, axis=1)
            below = np.cumsum(neg, axis=1) - neg / 2
            scores[:, unit] = _ratio((pos * below).sum(axis=1), pos.sum(axis=1) * neg.sum(axis=1))
        return scores
