"""heartkd compare."""

from pathlib import Path
from typing import Any

from sklearn_heartkd.cli._data import add_data_options, load

SYNTHETIC = 120


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="cross-validate teachers, students and classical models by subject",
        description="Cross-validate an SVM, a random forest, four teacher networks, the student "
        "trained from scratch and the student distilled from each teacher, each without and with "
        "k-means refinement, by subject. Started again with the same --out, it goes on where it was.",
    )
    parser.add_argument("--data", metavar="DIR", help="recordings (default: synthetic ones)")
    add_data_options(parser)
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="default: 0"
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
    from sklearn_heartkd.datasets import make_heart_sounds

    if options.folds < 2:
        raise ValueError(f"--folds must be at least 2, got {options.folds}.")
    budget: dict[str, Any]
    if options.data is None:
        data = make_heart_sounds(SYNTHETIC, n_subjects=40, random_state=0)
        budget = {"max_epochs": 2 if options.quick else 20, "n_estimators": 200}
    else:
        data = load(options.data, options)
        budget = {"max_epochs": 2, "n_estimators": 50} if options.quick else {}
    # a start from synthetic recordings is no fair one where synthetic ones are tested on
    start = 0 if options.data is None or options.quick else comparison.N_SYNTHETIC
    recipe = comparison.Recipe(sampling_rate=data.sampling_rate, n_synthetic=start, **budget)
    result = comparison.compare(
        data,
        folds=options.folds,
        seeds=options.seeds,
        recipe=recipe,
        out=None if options.out is None else Path(options.out),
        n_jobs=options.jobs,
    )
    print(comparison.render(result.table, comparison.display_name).to_string())
    subjects = len(set(data.groups))
    source = "synthetic recordings" if options.data is None else f"recordings of {options.data}"
    print(
        f"\n{len(data.target)} {source} of {subjects} subjects or clusters of near-duplicates; "
        f"{options.folds} folds by subject, seeds {options.seeds}; scores of the out-of-fold "
        "predictions ± standard deviation over the folds."
    )
    if budget:
        print(
            f"The networks had a small budget of {budget['max_epochs']} epochs; with --data and without "
            "--quick they have their own."
        )
    if options.out is not None:
        folder = Path(options.out)
        result.table.to_csv(folder / "table.csv", float_format="%.7g")
        result.predictions.to_csv(folder / "predictions.csv", index=False, float_format="%.5g")
        comparison.write_figures(result, folder)
        described = f"{len(data.target)} {source}"
        report = comparison.write_report(result, data, folder, source=described, recipe=recipe)
        print(f"Table, predictions and pictures are in {folder}; all of it to read in {report}.")
    return 0
