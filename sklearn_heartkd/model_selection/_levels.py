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
    is_silent = table["rms_db"] < _SILENT_DB
    kinds = {
        "clipping": (
            "warning",
            table["clipped"].where(table["clipped"] > _CLIPPED_SHARE),
            f"have more than {_CLIPPED_SHARE:.1%} of their samples cut off at the extreme value, at most "
            "{:.1%}.",
        ),
        "silence": (
            "problem",
            table["rms_db"].where(is_silent),
            f"are silent (below {_SILENT_DB:.0f} dB of full scale).",
        ),
        "silent part": (
            "warning",
            table["silent_seconds"].where((table["silent_seconds"] > 0) & ~is_silent),
            "hold a second or more of silence, at most {:.1f} s.",
        ),
    }
    for check, (severity, values, message) in kinds.items():
        worst = values.dropna().sort_values(ascending=False)
        if len(worst):
            message = f"{len(worst)} recordings {message.format(worst.iloc[0])}"
            yield Finding(check, severity, message, table.loc[worst.index, "file"].tolist())
