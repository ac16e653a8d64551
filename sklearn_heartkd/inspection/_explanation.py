"""What an explanation says."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

_BAND = re.compile(r"(?:^|__)mel(\d+)_")


@dataclass(frozen=True, eq=False)
class Explanation:
    """Attribution of a model's scores to the bands and frames of recordings.

    For recordings of different length, each array over frames is a list of arrays, one a recording.
    ``explanation[i]`` is the explanation of recording `i` alone, ``len(explanation)`` the number of
    recordings.

    Attributes
    ----------
    values : ndarray of shape (n_recordings, n_classes, n_bands, n_frames), or None
        How much each cell of the grid adds to the score of each class. None where the model's
        features have no place in time (`feature_values`).
    grid : ndarray of shape (n_recordings, n_bands, n_frames), or None
        What is explained: log-mel bands in dB, or the sequences that were given.
    scores : ndarray of shape (n_recordings, n_classes)
        What the model says.
    base : ndarray of shape (n_recordings, n_classes)
        What it says where everything is replaced; the values are the way from there to `scores`.
    classes : ndarray of shape (n_classes,)
    method : {"deep", "kernel", "tree"}
    unit : {"logit", "log-probability", "probability", "decision value"}
        Of scores, base and values.
    explained : str
        The classifier whose score is explained.
    times : ndarray of shape (n_frames,), or None
        Middle of the frames in seconds; for recordings of different length those of the longest.
    frequencies : ndarray of shape (n_bands,), or None
        Middle of the bands in Hz; None where the rows of the grid are no bands.
    sampling_rate : float or None
        Of the recordings, in Hz.
    recordings : list of ndarray, or None
        The waveforms, if the model takes them.
    feature_values : ndarray of shape (n_recordings, n_classes, n_features), or None
        Values of a table's columns.
    feature_names : list of str, or None
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

    def __len__(self):
        return len(self.scores)

    def __getitem__(self, i):
        if not -len(self) <= i < len(self):
            raise IndexError(f"There is no recording {i}: {len(self)} are explained.")
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

    def __repr__(self):
        return (
            f"<Explanation of {len(self)} recordings: {self.unit} of {self.explained}, method "
            f"{self.method}, additivity error up to {self.additivity_error.max():.2g}>"
        )

    @property
    def predicted(self):
        """The class with the largest score of each recording, shape (n_recordings,)."""
        return self.classes[self.scores.argmax(axis=1)]

    @property
    def additivity_error(self):
        """The largest |base + sum of the values − score| of each recording, (n_recordings,)."""
        values = self.feature_values if self.values is None else self.values
        sums = np.stack([v.reshape(len(self.classes), -1).sum(axis=1) for v in values])
        return np.abs(self.base + sums - self.scores).max(axis=1)

    @property
    def in_time(self):
        """The values summed over the bands, shape (n_recordings, n_classes, n_frames)."""
        return self._summed(1, "time")

    @property
    def in_bands(self):
        """The values summed over time, shape (n_recordings, n_classes, n_bands)."""
        if self.values is not None:
            return np.stack(self._summed(2, "bands"))
        found = [_BAND.search(name) for name in self.feature_names]
        if not all(found):
            raise ValueError(
                "The columns of this table are not all statistics of mel bands, so there are no values "
                "in bands; use method='kernel' with a pipeline that takes waveforms."
            )
        bands = np.array([int(match.group(1)) for match in found if match])
        return np.stack(
            [
                self.feature_values[..., bands == band].sum(axis=-1)
                for band in range(bands.max() + 1)
            ],
            axis=-1,
        )

    def _summed(self, axis, what):
        if self.values is None:
            raise ValueError(
                f"A {self.method} explanation of a table has no values in {what}; use "
                "method='kernel' with a pipeline that takes waveforms."
            )
        if isinstance(self.values, list):
            return [value.sum(axis=axis) for value in self.values]
        return self.values.sum(axis=axis + 1)

    def class_index(self, target=None):
        """Return the position of a class; of the predicted class of recording 0 for None."""
        if target is None:
            return int(self.scores[0].argmax())
        found = np.flatnonzero(self.classes == target)
        if not len(found):
            raise ValueError(f"target={target!r} is none of the classes {self.classes.tolist()}.")
        return int(found[0])

    def share_in(self, recording, intervals, *, target=None):
        """Return which share of the evidence for a class falls into some intervals.

        Parameters
        ----------
        recording : int
        intervals : array-like of shape (n_intervals, 2)
            Start and end in seconds.
        target : label, default=None
            The class; None is the predicted one.

        Returns
        -------
        share : float
            Of the positive values in time (`in_time`).
        share_of_time : float
            Of the frames that lie in the intervals, for comparison.
        """
        if self.times is None:
            raise ValueError(
                "This explanation has no times: explain a pipeline that takes waveforms, or pass "
                "features= to explain."
            )
        one = self[recording]
        evidence = np.maximum(one.in_time[0, one.class_index(target)], 0)
        inside = np.zeros(len(evidence), dtype=bool)
        for start, end in np.asarray(intervals, dtype=float).reshape(-1, 2):
            inside |= (one.times >= start) & (one.times <= end)
        total = evidence.sum()
        return float(evidence[inside].sum() / total if total else 0.0), float(inside.mean())
