"""heartkd predict."""

import csv
import json
import sys


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="classify recordings, with the model in the box or your own",
        description="Print a line for each recording: file, class or 'unsure', probability of the "
        "most probable class, signal quality. Exit status: 0 all read, 1 some files could not be "
        "used, 2 wrong usage.",
        epilog="Not a medical device: for research and teaching only.",
    )
    parser.add_argument(
        "recordings",
        nargs="+",
        metavar="FILE|DIR",
        help="sound files, folders of them, or - for a sound file on standard input",
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="an .onnx file of heartkd export or a model of heartkd train (default: the model in "
        "the box, a student of 5 classes trained on the PASCAL recordings)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON list")
    form.add_argument("--csv", action="store_true", help="print a table with all probabilities")
    parser.set_defaults(func=run)
    return parser


def run(options):
    """Print the predictions; return 0, or 1 if there were files that cannot be used."""
    from tqdm import tqdm

    from sklearn_heartkd.deployment._files import find_recordings, load_any, predict_file

    model = load_any(options.model)
    names = find_recordings(options.recordings)
    bar = tqdm(names, desc="Predicting", unit="file", leave=False, disable=_is_few(names))
    results = [predict_file(model, name) for name in bar]
    for result in results:
        if result.error:
            print(f"heartkd predict: {result.file}: {result.error}", file=sys.stderr)
    if options.json:
        json.dump([_as_dict(result, model.classes) for result in results], sys.stdout, indent=1)
        print()
    elif options.csv:
        _print_csv(results, model.classes)
    else:
        _print_lines(results)
    return 1 if any(result.error for result in results) else 0


def _is_few(names):
    return True if len(names) < 10 else None  # None: a bar only in a terminal


def _as_dict(result, classes):
    if result.error:
        return {"file": result.file, "error": result.error}
    label, best, probability, probabilities, quality = result.prediction
    return {
        "file": result.file,
        "class": label,
        "most_probable": best,
        "probability": round(probability, 6),
        "probabilities": {
            name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)
        },
        "quality": str(quality),
    }


def _print_csv(results, classes):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "class", "most_probable", "probability", "quality", *classes])
    for result in results:
        if not result.error:
            label, best, probability, probabilities, quality = result.prediction
            shown = [f"{p:.6f}" for p in (probability, *probabilities)]
            writer.writerow([result.file, label, best, shown[0], quality, *shown[1:]])


def _print_lines(results):
    done = [result for result in results if not result.error]
    width = max((len(result.file) for result in done), default=0)
    for result in done:
        label, best, probability, _, quality = result.prediction
        shown = label if label == best else f"{label} ({best}?)"
        print(f"{result.file:<{width}}  {shown:<22}  {probability:.3f}  {quality}")
