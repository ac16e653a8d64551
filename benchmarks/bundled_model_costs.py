"""Size and time of the bundled model as ONNX and C, and what it answers to sounds that are not hearts.

    OMP_NUM_THREADS=1 python -m benchmarks.bundled_model_costs

Needs gcc. The C code runs on windows of 5 s of synthetic hearts; the sounds are 100 of each kind that
`_other_sounds.py` generates, and the answers are those of the probabilities alone, as C gives them, and of
the runtime. Takes a minute; writes benchmarks/results/bundled_model_costs.csv and tables of
docs/benchmarks/device-costs.md.
"""

import argparse
import re
import subprocess
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import _other_sounds
from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import export_c, load_model
from sklearn_heartkd.deployment.runtime import HeartSoundModel

OUT = RESULTS / "bundled_model_costs.csv"
PAGE = "docs/benchmarks/device-costs.md"
MODELS = files("sklearn_heartkd.deployment") / "models"
N_WINDOWS, ROUNDS = 200, 5
TIMED = """
#include <stdio.h>
#include <time.h>
#include "model.h"

int main(void)
{
    static heartkd_state state;
    static int16_t samples[HEARTKD_WINDOW];
    clock_t start;
    heartkd_reset(&state);
    if (fread(samples, sizeof samples[0], HEARTKD_WINDOW, stdin) != HEARTKD_WINDOW)
        return 1;
    start = clock();
    for (int i = 0; i < N_WINDOWS; i++) {
        heartkd_reset(&state);
        if (heartkd_push(&state, samples, HEARTKD_WINDOW) != HEARTKD_WINDOW || !state.ready)
            return 1;
    }
    printf("%.6f", 1000.0 * (double)(clock() - start) / CLOCKS_PER_SEC / N_WINDOWS);
    return 0;
}
"""


def c_rows(saved, waveform):
    """Yield size, memory, agreement and time of the C code."""
    with tempfile.TemporaryDirectory() as folder:

        def run(*command, **options):
            options = {"capture_output": True, "check": True, "cwd": folder, **options}
            return subprocess.run(command, **options).stdout.decode()

        written = export_c(saved, Path(folder) / "model.c")
        run("gcc", "-std=c99", "-Os", "-c", "model.c")
        text, data = map(int, run("size", "model.o").splitlines()[1].split()[:2])
        yield "C, text + data, gcc -Os (KiB)", (text + data) / 1024
        yield "C, working memory (KiB)", written.state_bytes / 1024
        run("gcc", "-std=c99", "-O2", "model.c", "model_test.c", "-lm", "-o", "check")
        yield (
            "C, largest difference from Python",
            float(re.search(r"difference (\S+)", run("./check"))[1]),
        )
        Path(folder, "timed.c").write_text(TIMED)
        options = (f"-DN_WINDOWS={N_WINDOWS}", "timed.c", "model.c", "-lm", "-o", "timed")
        run("gcc", "-std=c99", "-O2", *options)
        samples = np.round(32767 * waveform / np.abs(waveform).max()).astype("<i2").tobytes()
        times = [float(run("./timed", input=samples)) for _ in range(ROUNDS)]
        yield f"C, gcc -O2, 5 s window (ms), least of {ROUNDS} rounds", min(times)


def onnx_rows(path, model, waveform):
    """Yield size and time of the ONNX file."""
    yield "ONNX file (kB)", path.stat().st_size / 1000
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(N_WINDOWS):
            model.predict_proba(waveform)
        times.append(1000 * (time.process_time() - start) / N_WINDOWS)
    yield f"onnxruntime, 5 s window (ms), least of {ROUNDS} rounds", min(times)


def sound_rows(model):
    """Yield the answers to each kind of sound."""
    sounds = {
        "speech": _other_sounds.make("speech", 100),
        "lungs": _other_sounds.make("lungs", 100),
        "traffic": _other_sounds.make("traffic", 100),
        "silence": _other_sounds.make("silence", 100),
        "rubbing": _other_sounds.make("rubbing", 100),
        "hearts, synthetic, murmur": make_heart_sounds(
            100, classes=["murmur"], random_state=0
        ).data,
        "hearts, synthetic, normal": make_heart_sounds(
            100, classes=["normal"], random_state=0
        ).data,
    }
    for kind, waveforms in sounds.items():
        answers = [model.predict(waveform, 2000) for waveform in waveforms]
        yield kind, "murmur", np.mean([answer.best == "murmur" for answer in answers])
        yield kind, "poor recording", np.mean([a.label == "poor recording" for a in answers])


def tables():
    """Return the tables of docs/benchmarks/device-costs.md."""
    found = pd.read_csv(OUT)
    costs = found[found["sound"].isna()]
    rows = [
        {"quantity": what, "measured": f"{value:.3g}"}
        for what, value in zip(costs["what"], costs["value"], strict=True)
    ]
    sounds = found.dropna(subset="sound").pivot(index="sound", columns="what", values="value")
    answers = [
        {
            "sound": kind,
            "murmur, in C": f"{row['murmur']:.0%}",
            "poor recording, in the runtime": f"{row['poor recording']:.0%}",
        }
        for kind, row in sounds.iterrows()
    ]
    return {
        (PAGE, "bundled model"): rows_as_markdown(rows),
        (PAGE, "sounds that are not hearts"): rows_as_markdown(answers),
    }


def main():
    """Measure and write the tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    waveform = make_heart_sounds(1, classes=["murmur"], random_state=0).data[0]
    with as_file(MODELS) as folder:
        path = folder / "murmur_student.onnx"
        saved, model = load_model(path.with_suffix(".skops")), HeartSoundModel.load(path)
        rows = [
            ("", *row)
            for part in (onnx_rows(path, model, waveform), c_rows(saved, waveform))
            for row in part
        ]
        rows += sound_rows(model)
    pd.DataFrame(rows, columns=["sound", "what", "value"]).to_csv(OUT, index=False)
    write_tables(tables())


if __name__ == "__main__":
    main()
