"""What a comparison leaves in its folder: tables, pictures and the report."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from joblib import parallel_config
from sklearn.utils import Bunch

from sklearn_heartkd.comparison._figures import draw
from sklearn_heartkd.comparison._pipelines import Recipe
from sklearn_heartkd.comparison._report import report_html
from sklearn_heartkd.comparison._run import Comparison
from sklearn_heartkd.comparison._scores import SCORES, score_models
from sklearn_heartkd.comparison._storage import locked
from sklearn_heartkd.utils._files import replace_files
from sklearn_heartkd.utils._text import guard_cell, unguard_cell

# of the columns of compare_models that the table repeats for each score
_ENDS = ("_low", "_high", "_difference", "_difference_low", "_difference_high", "_p_value")
_LABELS = ["y_true", "y_pred"]


def write_results(
    comparison: Comparison,
    data: Bunch,
    folder: str | os.PathLike[str],
    *,
    source: str = "recordings",
    recipe: Recipe | None = None,
    scores: pd.DataFrame | None = None,
    n_errors: int = 5,
    n_jobs: int = 2,
) -> Path:
    """Write the tables, pictures and report of a comparison.

    The files are ``table.csv``, with 95 % intervals of a bootstrap over subjects and the paired test
    against the student from scratch, ``predictions.csv``, PNG pictures, and ``report.html``, which
    shows all of it and works offline. They replace older ones together or not at all.

    Parameters
    ----------
    comparison : Comparison
        The result of :func:`compare`; its `predictions` may contain further models.
    data, folder : Bunch and path
        The `data` and `out` of :func:`compare`.
    source : str, default="recordings"
        A description of the data.
    recipe : Recipe, default=None
        For the description of the settings.
    scores : DataFrame, default=None
        The result of :func:`score_models`; its first metric sorts the models. None computes it.
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
    if scores is None:
        scores = score_models(comparison.predictions, data.groups)
    metrics = {name: metric for name, (metric, _) in SCORES.items()}
    if (first := scores["metric"].iloc[0]) not in metrics.values():
        metrics[first] = first
    # models that others added have predictions, but no costs
    comparison = comparison._replace(table=comparison.table.reindex(scores["model"].unique()))
    table = comparison.table.copy()
    for name, metric in metrics.items():
        own = scores[scores["metric"] == metric].set_index("model")
        table[name] = own["value"]
        for end in _ENDS:
            table[f"{name}{end}"] = own[end.removeprefix("_")]
    pictures = draw(comparison, scores, n_jobs)
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
