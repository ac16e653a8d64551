"""Damaged sound files, bombs and devices through `heartkd predict`: memory, time, tracebacks.

    python -m benchmarks.damaged_sounds [--files 10000]

Files of all formats are damaged at random (seeded). Bombs are small files that decode to very long
recordings, or whose headers declare absurd numbers; devices are pipes, /dev/zero and standard input that
never ends. Each group of files runs in a process with limits. Every file has to be refused or to get
probabilities that sum to 1. Writes benchmarks/results/damaged_sounds.csv, with a row for each group.
"""

import argparse
import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from benchmarks._hostile import in_child, mutate, write_rows
from benchmarks._tables import RESULTS
from sklearn_heartkd.cli import main as heartkd
from sklearn_heartkd.datasets import make_heart_sounds

FORMATS = {
    "WAV": ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM"),
    "RF64": ("PCM_16",),
    "W64": ("PCM_16",),
    "AIFF": ("PCM_16", "FLOAT"),
    "AU": ("PCM_16",),
    "CAF": ("PCM_16", "ALAC_16"),
    "FLAC": ("PCM_16",),
    "OGG": ("VORBIS", "OPUS"),
    "MP3": ("MPEG_LAYER_III",),
}
SECONDS = 600  # for a group, before it counts as a hang
GROUP = 500
COUNTS = ("predicted", "refused", "traceback", "wrong", "crash", "hang")


def whole_files():
    """Return a file of each format, as bytes."""
    forms = [(form, subtype) for form, subtypes in FORMATS.items() for subtype in subtypes]
    waveforms = make_heart_sounds(len(forms), random_state=0, sampling_rate=8000, duration=3).data
    contents = []
    for i, ((form, subtype), waveform) in enumerate(zip(forms, waveforms, strict=True)):
        if i % 3 == 2:
            waveform = np.stack([waveform, waveform[::-1]], axis=1)
        file = io.BytesIO()
        soundfile.write(file, waveform, 8000, format=form, subtype=subtype)
        contents.append(file.getvalue())
    return contents


def mutate_sound(data, rng):
    """Damage the header, or any part."""
    return mutate(data[:80], rng) + data[80:] if rng.random() < 0.5 else mutate(data, rng)


def wav(channels, bits, size, data=b"", rate=100, declared=None):
    """Return a WAV file whose header declares any format and `size` bytes of samples."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block % 2**16, bits)
    head = (
        b"RIFF" + struct.pack("<I", declared or size) + b"WAVEfmt " + struct.pack("<I", 16) + form
    )
    return head + b"data" + struct.pack("<I", size) + data


def write_bombs(folder):
    """Write long silence in few bytes, and headers that declare more than there is."""
    for name, rate, channels, blocks in (
        ("silence.flac", 8000, 1, 300),
        ("fast.flac", 655_350, 8, 40),
        ("longest.flac", 2000, 1, 31),
        ("too_long.flac", 2000, 1, 33),
    ):
        with soundfile.SoundFile(folder / name, "w", rate, channels, format="FLAC") as sound:
            for _ in range(blocks):
                sound.write(np.zeros((2**20, channels), dtype=np.int16))
    content = bytearray((folder / "silence.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    (folder / "unknown_length.flac").write_bytes(content)
    for channels, bits, size in (
        (1, 8, 2**31),
        (1024, 8, 2**32 - 1),
        (8000, 64, 2**30),
        (2, 4, 2**29),
    ):
        content = wav(channels, bits, size, bytes(10_000))
        (folder / f"declares_{channels}_{bits}.wav").write_bytes(content)
    size = 3 * 2**30  # bytes of silence that take no disk
    with open(folder / "sparse.wav", "wb") as file:
        file.write(wav(1, 8, size, rate=4000, declared=size + 36))
        file.truncate(size + 44)
    chunks = b"RIFF" + struct.pack("<I", 8_000_004) + b"WAVE" + (b"junk" + bytes(4)) * 1_000_000
    (folder / "chunks.wav").write_bytes(chunks)


def link_devices(folder):
    for name, target in {
        "zero": "/dev/zero",
        "random": "/dev/urandom",
        "null": os.devnull,
        "loop": "loop.wav",
    }.items():
        (folder / f"{name}.wav").symlink_to(target)
    os.mkfifo(folder / "pipe.wav")


def predict(names):
    """Run the command on files and count what happened."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        heartkd(["predict", "--json", *names])
    entries = json.loads(out.getvalue())
    errors = [entry["error"] for entry in entries if "error" in entry]
    sums = [sum(entry["probabilities"].values()) for entry in entries if "error" not in entry]
    tracebacks = sum("unexpectedly" in error for error in errors)
    return {
        "predicted": len(sums),
        "refused": len(errors) - tracebacks,
        "traceback": tracebacks,
        "wrong": len(names) - len(entries) + sum(abs(total - 1) > 1e-4 for total in sums),
    }


def row(kind, names, stdin=None):
    """Predict files in a process; return a row of the table."""
    names = [str(name) for name in names]
    result, cpu_s, peak_mb = in_child(predict, names, seconds=SECONDS, stdin=stdin)
    counts = dict.fromkeys(COUNTS, 0)
    counts |= {result: len(names)} if isinstance(result, str) else result
    return {"kind": kind, "files": len(names)} | counts | {"cpu_s": cpu_s, "peak_mb": peak_mb}


def rows(n_files):
    contents = whole_files()
    for first in range(0, n_files, GROUP):
        with tempfile.TemporaryDirectory() as folder:
            for i in range(first, min(first + GROUP, n_files)):
                damaged = mutate_sound(contents[i % len(contents)], np.random.default_rng(i))
                Path(folder, f"{i}.wav").write_bytes(damaged)
            yield row("mutants", sorted(Path(folder).iterdir()))
    for kind, write in {"bombs": write_bombs, "devices": link_devices}.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                yield row(f"{kind}: {path.name}", [path])
    with open("/dev/zero", "rb") as zeros:
        yield row("standard input: zeros", ["-"], zeros)
    endless = "import os\nos.write(1, b'RIFF')\nwhile os.write(1, bytes(65536)): pass"
    command = [sys.executable, "-c", endless]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        yield row("standard input: endless", ["-"], source.stdout)
        source.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    table = []
    for found in rows(parser.parse_args().files):
        print(found, flush=True)
        table.append(found)
    write_rows(RESULTS / "damaged_sounds.csv", table)


if __name__ == "__main__":
    main()
