"""Train the model that ships inside the package, and write its model card.

    python benchmarks/pascal.py --data path/to/heartbeat-sounds --parts ab    # its scores, first
    python benchmarks/train_model_in_the_box.py path/to/heartbeat-sounds

The model is what `heartkd train` makes, fitted on all labelled PASCAL recordings; the scores are
those of the same recipe in the comparison, by subject. `--quick --out DIR` tries it out with a
tenth of the budget and leaves the package as it is.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from sklearn_heartkd._version import __version__
from sklearn_heartkd.comparison import N_SYNTHETIC, make_deployable
from sklearn_heartkd.comparison._models import NAMES
from sklearn_heartkd.datasets import load_pascal
from sklearn_heartkd.deployment import export_onnx

BOX = Path(__file__).parents[1] / "sklearn_heartkd" / "deployment" / "models"
PREDICTIONS = Path(__file__).parent / "results" / "pascal_ab" / "predictions.csv.gz"
RECIPE = "student_of_conv2d"  # of the comparison: what make_deployable() makes
SUMMARIES = {
    "accuracy": accuracy_score,
    "balanced accuracy": balanced_accuracy_score,
    "macro-F1": lambda truth, guess: f1_score(truth, guess, average="macro"),
}
CARD = """\
# Model card: the student in the box

`pascal_student.onnx`, version {version}. It is what `heartkd predict` uses unless another model is
named.

**Not a medical device. It must not be used for diagnosis, screening, triage or any decision about a
person.** It is for research, teaching and for trying out this package.

## What it does

From a recording of heart sounds (any length from 0.1 s, any sampling rate; it works at 2 kHz) to
the probabilities of five classes: {classes}.
Recordings are cut into windows of {window:g} s every {hop:g} s, the probabilities of the windows are
averaged, and the runtime says "unsure" where the signal is silent, clipped or without heart rhythm,
or where no class reaches a probability of {unsure:g}.

## How it was made

- Data: the PASCAL Classifying Heart Sounds Challenge 2011 (P. Bentley, G. Nordehn, M. Coimbra,
  S. Mannor), sets A and B, all {n_recordings} labelled recordings:
  {counts}.
- Model: log-mel bands; a network of {parameters:,} parameters ({kilobytes:.0f} kB with the front
  end), distilled from {teacher}. Both networks were first trained on {n_synthetic:,} synthetic
  recordings (`make_heart_sounds(domain_randomization=True)`).
- Command: `python benchmarks/train_model_in_the_box.py path/to/heartbeat-sounds`{quick}

## Scores

{scores}

## What to know before believing it

- **Extrastole is the hardest class**: it is a rhythm, and the recordings are short. Look at its
  sensitivity above before using its probability.
- **Two devices, two sets of labels.** Artifact and extra heart sounds were only recorded with a
  phone (set A), extrastole only with a digital stethoscope (set B): a part of the scores is the
  recognition of the device.
- Set A does not say who was recorded; near-duplicates were kept in one fold, but the same person may
  be on both sides.
- Nothing is known about age, sex or origin of the people recorded, and so nothing about how the
  model treats different groups.
- 60 % of the recordings are normal: read the scores by class, not the accuracy.
- Children, foetuses, animals, other devices, other places on the chest: never tested.
"""


def scores(predictions, groups, model=RECIPE, n_resamples=1000):
    """Return the scores of out-of-fold predictions as Markdown, with 95 % intervals.

    Subjects (and clusters of near-duplicates) are resampled as a whole; several seeds are averaged.
    `predictions` is as `sklearn_heartkd.metrics.oof_frame` makes it; `groups` are the subjects of the
    recordings that its column `recording` numbers.
    """
    own = predictions[predictions["model"] == model]
    if own.empty:
        known = ", ".join(predictions["model"].unique())
        raise SystemExit(f"The predictions hold no model {model!r}, only {known}.")
    own = own.assign(subject=np.asarray(groups)[own["recording"]])
    labels = sorted(own["y_true"].unique())
    rng = np.random.default_rng(0)
    by_subject = own.groupby("subject").indices
    subjects = list(by_subject)
    draws = [scored(own, labels)]
    for _ in range(n_resamples):
        drawn = rng.choice(len(subjects), size=len(subjects))
        rows = np.concatenate([by_subject[subjects[i]] for i in drawn])
        draws.append(scored(own.iloc[rows], labels))
    table = pd.DataFrame(draws)
    low, high = table.iloc[1:].quantile(0.025), table.iloc[1:].quantile(0.975)
    counts = own.drop_duplicates("recording")["y_true"].value_counts()
    lines = [
        f"Five folds by subject, {own['seed'].nunique()} seed(s), `{model}` of "
        "`benchmarks/pascal.py`;",
        "95 % intervals from resampled subjects. The model in the box was then fitted on all",
        "recordings, so that it has no test score of its own.",
        "",
        "| | recordings | score | 95 % interval |",
        "|---|---|---|---|",
    ]
    for name in table.columns:
        n = counts.get(name.split(", ")[0], len(own.drop_duplicates("recording")))
        value = f"{table.loc[0, name]:.2f} | {low[name]:.2f} to {high[name]:.2f}"
        if np.isnan(table.loc[0, name]):
            value = "never predicted | "
        lines.append(f"| {name} | {n} | {value} |")
    return "\n".join(lines)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="folder of the PASCAL recordings")
    parser.add_argument("--teacher", default="conv2d")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=BOX)
    parser.add_argument("--predictions", type=Path, default=PREDICTIONS)
    parser.add_argument("--recipe", default=RECIPE, help="the model of the comparison")
    options = parser.parse_args()
    if options.quick and options.out == BOX:
        raise SystemExit("--quick is for trying it out: name another folder with --out.")
    data = load_pascal(options.data, subset="ab")
    if options.quick:
        text = "None: this is a trial with a tenth of the budget."
    else:
        text = scores(pd.read_csv(options.predictions), data.groups, options.recipe)
    model = make_deployable(
        options.teacher,
        sampling_rate=data.sampling_rate,
        max_epochs=2 if options.quick else "auto",
        n_synthetic=0 if options.quick else N_SYNTHETIC,
        random_state=0,
        verbose=1,
    )
    model.fit(data.data, data.target, groups=data.groups)
    options.out.mkdir(parents=True, exist_ok=True)
    description = f"PASCAL CHSC 2011, sets A and B, {len(data.target)} labelled recordings"
    report = export_onnx(
        model, options.out / "pascal_student.onnx", data.data, training_data=description
    )
    labels, counts = np.unique(data.target, return_counts=True)
    network = model.estimator_[-1].student_
    card = CARD.format(
        version=__version__,
        classes=", ".join(labels),
        window=model.window,
        hop=model.hop,
        unsure=0.5,
        n_recordings=len(data.target),
        counts=", ".join(f"{label} {n}" for label, n in zip(labels, counts, strict=True)),
        parameters=sum(p.numel() for p in network.module_.parameters()),
        kilobytes=report.n_bytes / 1000,
        teacher=NAMES[options.teacher],
        n_synthetic=0 if options.quick else N_SYNTHETIC,
        quick=" with `--quick`" if options.quick else "",
        scores=text,
    )
    (options.out / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    print(f"{report.path}: {report.n_bytes} bytes, differs by {report.max_difference:.1e}")


if __name__ == "__main__":
    main()
