"""``heartkd check``: what is wrong with a folder of recordings."""

import sys


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "check",
        help="find what is wrong with a data set before training on it",
        description="Find unreadable files, copies, conflicting labels, subjects with several "
        "labels, classes that metadata alone predict, clipping and silence. Exit status: 0 "
        "nothing serious, 1 problems found, 2 wrong usage.",
    )
    parser.add_argument("folder", metavar="DIR", help="the folder of the recordings")
    parser.add_argument(
        "--layout",
        choices=["pascal", "physionet2016", "folder"],
        help="how labels and subjects are told from names; recognised if not given",
    )
    parser.add_argument(
        "--subject",
        metavar="REGEX",
        help="where a file's name holds the subject, for the layouts folder and physionet2016",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(func=run)
    return parser


def run(args):
    """Print the report; return 0, or 1 if there are problems, or 2 if the folder is unusable."""
    from sklearn_heartkd.cli._data import NO_SUBJECTS, recognise
    from sklearn_heartkd.model_selection import check_folder

    try:
        report = check_folder(args.folder, layout=args.layout, subject=args.subject)
    except (OSError, ValueError) as error:
        print(f"heartkd check: {error}", file=sys.stderr)
        return 2
    if args.subject is None and (args.layout or recognise(args.folder)) != "pascal":
        print(f"heartkd check: {NO_SUBJECTS}", file=sys.stderr)
    print(report.to_json() if args.json else report)
    return 1 if report.n_problems else 0
