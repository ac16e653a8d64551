"""heartkd compare."""

from pathlib import Path

from sklearn_heartkd.cli._data import add_data_options, load, seed


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="cross-validate teachers, students and classical models by subject",
        description="Cross-validate an SVM, a random forest, four teacher networks, the student "
        "trained from scratch and the student distilled from each teacher, each without and with "
        "k-means refinement, by subject. Run it again with the same --out to continue an interrupted "
        "comparison. Exit status: 0 success, 1 a model could not be fitted, 2 wrong usage.",
    )
    parser.add_argument("--data", metavar="DIR", help="recordings (default: synthetic ones)")
    add_data_options(parser)
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="default: all")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument(
        "--seeds", type=seed, nargs="+", default=[0], metavar="SEED", help="default: 0"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the budget, to try it out")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes, default: 2")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the report, the table, the out-of-fold predictions and the pictures",
    )
    parser.set_defaults(func=run)


def run(options):
    """Compare, print the table, and write the results to --out."""
    from sklearn_heartkd import comparison
    from sklearn_heartkd.comparison import _defaults

    if options.folds < 2:
        raise ValueError(f"--folds must be at least 2, got {options.folds}.")
    if options.jobs == 0:
        raise ValueError("--jobs must be at least 1, or -1 for all cores, got 0.")
    synthetic = options.data is None
    data = _defaults.synthetic_data() if synthetic else load(options.data, options)
    source = "synthetic recordings" if synthetic else f"recordings of {options.data}"
    recipe = comparison.Recipe.default(data.sampling_rate, synthetic=synthetic, quick=options.quick)
    result = comparison.compare(
        data,
        folds=options.folds,
        seeds=options.seeds,
        models=options.models,
        recipe=recipe,
        out=options.out,
        n_jobs=options.jobs,
        verbose=True,
    )
    table = result.table.sort_values("balanced_accuracy", ascending=False)
    print(comparison.render(table).to_string())
    print(
        f"\n{len(data.target)} {source} of {len(set(data.groups))} subjects or clusters of "
        f"near-duplicates; {options.folds} folds by subject, seeds {options.seeds}; scores of the "
        "out-of-fold predictions ± standard deviation over the folds."
    )
    if recipe.max_epochs != "auto":
        print(
            f"The networks were trained for only {recipe.max_epochs} epochs; use --data without --quick "
            "for the full budget."
        )
    if options.out is not None:
        report = comparison.write_results(
            result,
            data,
            Path(options.out),
            source=f"{len(data.target)} {source}",
            recipe=recipe,
            n_jobs=options.jobs,
        )
        print(f"Table, predictions and pictures are in {options.out}; open {report} to read them.")
    return 1 if result.failures else 0
