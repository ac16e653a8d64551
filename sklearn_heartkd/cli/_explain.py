"""heartkd explain."""

import sys


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "explain",
        help="show what a model uses in recordings",
        description="Write pictures of the evidence for and against a class: as heat over the "
        "spectrogram, as a colored waveform, and as bars over the frequencies. Exit status: 0 all "
        "files explained, 1 some files could not be explained, 2 wrong usage.",
        epilog="Not a medical device: for research and teaching only.",
    )
    parser.add_argument("model", metavar="MODEL", help="a model of heartkd train or heartkd export")
    parser.add_argument("recordings", nargs="+", metavar="FILE", help="sound files, or folders")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the pictures")
    parser.add_argument(
        "--target", metavar="CLASS", help="the class to explain (default: the predicted one)"
    )
    parser.add_argument(
        "--background",
        metavar="DIR",
        help="recordings to compare with (default: each recording without its events)",
    )
    parser.add_argument(
        "--method",
        choices=("auto", "deep", "kernel", "tree"),
        default="auto",
        help="how to explain (default: auto, which depends on the model)",
    )
    parser.add_argument(
        "--timing", metavar="FILE", help="marked heart sounds, as in PASCAL's set_a_timing.csv"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also load forests, SVMs and other models that can harm if their file was forged",
    )
    parser.set_defaults(func=run)
    return parser


def run(args):
    """Write the pictures and the table of the scores; return the exit status."""
    import pandas as pd
    from tqdm import tqdm

    from sklearn_heartkd.deployment._files import find_recordings, load_fitted
    from sklearn_heartkd.inspection._files import explain_files
    from sklearn_heartkd.utils._text import printable

    model, manifest = load_fitted(args.model, trust=args.trust)
    channel = manifest["channel"]
    names = find_recordings(args.recordings)
    results = explain_files(
        model,
        names,
        args.out,
        target=args.target,
        background=find_recordings([args.background]) if args.background else (),
        method=args.method,
        timing=args.timing,
        channel=channel,
    )
    rows, failed = [], False
    for result in tqdm(results, total=len(names), unit="file", leave=False, disable=None):
        if result.error is None:
            rows.append(result.row)
        else:
            failed = True
            message = f"heartkd explain: {printable(result.file)}: {printable(result.error)}"
            print(message, file=sys.stderr)
    if rows:
        table = pd.DataFrame(rows).map(
            lambda cell: cell if isinstance(cell, float) else printable(cell)
        )
        print(table.to_string(index=False, float_format="%.3g"))
        print(f"The pictures and explanations.csv are in {printable(args.out)}.")
    return 1 if failed else 0
