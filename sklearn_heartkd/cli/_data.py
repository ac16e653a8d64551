"""The options that describe a data set, and its loading."""

import sys
from argparse import ArgumentTypeError

from sklearn_heartkd.datasets._layouts import LAYOUTS

_NO_SUBJECTS = (
    "without --subject, each file counts as a separate subject. If a person has several files, give a "
    "pattern that finds the person in their names; otherwise recordings of one person are on both sides "
    "of a split, and scores are too good."
)


def add_layout_options(parser):
    """Add --layout, --subject and --split."""
    parser.add_argument(
        "--layout",
        choices=tuple(LAYOUTS),
        help="how the folder is arranged: a public data set, or one folder for each class; recognized "
        "if not given",
    )
    parser.add_argument(
        "--subject",
        metavar="PATTERN",
        help="regular expression that finds the subject in a file's name, for the layouts "
        + " and ".join(name for name, layout in LAYOUTS.items() if not layout.finds_subject),
    )
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="folder such as train above those of the classes, or all, for the layout folder",
    )


def add_data_options(parser):
    """Add the options of `add_layout_options`, --subset, --channel and --on-error."""
    add_layout_options(parser)
    parser.add_argument("--subset", choices=("ab", "a", "b"), help="part of PASCAL (default: ab)")
    parser.add_argument(
        "--channel",
        type=_channel,
        default="mean",
        help="channel to use of recordings with several: mean, left, right or a number from 0 "
        "(default: mean)",
    )
    parser.add_argument(
        "--on-error",
        choices=("raise", "skip", "repair"),
        default="raise",
        help="what to do about unreadable files: stop and list them, leave them out, or read what "
        "damaged WAV files hold (default: raise)",
    )


def _channel(text):
    if text in ("mean", "left", "right"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise ArgumentTypeError(f"must be mean, left, right or a number from 0, got {text!r}")


def seed(text):
    """Return the seed that an option gives."""
    if text.isascii() and text.isdigit() and int(text) < 2**32:
        return int(text)
    raise ArgumentTypeError(f"must be a whole number from 0 to 2**32 - 1, got {text!r}")


def load(path, options):
    """Load the labeled recordings of a folder, whole and at 2 kHz, or open those of a store."""
    from sklearn_heartkd.datasets import open_store
    from sklearn_heartkd.datasets._layouts import load_folder
    from sklearn_heartkd.datasets._store import is_store

    if is_store(path):
        return open_store(path)
    data = load_folder(
        path,
        options.layout,
        subject=options.subject,
        split=options.split,
        channel=options.channel,
        on_error=options.on_error,
        subset=options.subset,
    )
    warn_without_subject(options.subject, data.layout)
    return data


def warn_without_subject(subject, layout):
    """Print a warning where each file counts as a subject because nobody gave a pattern."""
    if subject is None and not LAYOUTS[layout].finds_subject:
        print(f"heartkd: {_NO_SUBJECTS}", file=sys.stderr)


def load_unlabeled(path, options, labeled):
    """Load the recordings of a folder as if they had no labels."""
    from sklearn_heartkd.model_selection._unlabeled import load_unlabeled as read

    chosen = {name: getattr(options, name) for name in ("subject", "channel", "on_error")}
    return read(path, labeled, **chosen)
