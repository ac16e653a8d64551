"""Damaged, odd and forged model files: loading and prediction in a process with limits.

    python -m benchmarks.forged_models

Each file gets a separate process and must be refused with one sentence or give probabilities; a
damaged file must not give other ones than the whole file. The table counts crashes, exceptions of other
kinds, files that take 20 s or 1 GB, and wrong answers. All files are seeded.
"""

import hashlib
import io
import json
import os
import tempfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from sklearn.pipeline import make_pipeline

from benchmarks._hostile import in_child, mutate, write_rows
from benchmarks._tables import RESULTS
from sklearn_heartkd import MFCC, FixedLength, KMeansRefinedClassifier, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import export_onnx, load_model, runtime_model, save_model
from sklearn_heartkd.deployment.runtime import UNSEALED, HeartSoundModel, seal_of

SECONDS, MEGABYTES, DAMAGED = 20, 1000, 100
ODD_NUMBERS = ("", "x", "nan", "inf", "-1", "0", "1e300", "1e-300", "1_0", "9" * 5000)
ODD_CLASSES = (
    r"""3 null NaN {} "ab" [] ["a"] ["a",3] ["a","a"] [["a"],"b"] ["a","\ud800"] ["a\u0000","b"]"""
)
ODD_METADATA = {
    "classes": ("", "[" * 10**5, *ODD_CLASSES.split()),
    "sampling_rate": ODD_NUMBERS,
    "window": ODD_NUMBERS,
    "hop": (*ODD_NUMBERS, "1e-9", "100"),
    "unsure_below": (*ODD_NUMBERS, "2"),
    "channel": ("", "middle", "-1", "1e9", "9999", "7"),
    "format": ("", "sklearn_heartkd 2"),
    "in_parts": ("yes", "perhaps"),
}
WHOLE_NUMBERS = ("depth", "width", "n_mels", "n_fft", "hop_length", "sampling_rate", "duration")
ODD_ATTRIBUTES = dict.fromkeys(WHOLE_NUMBERS, (10**12, 0, -1, 2.5, "3", None, True, [3])) | {
    "memory": ("/tmp",),
    "n_jobs": (10**6,),
    "device": ("cuda:99", 3),
    "callbacks": (["x"], 3),
    "top_db": ("80", -1),
    "classes_": (3, "ab", None),
    "weight_": ("x", 1e9, None),
    "n_features_in_": (-1, "x", 10**9),
    "weights_": (None, {}, 3),
    "refiner_": (None, 3),
    "steps": ([], 3, None),
}


def load(path):
    if path.suffix == ".onnx":
        return HeartSoundModel.load(path)
    return runtime_model(load_model(path))


def attempt(path, recording, expected):
    """Return what a file does: refused, answered, wrong, or an exception of another kind."""
    try:
        with warnings.catch_warnings(action="ignore"):
            model = load(path)
            answer = model.predict_proba(recording)
            json.dumps(model.classes, ensure_ascii=False).encode()
    except (ValueError, OSError) as error:
        return "refused" if str(error) and "\n" not in str(error) else f"long: {error}"
    except Exception as error:
        return f"traceback {type(error).__name__}: {error}"
    valid = len(answer) == len(model.classes) and abs(sum(answer.tolist()) - 1) < 1e-2
    equal = expected is None or np.allclose(answer, expected, atol=1e-6)
    return "answered" if valid and equal else "wrong"


def archive(members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def outer(data, content, **changes):
    """Return a saved model with another content and a right checksum."""
    manifest = json.loads(members_of(data)["manifest.json"])
    manifest |= {"sha256": hashlib.sha256(content).hexdigest()} | changes
    return archive({"manifest.json": json.dumps(manifest), "model.skops": content})


def npy(array, shape=None):
    target = io.BytesIO()
    np.save(target, array)
    old = f"{array.shape}, }}".encode()
    return target.getvalue().replace(old, f"{shape or array.shape}, }}".encode(), 1)


def forged_archives(data):
    content = members_of(data)["model.skops"]
    members = members_of(content)
    first, *arrays = (name for name in members if name.endswith(".npy"))

    def inner(**changes):
        return outer(data, archive(members | changes))

    yield "bomb in the inner archive", inner(**{first: npy(np.zeros(2**25))})
    yield "bomb beside the inner archive", archive(members_of(data) | {"more": bytes(2**29)})
    yield "bomb as the inner archive", outer(data, bytes(2**29))
    yield "bomb as the manifest", archive({"manifest.json": b"[" * 2**28, "model.skops": b""})
    for shape in ((2**40,), (2**20, 2**20), (-1,), (0,), (2,), (2**62, 4)):
        yield f"array that declares {shape}", inner(**{first: npy(np.zeros(7), shape)})
    yield "array of objects", inner(**{first: npy(np.zeros(3, "S1")).replace(b"|S1", b"|O ")})
    yield "no arrays", outer(data, archive({"schema.json": members["schema.json"]}))
    yield "no schema", outer(data, archive({name: members[name] for name in arrays}))
    yield "deep schema", inner(**{"schema.json": b"[" * 10**6})
    yield "wide schema", inner(**{"schema.json": b"[" + b"[]," * 10**8 + b"0]"})
    yield "schema with a large number", inner(**{"schema.json": b"9" * 10**6})
    odd = {
        "format": 1,
        "versions": {"scikit-learn": "\x1b[2J"},
        "channel": "middle",
        "metadata": np.nan,
        "sha256": None,
    }
    for key, value in odd.items():
        yield f"manifest with {key} {value}", outer(data, content, **{key: value})


def forged_objects(data):
    """Yield models whose tree of objects has other names, or attributes of other values."""
    members = members_of(members_of(data)["model.skops"])
    text = members["schema.json"].decode()
    words = sorted({part for part in text.split('"') if part.replace("_", "").isalpha()})
    for seed in range(30):
        old, new = np.random.default_rng(seed).choice(words, size=2, replace=False)
        changed = text.replace(f'"{old}"', f'"{new}"', 1)
        yield f"{old} becomes {new}", outer(data, archive(members | {"schema.json": changed}))
    for name, values in ODD_ATTRIBUTES.items():
        for value in values:
            node = {"__loader__": "JsonNode", "content": json.dumps(value), "is_json": True}

            def change(found, name=name, node=node):
                if "__loader__" in found.get(name, ()):
                    found[name] |= node
                return found

            changed = json.dumps(json.loads(text, object_hook=change))
            yield f"{name}={value}", outer(data, archive(members | {"schema.json": changed}))


def forged_metadata(data):
    for key, values in ODD_METADATA.items():
        for value in (*values, None):  # None leaves it out
            model = onnx.load_from_string(data)
            metadata = {entry.key: entry.value for entry in model.metadata_props} | {key: value}
            del model.metadata_props[:]
            helper.set_model_props(model, {k: v for k, v in metadata.items() if v is not None})
            yield f"no {key}" if value is None else f"{key}={value[:20]!a}", resealed(model)


def forged_graphs(data):
    """Yield files whose graph lacks a part or does not do what it declares."""
    for field in ("node", "initializer", "input", "output"):
        model = onnx.load_from_string(data)
        model.graph.ClearField(field)
        yield f"no {field}", resealed(model)
    model = onnx.load_from_string(data)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 3
    yield "output declares 3 classes", resealed(model)
    for operator in ("Neg", "Sqrt", "Exp", "Log"):
        model = onnx.load_from_string(data)
        model.graph.node[-1].op_type = operator  # the last one is Identity
        yield f"output through {operator}", resealed(model)
    yield "no graph", resealed(onnx.ModelProto())


def resealed(model):
    """Return the file with a right checksum."""
    for entry in model.metadata_props:
        if entry.key == "seal":
            entry.value = UNSEALED.decode()
    content = model.SerializeToString()
    if UNSEALED not in content:
        content += b"\x2a\x48" + UNSEALED  # an unknown field
    return content.replace(UNSEALED, seal_of(content))


def files(data, graph, pipe):
    """Yield the kind, the name, the suffix and the content of each file, or where it links to."""
    for suffix, content, other in ((".skops", data, graph), (".onnx", graph, data)):
        for seed in range(DAMAGED):
            yield "damaged", seed, suffix, mutate(content, np.random.default_rng(seed))
        odd = {"empty": b"", "text": b"a text", "zip": b"PK\5\6" + bytes(18), "other kind": other}
        links = {"pipe": pipe} | {name: name for name in ("/dev/zero", "/proc/self/mem", "/tmp")}
        for name, content in (odd | links).items():
            yield "other", name, suffix, content
    for kind, suffix, forged in (
        ("forged archive", ".skops", forged_archives(data)),
        ("forged objects", ".skops", forged_objects(data)),
        ("forged metadata", ".onnx", forged_metadata(graph)),
        ("forged graph", ".onnx", forged_graphs(graph)),
    ):
        for name, content in forged:
            yield kind, name, suffix, content


def rows(folder):
    """Try each file; yield the rows of the table."""
    sounds = make_heart_sounds(30, classes=("murmur", "normal"), random_state=0)
    student = StudentClassifier(max_epochs=2, random_state=0)
    model = make_pipeline(FixedLength(duration=3.0), MFCC(), KMeansRefinedClassifier(student))
    model.fit(sounds.data, sounds.target)
    saved = save_model(model, folder / "whole.skops")
    exported = export_onnx(model, folder / "whole.onnx").path
    os.mkfifo(pipe := str(folder / "pipe"))
    recording = np.sin(np.arange(5000) ** 1.1)
    whole = {path.suffix: load(path).predict_proba(recording) for path in (saved, exported)}
    for kind, name, suffix, content in files(saved.read_bytes(), exported.read_bytes(), pipe):
        path = folder / f"file{suffix}"
        path.unlink(missing_ok=True)
        path.write_bytes(content) if isinstance(content, bytes) else path.symlink_to(content)
        expected = whole[suffix] if kind == "damaged" else None
        outcome, _, megabytes = in_child(attempt, path, recording, expected, seconds=SECONDS)
        size = "more" if megabytes > MEGABYTES else "less"
        yield {"kind": kind, "file": name, "outcome": outcome, "than_1_GB": size}


def main():
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder)):
            table.append(row)
            if row["outcome"] not in ("refused", "answered") or row["than_1_GB"] == "more":
                print(row, flush=True)
    write_rows(RESULTS / "forged_models.csv", table)
    print(f"{len(table)} files:", dict(Counter(row["outcome"] for row in table)))


if __name__ == "__main__":
    main()
