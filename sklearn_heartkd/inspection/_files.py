"""Explanations of sound files, as pictures and a table."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklearn_heartkd.datasets import UnreadableRecordingError, read_recording
from sklearn_heartkd.inspection._events import read_timing
from sklearn_heartkd.inspection._explain import explain
from sklearn_heartkd.inspection._plot._explanation import SIZES, ExplanationDisplay
from sklearn_heartkd.utils._files import replace_files, replace_text
from sklearn_heartkd.utils._text import guard_cell, printable
from sklearn_heartkd.utils._unwrap import sampling_rates

_TABLE = "explanations.csv"


class FileExplanation(NamedTuple):
    """The explanation of a file."""

    file: str
    row: dict[str, Any] | None  # of the table; None if the file could not be explained
    error: str | None  # the reason why not


def explain_files(
    model,
    files,
    folder,
    *,
    target=None,
    background=(),
    method="auto",
    timing=None,
    channel="mean",
) -> Iterator[FileExplanation]:
    """Explain sound files one by one, and write pictures and the table of all into `folder`.

    A file that raises an error does not stop the others; the table is written after the last one.
    `target` and `method` are those of `explain`, and `background` are sound files; `timing` is the
    table that `read_timing` reads, `channel` as in `read_recording`.
    """
    rate = _sampling_rate(model)
    classes = np.asarray(model.classes_ if hasattr(model, "classes_") else model.classes).tolist()
    if target is not None:
        known = {str(label): label for label in classes}
        if target not in known:
            raise ValueError(f"target={target!r} is not in the classes {classes}.")
        target = known[target]
    compared = [read_recording(file, rate, channel=channel)[0] for file in background] or None
    events = None if timing is None else read_timing(timing)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for file, stem in picture_names(files).items():
        try:
            waveform = read_recording(file, rate, channel=channel)[0]
            explanation = explain(
                model, [waveform], background=compared, method=method, sampling_rate=rate
            )
            row = {"file": file, **_draw(explanation, target, events, file, folder / stem)}
        except UnreadableRecordingError as error:
            yield FileExplanation(file, None, "; ".join(error.reasons.values()))
        except Exception as error:
            yield FileExplanation(file, None, str(error))
        else:
            rows.append(row)
            yield FileExplanation(file, row, None)
    if rows:
        table = pd.DataFrame(rows)
        table["file"] = table["file"].map(printable)
        table = table.map(guard_cell).rename(columns=guard_cell)
        replace_text(folder / _TABLE, table.to_csv(index=False, float_format="%.5g"))


def _sampling_rate(model):
    if hasattr(model, "sampling_rate"):
        return model.sampling_rate
    rates = set(sampling_rates(model).values())
    if len(rates) != 1:
        raise ValueError(
            f"The steps of the model have {len(rates)} sampling rates, but explaining sound files "
            "needs one: save a whole pipeline that starts with waveforms."
        )
    return rates.pop()


def picture_names(files):
    """Return the stem of each file's pictures: that of the file, with its folder if necessary.

    Characters that cannot be printed become underscores. No two stems differ in case only, because
    some file systems do not distinguish them.
    """
    own = {file: _clean(Path(file).stem) for file in files}
    counts = Counter(stem.casefold() for stem in own.values())
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for file, stem in own.items():
        if counts[stem.casefold()] > 1:
            stem = f"{_clean(Path(file).absolute().parent.name)}_{stem}"
        candidate, number = stem, 2
        while candidate.casefold() in taken:
            candidate, number = f"{stem}_{number}", number + 1
        taken.add(candidate.casefold())
        stems[file] = candidate
    return stems


def _clean(name):
    return "".join(c if c.isprintable() else "_" for c in name)


def _draw(explanation, target, events, file, stem):
    """Write the pictures of one recording; return the rest of its row in the table."""
    from matplotlib.figure import Figure

    if events is not None:
        events = events[events["file"] == Path(file).name]
        events = events if len(events) else None
    display = ExplanationDisplay(explanation, target=target, events=events)
    kinds = ["bands"] if explanation.values is None else list(SIZES)
    pictures = [stem.with_name(f"{stem.name}_{kind}.png") for kind in kinds]
    with replace_files(*pictures) as made:
        for kind, picture in zip(kinds, made, strict=True):
            figure = Figure(figsize=SIZES[kind], layout="constrained")
            display.plot(figure.subplots(), kind=kind)
            figure.savefig(picture, dpi=110)
    return {
        "class": display.target,
        "predicted": explanation.predicted[0],
        explanation.unit: explanation.scores[0, display.class_index],
        "without events": explanation.base[0, display.class_index],
        "method": explanation.method,
        "additivity error": explanation.additivity_error[0],
    }
