"""Times and frequencies of a grid of bands and frames, and its division into cells."""

import numpy as np

_MOST_CELLS_IN_TIME = 40  # if the duration of a frame is unknown


def frame_times(front_end, n_frames):
    """Return the center of each frame in seconds."""
    starts = np.arange(n_frames) * front_end.hop_length
    return (starts + front_end.n_fft / 2) / front_end.sampling_rate


def band_centers(front_end):
    """Return the center of each band in Hz."""
    bins = np.arange(front_end.mel.shape[1]) * front_end.sampling_rate / front_end.n_fft
    total = front_end.mel.sum(axis=1)
    return (front_end.mel @ bins) / np.where(total > 0, total, 1)


def number_cells(shape, cell, front_end):
    """Return the number of the cell that each band and frame, or each column of a table, is in.

    `cell` is the number of bands of cells, and the seconds of a cell.
    """
    if len(shape) == 1:
        return np.arange(shape[0])
    n_bands, n_frames = shape
    if front_end is None:
        length = -(-n_frames // _MOST_CELLS_IN_TIME)
    else:
        length = max(1, round(cell[1] * front_end.sampling_rate / front_end.hop_length))
    in_band = np.arange(n_bands) * min(cell[0], n_bands) // n_bands
    in_time = np.arange(n_frames) // length
    return in_band[:, None] * (in_time[-1] + 1) + in_time
