"""What a comparison leaves in its folder: tables, pictures and the report."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import parallel_config
from sklearn.utils import Bunch

from sklearn_heartkd.comparison._figures import draw
from sklearn_heartkd.comparison._pipelines import Recipe
from sklearn_heartkd.comparison._report import baseline_of, report_html
from sklearn_heartkd.comparison._run import Comparison
from sklearn_heartkd.comparison._storage import locked
from sklearn_heartkd.metrics import compare_models
from sklearn_heartkd.utils._files import replace_files
from sklearn_heartkd.utils._text import guard_cell, unguard_cell

# the columns of the table, and their names in compare_models
_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "macro_f1": "f1_macro",
}
_LABELS = ["y_true", "y_pred"]


def write_results(
    comparison: Comparison,
    data: Bunch,
    folder: str | os.PathLike[str],
    *,
    source: str = "recordings",
    recipe: Recipe | None = None,
    n_errors: int = 5,
    n_jobs: int = 2,
) -> Path:
    """Write the tables, pictures and report of a comparison.

    The files are ``table.csv``, with 95 % intervals of a bootstrap over subjects, ``predictions.csv``,
    PNG pictures, and ``report.html``, which shows all of it and works offline. They replace older ones
    together or not at all.

    Parameters
    ----------
    comparison : Comparison
        The result of :func:`compare`.
    data, folder : Bunch and path
        The `data` and `out` of :func:`compare`.
    source : str, default="recordings"
        A description of the data.
    recipe : Recipe, default=None
        For the description of the settings.
    n_errors : int, default=5
        Number of wrong predictions in the report, as sound with an explanation.
    n_jobs : int, default=2
        Number of processes that draw the pictures and explain the errors.

    Returns
    -------
    pathlib.Path
        The report.

    See Also
    --------
    read_predictions : Read ``predictions.csv``.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import compare, write_results
    >>> result = compare(sounds, out="results")  # doctest: +SKIP
    >>> write_results(result, sounds, "results")  # doctest: +SKIP
    PosixPath('results/report.html')
    """
    folder = Path(folder)
    scores = compare_models(
        comparison.predictions,
        np.asarray(data.groups),
        baseline=baseline_of(comparison.table.index),
        metrics=[*_METRICS.values(), *(f"recall_{label}" for label in np.unique(data.target))],
        n_resamples=1000,
        random_state=0,
    )
    table = comparison.table.copy()
    for name, metric in _METRICS.items():
        own = scores[scores["metric"] == metric].set_index("model")
        table[[f"{name}_low", f"{name}_high"]] = own[["low", "high"]]
    balanced = scores[scores["metric"] == "balanced_accuracy"].set_index("model")
    pictures = draw(comparison, balanced, n_jobs)
    options = {"source": source, "recipe": recipe, "n_errors": n_errors}
    with parallel_config(n_jobs=n_jobs):  # the worst errors are explained side by side
        report = report_html(comparison, scores, pictures, data, folder, **options)
    predictions = comparison.predictions.copy()
    predictions[_LABELS] = predictions[_LABELS].astype(object).map(guard_cell)
    names = ["table.csv", "predictions.csv", "report.html", *pictures]
    with locked(folder), replace_files(*(folder / name for name in names)) as made:
        table.to_csv(made[0], float_format="%.7g")
        # a class name comes from a folder's name, which may be no UTF-8
        predictions.to_csv(made[1], index=False, float_format="%.5g", errors="surrogateescape")
        made[2].write_text(report, encoding="utf-8")
        for path, content in zip(made[3:], pictures.values(), strict=True):
            path.write_bytes(content)
    return folder / "report.html"


def read_predictions(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the ``predictions.csv`` of a comparison.

    Class names are read as text, also names such as "NA" or "1".

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    pandas.DataFrame
        Out-of-fold predictions, as :func:`sklearn_heartkd.metrics.compare_models` takes them.

    See Also
    --------
    write_results : Writes the file.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import read_predictions
    >>> predictions = read_predictions("results/predictions.csv")  # doctest: +SKIP
    """
    predictions = pd.read_csv(
        path,
        dtype=dict.fromkeys(_LABELS, object),
        keep_default_na=False,
        na_values=[""],
        encoding_errors="surrogateescape",
    )
    predictions[_LABELS] = predictions[_LABELS].map(unguard_cell)
    return predictions
