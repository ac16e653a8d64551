"""What the displays share: colours, axes, and the drawing of sounds and events."""

import numpy as np

# Okabe and Ito (2008): colours that colour-blind people tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
FOR, AGAINST = "#B2182B", "#2166AC"
DIVERGING = "RdBu_r"
_EVENT_COLOURS = {
    "S1": "#0072B2",
    "S2": "#D55E00",
    "S3": "#009E73",
    "S4": "#CC79A7",
    "murmur": "#E69F00",
    "premature": "#000000",
}


def new_axes(ax=None, **size):
    """Return `ax`, or the axes of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **size)[1]


def split_axes(ax, heights, *, columns=1):
    """Put several panels that share their time axis in the place of `ax`.

    Returns
    -------
    ndarray of Axes of shape (len(heights), columns)
    """
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    ax.set_axis_off()
    spec = GridSpecFromSubplotSpec(
        len(heights), columns, subplot_spec=ax.get_subplotspec(), height_ratios=heights
    )
    panels = np.empty((len(heights), columns), dtype=object)
    for i in range(len(heights)):
        for j in range(columns):
            shared = panels[0, j] if i else None
            panels[i, j] = ax.figure.add_subplot(spec[i, j], sharex=shared)
            if i < len(heights) - 1:
                panels[i, j].tick_params(labelbottom=False)
    return panels


def draw_grid(ax, grid, times, frequencies, **style):
    """Draw a grid of bands and frames; return the image, an artist with a colour scale."""
    n_bands, n_frames = grid.shape
    step = times[1] - times[0] if n_frames > 1 else 0.1
    edges = np.append(times[:n_frames] - step / 2, times[n_frames - 1] + step / 2)
    image = ax.pcolormesh(
        edges, np.arange(n_bands + 1) - 0.5, grid, rasterized=True, shading="flat", **style
    )
    label_bands(ax, frequencies, n_bands)
    return image


def label_bands(ax, frequencies, n_bands, *, n_ticks=5):
    """Write frequencies beside some of the bands."""
    places = np.unique(np.linspace(0, n_bands - 1, min(n_ticks, n_bands)).round().astype(int))
    if frequencies is None:
        ax.set_yticks(places, [str(place) for place in places])
        ax.set_ylabel("channel")
    else:
        ax.set_yticks(places, [f"{frequencies[place]:.0f}" for place in places])
        ax.set_ylabel("Hz")


def draw_events(ax, events, *, names=True):
    """Draw events as coloured stripes along the top of `ax`, each with its name.

    Parameters
    ----------
    ax : Axes
    events : DataFrame with the columns kind, start and end (seconds), or None
    names : bool
    """
    if events is None:
        return
    transform = ax.get_xaxis_transform()
    for event in events.itertuples():
        colour = _EVENT_COLOURS.get(event.kind, "0.4")
        low = event.kind == "murmur"
        ax.axvspan(
            event.start,
            event.end,
            0.0 if low else 0.92,
            0.08 if low else 1.0,
            color=colour,
            alpha=0.8,
            linewidth=0,
        )
        if names and event.kind != "murmur":
            ax.text(
                (event.start + event.end) / 2,
                1.01,
                event.kind,
                transform=transform,
                ha="center",
                va="bottom",
                fontsize=8,
                color=colour,
                clip_on=False,
            )
    if names and (events["kind"] == "murmur").any():
        murmurs = events[events["kind"] == "murmur"]
        first = murmurs.loc[(murmurs["end"] - murmurs["start"]).idxmax()]
        ax.text(
            (first["start"] + first["end"]) / 2,
            0.09,
            "murmur",
            transform=transform,
            ha="center",
            va="bottom",
            fontsize=8,
            color="#7A5200",
        )


def envelope(waveform, n_columns=2000):
    """Return sample numbers, minima and maxima, so that long recordings draw fast."""
    n = len(waveform)
    if n <= 2 * n_columns:
        return None
    edges = np.linspace(0, n, n_columns + 1).astype(int)[:-1]
    return edges, np.minimum.reduceat(waveform, edges), np.maximum.reduceat(waveform, edges)


def draw_waveform(ax, waveform, sampling_rate):
    """Draw a waveform over seconds, scaled to 1."""
    waveform = np.asarray(waveform, dtype=float)
    waveform = waveform / max(np.abs(waveform).max(), 1e-12)
    if (bounds := envelope(waveform)) is not None:
        edges, low, high = bounds
        ax.fill_between(edges / sampling_rate, low, high, color="0.25", linewidth=0.3)
    else:
        ax.plot(np.arange(len(waveform)) / sampling_rate, waveform, color="0.25", linewidth=0.6)
    ax.set(ylabel="amplitude", ylim=(-1.35, 1.35), xlim=(0, len(waveform) / sampling_rate))
    ax.set_yticks([-1, 0, 1])
