"""Size, time and agreement of the exported files of a student trained on PASCAL.

    OMP_NUM_THREADS=1 python -m benchmarks.deployment path/to/heartbeat-sounds [--work DIR]

`--work` is the folder in which benchmarks.pascal keeps the students and teachers of A+B. Parts that
benchmarks/results/deployment.csv already holds for the model are skipped. Writes that file and the
table of docs/benchmarks/device-costs.md.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd.comparison import split_by_subject
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.deployment import export_c, export_onnx
from sklearn_heartkd.deployment.runtime import HeartSoundModel, import_onnxruntime
from sklearn_heartkd.metrics import efficiency_ratio
from sklearn_heartkd.preprocessing import FixedLength

OUT = RESULTS / "deployment.csv"
MODEL, TEACHER = "student_of_conv2d", "conv2d"
KB = 1000
PARTS = {}


def part(function):
    """Register a function that yields rows (what, value)."""
    PARTS[function.__name__] = function
    return function


class Setting:
    """The recordings, the models of the folds, and a folder for what is exported."""

    def __init__(self, path, work, folder):
        self.folder = Path(folder)
        self.data = load_pascal(path, subset="ab")
        self.labels = np.asarray(self.data.target)
        self.work = Path(work)
        self.splits = split_by_subject(self.labels, self.data.groups, 5)
        self.student, self.teacher = self.fitted(MODEL), self.fitted(TEACHER)
        self.window = FixedLength(duration=5.0, sampling_rate=2000).transform(self.data.data[:100])

    def fitted(self, name, fold=0):
        """Return a model that the comparison fitted on the training part of a fold."""
        return joblib.load(self.work / "parts" / f"{name}-seed0-fold{fold}.model")

    def rows(self, indices):
        """Return recordings by their numbers."""
        return [self.data.data[i] for i in indices]

    def exported(self, quantize=None, model=None, name="student"):
        """Export a model and return the report."""
        path = self.folder / f"{name}-{quantize or 'float'}.onnx"
        model = self.student if model is None else model
        recordings = self.rows(self.splits[0][0][::4])
        return export_onnx(model, path, recordings, quantize=quantize, stand_alone=True)


def run_time(path, waveform, n_calls=300, n_warmup=20):
    """Return the median milliseconds of one recording through onnxruntime on one thread."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(n_warmup + n_calls):
        start = time.perf_counter()
        session.run(None, {"waveform": waveform[np.newaxis]})
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[n_warmup:]))


@part
def onnx_files(setting):
    """Size of the files and largest difference from `predict_proba` on real recordings."""
    whole, int8 = setting.exported(), setting.exported("int8")
    yield "ONNX file, float (kB)", whole.n_bytes / KB
    yield "ONNX file, int8 network (kB)", int8.n_bytes / KB
    yield "largest difference from predict_proba, float", whole.max_difference
    yield "largest difference from predict_proba, int8", int8.int8_max_difference


@part
def latency(setting):
    """One recording of 5 s at 2 kHz, one thread."""
    waveform = setting.window[0]
    student = run_time(setting.exported().path, waveform)
    teacher = run_time(setting.exported(model=setting.teacher, name="teacher").path, waveform)
    yield "onnxruntime, 5 s recording, float (ms)", student
    int8 = run_time(setting.exported("int8").path, waveform)
    yield "onnxruntime, 5 s recording, int8 network (ms)", int8
    yield "teacher : student, onnxruntime end to end, time", teacher / student
    ratio = efficiency_ratio(setting.teacher, setting.student, setting.window, n_calls=50)["ratio"]
    for name, entry in (
        ("network alone, torch, time", "network_ms"),
        ("end to end, torch, time", "latency_ms"),
        ("network, multiply-accumulates", "macs"),
        ("network, bytes of float weights", "float32_bytes"),
    ):
        yield f"teacher : student, {name}", ratio[entry]


@part
def memory(setting):
    """Resident memory of a process of its own after its first prediction."""
    path = setting.exported().path
    np.save(setting.folder / "recording.npy", setting.window[0])
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1]); import heartkd_runtime as r;"
        "r.HeartSoundModel.load(sys.argv[2]).predict(np.load(sys.argv[3]));"
        "status = open('/proc/self/status').read();"
        "print(status.split('VmRSS:')[1].split()[0], int('torch' in sys.modules))"
    )
    arguments = [str(setting.folder), str(path), str(setting.folder / "recording.npy")]
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    kilobytes, has_torch = map(int, result.stdout.split())
    yield "resident memory of the runtime (MB)", kilobytes * 1024 / 1e6
    yield "torch imported (0 = no)", has_torch


@part
def int8_accuracy(setting):
    """Balanced accuracy over all five test folds, float against int8."""
    guesses = {"float": np.empty_like(setting.labels), "int8": np.empty_like(setting.labels)}
    for fold, (training, test) in enumerate(setting.splits):
        model = setting.fitted(MODEL, fold)
        report = export_onnx(
            model, setting.folder / "fold.onnx", setting.rows(training[::4]), quantize="int8"
        )
        runtime = HeartSoundModel.load(report.path)
        given = setting.rows(test)
        guesses["float"][test] = model.predict(given)
        classes = np.array(runtime.classes)
        guesses["int8"][test] = [classes[runtime.predict_proba(row).argmax()] for row in given]
    scores = {k: balanced_accuracy_score(setting.labels, v) for k, v in guesses.items()}
    yield "balanced accuracy on PASCAL, float", scores["float"]
    yield "balanced accuracy on PASCAL, int8", scores["int8"]
    yield "balanced accuracy lost by int8", scores["float"] - scores["int8"]
    changed = np.mean(guesses["float"] != guesses["int8"])
    yield "recordings of another class in int8 (share)", changed


@part
def c_file(setting):
    """Compile the C without a warning, and compare it with Python on real recordings."""
    recordings = setting.rows(range(0, len(setting.labels), 10))
    written = export_c(setting.student, setting.folder / "student.c", recordings)
    strict = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    program, library = setting.folder / "test", setting.folder / "student.o"
    difference = 0.0
    for options in (["-Os"], ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]):
        sources = [str(written.source), str(written.test)]
        subprocess.run([*strict, *options, *sources, "-lm", "-o", str(program)], check=True)
        result = subprocess.run([str(program)], capture_output=True, text=True, check=True)
        difference = max(difference, float(result.stdout.split()[-1]))
        if options == ["-Os"]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            subprocess.run([str(program)], capture_output=True, check=True)
            seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            n_windows = sum(
                1 + max(0, int(np.ceil((len(row) - 10_000) / 5_000))) for row in recordings
            )
            duration = 1000 * seconds / n_windows
    command = [*strict, "-Os", "-c", str(written.source), "-o", str(library)]
    subprocess.run(command, check=True)
    sizes = subprocess.run(["size", str(library)], capture_output=True, text=True, check=True)
    text, data, _ = map(int, sizes.stdout.splitlines()[1].split()[:3])
    yield "C, text + data, gcc -Os (KiB)", (text + data) / 1024
    yield "C, working memory (KiB)", written.state_bytes / 1024
    yield f"C, largest difference on {len(recordings)} recordings", difference
    yield "C, 5 s window (ms)", duration


@part
def streaming(setting):
    """Push one hour in chunks of odd sizes."""
    model = HeartSoundModel.load(setting.exported().path)
    rng = np.random.default_rng(0)
    recording = np.resize(np.concatenate(setting.data.data), 7_200_000)
    stream = model.stream()
    window, hop = round(model.window * 2000), round(model.hop * 2000)
    n_windows, worst, at, peaks = 0, 0.0, 0, [0, 0]  # of the two half hours
    tracemalloc.start()
    while at < len(recording):
        chunk = recording[at : at + rng.integers(1, 5000)]
        at += len(chunk)
        for result in stream.push(chunk):
            start = n_windows * hop
            offline = model.predict_proba(recording[start : start + window])
            worst = max(worst, float(np.abs(offline - result.probabilities).max()))
            n_windows += 1
        half = int(at > len(recording) // 2)
        peaks[half] = max(peaks[half], tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    yield f"streaming against offline, {n_windows} windows, largest difference", worst
    growth = max(0, peaks[1] - peaks[0]) / KB
    yield "streaming, growth of memory in the second half hour (kB)", growth


def shown(value):
    """Return a number as text."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.1e}"


def tables():
    """Return the table of docs/benchmarks/device-costs.md."""
    table = pd.read_csv(OUT)
    table = table[(table["model"] == MODEL) & table["part"].isin(PARTS)]
    rows = [{"quantity": row.what, "measured": shown(row.value)} for row in table.itertuples()]
    return {("docs/benchmarks/device-costs.md", "results"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of the PASCAL recordings")
    parser.add_argument("--work", default="results/pretrained_ab")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    table = pd.read_csv(OUT)
    is_done = set(table.loc[table["model"] == MODEL, "part"])
    waiting = [name for name in options.parts if name not in is_done]
    with tempfile.TemporaryDirectory() as folder:
        if waiting:
            setting = Setting(options.data, options.work, folder)
        for name in waiting:
            rows = [(MODEL, name, *row) for row in PARTS[name](setting)]
            new = pd.DataFrame(rows, columns=table.columns)
            table = pd.concat([table, new], ignore_index=True)
            table.to_csv(OUT, index=False, float_format="%.6g")
            print(new.drop(columns=["model", "part"]).to_string(index=False, header=False))
    write_tables(tables())


if __name__ == "__main__":
    main()
