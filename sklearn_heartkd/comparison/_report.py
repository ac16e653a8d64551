"""The page that a comparison is read on."""

from datetime import date
from html import escape
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sklearn_heartkd._version import __version__
from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._windowed import cut_windows
from sklearn_heartkd.comparison._figures import confusion_figure, quality_against_size_figure
from sklearn_heartkd.comparison._html import audio_html, figure_html, table_html
from sklearn_heartkd.comparison._leaks import find_leaks
from sklearn_heartkd.comparison._models import PRETRAINED, REFINED, display_name
from sklearn_heartkd.comparison._table import render
from sklearn_heartkd.comparison._tasks import Task, model_file
from sklearn_heartkd.metrics import compare_models

_METRICS = ("accuracy", "balanced_accuracy", "f1_macro")
_N_RESAMPLES = 1000


class _Section(NamedTuple):
    anchor: str
    title: str
    body: str


def write_report(comparison, data, folder, *, source="recordings", recipe=None, n_errors=5):
    """Write ``report.html``: everything about a comparison in one file that works offline.

    It says what was run on what data, looks for leaks, and shows scores with intervals, quality
    against size, recall by class, confusion matrices, and the worst errors of the best single
    network as sound with their explanation.

    Parameters
    ----------
    comparison : Comparison
    data : Bunch
        The data that were compared on.
    folder : path-like
        The `out` of :func:`compare`, with its fitted models.
    source : str, default="recordings"
        What the data are, in words.
    recipe : Recipe, default=None
        For the settings.
    n_errors : int, default=5
        How many errors are shown.

    Returns
    -------
    pathlib.Path
        The file.
    """
    folder = Path(folder)
    scores = compare_models(
        comparison.predictions,
        np.asarray(data.groups),
        baseline=_baseline(comparison.table.index),
        metrics=[*_METRICS, *(f"recall_{label}" for label in np.unique(data.target))],
        n_resamples=_N_RESAMPLES,
        random_state=0,
    )
    sections = [
        _data_section(comparison, data, source, recipe),
        _leak_section(find_leaks(data, comparison.predictions), data),
        _score_section(comparison, scores),
        _size_section(comparison, scores),
        _recall_section(scores, np.unique(data.target)),
        _confusion_section(comparison),
        _error_section(comparison, data, folder, n_errors),
    ]
    page = Template(
        package_files("sklearn_heartkd.comparison").joinpath("report.html").read_text("utf-8")
    ).substitute(
        title="Comparison of heart-sound classifiers",
        summary=escape(_summary(scores)),
        navigation="".join(
            f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in sections
        ),
        sections="\n".join(
            f'<section id="{s.anchor}"><h2>{escape(s.title)}</h2>{s.body}</section>'
            for s in sections
        ),
        footer=escape(
            f"Written by sklearn_heartkd {__version__} on {date.today().isoformat()}. "
            "Not a medical device: for research and teaching only."
        ),
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _baseline(models):
    # the student that differs from the distilled ones by the teacher alone
    return next((model for model in (PRETRAINED, "student") if model in models), models[0])


def _summary(scores):
    balanced = scores[scores["metric"] == "balanced_accuracy"].set_index("model")
    best = balanced["value"].idxmax()
    row = balanced.loc[best]
    return (
        f"Best by balanced accuracy: {display_name(best)}, {row['value']:.3f} (95 % interval "
        f"{row['low']:.3f} to {row['high']:.3f}), of {len(balanced)} models, each tested on subjects "
        "that it had not heard."
    )


def _data_section(comparison, data, source, recipe):
    predictions = comparison.predictions
    seconds = np.array([len(row) for row in data.data]) / data.sampling_rate
    subjects = np.asarray(data.groups)
    rows = {
        label: {
            "recordings": f"{(own := data.target == label).sum()}",
            "subjects": f"{len(np.unique(subjects[own]))}",
            "minutes": f"{seconds[own].sum() / 60:.1f}",
        }
        for label in np.unique(data.target)
    }
    rows["all"] = {
        "recordings": f"{len(data.target)}",
        "subjects": f"{len(np.unique(subjects))}",
        "minutes": f"{seconds.sum() / 60:.1f}",
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")
    folds, seeds = predictions["fold"].nunique(), sorted(predictions["seed"].unique().tolist())
    settings = (
        ""
        if recipe is None
        else (
            f" Networks hear windows of {recipe.window:g} s; budget: {recipe.max_epochs} epochs, "
            f"{recipe.n_estimators} trees."
        )
    )
    if recipe is not None and recipe.n_synthetic:
        settings += (
            f" All networks but the {display_name('student')} start from {recipe.n_synthetic:,} synthetic "
            "recordings."
        )
    said = (
        f"{source}, at {data.sampling_rate:g} Hz. {folds} folds by subject (near-duplicates count as "
        f"one subject), seeds {', '.join(map(str, seeds))}.{settings}"
    )
    return _Section(
        "data", "What was run", f"<p>{escape(said)}</p>" + table_html(frame, "The recordings.")
    )


def _leak_section(leaks, data):
    n_subjects, n_pairs = len(leaks.shared_subjects), len(leaks.shared_pairs)
    if n_subjects or n_pairs:
        kind = "bad"
        said = (
            f"The scores below are too good: {n_subjects} subjects and {n_pairs} pairs of "
            "near-duplicates are in training and test."
        )
    else:
        kind = "good"
        said = (
            f"No leak found: none of {len(np.unique(data.groups))} subjects and none of "
            f"{leaks.n_pairs} pairs of near-duplicates is split between training and test."
        )
    body = f'<p class="verdict {kind}">{escape(said)}</p>'
    if leaks.findings:
        frame = pd.DataFrame(
            [(f.severity, len(f.files), f.message) for f in leaks.findings],
            columns=["severity", "files", "what was found"],
            index=pd.Index([f.check for f in leaks.findings], name="check"),
        )
        body += "<details><summary>What the check of the data found</summary>"
        body += table_html(frame, "Findings in the data.", text=["what was found"]) + "</details>"
    return _Section("leaks", "Leak check", body)


def _interval(row):
    return f"{row['value']:.3f} ({row['low']:.3f}–{row['high']:.3f})"


def _by_model(scores, metrics, shown=_interval):
    columns = {}
    for title, metric in metrics.items():
        own = scores[scores["metric"] == metric].set_index("model")
        columns[title] = {display_name(model): shown(row) for model, row in own.iterrows()}
    return pd.DataFrame(columns).rename_axis("model")


def _score_section(comparison, scores):
    baseline = display_name(_baseline(comparison.table.index))
    titles = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy"}
    frame = _by_model(scores, {**titles, "macro-F1": "f1_macro"})
    gain = _by_model(
        scores,
        {"gain": "balanced_accuracy"},
        lambda row: (
            f"{row['difference']:+.3f} ({row['difference_low']:+.3f}–{row['difference_high']:+.3f})"
        ),
    )["gain"]
    frame[f"balanced accuracy above {baseline}"] = gain.where(gain.index != baseline, "–")
    costs = render(comparison.table, display_name)
    frame = frame.join(costs[["parameters", "kB", "ms per 5 s"]])
    caption = (
        "Out-of-fold scores with 95 % intervals of a bootstrap over subjects, and costs. "
        "An interval of a difference that holds 0 shows no difference."
    )
    return _Section("scores", "Scores", table_html(frame.rename_axis("model"), caption))


def _size_section(comparison, scores):
    balanced = scores[scores["metric"] == "balanced_accuracy"].set_index("model")
    figure = quality_against_size_figure(comparison.table, balanced)
    body = figure_html(
        figure,
        "Balanced accuracy of each model against its size",
        "Up and to the left is better: more accurate and smaller. Bars are 95 % intervals over "
        "subjects.",
    )
    return _Section("size", "Quality against size", body)


def _recall_section(scores, classes):
    frame = _by_model(scores, {str(label): f"recall_{label}" for label in classes})
    return _Section(
        "recall",
        "Recall by class",
        table_html(frame, "Share of the recordings of each class that was found, 95 % intervals."),
    )


def _confusion_section(comparison):
    plain: list[str] = []
    refined: list[str] = []
    for model in comparison.table.index:
        picture = figure_html(
            confusion_figure(comparison.predictions, model),
            f"Confusion matrix of {display_name(model)}",
            dpi=80,
        )
        (refined if model.endswith(REFINED) else plain).append(picture)
    body = f'<div class="grid">{"".join(plain)}</div>'
    if refined:
        body += (
            "<details><summary>With k-means refinement</summary>"
            f'<div class="grid">{"".join(refined)}</div></details>'
        )
    return _Section("confusion", "Confusion matrices", body)


def _error_section(comparison, data, folder, n_errors):
    models = _explainable(comparison, folder)
    if not models:
        return _Section("errors", "Worst errors", "<p>No single network was compared.</p>")
    quality = comparison.table.loc[models, "balanced_accuracy"]
    model = quality.idxmax()
    errors = worst_errors(comparison.predictions, model, n_errors)
    if errors.empty:
        return _Section(
            "errors", "Worst errors", f"<p>{escape(display_name(model))} made no error.</p>"
        )
    intro = (
        f"Recordings about which {display_name(model)} was most sure and wrong. Heart sounds are low: "
        "listen with headphones. Red speaks for the class that was predicted, blue against it."
    )
    body = [f"<p>{escape(intro)}</p>"]
    for error in errors.itertuples():
        body.append(_error_html(error, model, data, folder))
    return _Section("errors", "Worst errors", "".join(body))


def _explainable(comparison, folder):
    """List the models without refinement that are one network on windows."""
    first = comparison.predictions.groupby("model")[["seed", "fold"]].first()
    return [
        name
        for name, (seed, fold) in zip(first.index, first.to_numpy(), strict=True)
        if not name.endswith(REFINED)
        and isinstance(joblib.load(model_file(folder, Task(seed, fold, name))), WindowedClassifier)
    ]


def worst_errors(predictions, model, n_errors, *, n_per_class=2):
    """Return the wrong predictions with the most confidence, few of each class, of the first seed.

    Returns
    -------
    DataFrame
        Rows of `predictions` with the column confidence.
    """
    own = predictions[(predictions["model"] == model)]
    own = own[(own["seed"] == own["seed"].min()) & (own["y_true"] != own["y_pred"])]
    confidence = [row[f"p_{row['y_pred']}"] for _, row in own.iterrows()]
    own = own.assign(confidence=np.array(confidence, dtype=float))
    own = own.sort_values("confidence", ascending=False, kind="stable")
    return own.groupby("y_true", sort=False).head(n_per_class).head(n_errors)


def _error_html(error, model, data, folder):
    from sklearn_heartkd.inspection import ExplanationDisplay, explain

    fitted = joblib.load(model_file(folder, Task(error.seed, error.fold, model)))
    recording = np.asarray(data.data[error.recording])
    excerpt, start = _excerpt(fitted, recording, error.y_pred)
    explanation = explain(fitted, [excerpt])
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ExplanationDisplay(explanation, target=error.y_pred, name=display_name(model)).plot(
        figure.subplots()
    )
    name = Path(str(data.filenames[error.recording])).name
    heading = f"{error.y_true} taken for {error.y_pred}"
    seconds = len(excerpt) / data.sampling_rate
    said = (
        f"{name}, seconds {start:.1f} to {start + seconds:.1f} of "
        f"{len(recording) / data.sampling_rate:.1f}; probability of {error.y_pred} "
        f"{error.confidence:.2f}, of {error.y_true} {getattr(error, f'p_{error.y_true}'):.2f}."
    )
    method = (
        f"{explanation.method} explanation of the {explanation.unit}, additivity error "
        f"{explanation.additivity_error.max():.1g}."
    )
    return (
        f"<article><h3>{escape(heading)}</h3><p>{escape(said)}</p>"
        + audio_html(excerpt, data.sampling_rate, f"Recording of {heading}")
        + figure_html(figure, f"Explanation of {heading}", method, dpi=100)
        + "</article>"
    )


def _excerpt(fitted, recording, label):
    """Return the window that speaks most for a class, and its start in seconds."""
    rate = fitted.sampling_rate
    n_window, n_hop = round(fitted.window * rate), round(fitted.hop * rate)
    if len(recording) <= n_window:
        return recording, 0.0
    windows, _ = cut_windows([recording], n_window, n_hop)
    probabilities = fitted.estimator_.predict_proba(windows)
    best = int(probabilities[:, list(fitted.classes_).index(label)].argmax())
    start = min(best * n_hop, len(recording) - n_window)
    return windows[best], start / rate
