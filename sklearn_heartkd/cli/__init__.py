"""The command heartkd: every verb is one call into the library."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

from sklearn_heartkd._version import __version__
from sklearn_heartkd.cli._errors import explain_error

_VERBS = ("compare", "train", "predict", "explain", "export", "check")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 is success, 1 that something in the data was wrong, 2 wrong usage.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="heartkd",
        description="Distill heart-sound classifiers into models of a few kilobytes.",
        epilog="Not a medical device: for research and teaching only.",
    )
    parser.add_argument("--version", action="version", version=f"heartkd {__version__}")
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    # only the module of the verb is imported, all of them for the help
    for verb in arguments[:1] if arguments[:1] and arguments[0] in _VERBS else _VERBS:
        import_module(f"sklearn_heartkd.cli._{verb}").add_parser(subparsers)
    options = parser.parse_args(arguments)
    formatted = warnings.formatwarning
    # a warning is one line like an error, without the place in the code
    warnings.formatwarning = lambda message, *_, **__: f"heartkd {options.verb}: {message}\n"
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names that the terminal cannot show
    try:
        return options.func(options)
    except (ValueError, OSError, ImportError) as error:
        print(f"heartkd {options.verb}: {explain_error(error, options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"heartkd {options.verb}: interrupted", file=sys.stderr)
        return 130
    finally:
        warnings.formatwarning = formatted
