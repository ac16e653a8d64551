"""heartkd explain."""

import sys
from collections import Counter
from pathlib import Path


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "explain",
        help="show what a model listened to in recordings",
        description="Write pictures of what spoke for and against a class: as heat over the "
        "spectrogram, as a coloured waveform, and as bars over the frequencies. Exit status: 0 all "
        "read, 1 some files could not be used, 2 wrong usage.",
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
        help="default: what suits the model",
    )
    parser.add_argument(
        "--timing", metavar="FILE", help="marked heart sounds, as PASCAL's set_a_timing.csv"
    )
    parser.set_defaults(func=run)
    return parser


def run(args):
    """Write the pictures and a table of the scores; return 0, or 1 if files cannot be used."""
    import matplotlib
    import pandas as pd
    from tqdm import tqdm

    from sklearn_heartkd.datasets import UnreadableRecordingError
    from sklearn_heartkd.deployment._files import find_recordings, read_file
    from sklearn_heartkd.inspection import explain, read_timing

    model, rate = _load(args.model)
    names = find_recordings(args.recordings)
    background = None
    if args.background is not None:
        files = find_recordings([args.background])
        background = [read_file(name, rate)[0] for name in files]
    timing = None if args.timing is None else read_timing(args.timing)
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    stems = _stems(names)
    rows, failed = [], False
    with matplotlib.rc_context({"backend": "Agg"}):
        for name in tqdm(names, unit="file", leave=False, disable=True if len(names) < 5 else None):
            try:
                waveform = read_file(name, rate)[0]
            except UnreadableRecordingError as error:
                print(f"heartkd explain: {error}", file=sys.stderr)
                failed = True
                continue
            explanation = explain(
                model, [waveform], background=background, method=args.method, sampling_rate=rate
            )
            told = _write(explanation, name, stems[name], args.target, timing, folder)
            rows.append({"file": name, **told})
    if rows:
        table = pd.DataFrame(rows)
        table.to_csv(folder / "explanations.csv", index=False, float_format="%.5g")
        print(table.to_string(index=False, float_format="%.3g"))
        print(f"Pictures and explanations.csv are in {folder}.")
    return 1 if failed else 0


def _load(path):
    """Load a model and its sampling rate."""
    if str(path).lower().endswith(".onnx"):
        from sklearn_heartkd.deployment.runtime import HeartSoundModel

        exported = HeartSoundModel.load(path)
        return exported, exported.sampling_rate
    from sklearn_heartkd.deployment import load_model

    model = load_model(path)
    rates = {
        value
        for name, value in model.get_params(deep=True).items()
        if name.split("__")[-1] == "sampling_rate"
    }
    if len(rates) != 1:
        raise ValueError(
            f"The steps of {path} name {len(rates)} sampling rates; save a whole pipeline, from waveforms "
            "on."
        )
    return model, rates.pop()


def _stems(names):
    """Return how the pictures of each file are called: as the file, with its folder where need be."""
    paths = {name: Path(name) for name in dict.fromkeys(names)}
    counts = Counter(path.stem for path in paths.values())
    stems: dict[str, str] = {}
    for name, path in paths.items():
        stem = path.stem if counts[path.stem] == 1 else f"{path.absolute().parent.name}_{path.stem}"
        own, number = stem, 2
        while own in stems.values():
            own, number = f"{stem}_{number}", number + 1
        stems[name] = own
    return stems


def _write(explanation, name, stem, target, timing, folder):
    """Write the pictures of one recording; return its row of the table."""
    from matplotlib.figure import Figure

    from sklearn_heartkd.inspection import ExplanationDisplay

    events = None
    if timing is not None:
        events = timing[timing["file"] == Path(name).name]
        events = events if len(events) else None
    sizes = {"heat": (9, 4.6), "waveform": (9, 2.8), "bands": (5, 3.8)}
    if explanation.values is None:
        sizes = {"bands": sizes["bands"]}
    for kind, size in sizes.items():
        figure = Figure(figsize=size, layout="constrained")
        ExplanationDisplay.from_explanation(
            explanation, target=target, events=events, kind=kind, ax=figure.subplots()
        )
        figure.savefig(folder / f"{stem}_{kind}.png", dpi=110)
    index = explanation.class_index(target)
    return {
        "class": explanation.classes[index],
        "predicted": explanation.predicted[0],
        explanation.unit: explanation.scores[0, index],
        "without events": explanation.base[0, index],
        "method": explanation.method,
        "additivity error": explanation.additivity_error[0],
    }
