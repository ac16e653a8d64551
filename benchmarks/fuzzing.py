"""Damaged sound files through `heartkd predict`, damaged model files through `load_model`.

    python -m benchmarks.fuzzing path/to/heartbeat-sounds [--sounds 10000] [--models 1000]

Each damaged sound file has to be refused or predicted, with one probability for each class; each
damaged model file has to be refused or give the same predictions as before. A traceback, a hang of
20 s or a wrong answer ends the run. All damage is seeded.
"""

import argparse
import contextlib
import io
import json
import signal
import tempfile
from pathlib import Path

import numpy as np
import soundfile

FORMS = [
    *(("WAV", subtype) for subtype in ("PCM_16", "PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    ("WAV", "ULAW"),
    ("WAV", "IMA_ADPCM"),
    ("FLAC", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "PCM_16"),
]
_NASTY = [0, 1, 2, 127, 128, 255]
SECONDS = 20


def mutate(data, rng):
    """Change, cut out, repeat or cut off some bytes, anywhere."""
    data = bytearray(data)
    start, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
    match rng.integers(4):
        case 0:
            for at in rng.integers(len(data), size=rng.integers(1, 8)):
                data[at] ^= int(rng.integers(1, 256))
        case 1:
            del data[start : start + length]
        case 2:
            data[start:start] = data[start : start + length]
        case 3:
            del data[start:]
    return bytes(data)


def mutate_sound(data, rng):
    """Damage the header, the payload or both."""
    kind = rng.integers(4)
    if kind == 0:
        return mutate(data, rng)
    changed = bytearray(data)
    if kind != 1:
        for at in rng.integers(min(80, len(data)), size=rng.integers(1, 5)):
            changed[at] = rng.choice(_NASTY) if rng.random() < 0.7 else rng.integers(256)
    if kind != 2:
        start = int(rng.integers(40, len(data)))
        length = int(rng.integers(1, 4000))
        part = np.frombuffer(bytes(changed[start : start + length]), dtype=np.uint8)
        noise = rng.integers(0, 256, size=len(part), dtype=np.uint8)
        changed[start : start + length] = (noise if rng.random() < 0.5 else part & 0).tobytes()
    if rng.random() < 0.2:
        changed = mutate(bytes(changed), rng)
    return bytes(changed)


def sound_files(folder):
    """Return recordings of a folder as whole files of many forms, as bytes."""
    contents = []
    for i, path in enumerate(sorted(Path(folder).glob("set_?/*.wav"))[::30]):
        waveform, rate = soundfile.read(path, dtype="float32", frames=40_000)
        if i % 5 == 4:
            waveform = np.stack([waveform, waveform[::-1]], axis=1)
        file = io.BytesIO()
        form, subtype = FORMS[i % len(FORMS)]
        soundfile.write(file, waveform, rate, format=form, subtype=subtype)
        contents.append(file.getvalue())
    return contents


def mutated_sounds(folder, n, seed):
    """Yield damaged sound files."""
    rng = np.random.default_rng(seed)
    sources = sound_files(folder)
    for i in range(n):
        yield mutate_sound(sources[i % len(sources)], rng)


@contextlib.contextmanager
def time_limit():
    """Raise if the block takes longer than `SECONDS`."""

    def stop(number, frame):
        raise TimeoutError(f"a file took more than {SECONDS} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def heartkd_predict(*arguments):
    """Run the verb of the command line in this process; return its exit code."""
    from sklearn_heartkd.cli import _predict

    parser = argparse.ArgumentParser()
    _predict.add_parser(parser.add_subparsers())
    options = parser.parse_args(["predict", *arguments])
    return options.func(options)


def predict_batch(contents, model, n_classes):
    """Run `heartkd predict` on damaged files; return the numbers of predicted and refused ones."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, content in enumerate(contents):
            names.append(f"{folder}/{i}.wav")
            Path(names[-1]).write_bytes(content)
        out, err = io.StringIO(), io.StringIO()
        with time_limit(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = heartkd_predict(*names, "--json", *(["--model", str(model)] if model else []))
    entries = json.loads(out.getvalue())
    assert [entry["file"] for entry in entries] == names
    refused = [entry for entry in entries if "error" in entry]
    assert code == (1 if refused else 0)
    for entry in entries:
        if "error" not in entry:
            probabilities = np.array(list(entry["probabilities"].values()))
            assert len(probabilities) == n_classes
            assert np.isfinite(probabilities).all()
            assert abs(probabilities.sum() - 1) < 1e-4
        else:
            assert entry["error"]
            assert "Traceback" not in entry["error"]
    return len(entries) - len(refused), len(refused)


def fuzz_sounds(folder, n, model=None, seed=0):
    """Return how many of `n` damaged sound files were predicted and refused."""
    from sklearn_heartkd.deployment._files import load_any

    n_classes = len(load_any(model).classes)
    damaged = list(mutated_sounds(folder, n, seed))
    counts = np.zeros(2, dtype=int)
    for start in range(0, n, 100):
        counts += predict_batch(damaged[start : start + 100], model, n_classes)
    return tuple(map(int, counts))


def fuzz_models(data, expected, X, n, seed=0):
    """Return how many of `n` damaged copies of a saved model were equal and refused."""
    from sklearn_heartkd.deployment import ModelFileError, load_model

    counts = [0, 0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        for i in range(n):
            path.write_bytes(mutate(data, np.random.default_rng([seed, i])))
            try:
                with time_limit():
                    loaded = load_model(path)
                np.testing.assert_array_equal(loaded.predict_proba(X), expected)
                counts[0] += 1
            except ModelFileError:
                counts[1] += 1
    return tuple(counts)


def small_model():
    """Return a small fitted student and recordings to compare its predictions on."""
    from sklearn.pipeline import make_pipeline

    from sklearn_heartkd import LogMelSpectrogram, StudentClassifier, WindowedClassifier
    from sklearn_heartkd.datasets import make_heart_sounds

    sounds = make_heart_sounds(50, random_state=0)
    inside = make_pipeline(LogMelSpectrogram(), StudentClassifier(max_epochs=2, random_state=0))
    return WindowedClassifier(inside).fit(sounds.data, sounds.target), sounds.data


def main():
    from sklearn_heartkd.deployment import export_onnx, save_model

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of the PASCAL recordings")
    parser.add_argument("--sounds", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=1_000)
    options = parser.parse_args()
    model, X = small_model()
    with tempfile.TemporaryDirectory() as folder:
        exported = export_onnx(model, Path(folder) / "model.onnx").path
        saved = save_model(model, Path(folder) / "model").read_bytes()
        predicted, refused = fuzz_sounds(options.data, options.sounds, exported)
    print(f"{options.sounds} damaged sound files: {predicted} predicted, {refused} refused")
    equal, refused = fuzz_models(saved, model.predict_proba(X[:3]), X[:3], options.models)
    print(f"{options.models} damaged model files: {equal} equal, {refused} refused")


if __name__ == "__main__":
    main()
