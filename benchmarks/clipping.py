"""How much clipping changes the answers of the bundled model, and which threshold follows.

    python -m benchmarks.clipping [--data path/to/heartbeat-sounds]

Each recording that is not clipped is amplified and cut off at full scale, so that a chosen share of its
samples is clipped, and predicted again. The runtime calls a recording "unsure" where more than `_CLIPPED`
of the samples lie on a flat top. Recordings are synthetic, and with --data those of set B of the PASCAL
challenge that are labeled, most of which the model was trained on. Writes benchmarks/results/clipping.csv:
for each share, how often the most probable class changes, beside how often noise at 30 dB changes it, and
the largest change of a probability.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_heartkd.datasets import load_pascal, make_heart_sounds
from sklearn_heartkd.deployment import runtime

SHARES = (0.0005, 0.001, 0.002, 0.005, 0.008, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
OUT = Path(__file__).parent / "results" / "clipping.csv"
RATE = 2000
LEVELS = 2**15  # of 16-bit recorders


def clipped(waveform, share):
    """Return a recording of 16 bit of which a share of the samples is cut off at full scale."""
    limit = np.quantile(np.abs(waveform), 1 - share)
    return np.round(np.clip(waveform / limit, -1, 1) * (LEVELS - 1)) / LEVELS


def noisy(waveform, rng):
    noise = rng.normal(size=len(waveform))
    return waveform + noise * waveform.std() / noise.std() * 10 ** (-30 / 20)


def recordings(data):
    """Yield the source and the waveform of each recording that is not clipped already."""
    sources = {"synthetic": make_heart_sounds(400, random_state=0).data}
    if data is not None:
        sources["PASCAL set B"] = load_pascal(data, subset="b", sampling_rate=RATE).data
    for source, waveforms in sources.items():
        for waveform in waveforms:
            if len(waveform) > RATE and runtime.clipped_share(waveform) < min(SHARES) / 2:
                yield source, waveform.astype(np.float64)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the PASCAL recordings")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    bundled = Path(runtime.__file__).parent / "models" / "murmur_student.onnx"
    model = runtime.HeartSoundModel.load(bundled)
    rows = []
    for source, waveform in recordings(options.data):
        before = model.predict_proba(waveform, RATE)
        changes = {"noise at 30 dB": noisy(waveform, rng)}
        changes |= {share: clipped(waveform, share) for share in SHARES}
        for change, changed in changes.items():
            after = model.predict_proba(changed, RATE)
            rows.append(
                {
                    "source": source,
                    "change": change,
                    "flat": runtime.clipped_share(changed),
                    "changed_answers": float(after.argmax() != before.argmax()),
                    "change_of_probability": np.abs(after - before).max(),
                }
            )
    table = pd.DataFrame(rows).groupby(["source", "change"], sort=False)
    result = table.agg(
        recordings=("flat", "size"),
        median_flat=("flat", "median"),
        changed_answers=("changed_answers", "mean"),
        median_change_of_probability=("change_of_probability", "median"),
    )
    result.round(4).reset_index().to_csv(OUT, index=False)
    print(result.round(4).to_string())


if __name__ == "__main__":
    main()
