"""Colors, panels, grids, waveforms and events, as all displays draw them."""

import numpy as np

# Okabe and Ito (2008): colors that color-blind people can distinguish
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
FOR, AGAINST = "#B2182B", "#2166AC"  # evidence for and against a class
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_EVENT_COLORS = dict(zip(("S1", "S2", "S3", "S4", "murmur"), COLORS, strict=False))
_EVENT_COLORS["premature"] = "#000000"


def split_axes(ax, ratios, *, beside=False):
    """Replace `ax` with panels below each other, which share their x axis, or beside each other."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    ax.set_axis_off()
    place, n = ax.get_subplotspec(), len(ratios)
    if beside:
        spec = GridSpecFromSubplotSpec(1, n, subplot_spec=place, width_ratios=ratios)
        return [ax.figure.add_subplot(spec[0, i]) for i in range(n)]
    spec = GridSpecFromSubplotSpec(n, 1, subplot_spec=place, height_ratios=ratios)
    panels = [ax.figure.add_subplot(spec[0, 0])]
    panels += [ax.figure.add_subplot(spec[i, 0], sharex=panels[0]) for i in range(1, n)]
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    return panels


def draw_grid(ax, grid, times, frequencies, **style):
    """Draw a grid of bands and frames; return the image."""
    n_bands, n_frames = grid.shape
    step = times[1] - times[0] if n_frames > 1 else 0.1
    edges = np.append(times[:n_frames] - step / 2, times[n_frames - 1] + step / 2)
    style = {"rasterized": True, "shading": "flat", **style}
    image = ax.pcolormesh(edges, np.arange(n_bands + 1) - 0.5, grid, **style)
    label_bands(ax, frequencies, n_bands)
    return image


def label_bands(ax, frequencies, n_bands):
    """Put ticks at round frequencies on a y axis of bands, or at round numbers of channels."""
    from matplotlib.ticker import MaxNLocator

    places = np.arange(n_bands)
    values = places if frequencies is None else frequencies
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10], integer=True).tick_values(values[0], values[-1])
    ticks = [tick for tick in ticks if values[0] <= tick <= values[-1]]
    ax.set_yticks(np.interp(ticks, values, places), [f"{tick:.0f}" for tick in ticks])
    ax.set_ylabel("channel" if frequencies is None else "Hz")


def draw_events(ax, events):
    """Draw heart sounds as stripes along the top of `ax` with their names, murmurs along the bottom.

    `events` is a DataFrame with the columns kind, start and end (seconds), or None.
    """
    if events is None:
        return
    style = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom", "fontsize": 8}
    style["parse_math"] = False
    for event in events.itertuples():
        color = _EVENT_COLORS.get(event.kind, "0.4")
        bottom, top = (0.0, 0.08) if event.kind == "murmur" else (0.92, 1.0)
        ax.axvspan(event.start, event.end, bottom, top, color=color, alpha=0.8, linewidth=0)
        if event.kind != "murmur":
            ax.text((event.start + event.end) / 2, 1.01, event.kind, color=color, **style)
    murmurs = events[events["kind"] == "murmur"]
    if len(murmurs):  # one name is enough: at the longest
        start, end = murmurs.loc[(murmurs["end"] - murmurs["start"]).idxmax(), ["start", "end"]]
        ax.text((start + end) / 2, 0.09, "murmur", color="#7A5200", **style)


def scaled(waveform):
    """Return a waveform scaled to a maximum of 1."""
    waveform = np.asarray(waveform, dtype=float)
    return waveform / max(np.abs(waveform).max(), 1e-12)


def draw_waveform(ax, waveform, sampling_rate, *, n_columns=2000):
    """Draw a waveform over seconds; of a long one the envelope, which draws fast."""
    waveform = scaled(waveform)
    n = len(waveform)
    if n > 2 * n_columns:
        edges = np.linspace(0, n, n_columns + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(waveform, edges), np.maximum.reduceat(waveform, edges)
        ax.fill_between(edges / sampling_rate, low, high, color="0.25", linewidth=0.3)
    else:
        ax.plot(np.arange(n) / sampling_rate, waveform, color="0.25", linewidth=0.6)
    label_waveform(ax, n / sampling_rate)


def label_waveform(ax, seconds):
    """Set the limits and ticks of a waveform that is scaled to 1."""
    ax.set(ylabel="amplitude", ylim=(-1.35, 1.35), xlim=(0, seconds), yticks=[-1, 0, 1])
