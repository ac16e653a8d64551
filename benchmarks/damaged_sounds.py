"""Damaged sound files, bombs and devices through `heartkd predict`: memory, time, tracebacks.

    python benchmarks/damaged_sounds.py [--files 10000]

Files of all formats are damaged at random (seeded). Bombs are small files that decode to very long
recordings, or whose headers declare absurd numbers; devices are pipes, /dev/zero and standard input that
is closed or never ends. Each group of files runs in a process whose peak of memory is measured. Writes
benchmarks/results/damaged_sounds.csv, with a row for each group.
"""

import argparse
import csv
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from fuzzing import mutate_sound

from sklearn_heartkd.datasets import make_heart_sounds

FORMS = [
    *(
        ("WAV", subtype)
        for subtype in ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "IMA_ADPCM", "MS_ADPCM")
    ),
    *(
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AIFF", "FLOAT"),
        ("AU", "PCM_16"),
    ),
    *(
        ("CAF", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
    ),
    ("MP3", "MPEG_LAYER_III"),
]
OUT = Path(__file__).parent / "results" / "damaged_sounds.csv"
LIMIT = 60  # seconds for one file before it counts as a hang
_GROUP = 500


def whole_files():
    """Return a file of each form, as bytes."""
    waveforms = make_heart_sounds(len(FORMS), random_state=0, sampling_rate=8000, duration=3).data
    contents = []
    for i, ((form, subtype), waveform) in enumerate(zip(FORMS, waveforms, strict=True)):
        if i % 3 == 2:
            waveform = np.stack([waveform, waveform[::-1]], axis=1)
        file = io.BytesIO()
        soundfile.write(file, waveform, 8000, format=form, subtype=subtype)
        contents.append(file.getvalue())
    return contents


def write_mutants(folder, first, n):
    contents = whole_files()
    for i in range(first, first + n):
        damaged = mutate_sound(contents[i % len(contents)], np.random.default_rng(i))
        Path(folder, f"{i}.wav").write_bytes(damaged)


def write_bombs(folder):
    """Write long silence in few bytes, and headers that declare more than there is."""
    for name, rate, channels, blocks in (
        ("silence.flac", 8000, 1, 300),
        ("fast.flac", 655_350, 8, 40),
        ("longest.flac", 2000, 1, 31),
        ("too_long.flac", 2000, 1, 33),
    ):
        with soundfile.SoundFile(Path(folder, name), "w", rate, channels, format="FLAC") as sound:
            for _ in range(blocks):
                sound.write(np.zeros((2**20, channels), dtype=np.int16))
    content = bytearray(Path(folder, "silence.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    Path(folder, "unknown_length.flac").write_bytes(content)
    for channels, bits, size in (
        (1, 8, 2**31),
        (1024, 8, 2**32 - 1),
        (8000, 64, 2**30),
        (2, 4, 2**29),
    ):
        form = struct.pack("<HHIIHH", 1, channels, 100, 100 * channels, channels * bits // 8, bits)
        header = b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + struct.pack("<I", 16) + form
        content = header + b"data" + struct.pack("<I", size) + bytes(10_000)
        Path(folder, f"declares_{channels}_{bits}.wav").write_bytes(content)
    with open(Path(folder, "sparse.wav"), "wb") as file:  # 3 GB of silence that take no disk
        size = 3 * 2**30
        form = struct.pack("<HHIIHH", 1, 1, 4000, 4000, 1, 8)
        file.write(
            b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<I", 16) + form
        )
        file.write(b"data" + struct.pack("<I", size))
        file.truncate(size + 44)
    chunks = b"RIFF" + struct.pack("<I", 8_000_004) + b"WAVE" + (b"junk" + bytes(4)) * 1_000_000
    Path(folder, "chunks.wav").write_bytes(chunks)


def write_devices(folder):
    for name, target in (
        ("zero.wav", "/dev/zero"),
        ("random.wav", "/dev/urandom"),
        ("null.wav", os.devnull),
    ):
        os.symlink(target, Path(folder, name))
    os.mkfifo(Path(folder, "pipe.wav"))
    os.symlink("loop.wav", Path(folder, "loop.wav"))


WRITERS = {"bombs": write_bombs, "devices": write_devices}


def predict(names):
    """Predict files, the last with standard input as it is; print what happened, as JSON."""
    from sklearn_heartkd.deployment._files import load_any, predict_file

    model = load_any()
    counts = {"predicted": 0, "refused": 0, "tracebacks": 0, "slowest_s": 0.0}
    for name in names:
        start = time.perf_counter()
        result = predict_file(model, name)
        counts["slowest_s"] = max(counts["slowest_s"], round(time.perf_counter() - start, 2))
        kind = "predicted" if result.error is None else "refused"
        counts["tracebacks" if "unexpectedly" in (result.error or "") else kind] += 1
    peak = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps(counts | {"peak_mb": int(peak[1]) // 1024 if peak else None}))


def run(kind, names, stdin=subprocess.DEVNULL):
    """Predict files in a process; return a row of the table."""
    row = {"kind": kind, "files": len(names), "hangs": 0, "crashes": 0}
    command = [sys.executable, "-W", "ignore", __file__, "--predict", json.dumps(names)]
    try:
        done = subprocess.run(
            command,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT * max(5, len(names) // 20),
        )
    except subprocess.TimeoutExpired:
        return row | {"hangs": 1}
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return row | {"crashes": 1}
    row |= json.loads(done.stdout)
    row["hangs"] = int(row["slowest_s"] > LIMIT)
    row["tracebacks"] += done.stderr.count("Traceback")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--predict", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.predict is not None:
        predict(options.predict)
        return
    rows = []
    for first in range(0, options.files, _GROUP):
        with tempfile.TemporaryDirectory() as folder:
            write_mutants(folder, first, min(_GROUP, options.files - first))
            rows.append(run("mutants", sorted(map(str, Path(folder).iterdir()))))
    for kind, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            write(folder)
            for path in sorted(Path(folder).iterdir()):
                rows.append(run(f"{kind}: {path.name}", [str(path)]))
    with open("/dev/zero", "rb") as zeros:
        rows.append(run("standard input: zeros", ["-"], zeros))
    endless = [
        sys.executable,
        "-c",
        "import os\nos.write(1, b'RIFF')\nwhile os.write(1, bytes(65536)): pass",
    ]
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        rows.append(run("standard input: endless", ["-"], source.stdout))
        source.kill()
    columns = [
        "kind",
        "files",
        "predicted",
        "refused",
        "tracebacks",
        "crashes",
        "hangs",
        "slowest_s",
        "peak_mb",
    ]
    with OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval=0)
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
