"""The report of a comparison: one HTML file."""

import base64
import hashlib
from datetime import date
from importlib.resources import files as package_files
from string import Template

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from sklearn_heartkd._version import __version__
from sklearn_heartkd.comparison._decisions import decision_html, reliability_html
from sklearn_heartkd.comparison._figures import SIZE_PICTURES
from sklearn_heartkd.comparison._html import matrix_html, picture_html, table_html, text_html
from sklearn_heartkd.comparison._leaks import find_leaks
from sklearn_heartkd.comparison._models import REFINED, display_name
from sklearn_heartkd.comparison._scores import by_model, render, title_of, verdicts
from sklearn_heartkd.comparison._subgroups import subgroups_html
from sklearn_heartkd.comparison._worst_errors import worst_errors_html


def report_html(comparison, scores, pictures, data, folder, *, source, recipe, n_errors):
    """Return the report; `scores` are those of `score_models`, `pictures` those of `draw`."""
    predictions = comparison.predictions
    sections = {
        "data": ("What was run", _data(comparison, data, source, recipe)),
        "leaks": ("Leak check", _leaks(find_leaks(data, predictions), data)),
        "scores": ("Scores", _scores(comparison, scores)),
        "size": ("Quality against size", _size(pictures, scores)),
        "recall": ("Recall by class", _recall(scores, np.unique(data.target))),
        "confusion": ("Confusion matrices", _confusion(predictions, scores)),
        "reliability": ("Reliability", reliability_html(predictions, scores)),
        "decision": ("Decision curve", decision_html(predictions, scores)),
        "subgroups": ("Subgroups", subgroups_html(predictions, scores, data)),
        "errors": ("Worst errors", worst_errors_html(comparison, data, folder, n_errors)),
    }
    here = package_files("sklearn_heartkd.comparison")
    style = here.joinpath("report.css").read_text("utf-8")
    return Template(here.joinpath("report.html").read_text("utf-8")).substitute(
        title="Comparison of heart-sound classifiers",
        style=style,
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        summary="".join(f"<p>{text_html(line)}</p>" for line in _summary(scores)),
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


def _summary(scores):
    best = scores.iloc[0]
    own = scores[scores["metric"] == best["metric"]]
    yield (
        f"Best of {len(own)} models by {title_of(best['metric'])}: {display_name(best['model'])}, "
        f"{best['value']:.3f} (95 % interval {best['low']:.3f} to {best['high']:.3f}). Each model was "
        "tested on subjects that were not in its training data."
    )
    yield from verdicts(scores)


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
        text += f" {recipe.description}"
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
            [(f.check, f.severity, f"{len(f.files)}", f.message) for f in leaks.findings],
            columns=["check", "severity", "files", "finding"],
            index=pd.Index([f.code for f in leaks.findings], name="code"),
        )
        body += "<details><summary>Findings of the data check</summary>"
        caption = "Findings in the data; heartkd check DIR --ignore CODE leaves one out."
        prose = ("check", "severity", "finding")
        body += table_html(frame, caption, text=prose, fold=True) + "</details>"
    return body


def _folded(frame, caption):
    """Return a table of the models, those with k-means refinement folded away."""
    refined = frame.index.str.endswith(REFINED)
    plain, others = (
        table_html(frame[rows].rename(index=display_name).rename_axis("model"), title, fold=True)
        for rows, title in ((~refined, caption), (refined, f"With k-means refinement. {caption}"))
    )
    if not refined.any():
        return plain
    return f"{plain}<details><summary>With k-means refinement</summary>{others}</details>"


def _scores(comparison, scores):
    caption = (
        "Out-of-fold scores with 95 % intervals of a bootstrap over subjects, and costs. If the "
        "interval of a difference contains 0, no difference was found. p is that of the corrected "
        "resampled t-test over the folds."
    )
    frame = render(comparison.table, str, scores=scores)
    return _folded(frame, caption)


def _size(pictures, scores):
    wide, narrow = (pictures[name] for name in SIZE_PICTURES)
    return picture_html(
        wide,
        f"{title_of(scores['metric'].iloc[0]).capitalize()} of each model against its size",
        "Up and to the left is better: more accurate and smaller. Bars are 95 % intervals over "
        "subjects.",
        narrow=narrow,
    )


def _recall(scores, classes):
    columns = [by_model(scores, f"recall_{label}") for label in classes]
    frame = pd.concat(columns, axis=1, keys=classes.astype(str))
    return _folded(frame, "Share of the recordings of each class that was found, 95 % intervals.")


def _confusion(predictions, scores):
    classes = np.unique(predictions["y_true"].astype(str))
    shown = {}
    for model in dict.fromkeys(scores["model"]):
        own = predictions[predictions["model"] == model]
        pair = (own[side].astype(str) for side in ("y_true", "y_pred"))
        counts = pd.DataFrame(confusion_matrix(*pair, labels=classes), columns=classes)
        shown[model] = matrix_html(counts, display_name(model))
    plain = "".join(html for model, html in shown.items() if not model.endswith(REFINED))
    refined = "".join(html for model, html in shown.items() if model.endswith(REFINED))
    body = (
        "<p>Rows are true classes, columns predicted ones; the shade is the share of the row.</p>"
        f'<div class="grid">{plain}</div>'
    )
    if not refined:
        return body
    summary = "<summary>With k-means refinement</summary>"
    return f'{body}<details>{summary}<div class="grid">{refined}</div></details>'
