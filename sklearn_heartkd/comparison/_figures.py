"""Pictures of a comparison: confusion matrices, and quality against size."""

from __future__ import annotations

import io
import re
from textwrap import fill

import pandas as pd
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.metrics import ConfusionMatrixDisplay

from sklearn_heartkd.comparison._models import REFINED, display_name, kind_of
from sklearn_heartkd.comparison._scores import title_of
from sklearn_heartkd.inspection import QualitySizeDisplay
from sklearn_heartkd.utils._text import printable

# of quality against size, with their inches; the second is for the screen of a phone
SIZE_PICTURES = {
    "quality_against_size.png": (8.5, 5.4),
    "quality_against_size_narrow.png": (4.2, 5.6),
}


def confusion_figure(predictions: pd.DataFrame, model: str) -> Figure:
    """Return the confusion matrix of one model, over all folds and seeds.

    The figure is not registered with pyplot.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions of a comparison.
    model : str
        One of its models.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    See Also
    --------
    write_results : Writes this picture for every model.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import confusion_figure
    >>> from sklearn_heartkd.metrics import oof_frame
    >>> predictions = oof_frame(
    ...     "svm", seed=0, fold=0, recording=[0, 1], y_true=["a", "b"], y_pred=["a", "a"]
    ... )
    >>> confusion_figure(predictions, "svm").axes[0].get_title()
    'SVM'
    """
    own = predictions[predictions["model"] == model]
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        own["y_true"].map(printable),
        own["y_pred"].map(printable),
        ax=figure.subplots(),
        cmap="Blues",
        colorbar=False,
        xticks_rotation=30,
    )
    figure.axes[0].set(title=display_name(model), xlabel="predicted class", ylabel="true class")
    for text in figure.findobj(Text):  # a class may be named "$"
        text.set_parse_math(False)
    return figure


def quality_against_size_figure(
    table: pd.DataFrame,
    intervals: pd.DataFrame | None = None,
    *,
    metric: str = "balanced accuracy",
    size: tuple[float, float] = (8.5, 5.4),
) -> Figure:
    """Return the picture of quality against kilobytes.

    It shows the models without k-means refinement whose size is known.

    Parameters
    ----------
    table : DataFrame
        The table of a comparison.
    intervals : DataFrame, default=None
        Indexed by model, with the columns value, low and high; None draws balanced accuracy and its
        standard deviation over the folds.
    metric : str, default="balanced accuracy"
        What `value` is.
    size : (float, float), default=(8.5, 5.4)
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot.

    See Also
    --------
    sklearn_heartkd.inspection.QualitySizeDisplay : The display behind it.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_heartkd.comparison import quality_against_size_figure
    >>> table = pd.DataFrame(
    ...     {"balanced_accuracy": [0.8], "balanced_accuracy_sd": [0.1], "kilobytes": [33.0]},
    ...     index=["student"],
    ... )
    >>> quality_against_size_figure(table).axes[0].get_ylabel()
    'balanced accuracy'
    """
    plain = table[~table.index.str.endswith(REFINED) & table["kilobytes"].notna()]
    if intervals is None:
        value, spread = plain["balanced_accuracy"], plain["balanced_accuracy_sd"]
        ends = {"value": value, "low": value - spread, "high": value + spread}
        intervals = pd.DataFrame(ends)
    shown = intervals.loc[plain.index, ["value", "low", "high"]].assign(
        size=plain["kilobytes"], kind=plain.index.map(kind_of)
    )
    figure = Figure(figsize=size, layout="constrained")
    n_letters = round(4.5 * size[0])  # of a line beside a point
    shown.index = [fill(display_name(model), n_letters) for model in shown.index]
    QualitySizeDisplay(shown, metric=metric).plot(figure.subplots())
    return figure


def draw(comparison, scores, n_jobs):
    """Return the pictures of a comparison as PNG, by the names of their files."""
    plain = [model for model in comparison.table.index if not model.endswith(REFINED)]
    columns = ["model", "y_true", "y_pred"]
    matrices = Parallel(n_jobs=n_jobs)(
        delayed(_confusion_png)(comparison.predictions[columns], model) for model in plain
    )
    metric = scores["metric"].iloc[0]
    intervals = scores[scores["metric"] == metric].set_index("model")
    figures = {
        name: quality_against_size_figure(
            comparison.table, intervals, metric=title_of(metric), size=size
        )
        for name, size in SIZE_PICTURES.items()
    }
    pictures = {name: png(figure, dpi=110) for name, figure in figures.items()}
    return dict(zip(map(confusion_file, plain), matrices, strict=True)) | pictures


def confusion_file(model):
    """Return the name of the file of a model's confusion matrix."""
    return "confusion_" + re.sub(r"[^\w-]", "_", model) + ".png"


def png(figure, *, dpi=100):
    """Return a figure as the content of a PNG file."""
    for text in figure.findobj(Text):  # names of folders may be no UTF-8, which cannot be drawn
        text.set_text(text.get_text().encode("utf-8", "backslashreplace").decode())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def _confusion_png(predictions, model):
    return png(confusion_figure(predictions, model))
