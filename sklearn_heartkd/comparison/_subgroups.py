"""The part of the report on subgroups: sites, devices, sex, age."""

import numpy as np
import pandas as pd

from sklearn_heartkd.comparison._decisions import leaders
from sklearn_heartkd.comparison._html import table_html
from sklearn_heartkd.comparison._models import display_name
from sklearn_heartkd.comparison._scores import by_model, title_of
from sklearn_heartkd.metrics import compare_models

_COLUMNS = ("set", "database", "site", "device", "sex", "age_group", "age")
_AGES = [0, 1, 18, 40, 65, np.inf]  # years
_MOST = 12  # groups of a table; the smallest are left out


def subgroups_html(predictions, scores, data):
    """Return a table of the leading models for each column that tells groups apart."""
    metric, models = scores["metric"].iloc[0], leaders(scores)
    own = predictions[predictions["model"].isin(models)]
    tables = [
        table_html(
            _table(own, values, metric, models, np.asarray(data.groups)).rename_axis(name),
            f"{title_of(metric).capitalize()} by {name.replace('_', ' ')}, with 95 % intervals over "
            "subjects.",
            fold=True,
        )
        for name, values in subgroups(data).items()
    ]
    return "".join(tables) or "<p>The data name no sites, devices, sex or age.</p>"


def subgroups(data):
    """Return the group of each recording as text, "" where unknown, by the name of the column."""
    frame = data.frame.reset_index(drop=True)
    found = {}
    for column in _COLUMNS:
        if column not in frame:
            continue
        values = frame[column]
        if column == "age" and pd.api.types.is_numeric_dtype(values):
            values = pd.cut(values, _AGES, right=False).map(_span).astype(object)
        values = values.where(values.notna(), "").astype(str)
        if values[values != ""].nunique() > 1:
            found[column] = values.to_numpy()
    return found


def _span(interval):
    if np.isinf(interval.right):
        return f"{interval.left:g} and older"
    return f"{interval.left:g} to under {interval.right:g}"


def _table(predictions, values, metric, models, groups):
    rows = {}
    names = pd.Series(values[values != ""]).value_counts().index[:_MOST]
    for name in sorted(names):
        chosen = np.flatnonzero(values == name)
        own = predictions[predictions["recording"].isin(chosen)]
        if own.empty:
            continue
        tested = own["recording"].unique()
        row = {"recordings": f"{len(tested)}", "subjects": f"{len(np.unique(groups[tested]))}"}
        if len(own["y_true"].unique()) > 1:
            scores = compare_models(own, groups, metrics=[metric], n_resamples=300, random_state=0)
            row |= by_model(scores, metric).rename(display_name).to_dict()
        rows[name] = row
    columns = ["recordings", "subjects", *map(display_name, models)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).fillna("one class")
