"""heartkd predict."""

import csv
import json
import sys
import textwrap
from contextlib import contextmanager

from sklearn_heartkd.utils._text import guard_cell, printable


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="classify recordings with the bundled model or your own",
        description="Print a line for each recording as soon as it is known: file, class, 'poor "
        "recording' or 'unsure', probability of the class, signal quality and whether the recording is "
        "unlike those of the training. Exit status: 0 all read, 1 some files could not be used, 2 wrong "
        "usage.",
        epilog="Not a medical device: for research and teaching only.",
    )
    parser.add_argument(
        "recordings",
        nargs="+",
        metavar="FILE|DIR",
        help="sound files, folders of them, stores, or - for a sound file on standard input",
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="an .onnx file of heartkd export or a model of heartkd train (default: the bundled "
        "model, murmur against normal)",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also load forests, SVMs and other models that can harm if their file was forged",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON list")
    form.add_argument("--csv", action="store_true", help="print a table with all probabilities")
    parser.set_defaults(func=run)
    return parser


def run(options):
    """Print each prediction as soon as it is known; return 0, or 1 if some files cannot be used."""
    from sklearn_heartkd.deployment._files import find_recordings, load_any, predict_file

    model = load_any(options.model, trust=options.trust)
    names = find_recordings(options.recordings)
    scope = model.metadata.get("scope")
    if scope:
        print(f"heartkd predict: {printable(scope)}", file=sys.stderr, flush=True)
    failed = False
    with _form(options)(names, model.classes) as show:
        for name in _with_bar(names):
            result = predict_file(model, name)
            if result.error:
                failed = True
                message = f"heartkd predict: {printable(result.file)}: {result.error}"
                print(message, file=sys.stderr, flush=True)
            show(result)
            sys.stdout.flush()
    return 1 if failed else 0


def _with_bar(names):
    """Show a bar on a terminal, where the lines themselves do not show how far it is."""
    if len(names) < 10 or sys.stdout.isatty() or not sys.stderr.isatty():
        return names
    from tqdm import tqdm

    return tqdm(names, desc="Predicting", unit="file", leave=False)


def _form(options):
    return _json if options.json else _csv if options.csv else _lines


@contextmanager
def _lines(names, classes):
    width = max((len(printable(name)) for name in names), default=0)

    def show(result):
        if not result.error:
            label, best, probability, *_ = result.prediction
            shown = printable(label if label == best else f"{label} ({best}?)")
            problems = result.prediction.problems
            print(f"{printable(result.file):<{width}}  {shown:<24}  {probability:.3f}  {problems}")

    yield show


@contextmanager
def _json(names, classes):
    separator = "["

    def show(result):
        nonlocal separator
        text = json.dumps(_as_dict(result, classes), indent=1)
        print(separator, textwrap.indent(text, " "), sep="\n", end="")
        separator = ","

    try:
        yield show
    finally:  # an interrupted list is one, too
        print("[]" if separator == "[" else "\n]")


@contextmanager
def _csv(names, classes):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header = ["file", "class", "most_probable", "probability", "quality", "distance", *classes]
    writer.writerow([guard_cell(printable(cell)) for cell in header])

    def show(result):
        if not result.error:
            label, best, probability, probabilities, quality, distance = result.prediction
            shown = [f"{p:.6f}" for p in (probability, *probabilities)]
            texts = [guard_cell(printable(text)) for text in (result.file, label, best)]
            distance = "" if distance is None else f"{distance:.3f}"
            writer.writerow([*texts, shown[0], quality, distance, *shown[1:]])

    yield show


def _as_dict(result, classes):
    if result.error:
        return {"file": result.file, "error": result.error}
    label, best, probability, probabilities, quality, distance = result.prediction
    return {
        "file": result.file,
        "class": label,
        "most_probable": best,
        "probability": round(probability, 6),
        "probabilities": {
            name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)
        },
        "quality": str(quality),
        "distance": None if distance is None else round(distance, 3),
    }
