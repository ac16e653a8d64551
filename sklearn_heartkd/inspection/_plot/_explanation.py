"""ExplanationDisplay."""

import numpy as np
from scipy.ndimage import gaussian_filter

from sklearn_heartkd.inspection._events import events_of
from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._plot import _drawing

KINDS = ("heat", "waveform", "bands")


class ExplanationDisplay:
    """What speaks for and against a class in one recording.

    Red speaks for the class, blue against it. Use :meth:`from_estimator`,
    :meth:`from_explanation`, or :meth:`side_by_side` for teacher and student.

    Parameters
    ----------
    explanation : Explanation
        Of one recording.
    target : label
        The class.
    events : DataFrame, default=None
        With the columns kind, start and end (seconds).
    name : str, default=None
        Of the model, for the title.

    Attributes
    ----------
    ax_ : ndarray of Axes
        The panels.
    figure_ : Figure

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

    def __init__(self, explanation, *, target, events=None, name=None):
        self.explanation = explanation
        self.target = target
        self.events = events
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        recording=0,
        target=None,
        background=None,
        events=None,
        kind="heat",
        name=None,
        ax=None,
        **options,
    ):
        """Explain one recording of X and draw the explanation.

        Parameters
        ----------
        estimator : classifier, Pipeline or exported model
            Fitted, see :func:`explain`.
        X : array-like or sequence of 1-D arrays
            What the model takes.
        recording : int, default=0
            Which recording of X.
        target : label, default=None
            The class; None is the predicted one.
        background : like X, default=None
            See :func:`explain`.
        events : DataFrame, default=None
            With the columns kind, start and end, and perhaps recording (row in X).
        kind : {"heat", "waveform", "bands"}, default="heat"
            See :meth:`plot`.
        name : str, default=None
            Of the model; None is the name of its class.
        ax : Axes, default=None
            Panels are put in its place. None makes a new figure.
        **options
            More arguments of :func:`explain`.

        Returns
        -------
        ExplanationDisplay
        """
        explanation = explain(
            estimator, X[recording : recording + 1], background=background, **options
        )
        events = events_of(events, recording)
        return cls.from_explanation(
            explanation, target=target, events=events, kind=kind, name=name, ax=ax
        )

    @classmethod
    def from_explanation(
        cls,
        explanation,
        *,
        recording=0,
        target=None,
        events=None,
        kind="heat",
        name=None,
        ax=None,
    ):
        """Draw one recording of an explanation; the parameters are those of `from_estimator`."""
        one = explanation[recording]
        target = one.classes[one.class_index(target)]
        name = explanation.explained if name is None else name
        display = cls(one, target=target, events=events_of(events, recording), name=name)
        return display.plot(kind=kind, ax=ax)

    @classmethod
    def side_by_side(cls, explanations, *, recording=0, target=None, events=None, figure=None):
        """Draw explanations of one recording beside each other, such as teacher's and student's.

        Parameters
        ----------
        explanations : dict of str to Explanation
            By the model's name. Each is scaled by its own largest value.
        recording : int, default=0
        target : label, default=None
            The class; None is the one that the first model predicts.
        events : DataFrame, default=None
        figure : Figure, default=None
            None makes a new one.

        Returns
        -------
        list of ExplanationDisplay
        """
        first = next(iter(explanations.values()))[recording]
        target = first.classes[first.class_index(target)]
        if figure is None:
            import matplotlib.pyplot as plt

            size = (1 + 5 * len(explanations), 4.6)
            figure = plt.figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, len(explanations), squeeze=False)[0]
        return [
            cls.from_explanation(
                explanation,
                recording=recording,
                target=target,
                events=events,
                name=name,
                ax=ax,
            )
            for ax, (name, explanation) in zip(axes, explanations.items(), strict=True)
        ]

    def plot(self, *, kind="heat", ax=None):
        """Draw the explanation.

        Parameters
        ----------
        kind : {"heat", "waveform", "bands"}, default="heat"
            Signed heat over the log-mel spectrogram, below the waveform where it is known, slightly
            smoothed to be seen (their sum stays the same); the waveform coloured by relevance;
            bars over the bands.
        ax : Axes, default=None
            Panels are put in its place. None makes a new figure.

        Returns
        -------
        self : ExplanationDisplay
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}.")
        one = self.explanation
        if kind == "waveform" and (one.recordings is None or one.values is None):
            raise ValueError(
                "kind='waveform' needs the waveform: explain a pipeline that takes recordings, with a "
                "method other than 'tree'."
            )
        heights = {"heat": (9, 4.6), "waveform": (9, 2.8), "bands": (5, 3.8)}
        ax = _drawing.new_axes(ax, figsize=heights[kind])
        self.figure_ = ax.figure
        self.index_ = one.class_index(self.target)
        self.ax_ = np.atleast_1d(getattr(self, f"_plot_{kind}")(ax))
        return self

    @property
    def _title(self):
        one, target = self.explanation, self.target
        score, base = one.scores[0, self.index_], one.base[0, self.index_]
        return f"{self.name}: {target}\n{one.unit} {base:.2f} → {score:.2f}"

    def _plot_heat(self, ax):
        one = self.explanation
        if one.values is None:
            raise ValueError(
                "This explanation has no values in bands and frames; draw kind='bands', or explain "
                "with method='kernel'."
            )
        values, grid = one.values[0, self.index_], one.grid[0]
        times = np.arange(grid.shape[1], dtype=float) if one.times is None else one.times
        panels = []
        bottom = ax
        if one.recordings is not None:
            top, bottom = _drawing.split_axes(ax, (1, 1.6))[:, 0]
            _drawing.draw_waveform(top, one.recordings[0], one.sampling_rate)
            _drawing.draw_events(top, self.events)
            top.set_title(self._title, fontsize=10, pad=18 if self.events is not None else 6)
            panels.append(top)
        else:
            bottom.set_title(self._title, fontsize=10)
        values = gaussian_filter(values, 0.8)
        limit = np.quantile(np.abs(values), 0.998) or 1.0
        _drawing.draw_grid(
            bottom, grid, times, one.frequencies, cmap="gray_r", vmin=grid.max() - 50, alpha=0.35
        )
        heat = _drawing.draw_grid(
            bottom, values, times, one.frequencies, cmap=_fading(), vmin=-limit, vmax=limit
        )
        bottom.set_xlabel("frames" if one.times is None else "seconds")
        if one.recordings is not None:
            bottom.set_xlim(0, len(one.recordings[0]) / one.sampling_rate)
        bar = ax.figure.colorbar(
            heat, ax=[*panels, bottom], pad=0.01, shrink=0.55, anchor=(0, 0), aspect=15
        )
        bar.set_label("against   ·   for")
        bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.1g}", "0", f"+{limit:.1g}"])
        return [*panels, bottom]

    def _plot_waveform(self, ax):
        from matplotlib.collections import LineCollection
        from matplotlib.colors import Normalize

        one = self.explanation
        waveform = one.recordings[0].astype(float)
        waveform = waveform / max(np.abs(waveform).max(), 1e-12)
        seconds = np.arange(len(waveform)) / one.sampling_rate
        step = one.times[1] - one.times[0] if len(one.times) > 1 else 1.0
        relevance = np.interp(seconds, one.times, one.in_time[0, self.index_] / step)
        limit = np.quantile(np.abs(relevance), 0.99) or 1.0
        points = np.stack([seconds, waveform], axis=1)
        lines = LineCollection(
            list(np.stack([points[:-1], points[1:]], axis=1)),
            array=relevance[:-1],
            cmap=_middle_dark(),
            norm=Normalize(-limit, limit),
            linewidths=0.9,
            rasterized=True,
        )
        ax.add_collection(lines)
        ax.set(xlim=(0, seconds[-1]), ylim=(-1.35, 1.35), xlabel="seconds", ylabel="amplitude")
        ax.set_yticks([-1, 0, 1])
        ax.set_title(self._title, fontsize=10, pad=18 if self.events is not None else 6)
        _drawing.draw_events(ax, self.events)
        bar = ax.figure.colorbar(lines, ax=ax, pad=0.01)
        bar.set_label(f"{one.unit} per second")
        return ax

    def _plot_bands(self, ax):
        one = self.explanation
        values = one.in_bands[0, self.index_]
        colours = np.where(values > 0, _drawing.FOR, _drawing.AGAINST)
        ax.barh(np.arange(len(values)), values, color=colours, height=0.85)
        ax.axvline(0, color="0.2", linewidth=0.8)
        _drawing.label_bands(ax, one.frequencies, len(values), n_ticks=8)
        ax.set_xlabel(f"{one.unit}: against < 0 < for")
        ax.set_title(self._title, fontsize=10)
        ax.margins(y=0.01)
        return ax


def _fading():
    """Return the diverging colours, transparent in the middle, so that the sound shows through."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    colours = matplotlib.colormaps[_drawing.DIVERGING](np.linspace(0, 1, 256))
    colours[:, 3] = np.minimum(1, 1.6 * np.abs(np.linspace(-1, 1, 256)) ** 0.7)
    return ListedColormap(colours)


def _middle_dark():
    """Return diverging colours whose middle is grey: a white line would not be seen."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(
        "relevance", [_drawing.AGAINST, "#5AA0D0", "0.72", "#E58267", _drawing.FOR]
    )
