"""RecordingDisplay."""

import numpy as np

from sklearn_heartkd.features import LogMelSpectrogram
from sklearn_heartkd.inspection._explain import band_centres, frame_times
from sklearn_heartkd.inspection._plot import _drawing


class RecordingDisplay:
    """A recording as waveform and as log-mel spectrogram, with its heart sounds where known.

    Use :meth:`from_recording`.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
    grid : ndarray of shape (n_bands, n_frames)
        Log-mel bands in dB.
    times : ndarray of shape (n_frames,)
        Middle of the frames in seconds.
    frequencies : ndarray of shape (n_bands,)
        Middle of the bands in Hz.
    sampling_rate : float
        In Hz.
    events : DataFrame, default=None
        With the columns kind, start and end (seconds).
    name : str, default=None
        Title.

    Attributes
    ----------
    ax_ : ndarray of Axes of shape (2,)
        Waveform above, spectrogram below.
    figure_ : Figure

    Examples
    --------
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.inspection import RecordingDisplay
    >>> sounds = make_heart_sounds(10, random_state=0)
    >>> events = sounds.events[sounds.events["recording"] == 0]
    >>> display = RecordingDisplay.from_recording(sounds.data[0], 2000, events=events)
    """

    def __init__(
        self, *, waveform, grid, times, frequencies, sampling_rate, events=None, name=None
    ):
        self.waveform = waveform
        self.grid = grid
        self.times = times
        self.frequencies = frequencies
        self.sampling_rate = sampling_rate
        self.events = events
        self.name = name

    @classmethod
    def from_recording(
        cls, waveform, sampling_rate, *, events=None, features=None, name=None, ax=None
    ):
        """Draw a recording.

        Parameters
        ----------
        waveform : array-like of shape (n_samples,)
        sampling_rate : float
            In Hz.
        events : DataFrame, default=None
            With the columns kind, start and end (seconds), as `make_heart_sounds` and
            :func:`read_timing` give them.
        features : LogMelSpectrogram, default=None
            Of the spectrogram; None is the default one for this sampling rate.
        name : str, default=None
            Title.
        ax : Axes, default=None
            Two panels are put in its place. None makes a new figure.

        Returns
        -------
        RecordingDisplay

        Raises
        ------
        ValueError
            If `waveform` is not 1-D or `sampling_rate` not above 0.
        """
        waveform = np.asarray(waveform)
        if waveform.ndim != 1:
            raise ValueError(
                f"waveform has shape {waveform.shape}; give one recording, shape (n_samples,)."
            )
        if not sampling_rate > 0:
            raise ValueError(f"sampling_rate={sampling_rate!r} must be above 0.")
        if features is None:
            fmax = min(800.0, sampling_rate / 2)
            n_fft = round(0.064 * sampling_rate)
            features = LogMelSpectrogram(
                sampling_rate=sampling_rate, fmax=fmax, n_fft=n_fft, hop_length=max(1, n_fft // 5)
            )
        grid = features.fit_transform(waveform[None])[0]
        front_end = features._front_end()
        return cls(
            waveform=waveform,
            grid=grid,
            times=frame_times(front_end, grid.shape[1]),
            frequencies=band_centres(front_end),
            sampling_rate=sampling_rate,
            events=events,
            name=name,
        ).plot(ax=ax)

    def plot(self, *, ax=None, cmap="magma"):
        """Draw the recording.

        Parameters
        ----------
        ax : Axes, default=None
            Two panels are put in its place. None makes a new figure.
        cmap : str, default="magma"
            Colours of the spectrogram.

        Returns
        -------
        self : RecordingDisplay
        """
        ax = _drawing.new_axes(ax, figsize=(9, 4.6))
        top, bottom = _drawing.split_axes(ax, (1, 1.3))[:, 0]
        _drawing.draw_waveform(top, self.waveform, self.sampling_rate)
        _drawing.draw_events(top, self.events)
        if self.name:
            top.set_title(self.name, pad=18 if self.events is not None else 6)
        image = _drawing.draw_grid(
            bottom, self.grid, self.times, self.frequencies, cmap=cmap, vmin=self.grid.max() - 60
        )
        bottom.set_xlabel("seconds")
        top.set_xlim(0, len(self.waveform) / self.sampling_rate)
        bar = ax.figure.colorbar(image, ax=[top, bottom], pad=0.01, shrink=0.55, anchor=(0, 0))
        bar.set_label("dB")
        self.ax_, self.figure_ = np.array([top, bottom]), ax.figure
        return self
