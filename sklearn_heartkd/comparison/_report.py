"""The report of a comparison: one HTML file."""

from datetime import date
from importlib.resources import files as package_files
from string import Template

import numpy as np
import pandas as pd

from sklearn_heartkd._version import __version__
from sklearn_heartkd.comparison._figures import SIZE_PICTURE, confusion_file
from sklearn_heartkd.comparison._html import picture_html, table_html, text_html
from sklearn_heartkd.comparison._leaks import find_leaks
from sklearn_heartkd.comparison._models import PRETRAINED, REFINED, display_name
from sklearn_heartkd.comparison._table import render
from sklearn_heartkd.comparison._worst_errors import worst_errors_html


def report_html(comparison, scores, pictures, data, folder, *, source, recipe, n_errors):
    """Return the report; `scores` are those of `compare_models`, `pictures` those of `draw`."""
    classes = np.unique(data.target)
    sections = {
        "data": ("What was run", _data(comparison, data, source, recipe)),
        "leaks": ("Leak check", _leaks(find_leaks(data, comparison.predictions), data)),
        "scores": ("Scores", _scores(comparison, scores)),
        "size": ("Quality against size", _size(pictures)),
        "recall": ("Recall by class", _recall(scores, classes)),
        "confusion": ("Confusion matrices", _confusion(comparison, pictures)),
        "errors": ("Worst errors", worst_errors_html(comparison, data, folder, n_errors)),
    }
    template = package_files("sklearn_heartkd.comparison").joinpath("report.html")
    return Template(template.read_text("utf-8")).substitute(
        title="Comparison of heart-sound classifiers",
        summary=text_html(_summary(scores)),
        navigation="".join(
            f'<li><a href="#{anchor}">{title}</a></li>' for anchor, (title, _) in sections.items()
        ),
        sections="\n".join(
            f'<section id="{anchor}"><h2>{title}</h2>{body}</section>'
            for anchor, (title, body) in sections.items()
        ),
        footer=text_html(
            f"Written by sklearn_heartkd {__version__} on {date.today().isoformat()}. "
            "Not a medical device: for research and teaching only."
        ),
    )


def baseline_of(models):
    """Return the model that others are compared with: a student that only lacks a teacher."""
    return next((model for model in (PRETRAINED, "student") if model in models), models[0])


def _summary(scores):
    balanced = scores[scores["metric"] == "balanced_accuracy"].set_index("model")
    best = balanced["value"].idxmax()
    row = balanced.loc[best]
    return (
        f"Best of {len(balanced)} models by balanced accuracy: {display_name(best)}, "
        f"{row['value']:.3f} (95 % interval {row['low']:.3f} to {row['high']:.3f}). Each model was "
        "tested on subjects that were not in its training data."
    )


def _data(comparison, data, source, recipe):
    seconds = np.array([len(row) for row in data.data]) / data.sampling_rate
    target, subjects = np.asarray(data.target), np.asarray(data.groups)
    classes = np.unique(target)
    rows = [target == label for label in classes] + [np.ones(len(target), dtype=bool)]
    frame = pd.DataFrame(
        {
            "recordings": [f"{own.sum()}" for own in rows],
            "subjects": [f"{len(np.unique(subjects[own]))}" for own in rows],
            "minutes": [f"{seconds[own].sum() / 60:.1f}" for own in rows],
        },
        index=pd.Index([*classes.astype(str), "all"], name="class"),
    )
    folds = comparison.predictions["fold"].nunique()
    seeds = ", ".join(map(str, sorted(comparison.predictions["seed"].unique())))
    text = (
        f"{source}, at {data.sampling_rate:g} Hz. {folds} folds by subject (near-duplicates count as "
        f"one subject), seeds {seeds}."
    )
    if recipe is not None:
        text += (
            f" Networks take windows of {recipe.window:g} s; budget: {recipe.max_epochs} epochs, "
            f"{recipe.n_estimators} trees."
        )
        if recipe.n_synthetic:
            text += (
                f" All networks except the {display_name('student')} are pretrained on "
                f"{recipe.n_synthetic:,} synthetic recordings."
            )
    for model, reason in comparison.failures.items():
        text += f" {display_name(model)} could not be fitted: {reason}."
    return f"<p>{text_html(text)}</p>" + table_html(frame, "The recordings.")


def _leaks(leaks, data):
    n_subjects, n_pairs = len(leaks.shared_subjects), len(leaks.shared_pairs)
    if n_subjects or n_pairs:
        kind = "bad"
        text = (
            f"The scores below are too good: {n_subjects} subjects and {n_pairs} pairs of "
            "near-duplicates are in training and test."
        )
    else:
        kind = "good"
        text = (
            f"No leak found: none of {len(np.unique(data.groups))} subjects and none of "
            f"{leaks.n_pairs} pairs of near-duplicates is split between training and test."
        )
    body = f'<p class="verdict {kind}">{text_html(text)}</p>'
    if leaks.findings:
        frame = pd.DataFrame(
            [(f.severity, len(f.files), f.message) for f in leaks.findings],
            columns=["severity", "files", "finding"],
            index=pd.Index([f.check for f in leaks.findings], name="check"),
        )
        body += "<details><summary>Findings of the data check</summary>"
        body += table_html(frame, "Findings in the data.", text=["finding"]) + "</details>"
    return body


def _interval(row):
    return f"{row['value']:.3f} ({row['low']:.3f}–{row['high']:.3f})"


def _gain(row):
    return f"{row['difference']:+.3f} ({row['difference_low']:+.3f}–{row['difference_high']:+.3f})"


def _by_model(scores, metric, shown=_interval):
    own = scores[scores["metric"] == metric]
    rows = [shown(row) for row in own.to_dict("records")]
    return pd.Series(rows, index=own["model"].map(display_name).rename("model"), dtype=object)


def _scores(comparison, scores):
    baseline = display_name(baseline_of(comparison.table.index))
    gain = _by_model(scores, "balanced_accuracy", _gain)
    frame = pd.DataFrame(
        {
            "accuracy": _by_model(scores, "accuracy"),
            "balanced accuracy": _by_model(scores, "balanced_accuracy"),
            "macro-F1": _by_model(scores, "f1_macro"),
            f"balanced accuracy above {baseline}": gain.where(gain.index != baseline, "–"),
        }
    )
    costs = render(comparison.table)[["parameters", "kB", "ms per 5 s"]]
    caption = (
        "Out-of-fold scores with 95 % intervals of a bootstrap over subjects, and costs. "
        "If the interval of a difference contains 0, no difference was found."
    )
    return table_html(costs.iloc[:, :0].join(frame).join(costs).rename_axis("model"), caption)


def _size(pictures):
    return picture_html(
        pictures[SIZE_PICTURE],
        "Balanced accuracy of each model against its size",
        "Up and to the left is better: more accurate and smaller. Bars are 95 % intervals over "
        "subjects.",
    )


def _recall(scores, classes):
    columns = [_by_model(scores, f"recall_{label}") for label in classes]
    frame = pd.concat(columns, axis=1, keys=classes.astype(str))
    return table_html(
        frame, "Share of the recordings of each class that was found, 95 % intervals."
    )


def _confusion(comparison, pictures):
    shown = {
        model: picture_html(
            pictures[confusion_file(model)], f"Confusion matrix of {display_name(model)}"
        )
        for model in comparison.table.index
    }
    plain = "".join(html for model, html in shown.items() if not model.endswith(REFINED))
    refined = "".join(html for model, html in shown.items() if model.endswith(REFINED))
    return (
        f'<div class="grid">{plain}</div><details><summary>With k-means refinement</summary>'
        f'<div class="grid">{refined}</div></details>'
    )
