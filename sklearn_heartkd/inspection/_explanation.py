"""Explanation: the result of explain."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

_BAND = re.compile(r"(?:^|__)mel(\d+)_")  # names of features made of one mel band


@dataclass(frozen=True, eq=False)
class Explanation:
    """Attribution of a model's scores to the bands and frames of recordings.

    If the recordings differ in length, `values` and `grid` are lists with an array per recording.
    ``explanation[i]`` is the explanation of recording `i` alone, ``len(explanation)`` the number of
    recordings.

    Parameters
    ----------
    values : ndarray of shape (n_recordings, n_classes, n_bands, n_frames), or None
        How much each cell of the grid adds to the score of each class. None if the model's features
        have no place in time; see `feature_values`.
    grid : ndarray of shape (n_recordings, n_bands, n_frames), or None
        The explained input: log-mel bands in dB, or sequences.
    scores, base : ndarray of shape (n_recordings, n_classes)
        The model's scores, and those if everything is replaced; `base` plus the sum of the values is
        `scores`.
    classes : ndarray of shape (n_classes,)
        The classes.
    method : {"deep", "kernel", "tree"}
        The method used.
    unit : {"logit", "log-probability", "probability", "decision value"}
        Unit of scores, base and values.
    explained : str
        Name of the classifier whose score is explained.
    times, frequencies : ndarray, default=None
        Centers of the frames of the longest recording in seconds, and of the bands in Hz. None if
        they are unknown or the rows of the grid are not bands.
    sampling_rate : float, default=None
        Sampling rate of the recordings in Hz.
    recordings : list of ndarray, default=None
        The waveforms, if the model takes them.
    feature_values, feature_names : ndarray and list of str, default=None
        The values of a table's columns, of shape (n_recordings, n_classes, n_columns), and their names.

    See Also
    --------
    explain : Compute an explanation.
    ExplanationDisplay : Plot it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_heartkd.inspection import explain
    >>> X, y = np.eye(4), [0, 0, 1, 1]
    >>> explanation = explain(LogisticRegression().fit(X, y), X)
    >>> explanation.feature_values.shape
    (4, 2, 4)
    >>> explanation.predicted
    array([0, 0, 1, 1])
    """

    values: Any
    grid: Any
    scores: np.ndarray
    base: np.ndarray
    classes: np.ndarray
    method: str
    unit: str
    explained: str
    times: Any = None
    frequencies: Any = None
    sampling_rate: float | None = None
    recordings: Any = None
    feature_values: Any = None
    feature_names: Any = None

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, i: int) -> Explanation:
        if not -len(self) <= i < len(self):
            raise IndexError(f"recording {i} is out of range: {len(self)} are explained.")
        i = range(len(self))[i]
        part = slice(i, i + 1)
        chosen: dict[str, Any] = {}
        for name in ("values", "grid", "scores", "base", "recordings", "feature_values"):
            value = getattr(self, name)
            chosen[name] = None if value is None else value[part]
        if chosen["values"] is not None:
            chosen["values"] = np.stack(chosen["values"])
            chosen["grid"] = np.stack(chosen["grid"])
            if self.times is not None:
                chosen["times"] = self.times[: chosen["grid"].shape[2]]
        return replace(self, **chosen)

    def __repr__(self) -> str:
        return (
            f"<Explanation of {len(self)} recordings: {self.unit} of {self.explained}, method "
            f"{self.method}, additivity error up to {self.additivity_error.max():.2g}>"
        )

    @property
    def predicted(self) -> np.ndarray:
        """The class with the largest score of each recording, shape (n_recordings,)."""
        return self.classes[self.scores.argmax(axis=1)]

    @property
    def additivity_error(self) -> np.ndarray:
        """Largest difference of base plus values from the score, shape (n_recordings,)."""
        values = self.feature_values if self.values is None else self.values
        sums = np.stack([v.reshape(len(self.classes), -1).sum(axis=1) for v in values])
        return np.abs(self.base + sums - self.scores).max(axis=1)

    @property
    def in_time(self) -> Any:
        """The values summed over the bands, shape (n_recordings, n_classes, n_frames)."""
        return self._summed(1, "time")

    @property
    def in_bands(self) -> np.ndarray:
        """The values summed over time, shape (n_recordings, n_classes, n_bands)."""
        if self.values is not None:
            return np.stack(self._summed(2, "bands"))
        found = [_BAND.search(name) for name in self.feature_names]
        if not all(found):
            raise ValueError(
                "The columns of this table are not all statistics of mel bands, so they have no "
                "values in bands; use method='kernel' with a pipeline that takes waveforms."
            )
        bands = np.array([int(match.group(1)) for match in found if match])
        sums = np.zeros((*self.scores.shape, bands.max() + 1))
        for band, values in zip(bands, np.moveaxis(self.feature_values, -1, 0), strict=True):
            sums[..., band] += values
        return sums

    def _summed(self, axis, what):
        if self.values is None:
            raise ValueError(
                f"A {self.method} explanation of a table has no values in {what}; use "
                "method='kernel' with a pipeline that takes waveforms."
            )
        if isinstance(self.values, list):
            return [value.sum(axis=axis) for value in self.values]
        return self.values.sum(axis=axis + 1)

    def class_index(self, target: Any = None) -> int:
        """Return the position of a class.

        Parameters
        ----------
        target : label, default=None
            The class; None means the predicted one of recording 0.

        Returns
        -------
        int
            Its position in `classes`.
        """
        if target is None:
            return int(self.scores[0].argmax())
        found = np.flatnonzero(self.classes == target)
        if not len(found):
            raise ValueError(f"target={target!r} is not in the classes {self.classes.tolist()}.")
        return int(found[0])

    def share_in(
        self, recording: int, intervals: ArrayLike, *, target: Any = None
    ) -> tuple[float, float]:
        """Return the share of the evidence for a class that lies in some intervals.

        Parameters
        ----------
        recording : int
            Which recording.
        intervals : array-like of shape (n_intervals, 2)
            Start and end in seconds.
        target : label, default=None
            The class; None means the predicted one.

        Returns
        -------
        share : float
            Share of the positive values in time (`in_time`).
        share_of_time : float
            Share of the frames, for comparison.
        """
        if self.times is None:
            raise ValueError(
                "This explanation has no times; explain a pipeline that takes waveforms, or pass "
                "features= to explain."
            )
        one = self[recording]
        evidence = np.maximum(one.in_time[0, one.class_index(target)], 0)
        inside = np.zeros(len(evidence), dtype=bool)
        for start, end in np.asarray(intervals, dtype=float).reshape(-1, 2):
            inside |= (one.times >= start) & (one.times <= end)
        total = evidence.sum()
        return float(evidence[inside].sum() / total if total else 0.0), float(inside.mean())
