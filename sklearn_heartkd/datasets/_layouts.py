"""The layouts of data sets that the loaders know, and how to tell which one a folder has."""

import re
from pathlib import Path
from typing import NamedTuple

CIRCOR_NAME = re.compile(r"(?P<patient>\d+)_(?P<site>AV|PV|TV|MV|Phc)(?:_\d+)?", re.IGNORECASE)
BMD_HS_NAME = re.compile(
    r"(?:AS|AR|MR|MS|MD|N)_\d+_(?P<position>sup|sit)_(?P<site>Mit|Tri|Pul|Aor)", re.IGNORECASE
)
_PASCAL_FOLDER = re.compile(r"(^|/)(set_[ab]|[AB]training\w*|Training [AB] \w+)/", re.IGNORECASE)
_PASCAL_NAME = re.compile(r"(?:artifact|extrahls|extrastole|murmur|normal)_.*\d{8}")


class Layout(NamedTuple):
    """A layout that a loader reads."""

    loader: str  # name of the function in sklearn_heartkd.datasets
    example: str  # what such a folder holds
    finds_subject: bool  # whether the layout tells the subject, so that the loader takes none
    source: str  # column of the frame with the parts that a check compares, or ""


LAYOUTS = {
    "pascal": Layout("load_pascal", "set_a/normal__201101070538.wav", True, "set"),
    "physionet2016": Layout(
        "load_physionet2016", "training-a/a0001.wav and training-a/REFERENCE.csv", False, "database"
    ),
    "circor": Layout(
        "load_circor", "training_data/2530_AV.wav and training_data.csv", True, "campaign"
    ),
    "bmd_hs": Layout("load_bmd_hs", "train/MR_002_sup_Mit.wav and train.csv", True, ""),
    "folder": Layout("load_audio_folder", "normal/any.wav and murmur/other.wav", False, ""),
}


def guess_layout(root: Path, files: list[Path]) -> str:
    """Return the name of the layout of a folder, judged by the names in it."""
    if any(root.rglob("REFERENCE*.csv")):
        return "physionet2016"
    for layout, name in (("circor", CIRCOR_NAME), ("bmd_hs", BMD_HS_NAME)):
        if 2 * sum(name.fullmatch(file.stem) is not None for file in files) > len(files):
            return layout
    names = (f"{root.name}/{file.relative_to(root).as_posix()}" for file in files)
    return "pascal" if any(_PASCAL_FOLDER.search(name) for name in names) else "folder"


def none_named_so(layout, root, files):
    """Return a sentence about a folder that does not hold a public data set."""
    known = LAYOUTS[layout]
    return (
        f"None of the {len(files)} sound files in {str(root)!r} is named as {known.loader} reads them "
        f"({known.example}); load other recordings with load_audio_folder or load_table."
    )


def explain_layout(root: Path, files: list[Path]) -> str:
    """Return a sentence on how to load a folder that does not hold a folder for each class."""
    layout = guess_layout(root, files)
    if all(_PASCAL_NAME.match(file.name) for file in files):
        layout = "pascal"
    if layout != "folder":
        known = LAYOUTS[layout]
        return (
            f"It looks like the layout {layout!r} ({known.example}): load it with {known.loader}."
        )
    tables = sorted(root.glob("*.csv"))
    if tables:
        return (
            f"If {tables[0].name} lists the recordings and their labels, load it with "
            "load_table(path, file=..., target=...)."
        )
    nearest = LAYOUTS["folder"]
    return (
        f"Put the recordings into one folder for each class ({nearest.example}) and load them with "
        f"{nearest.loader}, or list them in a table and load it with load_table."
    )


def load_folder(path, layout=None, *, subject=None, split=None, **options):
    """Load a folder with the loader of its layout, which is recognized where it is None.

    Parameters that are None are left out. The Bunch also has the name of the layout.
    """
    from sklearn_heartkd import datasets
    from sklearn_heartkd.datasets._assemble import audio_files

    if layout is None:
        layout = guess_layout(*audio_files(path))
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {list(LAYOUTS)}, got {layout!r}.")
    known = LAYOUTS[layout]
    if subject is not None:
        if known.finds_subject:
            raise ValueError(
                f"subject={subject!r} is not used, because the layout {layout!r} tells the subject; leave "
                "it out."
            )
        options["subject"] = subject
    if split is not None:
        if layout != "folder":
            raise ValueError(f"split={split!r} is for the layout 'folder', not for {layout!r}.")
        options["split"] = split
    bunch = getattr(datasets, known.loader)(path, **options)
    bunch.layout = layout
    return bunch
