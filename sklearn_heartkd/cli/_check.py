"""``heartkd check``: what is wrong with a folder of recordings."""

from sklearn_heartkd.cli._data import add_layout_options, warn_without_subject


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "check",
        help="find what is wrong with a data set before training on it",
        description="Find unreadable files, copies, conflicting labels, subjects with several "
        "labels, classes that metadata alone predict, clipping and silence. Exit status: 0 "
        "nothing serious, 1 problems found, 2 wrong usage.",
    )
    parser.add_argument("folder", metavar="DIR", help="the folder of the recordings, or of a store")
    add_layout_options(parser)
    parser.add_argument(
        "--ignore",
        nargs="+",
        default=(),
        metavar="CODE",
        help="leave out the findings of some checks, by the codes that the report prints (HKD001 …)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(func=run)
    return parser


def run(options):
    """Print the report; return 0, or 1 if there are problems."""
    from sklearn_heartkd.model_selection import check_folder

    report = check_folder(
        options.folder,
        layout=options.layout,
        subject=options.subject,
        split=options.split,
        ignore=options.ignore,
    )
    if report.summary["layout"] != "store":
        warn_without_subject(options.subject, report.summary["layout"])
    print(report.to_json() if options.json else report)
    return 1 if report.n_problems else 0
