"""Write the tables of benchmarks/results/pascal_* into README.md and docs/comparison.md.

python benchmarks/readme_table.py
"""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_heartkd.comparison import (
    N_SYNTHETIC,
    confusion_figure,
    display_name,
    quality_against_size_figure,
    render,
)
from sklearn_heartkd.metrics import compare_models

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # for the package `benchmarks`
RESULTS = Path(__file__).parent / "results"
TITLES = {
    "ab": "A+B, five classes",
    "a": "Set A alone, four classes",
    "b": "Set B alone, three classes",
    "a_to_b": "Normal against murmur: trained on set A, tested on set B",
    "b_to_a": "Normal against murmur: trained on set B, tested on set A",
}
FOR_README = (
    "svm", "rhythm", "forest", "conv1d", "conv2d", "lstm", "rnn", "ensemble", "mixed", "student",
    "student_pretrained",
    "student_of_conv1d", "student_of_conv2d", "student_of_lstm", "student_of_rnn", "student_of_ensemble",
)  # fmt: skip
NETWORKS = ("conv1d", "conv2d", "lstm", "rnn", "student", *FOR_README[-6:])
START = (
    f"All networks but the student from scratch start from {N_SYNTHETIC:,} synthetic recordings "
    "([docs/pretraining.md](docs/pretraining.md))"
)


def markdown(table):
    """Return a data frame of strings as a markdown table, its index first."""
    lines = ["| | " + " | ".join(table.columns) + " |", "|---" * (table.shape[1] + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(row) + " |"
        for name, row in zip(table.index, table.values, strict=True)
    ]
    return "\n".join(lines)


def read_predictions(part):
    """Return the out-of-fold predictions of one comparison."""
    return pd.read_csv(RESULTS / f"pascal_{part}" / "predictions.csv.gz")


def gains(predictions, baseline="student"):
    """Return what each network gains over a student without a teacher, as text by model and metric."""
    wanted = predictions[~predictions["model"].str.contains("svm|rhythm|forest")]
    compared = compare_models(
        wanted,
        "subject",
        baseline=baseline,
        metrics=("accuracy", "balanced_accuracy"),
        random_state=0,
    )
    rows = compared[compared["model"] != baseline]
    text = [
        f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
        for row in rows.itertuples()
    ]
    shown = rows.assign(text=text, metric=rows["metric"].str.replace("_", " "))
    return shown.pivot_table("text", "model", "metric", aggfunc="first", sort=False)


def reading(table, predictions, others):
    """Return what the table says, and two of the other parts, in words."""
    student = table.loc["student"]
    lines = [
        f"What to see: the student has {student['parameters']:,.0f} parameters and "
        f"{student['kilobytes']:.0f} kB. Minus the same student trained from scratch, with 95 % "
        "intervals (paired bootstrap over subjects):"
    ]
    lines += said(
        gains(predictions), "student_pretrained", "student_of_conv2d", "student_of_ensemble"
    )
    if "student_pretrained" in table.index:
        lines.append("Minus the student that is pretrained, but has no teacher:")
        apart = gains(predictions, "student_pretrained")
        lines += said(apart, "student_of_conv2d", "student_of_ensemble")
    rare = predictions[predictions["y_true"] == "extrastole"]
    recall = (rare["y_pred"] == "extrastole").groupby(rare["model"]).mean()
    networks = recall[[model for model in NETWORKS if model in recall.index]]
    found = f"{networks.min():.0%} to {networks.max():.0%}" if networks.max() > 0 else "none"
    change = gain_of_refinement(table.filter(regex=r"^(conv|lstm|rnn|ensemble|student)", axis=0))
    lines.append(
        f"k-means refinement changes the accuracy of the {len(change)} networks and students by "
        f"{change.min():+.3f} to {change.max():+.3f}, {change.mean():+.3f} on average "
        "([docs/kmeans.md](docs/kmeans.md): with 20 clusters, one seed, it raises the accuracy of a "
        "student of 2 epochs, and the balanced accuracy of one with wrong labels). Extrasystoles stay "
        f"hard: the networks find {found} of them ([docs/rhythm.md](docs/rhythm.md) says what does better)."
    )
    if "a_to_b" in others:
        there, back = (others[part]["balanced_accuracy"] for part in ("a_to_b", "b_to_a"))
        lines.append(
            "From one device to the other, normal against murmur, balanced accuracy from set A to set B / "
            f"from B to A: Conv2D {there['conv2d']:.2f} / {back['conv2d']:.2f}, the SVM on rhythm "
            f"{there['rhythm']:.2f} / {back['rhythm']:.2f}."
        )
    return " ".join(lines)


def said(gain, *models):
    """Return in words what some models gain, as `gains` returns it."""
    parts = [
        f"the {display_name(model)} has {gain.loc[model, 'accuracy']} in accuracy and "
        f"{gain.loc[model, 'balanced accuracy']} in balanced accuracy"
        for model in models
        if model in gain.index
    ]
    return ["; ".join(parts) + "."] if parts else []


def goals():
    """Return what the small student was meant to reach, beside what the comparison measured."""
    from benchmarks.study._goals import goals_of
    from benchmarks.study._scores import differences_of, scores_of

    sets = pd.read_csv(RESULTS / "study" / "recordings_ab.csv", index_col="recording")["set"]
    predictions = read_predictions("ab").join(sets, on="recording")
    teacher, pupil = "conv2d", "student_of_conv2d"
    rest = [teacher, "student", "student_pretrained"]
    pairs = pd.DataFrame({"family": "goals", "model": pupil, "baseline": rest})
    refined = [model for model in NETWORKS if f"{model}+kmeans" in set(predictions["model"])]
    kmeans = {"family": "k-means", "model": [f"{m}+kmeans" for m in refined], "baseline": refined}
    pairs = pd.concat([pairs, pd.DataFrame(kmeans)], ignore_index=True)
    table = goals_of(scores_of(predictions), differences_of(predictions, pairs), teacher)
    table.loc[table["to reach"] == "", "to reach"] = "–"
    return table


def reading_of_noise():
    """Return in words what distillation adds when training or test recordings are noisy.

    Figures that docs/noise.md shows are taken from there: they were rounded once.
    """
    page = (ROOT / "docs" / "noise.md").read_text(encoding="utf-8")
    taught = table_below("## What the teacher adds", page)
    at_10 = {
        training: ", ".join(
            f"{rows['10 dB']} in {f'{noise} noise' if noise != 'ambience' else 'ambience'}"
            for (noise, how), rows in taught.items()
            if how == training
        )
        for training in ("as recorded", "with noise")
    }
    scores = table_below("## White noise", page)
    student, teacher = (
        scores[model, "with noise"]["clean"]
        for model in ("student of that teacher", "teacher (Conv2D)")
    )
    table = pd.read_csv(RESULTS / "noise_teaching.csv").set_index(["noise", "training", "metric"])
    row = table.loc[("none", "online", "accuracy")]
    accuracy = f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
    n_seeds = pd.read_csv(RESULTS / "noise_robustness.csv")["seeds"].max()
    return (
        "Distillation pays where there is noise. Without pretraining, trained with noise, same budget, the "
        "student of Conv2D has "
        f"on the recordings as they are {student} (accuracy / balanced accuracy; its teacher {teacher}), "
        f"that is {accuracy} / {taught['white', 'with noise']['clean']} over the student from scratch that "
        "was trained in the same way. At a signal-to-noise ratio of 10 dB it leads in balanced accuracy by "
        f"{at_10['with noise']}; without noise in training, by {at_10['as recorded']} "
        f"({n_seeds} seed{'s' if n_seeds > 1 else ''}; [docs/noise.md](docs/noise.md))."
    )


def table_below(heading, page):
    """Return the first table below a heading of a page: dicts of cells by the first two columns."""
    below = page.partition(f"\n{heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE).group().splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {tuple(row[:2]): dict(zip(head, row, strict=True)) for row in rows}


def gain_of_refinement(table):
    """Return how much more accurate each model is with k-means refinement."""
    refined = table[table.index.str.endswith("+kmeans")]
    plain = table.loc[refined.index.str.removesuffix("+kmeans")]
    return refined["accuracy"].to_numpy() - plain["accuracy"].to_numpy()


def draw(table, predictions):
    """Draw the pictures of the README and of the page."""
    images = ROOT / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    quality_against_size_figure(table).savefig(images / "quality_against_size.png", dpi=110)
    for model in ("conv2d", "student_of_conv2d"):
        confusion_figure(predictions, model).savefig(images / f"confusion_{model}.png", dpi=90)


def protocol(part):
    """Return the protocol of one comparison in words, counted from its predictions."""
    predictions = read_predictions(part)
    seeds = sorted(predictions["seed"].unique())
    count = predictions["recording"].nunique()
    folds = predictions["fold"].nunique()
    how = (
        f"{folds} folds by subject (set B) and near-duplicate cluster (set A)"
        if folds > 1
        else "one split, from set to set"
    )
    majority = predictions.drop_duplicates("recording")["y_true"].value_counts(normalize=True)
    runs = ", ".join(map(str, seeds))
    spread = "± standard deviation over folds and seeds; " if folds * len(seeds) > 1 else ""
    return (
        f"{count} recordings, {how}, seed{'s' * (len(seeds) > 1)} {runs}; scores of all "
        f"out-of-fold predictions of a seed, averaged over seeds; {spread}always answering "
        f"*{majority.index[0]}* has an accuracy of {majority.iloc[0]:.3f}. Milliseconds: one recording of "
        "5 s, from waveform to probabilities, in Python on one thread of a machine busy with other fits: "
        "good for the order of magnitude only."
    )


def main():
    tables = {
        part: pd.read_csv(RESULTS / f"pascal_{part}" / "table.csv", index_col="model")
        for part in TITLES
        if (RESULTS / f"pascal_{part}" / "table.csv").exists()
    }
    short = tables["ab"].loc[[model for model in FOR_README if model in tables["ab"].index]]
    block = (
        "<!-- results -->\n"
        f"On the PASCAL recordings, sets A+B, five classes ({protocol('ab')}) {START}.\n\n"
        f"{markdown(render(short, display_name))}\n\n"
        f"{reading(tables['ab'], read_predictions('ab'), tables)}\n\n"
        f"{reading_of_noise()}\n\n"
        "With k-means refinement, and for set A, set B and from one set to the other: "
        "[docs/comparison.md](docs/comparison.md). "
        "The command: `python benchmarks/pascal.py --data path/to/heartbeat-sounds`.\n\n"
        "![Quality against size](docs/images/quality_against_size.png)\n"
        "<!-- end of results -->"
    )
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    pattern = r"<!-- results -->.*<!-- end of results -->"
    readme.write_text(re.sub(pattern, lambda _: block, text, flags=re.DOTALL), encoding="utf-8")

    page = [
        "# The comparison on PASCAL\n",
        "All of it by one command, `python benchmarks/pascal.py --data path/to/heartbeat-sounds`, which "
        "goes on where it was interrupted; `python benchmarks/readme_table.py` writes this page. "
        "The out-of-fold predictions are in `benchmarks/results/`.\n",
    ]
    page += [
        "## In short\n",
        "On A+B, ± standard deviation over the seeds, 95 % intervals in brackets. The default student is "
        f"that of Conv2D. {START.replace('docs/', '')}.\n",
        markdown(goals()),
        "",
    ]
    draw(tables["ab"], read_predictions("ab"))
    for part, table in tables.items():
        plain = [model for model in table.index if not model.endswith("+kmeans")]
        selected = len(table) < len(tables["ab"])
        with_start = "student_pretrained" in table.index
        page += [
            f"## {TITLES[part]}\n",
            f"{protocol(part)} {START.replace('docs/', '') if with_start else 'No pretraining'}.\n",
            *([f"Run with `--parts {part} --models {' '.join(plain)}`.\n"] if selected else []),
            markdown(render(table, display_name)),
        ]
        change = gain_of_refinement(table)
        page += [
            f"\nk-means refinement changes accuracy by {change.min():+.3f} to {change.max():+.3f}, "
            f"{np.mean(change):+.3f} on average over the {len(change)} models. (The SVMs alone decide with "
            "balanced classes, but their refinements by probability, which gains accuracy by itself.)\n"
        ]
        if part == "ab":
            page += [
                "Difference to the student trained from scratch, with a 95 % interval (paired bootstrap "
                "over subjects):\n",
                markdown(gains(read_predictions(part)).rename(index=display_name)),
                "\nDifference to the student that is pretrained, but has no teacher:\n",
                markdown(
                    gains(read_predictions(part), "student_pretrained")
                    .filter(regex="^student_of", axis=0)
                    .rename(index=display_name)
                ),
                "\n![Confusion matrix of the Conv2D teacher](images/confusion_conv2d.png) "
                "![Confusion matrix of the student of Conv2D]"
                "(images/confusion_student_of_conv2d.png)\n",
                "What to see: murmurs are missed more often than invented. Extrasystoles, rarely found, "
                "are a rhythm: see [rhythm.md](rhythm.md). Artifact and extrahls exist in set A "
                "only, so the recording device helps to tell them apart.\n",
                "The SVM has balanced classes and scikit-learn's default C = 1, which trades accuracy for "
                "balanced accuracy; `python benchmarks/svm_regularization.py DIR` shows how much "
                "C moves both (benchmarks/results/svm_regularization.csv).\n",
            ]
    (ROOT / "docs" / "comparison.md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
