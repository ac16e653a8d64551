"""heartkd train."""

from pathlib import Path

from sklearn_heartkd.cli._data import add_data_options, load, load_unlabeled, seed

STUDENTS = ("convolutional", "linear")
TEACHERS = ("conv1d", "conv2d", "lstm", "rnn", "forest", "ensemble")


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a distilled student on a folder of recordings",
        description="Pretrain a teacher and the student on synthetic recordings, fit the teacher, "
        "distill it into the student, and save the student with everything it needs from waveform "
        "to probability.",
    )
    parser.add_argument("data", metavar="DIR", help="recordings with labels")
    add_data_options(parser)
    parser.add_argument(
        "--unlabeled",
        metavar="DIR2",
        help="recordings without labels, in any folders, from which the student learns what the teacher "
        "says about them; --subject, --channel and --on-error apply to them as well",
    )
    parser.add_argument("--teacher", choices=TEACHERS, default="conv2d", help="default: conv2d")
    parser.add_argument(
        "--student",
        choices=STUDENTS,
        default="convolutional",
        help="linear: 185 free parameters for two classes, on autocorrelations; default: convolutional",
    )
    parser.add_argument("--seed", type=seed, default=0, help="default: 0")
    parser.add_argument("--quick", action="store_true", help="a tenth of the budget, to try it out")
    parser.add_argument("--out", required=True, metavar="FILE", help="the model, a .skops file")
    parser.set_defaults(func=run)


def run(options):
    """Train, save, and print what was written."""
    from sklearn_heartkd import comparison
    from sklearn_heartkd.deployment import DomainDetector, save_model
    from sklearn_heartkd.utils._text import printable

    out = Path(options.out)
    if not out.parent.is_dir():
        raise ValueError(f"The folder {out.parent} of --out does not exist; create it first.")
    if out.suffix != ".skops":
        raise ValueError(
            f"--out must be a .skops file, got {out.name!r}; heartkd export makes ONNX and C files of it."
        )
    data = load(options.data, options)
    model = comparison.make_deployable(
        options.teacher,
        student=options.student,
        sampling_rate=data.sampling_rate,
        random_state=options.seed,
        **(comparison.QUICK if options.quick else {}),
    )
    further = {}
    if options.unlabeled is not None:
        unlabeled = load_unlabeled(options.unlabeled, options, data)
        further = {"X_unlabeled": unlabeled.data, "groups_unlabeled": unlabeled.groups}
    model.fit(data.data, data.target, groups=data.groups, **further)
    detector = DomainDetector(sampling_rate=data.sampling_rate)
    detector.fit(data.data, devices=data.get("devices"))
    save_model(model, out, channel=options.channel, domain=detector)
    print(
        f"{out}: {len(data.target)} recordings of {len(set(data.groups))} subjects, classes "
        f"{', '.join(map(printable, model.classes_))}"
        + (f", and {len(unlabeled.data)} recordings without labels" if further else "")
    )
    return 0
