"""The export of a whole model to C."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._borders import predict_with_borders
from sklearn_heartkd.deployment._c_tables import (
    LAYER,
    array,
    cluster_tables,
    front_end_tables,
    network_tables,
    number,
    text,
)
from sklearn_heartkd.deployment._description import ExportError, describe
from sklearn_heartkd.deployment._onnx_check import checking_recordings
from sklearn_heartkd.utils._files import replace_files


@dataclass(frozen=True)
class CFiles:
    """Paths of the files that `export_c` wrote.

    Attributes
    ----------
    source, header, test : pathlib.Path
        The test is a program: compile it with the source and run it on the device.
    state_bytes : int
        Size of the working memory, the struct that the caller owns.
    """

    source: Path
    header: Path
    test: Path
    state_bytes: int


def export_c(
    model: Any,
    path: str | os.PathLike[str],
    recordings: ArrayLike | Sequence[ArrayLike] | None = None,
    *,
    prefix: str = "heartkd",
) -> CFiles:
    """Write a fitted model as one C99 file with a header, from int16 samples to probabilities.

    The code needs only the standard library of C, allocates no memory, and changes only a struct
    that the caller owns. Test vectors are written as a program beside it. The three files appear
    together or, where writing fails, not at all.

    Parameters
    ----------
    model : estimator
        A fitted pipeline of `MFCC`, `LogMelSpectrogram` or `Autocorrelogram` and a
        `StudentClassifier` or `Conv2DClassifier` with batch norm, which may be distilled, refined by
        k-means, windowed, frozen, found by a search or with a threshold.
    path : path-like
        The file to write, ending in ``.c``.
    recordings : array-like of shape (n_recordings, n_samples) or sequence of 1-D arrays, \
            default=None
        Recordings for the test vectors, at full scale 1; None takes synthetic heart sounds.
    prefix : str, default="heartkd"
        Prefix of all names in the code; models with different prefixes go into one program.

    Returns
    -------
    files : CFiles
        The paths, and the size of the working memory.

    Raises
    ------
    ExportError
        If a part of the model cannot be exported; the message says which, and what would work.
    ValueError
        If the path does not end in ``.c``, the prefix is not a lower-case C name, or there are no
        recordings.

    See Also
    --------
    export_onnx : Write one ONNX file; it takes more kinds of models.

    Notes
    -----
    The samples of a window are kept as int16. When it is complete, its frames go through FFT, sparse
    mel filters, logarithm, DCT and the network column by column, so that each layer only holds as
    many columns as its kernel is wide. The test leaves out recordings that are equally near
    to two clusters, within rounding. Compiled with ``-DHEARTKD_MAIN`` the file is a program that
    reads a wav file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_heartkd import MFCC, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> from sklearn_heartkd.deployment import export_c
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> model = make_pipeline(MFCC(), StudentClassifier(max_epochs=2, random_state=0))
    >>> model = model.fit(sounds.data, sounds.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = export_c(model, Path(folder) / "student.c")
    >>> written.header.name, written.state_bytes < 65536
    ('student.h', True)
    """
    path = Path(path)
    if path.suffix != ".c":
        raise ValueError(f"path must end in '.c', got {path.name!r}.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prefix):
        raise ValueError(f"prefix must be a lower-case C name, got {prefix!r}.")
    description = describe(model)
    _check(description)
    numbers, tables, calls = _compute(description)
    names = ", ".join(description.classes)
    # classes are named by strangers: a comment gets their harmless characters only
    title = f"A heart-sound classifier: {re.sub('[^A-Za-z0-9 ,._-]', '_', names)[:200]}"
    texts = {"TITLE": title, "VERSION": __version__, "REFINE": calls}
    texts["DECIDE"] = _decide(description)
    texts.update({name: str(value) for name, value in numbers.items()})
    header = _template("interface.h", texts)
    # not included by name, which may be one that C cannot include
    includes = "\n#include <float.h>\n#include <math.h>\n#include <string.h>\n"
    source = header + includes + tables + _template("engine.c", texts) + _template("main.c", texts)
    recordings = [_as_int16(row) for row in checking_recordings(description, recordings)]
    waveforms = [row.astype(np.float32) / 32768 for row in recordings]
    expected, on_border = predict_with_borders(model, description, waveforms)
    if on_border.all():
        raise ExportError(
            "All recordings are equally near to two k-means clusters, so none can test the code: give "
            "others."
        )
    kept = [row for row, is_left_out in zip(recordings, on_border, strict=True) if not is_left_out]
    test = header + _test_program(kept, expected[~on_border], {"VERSION": __version__})
    written = path, path.with_suffix(".h"), path.with_name(f"{path.stem}_test.c")
    with replace_files(*written) as made:
        for file, code in zip(made, (source, header, test), strict=True):
            code = re.sub(r"\bheartkd_", f"{prefix}_", code)
            code = re.sub(r"\bHEARTKD_", f"{prefix.upper()}_", code)
            file.write_text(code, encoding="ascii")
    return CFiles(*written, _state_bytes(numbers))


def _check(description):
    if description.recording_steps or description.window_steps:
        raise ExportError(
            "BandPassFilter and FixedLength cannot be exported to C: the mel filters select the band "
            "(fmin, fmax) and WindowedClassifier makes windows; or export to ONNX."
        )
    if description.recording_clusters:
        raise ExportError(
            "A k-means refinement around WindowedClassifier cannot be exported to C: put it inside."
        )
    if description.reject_below > 0:
        raise ExportError(
            "The C code has no answer 'unsure', so RejectingClassifier cannot be exported to C: export "
            "its estimator_, or export to ONNX."
        )
    if any("\0" in name for name in description.classes):
        raise ExportError("The name of a class contains a NUL, which ends a text in C: rename it.")
    if not description.network.module_.pools:
        raise ExportError(
            f"{type(description.network).__name__} cannot be exported to C: use StudentClassifier, or "
            "export to ONNX."
        )
    if description.flat:
        raise ExportError("output='flat' cannot be exported to C: use output='sequence'.")
    if description.n_window is None:
        raise ExportError("The length of a window is not known: use WindowedClassifier.")
    if description.front_end.n_lags is not None and description.n_hop is None:
        raise ExportError(
            "Autocorrelogram correlates a whole recording, which C does not keep: put the pipeline into "
            "a WindowedClassifier, or export to ONNX."
        )
    if description.sampling_rate != int(description.sampling_rate):
        raise ExportError(
            f"A sampling rate of {description.sampling_rate} Hz cannot be exported to C: use a whole "
            "number."
        )


def _compute(description):
    front_end, module = description.front_end, description.network.module_
    macros, front_tables = front_end_tables(front_end, module.standardize, description.n_window)
    n_channels = front_end.n_channels
    layer_tables, n_layers, n_work, n_maps, n_rows = network_tables(module, n_channels)
    clusters, calls = cluster_tables(description.clusters)
    macros |= {"N_ROWS": n_rows, "N_REFINEMENTS": len(description.clusters)}
    numbers = {
        "SAMPLING_RATE": int(description.sampling_rate),
        "WINDOW": description.n_window,
        "HOP": description.n_hop or description.n_window,
        "N_CLASSES": len(description.classes),
        "N_FFT": front_end.n_fft,
        "N_MELS": len(front_end.mel),
        "N_CHANNELS": n_channels,
        "N_LAYERS": n_layers,
        "N_MAPS": n_maps,
        "N_WORK": n_work,
        "N_NORMALIZED": n_channels if front_end.cmvn or front_end.n_lags else 1,
        "N_LAGS": front_end.n_lags or 0,
        "N_PRODUCTS": n_channels * (front_end.n_lags + 1) if front_end.n_lags else 1,
    }
    names = ", ".join(map(text, description.classes))
    tables = [
        "\n",
        *(f"#define HEARTKD_{name} {value}\n" for name, value in macros.items()),
        f"\nconst char *const heartkd_classes[HEARTKD_N_CLASSES] = {{{names}}};\n",
        front_tables,
        LAYER,
        layer_tables,
        clusters,
        "\n",
    ]
    return numbers, "".join(tables), calls


def _decide(description):
    """Return the body of the function that makes an answer of probabilities."""
    if description.decision is None:
        return (
            "    int best = 0;\n"
            "    for (int k = 1; k < HEARTKD_N_CLASSES; k++)\n"
            "        if (probabilities[k] > probabilities[best])\n"
            "            best = k;\n"
            "    return best;\n"
        )
    *two, threshold = description.decision
    i, j = map(description.classes.index, two)
    p, q = f"probabilities[{i}]", f"probabilities[{j}]"
    return f"    return {p} >= {number(threshold)} * ({p} + {q}) ? {i} : {j};\n"


def _state_bytes(numbers):
    floats = (
        2 * numbers["N_CLASSES"]
        + 3
        + 2 * numbers["N_FFT"]
        + numbers["N_MELS"]
        + numbers["N_CHANNELS"]
        + 2 * numbers["N_MAPS"]
        + numbers["N_WORK"]
        + 2 * numbers["N_NORMALIZED"]
        + 2 * numbers["N_PRODUCTS"]
    )
    integers = 2 + 1 + 2 * numbers["N_LAYERS"]  # n_windows, ready; n_steps; counts of columns
    size = 16 + 4 * (floats + integers) + 2 * numbers["WINDOW"]
    return -(-size // 8) * 8


def _template(name, texts):
    code = files("sklearn_heartkd.deployment").joinpath("templates", name).read_text("utf-8")
    return re.sub("@([A-Z_]+)@", lambda match: texts[match[1]], code)


def _as_int16(waveform):
    return np.clip(np.round(waveform * 32768), -32768, 32767).astype(np.int16)


def _test_program(recordings, expected, texts):
    rows = ",\n    ".join("{" + ", ".join(map(number, row)) + "}" for row in expected)
    tables = [
        array("recordings", np.concatenate(recordings), "int16_t"),
        array("lengths", [len(row) for row in recordings], "size_t"),
        f"static const float expected[{len(expected)}][HEARTKD_N_CLASSES] = {{\n    {rows}}};\n",
    ]
    texts = texts | {"N_RECORDINGS": str(len(recordings)), "TABLES": "".join(tables)}
    return _template("test.c", texts)
