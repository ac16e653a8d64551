"""RecordingDisplay."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_heartkd.features import LogMelSpectrogram
from sklearn_heartkd.inspection._grid import band_centers, frame_times
from sklearn_heartkd.inspection._plot import _drawing
from sklearn_heartkd.utils._display import Display


@dataclass(eq=False, repr=False)
class RecordingDisplay(Display):
    """A recording as waveform and log-mel spectrogram, with its heart sounds if they are known.

    Use :meth:`from_recording` to create a display. :meth:`plot` passes further arguments to matplotlib's
    `pcolormesh` for the spectrogram.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        The recording.
    grid : ndarray of shape (n_bands, n_frames)
        Log-mel bands in dB.
    times : ndarray of shape (n_frames,)
        Centers of the frames in seconds.
    frequencies : ndarray of shape (n_bands,)
        Centers of the bands in Hz.
    sampling_rate : float
        In Hz.
    events : DataFrame, default=None
        Heart sounds, with the columns kind, start and end (seconds).
    name : str, default=None
        Title.

    Attributes
    ----------
    image_ : QuadMesh
        The spectrogram.
    ax_ : ndarray of Axes of shape (2,)
        Waveform above, spectrogram below.
    figure_ : Figure
        Where they are drawn.

    See Also
    --------
    ExplanationDisplay : The same with an explanation on top.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.inspection import RecordingDisplay
    >>> sounds = make_heart_sounds(10, random_state=0)
    >>> events = sounds.events[sounds.events["recording"] == 0]
    >>> display = RecordingDisplay.from_recording(sounds.data[0], 2000, events=events)
    """

    waveform: np.ndarray
    _: KW_ONLY
    grid: np.ndarray
    times: np.ndarray
    frequencies: np.ndarray
    sampling_rate: float
    events: pd.DataFrame | None = None
    name: str | None = None

    @classmethod
    def from_recording(
        cls,
        waveform: ArrayLike,
        sampling_rate: float,
        *,
        events: pd.DataFrame | None = None,
        features: LogMelSpectrogram | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> RecordingDisplay:
        """Plot a recording.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
            The recording.
        sampling_rate : float
            In Hz.
        events : DataFrame, default=None
            Heart sounds, with the columns kind, start and end (seconds), as `make_heart_sounds` and
            :func:`read_timing` return them.
        features : LogMelSpectrogram, default=None
            Computes the spectrogram. None means the default bands at this sampling rate.
        name, ax, **kwargs : optional
            See :meth:`plot`.

        Returns
        -------
        RecordingDisplay
            The display.
        """
        waveform = np.asarray(waveform)
        if waveform.ndim != 1:
            raise ValueError(
                f"waveform has shape {waveform.shape}; pass one recording of shape (n_samples,)."
            )
        if not sampling_rate > 0:
            raise ValueError(f"sampling_rate={sampling_rate!r} must be above 0.")
        if features is None:
            n_fft = round(0.064 * sampling_rate)
            features = LogMelSpectrogram(
                sampling_rate=sampling_rate,
                fmax=min(800.0, sampling_rate / 2),
                n_fft=n_fft,
                hop_length=max(1, n_fft // 5),
            )
        grid = features.fit_transform(waveform[None])[0]
        front_end = features._front_end()
        return cls(
            waveform,
            grid=grid,
            times=frame_times(front_end, grid.shape[1]),
            frequencies=band_centers(front_end),
            sampling_rate=sampling_rate,
            events=events,
            name=name,
        ).plot(ax, **kwargs)

    def _figsize(self):
        return 9, 4.6

    def _draw(self, ax, title, style):
        top, bottom = _drawing.split_axes(ax, (1, 1.3))
        _drawing.draw_waveform(top, self.waveform, self.sampling_rate)
        _drawing.draw_events(top, self.events)
        top.set_title(title, pad=6 if self.events is None else 18)
        style = {"cmap": "magma", "vmin": self.grid.max() - 60, **style}
        self.image_ = _drawing.draw_grid(bottom, self.grid, self.times, self.frequencies, **style)
        bottom.set_xlabel("seconds")
        bar = ax.figure.colorbar(
            self.image_, ax=[top, bottom], pad=0.01, shrink=0.55, anchor=(0, 0)
        )
        bar.set_label("dB")
        return np.array([top, bottom])
