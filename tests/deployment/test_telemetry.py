"""No process of ours talks to the network, and none leaves files outside the paths it was given."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import soundfile

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import runtime, save_model

STAYS = 60  # seconds; onnxruntime asked for its vendor's host within 45
RUN = """
import sys, time
from sklearn_heartkd.cli import main
code = main(sys.argv[2:])
time.sleep(float(sys.argv[1]))
sys.exit(code)
"""
IMPORT = """
import os, sys
from sklearn_heartkd.deployment import runtime
assert "onnxruntime" not in sys.modules
runtime.import_onnxruntime()
runtime.import_onnxruntime()
print(os.environ["ORT_DISABLE_TELEMETRY"])
"""
CACHES = r"matplotlib|fontconfig|numba|__pycache__|librosa|\.pyc$|\.nb[ic]$"


def environment(**more):
    return {k: v for k, v in os.environ.items() if k != runtime._TELEMETRY} | more


def python(code, *arguments, before=(), **more):
    command = [*before, sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**more)
    )


def test_the_variable_is_set_before_the_import():
    process = python(IMPORT)
    out, err = process.communicate()
    assert (out, err) == ("1\n", "")


def test_the_choice_of_the_user_stays():
    out, err = python(IMPORT, ORT_DISABLE_TELEMETRY="0").communicate()
    assert (out, err) == ("0\n", "")


def test_an_earlier_import_is_warned_about_once(monkeypatch):
    monkeypatch.delenv(runtime._TELEMETRY, raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", "loaded")
    with pytest.warns(UserWarning, match="telemetry.*ORT_DISABLE_TELEMETRY=1"):
        assert runtime.import_onnxruntime() == "loaded"
    runtime.import_onnxruntime()


def can_trace():
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-f", "-e", "trace=socket", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def folder(tmp_path):
    sounds = make_heart_sounds(
        8, classes=("normal", "murmur"), n_subjects=8, duration=1.5, random_state=0
    )
    for i, (x, label) in enumerate(zip(sounds.data, sounds.target, strict=True)):
        path = tmp_path / "sounds" / label / f"s{i}_{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.3 * x / abs(x).max(), 2000)
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(not can_trace(), reason="strace cannot trace here")
def test_no_verb_opens_a_socket_or_leaves_files(folder, distilled):
    sounds, data = folder / "sounds", ["--layout", "folder", "--subject", r"^(s\d+)_"]
    model = save_model(distilled, folder / "model.skops")
    one = sounds / "normal" / "s0_0.wav"
    for name in ("told", "home", "temporary", "trace"):
        (folder / name).mkdir()
    told = folder / "told"
    verbs = {
        "predict": [sounds],
        "train": [sounds, *data, "--quick", "--teacher", "conv1d", "--out", told / "m.skops"],
        "export": [model, "--out", told / "m.onnx"],
        "explain": [model, one, "--out", told / "explain"],
        "compare": [
            *("--data", sounds, *data, "--quick", "--folds", "2"),
            *("--models", "svm", "--jobs", "1", "--out", told / "compare"),
        ],
    }
    home = {"HOME": "home", "TMPDIR": "temporary"} | dict.fromkeys(
        ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), "home"
    )
    home = {name: str(folder / path) for name, path in home.items()}
    trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=socket", "-o"]
    processes = {
        verb: python(RUN, STAYS, verb, *rest, before=[*trace, folder / "trace" / verb], **home)
        for verb, rest in verbs.items()
    }
    for verb, process in processes.items():
        _, err = process.communicate()
        assert process.returncode == 0, (verb, err)
        assert "AF_INET" not in (folder / "trace" / verb).read_text(), verb
    left = [
        str(path.relative_to(folder))
        for name in ("home", "temporary")
        for path in (folder / name).rglob("*")
        if path.is_file()
    ]
    assert [name for name in left if not re.search(CACHES, name)] == []
