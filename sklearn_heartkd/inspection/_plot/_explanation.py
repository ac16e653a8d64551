"""ExplanationDisplay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from sklearn_heartkd.inspection._events import events_of
from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._explanation import Explanation
from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._display import new_axes
from sklearn_heartkd.utils._text import printable

SIZES = {"heat": (9, 4.6), "waveform": (9, 2.8), "bands": (5, 3.8)}  # inches, by kind


class ExplanationDisplay:
    """What speaks for and against a class in one recording.

    Red is evidence for the class, blue against it. Use :meth:`from_estimator`, :meth:`side_by_side`,
    or pass the result of :func:`explain` and call :meth:`plot`.

    Parameters
    ----------
    explanation : Explanation
        Returned by :func:`explain`.
    recording : int, default=0
        Which of its recordings to plot.
    target : label, default=None
        The class; None means the predicted one.
    events : DataFrame, default=None
        Heart sounds, with the columns kind, start and end (seconds), and recording (row in X) if
        they belong to several recordings.
    name : str, default=None
        Name of the model for the title; None means the name of the explained classifier.

    Attributes
    ----------
    artist_ : QuadMesh, LineCollection or BarContainer
        The heat, the colored waveform or the bars.
    ax_, figure_ : ndarray of Axes, Figure
        The panels and their figure.

    See Also
    --------
    explain : Compute an explanation.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.inspection import ExplanationDisplay
    >>> sounds = make_heart_sounds(16, classes=("normal", "murmur"), duration=2.0, random_state=0)
    >>> model = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=2, random_state=0))
    >>> model = model.fit(sounds.data, sounds.target)
    >>> display = ExplanationDisplay.from_estimator(
    ...     model, sounds.data, recording=1, target="murmur", events=sounds.events
    ... )
    """

    def __init__(
        self,
        explanation: Explanation,
        *,
        recording: int = 0,
        target: Any = None,
        events: pd.DataFrame | None = None,
        name: str | None = None,
    ) -> None:
        self.explanation = explanation[recording]
        self.class_index = self.explanation.class_index(target)
        self.target = self.explanation.classes[self.class_index]
        self.events = events_of(events, recording)
        self.name = explanation.explained if name is None else name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        recording: int = 0,
        target: Any = None,
        background: Any = None,
        events: pd.DataFrame | None = None,
        kind: str = "heat",
        name: str | None = None,
        ax: Any = None,
        **options: Any,
    ) -> ExplanationDisplay:
        """Explain one recording of X and plot the explanation.

        Parameters
        ----------
        estimator : classifier, Pipeline or exported model
            A fitted model, see :func:`explain`.
        X : array-like or sequence of 1-D arrays
            Input of the model.
        recording, target : optional
            As in the constructor.
        background : array-like or sequence of 1-D arrays, default=None
            Recordings to compare with, see :func:`explain`.
        events : DataFrame, default=None
            As in the constructor.
        kind, name, ax : optional
            See :meth:`plot`.
        **options : dict
            Passed to :func:`explain`.

        Returns
        -------
        ExplanationDisplay
            The display.
        """
        one = X[recording : recording + 1]
        explanation = explain(estimator, one, background=background, **options)
        events = events_of(events, recording)
        return cls(explanation, target=target, events=events, name=name).plot(ax, kind=kind)

    @classmethod
    def side_by_side(
        cls,
        explanations: dict[str, Explanation],
        *,
        recording: int = 0,
        target: Any = None,
        events: pd.DataFrame | None = None,
        figure: Any = None,
    ) -> list[ExplanationDisplay]:
        """Plot several explanations of one recording, for example of a teacher and a student.

        Parameters
        ----------
        explanations : dict of str to Explanation
            By the model's name. Each is scaled by its own largest value.
        recording, target, events : optional
            As in the constructor; `target` is by default the class that the first model predicts.
        figure : Figure, default=None
            None creates a new figure.

        Returns
        -------
        list of ExplanationDisplay
            One display per model.
        """
        if figure is None:
            import matplotlib.pyplot as plt

            figure = plt.figure(figsize=(1 + 5 * len(explanations), 4.6), layout="constrained")
        axes = figure.subplots(1, len(explanations), squeeze=False)[0]
        displays: list[ExplanationDisplay] = []
        for ax, (name, explanation) in zip(axes, explanations.items(), strict=True):
            display = cls(explanation, recording=recording, target=target, events=events, name=name)
            target = display.target
            displays.append(display.plot(ax))
        return displays

    def plot(
        self, ax: Any = None, *, kind: str = "heat", name: str | None = None, **kwargs: Any
    ) -> ExplanationDisplay:
        """Plot the explanation.

        Parameters
        ----------
        ax : Axes, default=None
            Axes to replace with the panels. None creates a new figure.
        kind : {"heat", "waveform", "bands"}, default="heat"
            Either the evidence as heat over the log-mel spectrogram, slightly smoothed to be visible
            (the sum stays the same); or the waveform colored by the evidence; or bars over the bands.
        name : str, default=None
            Name of the model for the title; None means `name` of the display.
        **kwargs : dict
            Passed to matplotlib's `pcolormesh`, `LineCollection` or `barh`.

        Returns
        -------
        ExplanationDisplay
            The display.
        """
        if kind not in SIZES:
            raise ValueError(f"kind={kind!r} is unknown; use one of {', '.join(SIZES)}.")
        one = self.explanation
        if kind == "waveform" and (one.recordings is None or one.values is None):
            raise ValueError(
                "kind='waveform' needs the waveform: explain a pipeline that takes recordings, with "
                "method='deep' or 'kernel'."
            )
        if kind == "heat" and one.values is None:
            raise ValueError(
                "This explanation has no values in bands and frames; use kind='bands', or explain "
                "with method='kernel'."
            )
        ax = new_axes(ax, SIZES[kind])
        draw = {"heat": self._heat, "waveform": self._waveform, "bands": self._bands}[kind]
        panels, self.artist_ = draw(ax, kwargs)
        score, base = one.scores[0, self.class_index], one.base[0, self.class_index]
        title = printable(f"{self.name if name is None else name}: {self.target}")
        has_events = self.events is not None and kind != "bands" and one.recordings is not None
        panels[0].set_title(
            f"{title}\n{one.unit} {base:.2f} → {score:.2f}",
            fontsize=10,
            pad=18 if has_events else 6,
            parse_math=False,
        )
        self.ax_, self.figure_ = np.array(panels), ax.figure
        return self

    def _heat(self, ax, style):
        one: Any = self.explanation
        values, grid = one.values[0, self.class_index], one.grid[0]
        times = np.arange(grid.shape[1], dtype=float) if one.times is None else one.times
        panels = [ax]
        if one.recordings is not None:
            panels = _drawing.split_axes(ax, (1, 1.6))
            _drawing.draw_waveform(panels[0], one.recordings[0], one.sampling_rate)
            _drawing.draw_events(panels[0], self.events)
        values = gaussian_filter(values, 0.8)
        limit = np.quantile(np.abs(values), 0.998) or 1.0
        place = (times, one.frequencies)
        sound = {"cmap": "gray_r", "vmin": grid.max() - 50, "alpha": 0.35}
        _drawing.draw_grid(panels[-1], grid, *place, **sound)
        style = {"cmap": _fading(), "vmin": -limit, "vmax": limit, **style}
        heat = _drawing.draw_grid(panels[-1], values, *place, **style)
        panels[-1].set_xlabel("frames" if one.times is None else "seconds")
        if one.recordings is not None:
            panels[-1].set_xlim(0, len(one.recordings[0]) / one.sampling_rate)
        bar = {"pad": 0.01, "shrink": 0.55, "anchor": (0, 0), "aspect": 15}
        bar = ax.figure.colorbar(heat, ax=panels, **bar)
        bar.set_label("against   ·   for")
        bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"])
        return panels, heat

    def _waveform(self, ax, style):
        from matplotlib.collections import LineCollection

        one: Any = self.explanation
        waveform = _drawing.scaled(one.recordings[0])
        seconds = np.arange(len(waveform)) / one.sampling_rate
        step = one.times[1] - one.times[0] if len(one.times) > 1 else 1.0
        evidence = np.interp(seconds, one.times, one.in_time[0, self.class_index] / step)
        limit = np.quantile(np.abs(evidence), 0.99) or 1.0
        points = np.stack([seconds, waveform], axis=1)
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        style = {"cmap": _gray_middle(), "linewidths": 0.9, "rasterized": True, **style}
        lines = LineCollection(list(pieces), array=evidence[:-1], **style)
        lines.set_clim(-limit, limit)
        ax.add_collection(lines)
        _drawing.label_waveform(ax, seconds[-1])
        _drawing.draw_events(ax, self.events)
        ax.set_xlabel("seconds")
        ax.figure.colorbar(lines, ax=ax, pad=0.01).set_label(f"{one.unit} per second")
        return [ax], lines

    def _bands(self, ax, style):
        one = self.explanation
        values = one.in_bands[0, self.class_index]
        colors = np.where(values > 0, _drawing.FOR, _drawing.AGAINST)
        style = {"color": colors, "height": 0.85, **style}
        bars = ax.barh(np.arange(len(values)), values, **style)
        ax.axvline(0, color="0.2", linewidth=0.8)
        _drawing.label_bands(ax, one.frequencies, len(values))
        ax.set_xlabel(f"{one.unit}: against < 0 < for")
        ax.locator_params(axis="x", nbins=6)
        ax.margins(y=0.01)
        return [ax], bars


def _fading():
    """Return diverging colors, transparent in the middle, so that the spectrogram shows through."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    colors = matplotlib.colormaps["RdBu_r"](np.linspace(0, 1, 256))
    colors[:, 3] = np.minimum(1, 1.6 * np.abs(np.linspace(-1, 1, 256)) ** 0.7)
    return ListedColormap(colors)


def _gray_middle():
    """Return diverging colors with a gray middle, because a white line would be invisible."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(
        "evidence", [_drawing.AGAINST, "#5AA0D0", "0.72", "#E58267", _drawing.FOR]
    )
