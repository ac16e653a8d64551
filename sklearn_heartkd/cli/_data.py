"""The options that name a data set, and its loading."""

LAYOUTS = ("pascal", "physionet2016", "folder")


def add_data_options(parser):
    """Add --layout, --subset and --on-error."""
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="pascal",
        help="how the folder is arranged: PASCAL challenge (default), PhysioNet/CinC 2016, or one "
        "folder a class",
    )
    parser.add_argument(
        "--subset", choices=("ab", "a", "b"), default="ab", help="part of PASCAL (default: ab)"
    )
    parser.add_argument(
        "--subject",
        metavar="PATTERN",
        help="layout folder: regular expression that finds the subject in a file's name",
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
    if options.layout == "pascal":
        return datasets.load_pascal(path, subset=options.subset, **common)
    if options.layout == "physionet2016":
        return datasets.load_physionet2016(path, **common)
    return datasets.load_audio_folder(path, subject=options.subject, **common)
