"""The part of the report on the worst errors: recordings to listen to, with an explanation."""

from pathlib import Path

import joblib
import numpy as np
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from sklearn.utils import Bunch

from sklearn_heartkd.classifiers import WindowedClassifier
from sklearn_heartkd.classifiers._windowed import cut_windows
from sklearn_heartkd.comparison._figures import png
from sklearn_heartkd.comparison._html import audio_html, picture_html, text_html
from sklearn_heartkd.comparison._models import NAMES, TEACHERS, display_name
from sklearn_heartkd.comparison._storage import model_file
from sklearn_heartkd.comparison._tasks import Task

_SECONDS = 5.0  # of an excerpt where the model has no windows
_N_EVALUATIONS = 200


def worst_errors_html(comparison, data, folder, n_errors):
    """Return the worst errors of the best model that is a single network without refinement."""
    networks = [
        model
        for model in comparison.table.index
        if model in NAMES and (model in (*TEACHERS, "dense") or model.startswith("student"))
    ]
    if not networks:
        return "<p>No single network was compared.</p>"
    model = comparison.table.loc[networks, "balanced_accuracy"].idxmax()
    errors = worst_errors(comparison.predictions, model, n_errors)
    if errors.empty:
        return f"<p>{text_html(display_name(model))} made no error.</p>"
    intro = (
        f"The recordings that {display_name(model)} classified wrongly with the highest probability. "
        "Heart sounds are low: listen with headphones. Red supports the predicted class, blue opposes it."
    )
    articles = Parallel()(
        delayed(_error_html)(error, _only(data, error["recording"]), folder)
        for error in errors.to_dict("records")
    )
    return f"<p>{text_html(intro)}</p>" + "".join(articles)


def _only(data, row):
    """Return what a process needs to know of the data for one recording."""
    kept = {name: {row: data[name][row]} for name in ("data", "filenames")}
    return Bunch(sampling_rate=data.sampling_rate, **kept)


def worst_errors(predictions, model, n_errors, *, n_per_class=2):
    """Return the wrong predictions with the most confidence, few of each class, of the first seed."""
    own = predictions[predictions["model"] == model]
    own = own[(own["seed"] == own["seed"].min()) & (own["y_true"] != own["y_pred"])]
    confidence = [row[f"p_{row['y_pred']}"] for row in own.to_dict("records")]
    own = own.assign(confidence=np.array(confidence, dtype=float))
    own = own.sort_values("confidence", ascending=False, kind="stable")
    return own.groupby("y_true", sort=False).head(n_per_class).head(n_errors)


def _error_html(error, data, folder):
    from sklearn_heartkd.inspection import ExplanationDisplay, explain

    # classes are looked up by name in a dict, because a name need not be a Python identifier
    model, true, predicted = error["model"], error["y_true"], error["y_pred"]
    fitted = joblib.load(model_file(folder, Task(error["seed"], error["fold"], model)))
    recording = np.asarray(data.data[error["recording"]])
    excerpt, start = _excerpt(fitted, recording, predicted, data.sampling_rate)
    # of a model of tables only is known that it takes waveforms, which takes many evaluations
    known = isinstance(fitted, WindowedClassifier)
    options = (
        {} if known else {"sampling_rate": data.sampling_rate, "n_evaluations": _N_EVALUATIONS}
    )
    explanation = explain(fitted, [excerpt], **options)
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    display = ExplanationDisplay(explanation, target=predicted, name=display_name(model))
    display.plot(figure.subplots())
    heading = f"{true} classified as {predicted}"
    end = start + len(excerpt) / data.sampling_rate
    text = (
        f"{Path(str(data.filenames[error['recording']])).name}, seconds {start:.1f} to {end:.1f} of "
        f"{len(recording) / data.sampling_rate:.1f}; probability of {predicted} "
        f"{error['confidence']:.2f}, of {true} {np.nan_to_num(error[f'p_{true}']):.2f}."
    )
    method = (
        f"{explanation.method} explanation of the {explanation.unit}, additivity error "
        f"{explanation.additivity_error.max():.1g}."
    )
    return (
        f"<article><h3>{text_html(heading)}</h3><p>{text_html(text)}</p>"
        + audio_html(excerpt, data.sampling_rate, f"Recording of {heading}")
        + picture_html(png(figure), f"Explanation of {heading}", method)
        + "</article>"
    )


def _excerpt(fitted, recording, label, sampling_rate):
    """Return the window with the highest probability of a class, and its start in seconds."""
    if not isinstance(fitted, WindowedClassifier):
        return recording[: round(_SECONDS * sampling_rate)], 0.0
    rate = fitted.sampling_rate
    n_window, n_hop = round(fitted.window * rate), round(fitted.hop * rate)
    if len(recording) <= n_window:
        return recording, 0.0
    windows, _ = cut_windows([recording], n_window, n_hop)
    probabilities = fitted.estimator_.predict_proba(windows)
    best = int(probabilities[:, list(fitted.classes_).index(label)].argmax())
    # the last window ends with the recording and may overlap more with the one before
    start = min(best * n_hop, len(recording) - n_window)
    return windows[best], start / rate
