"""Train the model that is part of the package, and update its model card.

    python -m benchmarks.pascal --data path/to/heartbeat-sounds --parts ab    # its scores, first
    python -m benchmarks.train_bundled_model path/to/heartbeat-sounds

The model is what `heartkd train` makes, fitted on all labelled PASCAL recordings; the scores are those
of the same recipe in the comparison, by subject. Writes pascal_student.onnx and the table of
sklearn_heartkd/deployment/models/MODEL_CARD.md. `--quick --out DIR` is a trial with a tenth of the
budget, which leaves the package as it is.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from benchmarks._tables import ROOT, rows_as_markdown, write_tables
from benchmarks.pascal import read_predictions
from sklearn_heartkd.comparison import N_SYNTHETIC, make_deployable
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.deployment import export_onnx

FOLDER = "sklearn_heartkd/deployment/models"
MODEL = "student_of_conv2d"  # of the comparison: what make_deployable() makes
SUMMARIES = {
    "accuracy": accuracy_score,
    "balanced accuracy": balanced_accuracy_score,
    "macro-F1": lambda truth, guess: f1_score(truth, guess, average="macro"),
}


def scores(predictions, n_resamples=1000):
    """Return the scores of out-of-fold predictions with 95 % intervals.

    Whole subjects (and clusters of near-duplicates) are resampled; the scores are averaged over the
    seeds. `predictions` has the columns of `sklearn_heartkd.metrics.oof_frame` and `subject`.
    """
    labels = sorted(predictions["y_true"].unique())
    rng = np.random.default_rng(0)
    by_subject = predictions.groupby("subject").indices
    subjects = list(by_subject)
    draws = [scored(predictions, labels)]
    for _ in range(n_resamples):
        drawn = rng.choice(len(subjects), size=len(subjects))
        rows = np.concatenate([by_subject[subjects[i]] for i in drawn])
        draws.append(scored(predictions.iloc[rows], labels))
    table = pd.DataFrame(draws)
    low, high = table.iloc[1:].quantile(0.025), table.iloc[1:].quantile(0.975)
    recordings = predictions.drop_duplicates("recording")["y_true"]
    rows = []
    for name, value in table.loc[0].items():
        count = recordings.eq(name.split(", ")[0]).sum() or len(recordings)
        row = {"score": name, "recordings": count, "value": f"{value:.2f}"}
        row["95 % interval"] = f"{low[name]:.2f} to {high[name]:.2f}"
        rows.append(
            row if value == value else row | {"value": "never predicted", "95 % interval": ""}
        )
    return rows


def scored(frame, labels):
    """Return the scores of some predictions, averaged over the seeds."""
    per_seed = []
    for _, own in frame.groupby("seed"):
        truth, guess = own["y_true"].to_numpy(), own["y_pred"].to_numpy()
        row = {name: score(truth, guess) for name, score in SUMMARIES.items()}
        for label in labels:
            called, true = guess == label, truth == label
            row[f"{label}, sensitivity"] = np.mean(called[true]) if true.any() else np.nan
            row[f"{label}, precision"] = np.mean(true[called]) if called.any() else np.nan
        per_seed.append(row)
    return pd.DataFrame(per_seed).mean()


def tables():
    """Return the table of the model card."""
    predictions = read_predictions("ab")
    rows = scores(predictions[predictions["model"] == MODEL])
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
    description = f"PASCAL CHSC 2011, sets A and B, {len(data.target)} labelled recordings"
    report = export_onnx(model, path, data.data, training_data=description)
    print(f"{report.path}: {report.n_bytes} bytes, differs by {report.max_difference:.1e}")
    if not options.quick:
        write_tables(tables())


if __name__ == "__main__":
    main()
