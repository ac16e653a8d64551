"""heartkd export."""

import sys
from pathlib import Path


def add_parser(subparsers):
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="turn a trained model into one ONNX or C file for a device",
        description="Write a model of heartkd train as one file, from the raw waveform to the "
        "probabilities. Exit status: 0 success, 2 wrong usage or a model that cannot be exported.",
    )
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="a file of heartkd train (default: the bundled model)",
    )
    parser.add_argument("--to", choices=("onnx", "c"), default="onnx", help="default: onnx")
    parser.add_argument(
        "--out", metavar="FILE", help="the file to write (default: beside MODEL, or in this folder)"
    )
    parser.add_argument(
        "--recordings",
        metavar="DIR",
        help="a folder of recordings on which the file must agree with the model, and which "
        "calibrate --int8 (default: synthetic heart sounds)",
    )
    parser.add_argument(
        "--int8", action="store_true", help="ONNX: 8-bit network; needs --recordings"
    )
    parser.add_argument(
        "--stand-alone",
        action="store_true",
        help="ONNX: also write heartkd_runtime.py, which needs only numpy and onnxruntime",
    )
    parser.set_defaults(func=run)
    return parser


def run(options):
    """Export the model and report the files."""
    from sklearn_heartkd.deployment import export_c, export_onnx
    from sklearn_heartkd.deployment._files import bundled_model
    from sklearn_heartkd.deployment._persistence import load_with_manifest

    if options.to == "c" and (options.int8 or options.stand_alone):
        raise ValueError("--int8 and --stand-alone need --to onnx; leave them out.")
    if options.int8 and not options.recordings:
        raise ValueError("--int8 needs --recordings to calibrate the network with.")
    path = Path(options.model or bundled_model().with_suffix(".skops"))
    model, manifest = load_with_manifest(path)
    beside = path if options.model else Path(path.name)  # not into the installed package
    out = Path(options.out or beside.with_suffix(f".{options.to}"))
    recordings = None
    if options.recordings:
        recordings = _read(options.recordings, model, manifest["channel"])
    if options.to == "c":
        written = export_c(model, out, recordings)
        print(f"{written.source}, {written.header.name}, {written.test.name}")
        print(f"working memory: {written.state_bytes} bytes")
        return 0
    report = export_onnx(
        model,
        out,
        recordings,
        quantize="int8" if options.int8 else None,
        stand_alone=options.stand_alone,
        channel=manifest["channel"],
        domain=manifest["domain"],
        scope=manifest["scope"],
    )
    print(f"{report.path}: {report.n_bytes} bytes, differs from the model by at most ", end="")
    print(f"{report.max_difference:.1e}")
    if options.int8:
        print(
            f"int8: differs by at most {report.int8_max_difference:.1e}, same class for "
            f"{report.int8_agreement:.1%} of the recordings"
        )
    return 0


def _read(folder, model, channel):
    """Read all usable recordings of a folder at the model's rate, and of its length if it has one."""
    from sklearn_heartkd.datasets import read_recordings
    from sklearn_heartkd.deployment._description import describe
    from sklearn_heartkd.deployment._files import find_recordings
    from sklearn_heartkd.utils._recordings import fit_length

    description = describe(model)
    if not Path(folder).is_dir():
        raise ValueError(
            f"--recordings {folder} is not a folder; give the folder of the recordings."
        )
    names = find_recordings([folder])
    is_shown = int(sys.stderr.isatty())
    recordings, _, _ = read_recordings(
        names, description.sampling_rate, channel=channel, on_error="skip", verbose=is_shown
    )
    if description.n_hop is None and description.n_window:
        return [fit_length(row, description.n_window) for row in recordings]
    return recordings
