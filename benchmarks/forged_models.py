"""Damaged, odd and forged model files through the loading and the prediction of `heartkd predict`.

    python -m benchmarks.forged_models

Each of about 200 files gets a process of its own and must be refused with one sentence or give
probabilities; a damaged file must not give other ones than the whole file. The table counts crashes,
exceptions of other kinds, files that take 20 s or 1 GB, and wrong answers. All files are seeded.
"""

import csv
import hashlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.fuzzing import mutate
from sklearn_heartkd.deployment import load_model, runtime_model
from sklearn_heartkd.deployment.runtime import UNSEALED, HeartSoundModel, seal_of

RESULTS = Path(__file__).parent / "results" / "forged_models.csv"
SECONDS, MEGABYTES = 20, 1000
GIVE_UP = 16 * 2**30  # bytes of address space


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as folder:
        files, recording = list(make_files(Path(folder))), np.sin(np.arange(5000) ** 1.1)
        expected = {}
        rows = []
        for kind, name, path, original in files:
            if original and original not in expected:
                expected[original] = load(original).predict_proba(recording).tolist()
            outcome, megabytes = run(path, recording, expected.get(original))
            rows.append([kind, name, outcome, "more" if megabytes > MEGABYTES else "less"])
            if outcome not in ("refused", "answered") or megabytes > MEGABYTES:
                print(*rows[-1], f"{megabytes:.0f} MB")
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["kind", "file", "outcome", "than_1_GB"], *rows])
    print(f"{len(rows)} files:", dict(Counter(row[2] for row in rows)))
    bad = [row for row in rows if row[2] not in ("refused", "answered") or row[3] == "more"]
    return len(bad) > 0


def run(path, recording, expected):
    """Load a model and predict in a process of its own; return the outcome and the peak memory."""
    receiver, sender = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receiver)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (GIVE_UP, GIVE_UP))
        signal.alarm(SECONDS)  # ends the process
        os.write(sender, json.dumps(attempt(path, recording, expected)).encode())
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as file:
        answer = file.read()
    _, status, usage = os.wait4(pid, 0)
    megabytes = usage.ru_maxrss / 1024
    if os.WIFSIGNALED(status):
        return ("hang" if os.WTERMSIG(status) == signal.SIGALRM else "crash"), megabytes
    return json.loads(answer) if answer else "crash", megabytes


def load(path):
    if path.suffix == ".onnx":
        return HeartSoundModel.load(path)
    return runtime_model(load_model(path))


def attempt(path, recording, expected):
    try:
        with warnings.catch_warnings(action="ignore"):
            model = load(path)
            answer = model.predict_proba(recording)
            model.predict(recording)
            json.dumps(model.classes, ensure_ascii=False).encode()
    except (ValueError, OSError) as error:
        return "refused" if str(error) and "\n" not in str(error) else f"long: {error}"
    except Exception as error:
        return f"traceback {type(error).__name__}: {error}"
    valid = len(answer) == len(model.classes) and abs(sum(answer.tolist()) - 1) < 1e-2
    equal = expected is None or np.allclose(answer, expected, atol=1e-6)
    return "answered" if valid and equal else "wrong"


def make_files(folder):
    """Yield the kind, name and path of each file, and that of the whole file which it damages."""
    from sklearn.pipeline import make_pipeline

    from sklearn_heartkd import MFCC, FixedLength, KMeansRefinedClassifier, StudentClassifier
    from sklearn_heartkd.datasets import make_heart_sounds
    from sklearn_heartkd.deployment import export_onnx, save_model

    sounds = make_heart_sounds(30, classes=("murmur", "normal"), random_state=0)
    student = StudentClassifier(max_epochs=2, random_state=0)
    model = make_pipeline(FixedLength(duration=3.0), MFCC(), KMeansRefinedClassifier(student))
    model.fit(sounds.data, sounds.target)
    saved = save_model(model, folder / "whole.skops")
    exported = export_onnx(model, folder / "whole.onnx").path
    (folder / "files").mkdir()

    def put(kind, name, suffix, content, original=None):
        path = folder / "files" / f"{kind} {name}{suffix}".replace("/", "_")
        path.write_bytes(content)
        return kind, name, path, original

    for whole in (saved, exported):
        data = whole.read_bytes()
        for i in range(30):
            damaged = mutate(data, np.random.default_rng(i))
            yield put("damaged", str(i), whole.suffix, damaged, whole)
        for name, content in {
            "empty": b"",
            "text": b"a text",
            "zip": b"PK\5\6" + bytes(18),
        }.items():
            yield put("other", name, whole.suffix, content)
        for name in ("/dev/zero", "/dev/null", str(folder), "/proc/self/mem"):
            link = folder / "files" / f"{name.strip('/').replace('/', ' ')[-9:]}{whole.suffix}"
            link.symlink_to(name)
            yield "other", name if name.startswith(("/dev", "/proc")) else "folder", link, None
        os.mkfifo(pipe := folder / "files" / f"pipe{whole.suffix}")
        yield "other", "pipe", pipe, None
    yield put("other", "onnx named skops", ".skops", exported.read_bytes())
    yield put("other", "skops named onnx", ".onnx", saved.read_bytes())
    for name, content in forged_archives(saved.read_bytes(), sounds):
        yield put("forged archive", name, ".skops", content)
    for name, content in forged_objects(saved.read_bytes(), sounds):
        yield put("forged objects", name, ".skops", content)
    for name, content in forged_metadata(exported.read_bytes()):
        yield put("forged metadata", name, ".onnx", content)
    for name, content in forged_graphs(exported.read_bytes()):
        yield put("forged graph", name, ".onnx", content)


def archive(members, compression=zipfile.ZIP_DEFLATED):
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", compression) as file,
        warnings.catch_warnings(action="ignore"),
    ):
        for name, content in members:
            file.writestr(name, content)
    return target.getvalue()


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def outer(data, content, **changes):
    """Return a model file with another content and a right checksum."""
    manifest = json.loads(members_of(data)["manifest.json"])
    manifest |= {"sha256": hashlib.sha256(content).hexdigest()} | changes
    return archive([("manifest.json", json.dumps(manifest)), ("model.skops", content)])


def npy(array, shape=None):
    target = io.BytesIO()
    np.save(target, array)
    data = target.getvalue()
    if shape is not None:
        old = str(array.shape).encode()
        data = data.replace(old + b", }", (str(shape) + ", }").encode(), 1)
    return data


def forged_archives(data, sounds):
    content = members_of(data)["model.skops"]
    members = members_of(content)
    schema = json.loads(members["schema.json"])
    arrays = [name for name in members if name.endswith(".npy")]
    bomb = npy(np.zeros(2**28, dtype=np.uint8))

    def inner(changes, compression=zipfile.ZIP_DEFLATED):
        return outer(data, archive((members | changes).items(), compression))

    yield "bomb in the inner archive", inner({arrays[0]: bomb * 4})
    yield (
        "bomb beside the inner archive",
        archive([*members_of(data).items(), ("more", bytes(2**29))]),
    )
    yield "bomb as the inner archive", outer(data, bytes(2**29))
    yield "bomb as the manifest", archive([("manifest.json", b"[" * 2**28), ("model.skops", b"")])
    yield (
        "array of 100 MB read 20 times",
        inner({})
        if not arrays
        else outer(data, archive((members | repeated(schema, members, bomb[: 2**27])).items())),
    )
    for shape in ((2**40,), (2**20, 2**20), (-1,), (0,), (2,), (2**62, 4)):
        yield f"array that declares {shape}", inner({arrays[1]: npy(np.zeros(7), shape)})
    for dtype in ("O", "S0", "U1", "c16", "M8[s]"):
        wrong = np.zeros(3, dtype="S1" if dtype == "O" else dtype)
        forged = npy(wrong).replace(b"|S1", b"|O ") if dtype == "O" else npy(wrong)
        yield f"array of type {dtype}", inner({arrays[2]: forged})
    for value in (np.nan, np.inf, 1e30):
        filled = {
            name: npy(np.full_like(np.load(io.BytesIO(members[name])), np.float32(value)))
            for name in arrays
            if np.load(io.BytesIO(members[name])).dtype.kind == "f"
        }
        yield f"all arrays {value}", inner(filled)
    yield "no arrays", outer(data, archive([("schema.json", members["schema.json"])]))
    yield "no schema", outer(data, archive([(n, m) for n, m in members.items() if n in arrays]))
    yield "deep schema", inner({"schema.json": b"[" * 10**6})
    yield "wide schema", inner({"schema.json": b"[" + b"[]," * 10**8 + b"0]"})
    yield "schema with a large number", inner({"schema.json": b"9" * 10**6})
    yield "schema twice", outer(data, archive([*members.items(), ("schema.json", b"{}")]))
    for key, value in {
        "format": 1,
        "versions": [],
        "channel": "middle",
        "metadata": float("nan"),
        "sha256": None,
    }.items():
        yield f"manifest with {key} {value}", outer(data, content, **{key: value})
    odd = {"sklearn_heartkd": "\x1b[2J\n", "scikit-learn": ["9"] * 9}
    yield "manifest with odd versions", outer(data, content, versions=odd)


def repeated(schema, members, array):
    """Return a schema in which 20 nodes read one large array."""
    found = first_array(schema)
    name = found["file"]
    nodes = [dict(found, __id__=i) for i in range(20)]
    wrapped = {
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "content": nodes,
    }
    schema = json.loads(json.dumps(schema))
    schema["content"]["content"]["verbose"] = wrapped
    return {"schema.json": json.dumps(schema).encode(), name: array}


def first_array(node):
    rest = [node]
    while rest:
        value = rest.pop()
        if isinstance(value, dict) and value.get("__loader__") == "NdArrayNode":
            return value
        rest += value.values() if isinstance(value, dict) else value if type(value) is list else []
    return None


def forged_objects(data, sounds):
    content = members_of(data)["model.skops"]
    members = members_of(content)
    text = members["schema.json"].decode()

    def with_schema(schema):
        schema = schema if isinstance(schema, str) else json.dumps(schema)
        return outer(data, archive((members | {"schema.json": schema}).items()))

    words = sorted({part for part in text.split('"') if part.replace("_", "").isalpha()})
    for seed in range(30):
        old, new = np.random.default_rng(seed).choice(words, size=2, replace=False)
        yield f"{old} becomes {new}", with_schema(text.replace(f'"{old}"', f'"{new}"', 1))

    def changed(name, value):
        """Give an attribute another value, wherever an object has it."""
        schema, rest = json.loads(text), []
        rest.append(schema)
        while rest:
            node = rest.pop()
            if isinstance(node, dict):
                if isinstance(node.get(name), dict) and "__loader__" in node[name]:
                    node[name] = node[name] | {
                        "__loader__": "JsonNode",
                        "content": json.dumps(value),
                        "is_json": True,
                    }
                rest += node.values()
            elif isinstance(node, list):
                rest += node
        return with_schema(schema)

    for name, values in {
        "depth": (10**9, -1, "3", None, True),
        "width": (10**9, 0, "8"),
        "n_mels": (10**9, -3, 2.5),
        "n_fft": (10**9, 0, "128"),
        "hop_length": (0, -64, 10**9),
        "sampling_rate": (0, -1, "2000", 10**12, [2000], None),
        "duration": (10**9, -1, "3"),
        "memory": ("/tmp",),
        "n_jobs": (10**6,),
        "device": ("cuda:99", "nowhere", 3),
        "callbacks": (["x"], 3),
        "top_db": ("80", -1),
        "classes_": (3, "ab", None),
        "weight_": ("x", 1e9, None),
        "n_features_in_": (-1, "x", 10**9),
        "weights_": (None, {}, 3),
        "refiner_": (None, 3),
        "steps": ([], 3, None),
    }.items():
        for value in values:
            yield f"{name}={value}", changed(name, value)
    yield from forged_estimators(data, sounds)


def forged_estimators(data, sounds):
    """Yield models whose arrays scikit-learn reads unchecked, and others that are not classifiers."""
    import skops.io
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LinearRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    from sklearn_heartkd import MFCC, StudentClassifier

    X = MFCC(output="summary").fit_transform(sounds.data)
    for estimator in (
        RandomForestClassifier(3, random_state=0),
        HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2),
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="brute"),
        SVC(),
    ):
        model = make_pipeline(MFCC(output="summary"), estimator.fit(X, sounds.target))
        members = members_of(skops.io.dumps(model))
        forged = {name: enlarged(member) for name, member in members.items()}
        yield f"{type(estimator).__name__} with large numbers", outer(data, archive(forged.items()))
    for name, model in {
        "not fitted": make_pipeline(MFCC(), StudentClassifier()),
        "transformer": MFCC().fit(sounds.data),
        "regressor": LinearRegression().fit(X, np.arange(len(X))),
        "list": [1, 2],
        "text": "normal",
        "nothing": None,
    }.items():
        yield name, outer(data, skops.io.dumps(model))


def enlarged(member):
    """Return an array file with a thousand times larger numbers, in another order."""
    array = np.load(io.BytesIO(member)) if member.startswith(b"\x93NUMPY") else np.array("")
    if array.dtype.kind not in "if":
        return member
    return npy(np.random.default_rng(0).permutation(array.ravel() * 1000).reshape(array.shape))


def forged_metadata(data):
    import onnx

    numbers = ("", "x", "nan", "inf", "-1", "0", "1e300", "1e-300", "1_0", "9" * 5000)
    odd = {
        "classes": (
            *(
                "",
                "3",
                "null",
                "{}",
                '"ab"',
                "[]",
                '["a"]',
                '["a", 3]',
                '["a", "a"]',
                '[["a"], "b"]',
            ),
            *('["a", "\\ud800"]', "[" * 10**5, json.dumps(["c"] * 3), json.dumps(["n"] * 10**6)),
            *('["a\\u0000", "\\u001b[2J"]', "NaN"),
        ),
        "sampling_rate": numbers,
        "window": numbers,
        "hop": (*numbers, "1e-9", "100"),
        "unsure_below": (*numbers[:6], "2"),
        "channel": ("", "middle", "-1", "1e9", "9999", "7"),
        "format": ("", "sklearn_heartkd 2"),
        "in_parts": ("yes", "perhaps"),
    }
    for key, values in odd.items():
        for value in values:
            model = onnx.load_from_string(data)
            for entry in model.metadata_props:
                if entry.key == key:
                    entry.value = value
            yield f"{key}={value[:20]!a}", resealed(model)
        model = onnx.load_from_string(data)
        kept = [entry for entry in model.metadata_props if entry.key != key]
        del model.metadata_props[:]
        model.metadata_props.extend(kept)
        yield f"no {key}", resealed(model)


def forged_graphs(data):
    import onnx
    from onnx import TensorProto, helper

    def changed(change):
        model = onnx.load_from_string(data)
        change(model.graph)
        return resealed(model)

    def rename_input(graph):
        graph.input[0].name = "sound"

    def rename_output(graph):
        graph.output[0].name = "answer"

    def declare(n_classes):
        def change(graph):
            graph.output[0].type.tensor_type.shape.dim[1].dim_value = n_classes

        return change

    def end_with(*nodes):
        def change(graph):
            graph.node[-1].output[0] = "before"
            graph.node.extend(nodes)

        return change

    node = helper.make_node
    zero = node("Constant", [], ["zero"], value=helper.make_tensor("z", TensorProto.FLOAT, [], [0]))
    yield "input has another name", changed(rename_input)
    yield "output has another name", changed(rename_output)
    yield "output declares 3 classes", changed(declare(3))
    yield (
        "output is NaN",
        changed(
            end_with(
                zero,
                node("Div", ["before", "zero"], ["i"]),
                node("Sub", ["i", "i"], ["probabilities"]),
            )
        ),
    )
    yield (
        "output is infinite",
        changed(end_with(zero, node("Div", ["before", "zero"], ["probabilities"]))),
    )
    yield "output is negative", changed(end_with(node("Neg", ["before"], ["probabilities"])))
    yield (
        "output is not normalized",
        changed(end_with(node("Add", ["before", "before"], ["probabilities"]))),
    )
    yield (
        "output is empty",
        changed(
            end_with(
                node(
                    "Constant",
                    [],
                    ["n"],
                    value=helper.make_tensor("n", TensorProto.INT64, [1], [0]),
                ),
                node("Slice", ["before", "n", "n"], ["probabilities"]),
            )
        ),
    )
    yield "no nodes", changed(lambda graph: graph.ClearField("node"))
    yield "no constants", changed(lambda graph: graph.ClearField("initializer"))
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


if __name__ == "__main__":
    sys.exit(main())
