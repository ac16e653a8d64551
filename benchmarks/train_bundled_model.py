"""Train the model that is part of the package, and update its model card.

    python -m benchmarks.pascal --data path/to/heartbeat-sounds --parts ab    # its scores, first
    python -m benchmarks.train_bundled_model path/to/heartbeat-sounds

The model is what `heartkd train` makes, fitted on all labeled PASCAL recordings; the scores are those
of the same recipe in the comparison, by subject. Writes pascal_student.onnx and the table of
sklearn_heartkd/deployment/models/MODEL_CARD.md. `--quick --out DIR` is a trial with a tenth of the
budget, which leaves the package as it is.
"""

import argparse
from pathlib import Path

from benchmarks._tables import ROOT, rows_as_markdown, write_tables
from benchmarks.pascal import read_predictions
from sklearn_heartkd.comparison import N_SYNTHETIC, make_deployable
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.deployment import export_onnx
from sklearn_heartkd.metrics import compare_models

FOLDER = "sklearn_heartkd/deployment/models"
TITLES = {"balanced_accuracy": "balanced accuracy", "f1_macro": "macro-F1"}
MODEL = "student_of_conv2d"  # of the comparison: what make_deployable() makes


def tables():
    """Return the table of the model card; whole subjects are resampled for the intervals."""
    predictions = read_predictions("ab")
    own = predictions[predictions["model"] == MODEL]
    counts = own.drop_duplicates("recording")["y_true"].value_counts()
    metrics = ["accuracy", "balanced_accuracy", "f1_macro"]
    metrics += [
        f"{score}_{name}" for name in sorted(counts.index) for score in ("recall", "precision")
    ]
    rows = []
    for row in compare_models(own, "subject", metrics=metrics, random_state=0).itertuples():
        score, _, name = row.metric.partition("_")
        is_of_class = name in counts.index
        cells = {"score": f"{name}, {score}" if is_of_class else TITLES.get(row.metric, score)}
        cells["recordings"] = counts[name] if is_of_class else counts.sum()
        cells["value"] = f"{row.value:.2f}"
        cells["95 % interval"] = f"{row.low:.2f} to {row.high:.2f}"
        if score == "precision" and not (own["y_pred"] == name).any():
            cells |= {"value": "never predicted", "95 % interval": ""}
        rows.append(cells)
    return {(f"{FOLDER}/MODEL_CARD.md", "scores"): rows_as_markdown(rows)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of the PASCAL recordings")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / FOLDER)
    options = parser.parse_args()
    if options.quick and options.out == ROOT / FOLDER:
        parser.error("--quick is a trial and needs another folder for its --out")
    data = load_pascal(options.data, subset="ab")
    model = make_deployable(
        "conv2d",
        sampling_rate=data.sampling_rate,
        max_epochs=2 if options.quick else "auto",
        n_synthetic=0 if options.quick else N_SYNTHETIC,
        random_state=0,
        verbose=1,
    )
    model.fit(data.data, data.target, groups=data.groups)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "pascal_student.onnx"
    description = (
        f"PASCAL CHSC 2011, sets A and B, {len(data.target)} labelled recordings"  # as in the file
    )
    report = export_onnx(model, path, data.data, training_data=description)
    print(f"{report.path}: {report.n_bytes} bytes, differs by {report.max_difference:.1e}")
    if not options.quick:
        write_tables(tables())


if __name__ == "__main__":
    main()
