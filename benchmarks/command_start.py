"""Processor time of `heartkd predict one.wav`, beside that of the packages it cannot do without.

    python -m benchmarks.command_start

Both run in turn in separate processes. Writes benchmarks/results/command_start.csv, with the medians
and their ratio.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from benchmarks._tables import RESULTS
from sklearn_heartkd.datasets import make_heart_sounds

PACKAGES = "import numpy, soundfile, soxr, onnxruntime"
COMMAND = "import sys; from sklearn_heartkd.cli import main; sys.exit(main(sys.argv[1:]))"
REPETITIONS = 5


def seconds(*arguments):
    """Return the processor time of a process."""
    before = os.times()
    subprocess.run([sys.executable, "-c", *arguments], check=True, stdout=subprocess.DEVNULL)
    user, system = os.times()[2:4]
    return user + system - before.children_user - before.children_system


def main():
    os.environ |= {"ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
    times = {"packages": [], "heartkd predict": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.wav"
        soundfile.write(path, make_heart_sounds(1, random_state=0).data[0], 2000)
        for _ in range(REPETITIONS):
            times["packages"].append(seconds(PACKAGES))
            times["heartkd predict"].append(seconds(COMMAND, "predict", str(path)))
    table = pd.Series({what: np.median(values) for what, values in times.items()}, name="seconds")
    table["ratio"] = table["heartkd predict"] / table["packages"]
    table.round(2).to_csv(RESULTS / "command_start.csv", index_label="what")
    print(table.round(2))


if __name__ == "__main__":
    main()
