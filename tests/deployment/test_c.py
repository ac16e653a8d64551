import copy
import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import (
    MFCC,
    Autocorrelogram,
    BandPassFilter,
    Conv1DClassifier,
    Conv2DClassifier,
    DenseStudentClassifier,
    FixedLength,
    KMeansRefinedClassifier,
    LogMelSpectrogram,
    StudentClassifier,
    WindowedClassifier,
)
from sklearn_heartkd.deployment import ExportError, export_c
from sklearn_heartkd.metrics import RejectingClassifier

GCC = shutil.which("gcc")
CLANG = shutil.which("clang")
STRICT = ["-Wconversion", "-Wdouble-promotion", "-Wshadow"]
SMALL = ["-Os"]
CHECKED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
QUICK = {"max_epochs": 1, "random_state": 0}

pytestmark = pytest.mark.skipif(GCC is None, reason="gcc is not installed")


def compile_c(output, *sources, options=SMALL, compiler=GCC):
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", *STRICT]
    libraries = [] if "-c" in options else ["-lm"]
    command = [compiler, *warnings, *options, *map(str, sources), *libraries, "-o", str(output)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return output


def run(program, *arguments):
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def check(written, folder, options=SMALL):
    """Compile the test vectors with the source, run them and return what they print."""
    program = compile_c(folder / "test", written.source, written.test, options=options)
    result = run(program)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory, distilled):
    return export_c(distilled, tmp_path_factory.mktemp("c") / "student.c")


@pytest.fixture(scope="module")
def library(tmp_path_factory, written):
    output = tmp_path_factory.mktemp("library") / "student.so"
    compile_c(output, written.source, options=["-O2", "-shared", "-fPIC"])
    library = ctypes.CDLL(str(output))
    library.heartkd_push.restype = ctypes.c_size_t
    library.heartkd_push.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    return library


class State:
    """A stream through the compiled library."""

    def __init__(self, library, n_bytes):
        self.library = library
        self.memory = ctypes.create_string_buffer(b"\xff" * n_bytes, n_bytes)
        library.heartkd_reset(self.memory)

    def push(self, samples):
        while len(samples):
            n_taken = self.library.heartkd_push(self.memory, samples.ctypes.data, len(samples))
            samples = samples[n_taken:].copy()

    def finish(self):
        probabilities = np.zeros(3, dtype=np.float32)
        assert self.library.heartkd_finish(self.memory, ctypes.c_void_p(probabilities.ctypes.data))
        return probabilities


def as_int16(waveform):
    return np.round(waveform / np.abs(waveform).max() * 32767).astype(np.int16)


@pytest.mark.parametrize("options", [SMALL, CHECKED], ids=["small", "sanitizers"])
def test_the_test_vectors_agree(tmp_path, written, options):
    assert check(written, tmp_path, options).startswith("10 recordings, largest difference")


def test_the_test_vectors_notice_a_difference(tmp_path, written):
    for file in (written.source, written.header, written.test):
        shutil.copy(file, tmp_path)
    source = tmp_path / written.source.name
    head = "heartkd_head_bias[3] = {\n    "
    assert head in source.read_text()
    source.write_text(source.read_text().replace(head, head + "0.01f + "))
    program = compile_c(tmp_path / "test", source, tmp_path / written.test.name)
    assert run(program).returncode == 1


@pytest.mark.recordings
@pytest.mark.parametrize("options", [SMALL, CHECKED], ids=["small", "sanitizers"])
def test_real_recordings_agree(tmp_path, pascal_path, distilled, options):
    from sklearn_heartkd.datasets import read_recordings

    files = sorted(pascal_path.glob("set_?/*.wav"))[::120]
    recordings, _, _ = read_recordings(files, 2000)
    written = export_c(distilled, tmp_path / "student.c", recordings)
    assert f"{len(files)} recordings" in check(written, tmp_path, options)


MODELS = {
    "mfcc": lambda: make_pipeline(MFCC(), StudentClassifier(**QUICK)),
    "no normalisation, no limits": lambda: make_pipeline(
        LogMelSpectrogram(normalize=False, top_db=None, fmin=0, fmax=None, n_mels=13),
        StudentClassifier(width=3, depth=2, **QUICK),
    ),
    "no power of two": lambda: make_pipeline(
        MFCC(n_fft=100, hop_length=61, top_db=20), StudentClassifier(width=2, depth=1, **QUICK)
    ),
    "CMVN": lambda: make_pipeline(LogMelSpectrogram(cmvn=True), StudentClassifier(**QUICK)),
    "CMVN of coefficients": lambda: WindowedClassifier(
        make_pipeline(MFCC(cmvn=True, top_db=None, amin=3e-7), StudentClassifier(**QUICK)),
        window=2.0,
    ),
    "autocorrelogram": lambda: WindowedClassifier(
        make_pipeline(Autocorrelogram(), StudentClassifier(**QUICK)), window=3.0, hop=1.5
    ),
    "autocorrelogram with lags above half of the window": lambda: WindowedClassifier(
        make_pipeline(
            Autocorrelogram(n_lags=9, n_fft=100, amin=3e-7), StudentClassifier(depth=1, **QUICK)
        ),
        window=0.4,
        hop=0.3,
    ),
    "conv2d, refined twice": lambda: KMeansRefinedClassifier(
        KMeansRefinedClassifier(
            make_pipeline(LogMelSpectrogram(), Conv2DClassifier(width=2, depth=3, **QUICK)),
            n_clusters=8,
            weight=0.3,
        )
    ),
    "windows of odd lengths": lambda: WindowedClassifier(
        make_pipeline(LogMelSpectrogram(), StudentClassifier(width=2, depth=1, **QUICK)),
        window=0.5,
        hop=0.3337,
    ),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_other_models_agree(tmp_path, sounds, make):
    model = make().fit(sounds.data, sounds.target)
    rows = [*sounds.data[:2], np.zeros(10000), np.full(10000, 0.4)]
    check(export_c(model, tmp_path / "model.c", rows), tmp_path, CHECKED)


def test_it_is_small(tmp_path, sounds, student_pipeline):
    written = export_c(student_pipeline, tmp_path / "student.c", sounds.data[:1])
    options = ["-Os", "-c"]
    program = compile_c(tmp_path / "student.o", written.source, options=options)
    sizes = subprocess.run(["size", str(program)], capture_output=True, text=True, check=True)
    text, data, bss = map(int, sizes.stdout.splitlines()[1].split()[:3])
    assert text + data <= 64 * 1024
    assert bss == 0
    assert written.state_bytes <= 64 * 1024


def test_the_state_has_the_size_that_is_told(tmp_path, written):
    source = tmp_path / "size.c"
    source.write_text(
        f'#include "{written.header}"\n#include <stdio.h>\n'
        'int main(void) { printf("%zu", sizeof(heartkd_state)); return 0; }\n'
    )
    assert int(run(compile_c(tmp_path / "size", source)).stdout) == written.state_bytes


def test_no_memory_is_allocated(tmp_path, written):
    program = compile_c(tmp_path / "student.o", written.source, options=["-Os", "-c"])
    names = subprocess.run(["nm", "-u", str(program)], capture_output=True, text=True, check=True)
    used = {line.split()[-1].split("@")[0] for line in names.stdout.splitlines()}
    allowed = {"memcpy", "memset", "logf", "expf", "sqrt", "fmaxf", "__stack_chk_fail"}
    assert used <= allowed | {"_GLOBAL_OFFSET_TABLE_"}


@pytest.mark.parametrize("n_samples", [1, 50, 5999, 6000, 6001, 9000, 9500, 20000])
def test_recordings_of_any_length(library, written, sounds, distilled, n_samples):
    samples = as_int16(np.resize(sounds.data, n_samples))
    state = State(library, written.state_bytes)
    state.push(samples)
    waveform = samples.astype(np.float32) / 32768
    expected = distilled.predict_proba([waveform, waveform[:5] if n_samples > 5 else np.ones(9)])
    np.testing.assert_allclose(state.finish(), expected[0], atol=1e-5)


def test_streams_do_not_disturb_each_other_and_can_be_used_again(library, written, sounds):
    recordings = [as_int16(row) for row in sounds.data[:2]]
    alone = []
    for samples in recordings:
        state = State(library, written.state_bytes)
        state.push(samples)
        alone.append(state.finish())
    states = [State(library, written.state_bytes) for _ in recordings]
    for start in range(0, 10000, 333):
        for state, samples in zip(states, recordings, strict=True):
            state.push(samples[start : start + 333].copy())
    for state, expected in zip(states, alone, strict=True):
        np.testing.assert_array_equal(state.finish(), expected)
    states[0].push(recordings[1])
    np.testing.assert_array_equal(states[0].finish(), alone[1])


def test_two_models_in_one_program(tmp_path, sounds, student_pipeline, distilled):
    first = export_c(student_pipeline, tmp_path / "first.c", sounds.data[:1], prefix="first")
    second = export_c(distilled, tmp_path / "second.c", sounds.data[:1], prefix="second")
    source = tmp_path / "both.c"
    source.write_text(
        '#include "first.h"\n#include "second.h"\nint main(void) {\n'
        "    static first_state a; static second_state b;\n"
        "    first_reset(&a); second_reset(&b);\n"
        "    return FIRST_WINDOW - SECOND_WINDOW != 4000 || a.ready || b.ready;\n}\n"
    )
    program = compile_c(tmp_path / "both", source, first.source, second.source)
    assert run(program).returncode == 0


@pytest.fixture(scope="module")
def program(tmp_path_factory, written):
    output = tmp_path_factory.mktemp("main") / "heartkd"
    return compile_c(output, written.source, options=[*CHECKED, "-DHEARTKD_MAIN"])


def test_the_program_reads_a_wav_file(tmp_path, program, sounds, distilled):
    samples = as_int16(sounds.data[0])
    soundfile.write(tmp_path / "r.wav", samples, 2000, subtype="PCM_16")
    lines = run(program, tmp_path / "r.wav").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["window", "window", "recording", "answer"]
    fields = lines[2].split("\t")[1:]
    assert [field.split()[0] for field in fields] == list(distilled.classes_)
    expected = distilled.predict_proba(samples[np.newaxis].astype(np.float32) / 32768)[0]
    found = [float(field.split()[1]) for field in fields]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_program_refuses_other_files(tmp_path, program, sounds):
    wrong = {"rate": (4000, "PCM_16"), "bits": (2000, "PCM_24"), "float": (2000, "FLOAT")}
    for name, (rate, subtype) in wrong.items():
        soundfile.write(tmp_path / name, sounds.data[0], rate, subtype=subtype, format="WAV")
    soundfile.write(tmp_path / "good", sounds.data[0], 2000, format="WAV")
    good = (tmp_path / "good").read_bytes()
    (tmp_path / "text").write_text("a text")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "header").write_bytes(good[:40])
    soundfile.write(tmp_path / "stereo", np.zeros((9, 2)), 44_100, format="WAV")
    found = {
        "rate": " (found: channels 1, bits 16, 4000 Hz)",
        "bits": " (found: channels 1, bits 24, 2000 Hz)",
        "float": " (found: channels 1, bits 32, 2000 Hz, not PCM)",
        "stereo": " (found: channels 2, bits 16, 44100 Hz)",
        "header": " with samples",
    }
    for name in (*wrong, "stereo", "text", "empty", "header", "nowhere"):
        result = run(program, tmp_path / name)
        assert (result.returncode, result.stdout) == (1, ""), name
        about = "not a mono wav file of 16 bit at 2000 Hz" + found.get(name, "")
        assert result.stderr == f"{tmp_path / name}: {about}\n"
    assert run(program).returncode == 2
    rng = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(good[:4000])
        for at in rng.integers(60, size=3):
            damaged[at] = rng.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        result = run(program, tmp_path / "damaged")
        assert result.returncode in (0, 1)
        assert "Sanitizer" not in result.stderr


REFUSED = {
    "Autocorrelogram correlates a whole recording, .* put the pipeline into a Windowed": (
        lambda: make_pipeline(Autocorrelogram(), StudentClassifier(**QUICK))
    ),
    "BandPassFilter and FixedLength cannot": lambda: make_pipeline(
        BandPassFilter(method="fir"), MFCC(), StudentClassifier(**QUICK)
    ),
    "BandPassFilter and FixedLength cannot be": lambda: make_pipeline(
        FixedLength(duration=2.0), MFCC(), StudentClassifier(**QUICK)
    ),
    "Only a chain of 2-D convolutions": lambda: make_pipeline(
        MFCC(), Conv1DClassifier(width=2, **QUICK)
    ),
    "GroupNorm cannot be exported to C: use norm='batch'": lambda: make_pipeline(
        MFCC(), StudentClassifier(norm="group", **QUICK)
    ),
    "refinement around WindowedClassifier cannot": lambda: KMeansRefinedClassifier(
        WindowedClassifier(make_pipeline(MFCC(), StudentClassifier(width=2, **QUICK)))
    ),
    "DenseStudentClassifier cannot be exported to C: use StudentClassifier": lambda: make_pipeline(
        MFCC(hop_length=500), DenseStudentClassifier(**QUICK)
    ),
    "output='flat' cannot be exported to C": lambda: make_pipeline(
        MFCC(output="flat", hop_length=500), StudentClassifier(**QUICK)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_exported_is_named(tmp_path, sounds, message):
    model = REFUSED[message]().fit(sounds.data, sounds.target)
    with pytest.raises(ExportError, match=message):
        export_c(model, tmp_path / "m.c", sounds.data)
    assert not list(tmp_path.iterdir())


def test_a_reject_threshold_is_refused(tmp_path, sounds, student_pipeline):
    rejecting = RejectingClassifier(FrozenEstimator(student_pipeline), error_rate=0.1, cv=2)
    rejecting.fit(sounds.data, sounds.target, groups=sounds.groups)
    with pytest.raises(ExportError, match="RejectingClassifier cannot be exported to C"):
        export_c(rejecting, tmp_path / "m.c", sounds.data)
    rejecting.set_params(error_rate=None).fit(sounds.data, sounds.target)
    assert export_c(rejecting, tmp_path / "m.c", sounds.data[:1]).source.exists()


def test_wrong_arguments(tmp_path, student_pipeline):
    with pytest.raises(ValueError, match=r"path must end in '.c', got 'm.cpp'"):
        export_c(student_pipeline, tmp_path / "m.cpp")
    with pytest.raises(ValueError, match="prefix must be a lower-case C name, got '9 lives'"):
        export_c(student_pipeline, tmp_path / "m.c", prefix="9 lives")
    with pytest.raises(ValueError, match="recordings is empty; give at least one, or None"):
        export_c(student_pipeline, tmp_path / "m.c", [])
    assert not list(tmp_path.iterdir())


NAMES = {
    "quote": 'a"b',
    "backslash": "a\\",
    "newline": "a\nb",
    "format": "%s%n",
    "end of a comment": "a*/int x;/*",
    "trigraph": 'x??/" ,0};int evil=1;//',
    "spliced end of a comment": "*\\\n/ int evil; /*",
    "spliced by a trigraph": "*??/\n/ int evil; /*",
    "line comment": "// x",
    "other letters": "Geräusch 正常 ❤️",
    "control": "a\x07\x7f\x85\u202eb",
    "digit after an escape": "\x017",
    "template": "@N_WORK@",
    "prefix": "heartkd_normal HEARTKD_X",
    "empty": "",
    "long": "n" * 5000,
}
PRINT = """
#include "%s"
#include <stdio.h>
int main(void)
{
    for (int k = 0; k < HEARTKD_N_CLASSES; k++) {
        for (const char *at = heartkd_classes[k]; *at; at++)
            printf("%%02x", (unsigned int)(unsigned char)*at);
        printf("\\n");
    }
    return 0;
}
"""


def test_any_name_of_a_class_comes_back(tmp_path, sounds, student_pipeline):
    model = copy.deepcopy(student_pipeline)
    names = list(NAMES.values())
    for start in range(0, len(names), 2):
        model[-1].classes_ = np.array([*names[start : start + 2], "z"])
        written = export_c(model, tmp_path / "m.c", sounds.data[:1], prefix="heartkd")
        assert "evil" not in re.sub(
            r"/\*.*?\*/|\".*?\"", "", written.source.read_text(), flags=re.S
        )
        (tmp_path / "print.c").write_text(PRINT % "m.h")
        program = compile_c(tmp_path / "print", tmp_path / "print.c", written.source)
        lines = run(program).stdout.split("\n")
        assert [bytes.fromhex(line).decode() for line in lines[:2]] == names[start : start + 2]


def test_a_nul_in_the_name_of_a_class_is_refused(tmp_path, student_pipeline):
    model = copy.deepcopy(student_pipeline)
    model[-1].classes_ = np.array(["a\0b", "c", "d"])
    with pytest.raises(ExportError, match="NUL"):
        export_c(model, tmp_path / "m.c")


@pytest.mark.parametrize("stem", ['a"b', "a\nb", "ä", "-rf", "x%s"])
def test_any_name_of_a_file_compiles(tmp_path, sounds, student_pipeline, stem):
    written = export_c(student_pipeline, tmp_path / f"{stem}.c", sounds.data[:1])
    check(written, tmp_path)


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_header_serves_cpp(tmp_path, written):
    compile_c(tmp_path / "model.o", written.source, options=["-c"])
    (tmp_path / "main.cpp").write_text(
        f'#include "{written.header}"\n'
        "int main() { static heartkd_state state; heartkd_reset(&state); return 0; }\n"
    )
    command = ["g++", "main.cpp", "model.o", "-lm", "-o", "main"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(CLANG is None, reason="clang is not installed")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_clang_warns_of_nothing(tmp_path, sounds, make):
    model = make().fit(sounds.data, sounds.target)
    written = export_c(model, tmp_path / "model.c", sounds.data[:1])
    options = ["-Os", "-DHEARTKD_MAIN", "-c"]
    compile_c(tmp_path / "a.o", written.source, options=options, compiler=CLANG)
    compile_c(tmp_path / "b.o", written.test, options=["-c"], compiler=CLANG)
