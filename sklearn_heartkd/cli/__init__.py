"""The command heartkd: every verb is one call into the library."""

import argparse
import sys
from importlib import import_module

from sklearn_heartkd._version import __version__
from sklearn_heartkd.cli._errors import explain_error

_VERBS = ("compare", "train", "predict", "explain", "export", "check")


def main(arguments=None):
    """Run the command line and return its exit code.

    0 is success, 1 that something in the data was wrong, 2 wrong usage.
    """
    parser = argparse.ArgumentParser(
        prog="heartkd",
        description="Distil heart-sound classifiers into models of a few kilobytes.",
        epilog="Not a medical device: for research and teaching only.",
    )
    parser.add_argument("--version", action="version", version=f"heartkd {__version__}")
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in _VERBS:
        import_module(f"sklearn_heartkd.cli._{verb}").add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        return options.func(options)
    except (ValueError, OSError, ImportError) as error:
        print(f"heartkd {options.verb}: {explain_error(error, options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"heartkd {options.verb}: interrupted", file=sys.stderr)
        return 130
