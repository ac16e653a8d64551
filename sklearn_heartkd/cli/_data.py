"""The options that name a data set, and its loading."""

import sys
from pathlib import Path

NO_SUBJECTS = (
    "without --subject, every file counts as a subject of its own. If a person has several files, say how "
    "their names tell who was recorded, or recordings of one person stand on both sides of a split and "
    "scores are too good."
)
LAYOUTS = ("pascal", "physionet2016", "folder")


def add_data_options(parser):
    """Add --layout, --subset, --subject and --on-error."""
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        help="how the folder is arranged: PASCAL challenge, PhysioNet/CinC 2016, or one folder a "
        "class; recognised if not given",
    )
    parser.add_argument(
        "--subset", choices=("ab", "a", "b"), default="ab", help="part of PASCAL (default: ab)"
    )
    parser.add_argument(
        "--subject",
        metavar="PATTERN",
        help="regular expression that finds the subject in a file's name, for the layouts folder and "
        "physionet2016",
    )
    parser.add_argument(
        "--on-error",
        choices=("raise", "skip"),
        default="raise",
        help="what to do about unreadable files (default: stop and name them)",
    )


def load(path, options):
    """Load the labelled recordings of a folder, whole and at 2 kHz."""
    from sklearn_heartkd import datasets

    common = {"sampling_rate": 2000, "duration": None, "on_error": options.on_error}
    layout = options.layout or recognise(path)
    if layout == "pascal":
        if options.subject is not None:
            raise ValueError(
                f"--subject {options.subject!r} is of no use: the names of PASCAL tell the subject."
            )
        try:
            return datasets.load_pascal(path, subset=options.subset, **common)
        except ValueError as error:
            message = str(error).replace(f"subset={options.subset!r}", "--subset or --layout")
            raise ValueError(message.replace("load_audio_folder", "--layout folder")) from error
    chosen = {
        "physionet2016": datasets.load_physionet2016,
        "folder": datasets.load_audio_folder,
    }[layout]
    data = chosen(path, subject=options.subject, **common)
    if options.subject is None:
        print(f"heartkd: {NO_SUBJECTS}", file=sys.stderr)
    return data


def recognise(path):
    """Return the layout of a folder, judged by the names in it."""
    from sklearn_heartkd.datasets._assemble import audio_files
    from sklearn_heartkd.model_selection._folders import guess_layout

    return guess_layout(*audio_files(Path(path)))
