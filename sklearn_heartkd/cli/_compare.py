"""heartkd compare."""

from pathlib import Path

from sklearn_heartkd.cli._data import add_data_options, load, load_unlabeled, seed

_FEW = (
    "few labels: in each half of the subjects 20 have labels and 80 have none, and models are tested on "
    "the other half"
)


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="cross-validate teachers, students and classical models by subject",
        description="Compare classical models, teachers, students trained from scratch and distilled "
        "students on subjects that they were not trained on, each without and with k-means refinement. "
        "Without --data, on synthetic recordings of which few have labels. Run it again with the "
        "same --out to continue an interrupted comparison. Exit status: 0 success, 1 a model could not "
        "be fitted, 2 wrong usage.",
    )
    parser.add_argument("--data", metavar="DIR", help="recordings (default: synthetic ones)")
    parser.add_argument(
        "--unlabeled",
        metavar="DIR",
        help="further recordings, whose labels are not used, for the distilled students",
    )
    add_data_options(parser)
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="MODEL",
        help="default: those of the study with --data, else models of tables; all: all",
    )
    parser.add_argument(
        "--metric",
        default="balanced_accuracy",
        help="score that sorts the models, such as accuracy, f1_macro, recall_murmur or roc_auc_murmur "
        "(default: balanced_accuracy)",
    )
    parser.add_argument("--folds", type=int, metavar="N", help="by subject, default: 5")
    parser.add_argument(
        "--devices",
        metavar="COLUMN",
        help="leave out one device after the other instead, by a column of the data set such as device, "
        "site or database; batches of networks are balanced over devices",
    )
    parser.add_argument(
        "--seeds", type=seed, nargs="+", default=[0], metavar="SEED", help="default: 0"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the budget, to try it out")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes, default: 2")
    parser.add_argument(
        "--latex", action="store_true", help="print the table as LaTeX, for the package booktabs"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the report, the table, the out-of-fold predictions and the pictures",
    )
    parser.set_defaults(func=run)


def run(options):
    """Compare, print the table and what follows from it, and write the results to --out."""
    from sklearn_heartkd import comparison
    from sklearn_heartkd.comparison._scores import check_metric

    if options.jobs == 0:
        raise ValueError("--jobs must be at least 1, or -1 for all cores, got 0.")
    data, unlabeled, splits, source = _data(options)
    check_metric(options.metric, data.target)
    synthetic = options.data is None
    recipe = comparison.Recipe.default(
        data.sampling_rate,
        synthetic=synthetic,
        quick=options.quick,
        balance=options.devices is not None,
    )
    result = comparison.compare(
        data,
        folds=options.folds or 5,
        seeds=options.seeds,
        splits=splits,
        models=options.models or (comparison.FEW if synthetic else None),
        unlabeled=unlabeled,
        recipe=recipe,
        out=options.out,
        n_jobs=options.jobs,
        verbose=True,
    )
    scores = comparison.score_models(result.predictions, data.groups, metric=options.metric)
    table = comparison.render(result.table, scores=scores)
    if options.latex:
        print(comparison.latex(table))
    else:
        first, *others = (column for column in table if column not in ("accuracy", "macro-F1"))
        print(table[[first, *others]].to_string())
        print(f"\n{source}; seeds {options.seeds}; 95 % intervals over subjects.")
        if recipe.max_epochs != "auto" and result.table["parameters"].notna().any():
            print(f"The networks were trained for only {recipe.max_epochs} epochs.")
        print("\n".join(comparison.verdicts(scores)))
    if options.out is not None:
        report = comparison.write_results(
            result,
            data,
            Path(options.out),
            source=source,
            recipe=recipe,
            scores=scores,
            n_jobs=options.jobs,
        )
        if not options.latex:
            print(
                f"Table, predictions and pictures are in {options.out}; open {report} to read them."
            )
    return 1 if result.failures else 0


def _data(options):
    """Return the recordings, those without labels, the splits, and a description."""
    from sklearn_heartkd import comparison

    if options.data is None:
        wrong = [name for name in ("unlabeled", "folds", "devices") if getattr(options, name)]
        if wrong:
            raise ValueError(f"--{wrong[0]} needs recordings of your own; give them with --data.")
        data = comparison.few_labels()
        n = len(data.target)
        return data, data.unlabeled, data.splits, f"{n} synthetic recordings, {_FEW}"
    if options.folds is not None and (options.folds < 2 or options.devices is not None):
        raise ValueError(
            f"--folds must be at least 2 and not given with --devices, got {options.folds}."
        )
    data = load(options.data, options)
    unlabeled = splits = None
    if options.devices is not None:
        if options.devices not in data.frame:
            raise ValueError(
                f"--devices {options.devices} is not a column of the data set; choose from "
                f"{', '.join(data.frame.columns)}."
            )
        data.devices = data.frame[options.devices].astype(str).to_numpy()
        splits = comparison.split_by_device(data.devices, data.groups)
    how = f"{options.folds or 5} folds by subject"
    if splits is not None:
        how = f"each of {len(splits)} values of {options.devices} left out once"
    n_groups = len(set(data.groups))
    source = (
        f"{len(data.target)} recordings of {options.data} in {n_groups} groups that no fold "
        f"divides; {how}"
    )
    if options.unlabeled is not None:
        unlabeled = load_unlabeled(options.unlabeled, options, data)
        source += f"; {len(unlabeled.data)} recordings of {options.unlabeled} without labels"
    return data, unlabeled, splits, source
