"""What is wrong with the sound of recordings: clipping and silence."""

import numpy as np

from sklearn_heartkd.model_selection._report import Finding

_CLIPPED_RUN = 3  # samples in a row at the extreme value
_CLIPPED_SHARE = 0.001  # of the samples, to be reported
_SILENT_DB = -70.0  # below full scale
_SILENT_SECONDS = 1.0


def measure(waveform, rate):
    """Return the length, the levels and the shares of clipping and silence of a recording."""
    peak = float(np.abs(waveform).max())
    rms = float(np.sqrt(np.mean(np.square(waveform - waveform.mean(), dtype=float))))
    # a single sample at the peak is not clipped, several in a row are
    extreme = np.abs(waveform) >= 0.999 * peak
    runs = np.convolve(extreme, np.ones(_CLIPPED_RUN), mode="valid") >= _CLIPPED_RUN
    n_block = max(1, int(_SILENT_SECONDS * rate))
    n_blocks = max(1, len(waveform) // n_block)
    blocks = np.array_split(waveform[: n_blocks * n_block], n_blocks)
    levels = [_decibel(np.std(block.astype(float))) for block in blocks]
    return {
        "n_samples": len(waveform),
        "seconds": len(waveform) / rate,
        "sampling_rate": rate,
        "peak_db": _decibel(peak),
        "rms_db": _decibel(rms),
        "clipped": float(np.mean(runs)) if rms > 0 else 0.0,
        "silent_seconds": float(
            np.sum(np.less(levels, _SILENT_DB)) * len(waveform) / n_blocks / rate
        ),
    }


def _decibel(amplitude):
    return float(20 * np.log10(max(amplitude, 1e-10)))


def level_findings(table):
    """Return a finding each for clipped, silent and partly silent recordings."""
    clipped = table[table["clipped"] > _CLIPPED_SHARE]
    if len(clipped):
        yield Finding(
            "clipping",
            "warning",
            f"{len(clipped)} recordings have more than {_CLIPPED_SHARE:.1%} of their samples cut "
            f"off at the extreme value, at most {clipped['clipped'].max():.1%}.",
            clipped.sort_values("clipped", ascending=False)["file"].tolist(),
            {"largest_share": float(clipped["clipped"].max())},
        )
    silent = table[table["rms_db"] < _SILENT_DB]
    if len(silent):
        yield Finding(
            "silence",
            "problem",
            f"{len(silent)} recordings are silent (below {_SILENT_DB:.0f} dB of full scale).",
            silent["file"].tolist(),
        )
    gaps = table[(table["silent_seconds"] > 0) & (table["rms_db"] >= _SILENT_DB)]
    if len(gaps):
        yield Finding(
            "silent part",
            "warning",
            f"{len(gaps)} recordings hold a second or more of silence, at most "
            f"{gaps['silent_seconds'].max():.1f} s.",
            gaps.sort_values("silent_seconds", ascending=False)["file"].tolist(),
        )
