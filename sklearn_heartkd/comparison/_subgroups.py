"""The part of the report on subgroups: sites, devices, sex, age."""

import numpy as np
import pandas as pd

from sklearn_heartkd.comparison._decisions import leaders
from sklearn_heartkd.comparison._html import table_html, text_html
from sklearn_heartkd.comparison._models import display_name
from sklearn_heartkd.comparison._scores import by_model, title_of
from sklearn_heartkd.metrics import compare_models

_COLUMNS = ("set", "database", "site", "device", "sex", "age_group", "age")
_AGES = [0, 1, 18, 40, 65, np.inf]  # years
_FEWEST = 10  # recordings and subjects of a group: of fewer, an interval says nothing
_MOST = 12  # groups of a table; the smallest are left out


def subgroups_html(predictions, scores, data):
    """Return a table of the leading models for each column that tells groups apart."""
    metric, models = scores["metric"].iloc[0], leaders(scores)
    own = predictions[predictions["model"].isin(models)]
    parts = []
    for name, values in subgroups(data).items():
        table, n_small = _table(own, values, metric, models, np.asarray(data.groups))
        caption = (
            f"{title_of(metric).capitalize()} by {name.replace('_', ' ')}, with 95 % intervals over "
            "subjects."
        )
        if n_small:
            caption += (
                f" Left out: {n_small} groups with fewer than {_FEWEST} recordings or subjects."
            )
        if table.empty:
            parts.append(f"<p>{text_html(caption)}</p>")
        else:
            parts.append(table_html(table.rename_axis(name), caption, fold=True))
    return "".join(parts) or "<p>The data name no sites, devices, sex or age.</p>"


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
    """Return the scores of the largest groups, and how many are too small for an interval."""
    tested = predictions["recording"].unique()
    who = pd.DataFrame({"group": values[tested], "subjects": groups[tested]})
    sizes = who[who["group"] != ""].groupby("group")["subjects"].agg(["size", "nunique"])
    large = sizes[sizes.min(axis=1) >= _FEWEST]
    rows = {}
    for name, n_recordings, n_subjects in large.nlargest(_MOST, "size").sort_index().itertuples():
        own = predictions[predictions["recording"].isin(np.flatnonzero(values == name))]
        row = {"recordings": f"{n_recordings}", "subjects": f"{n_subjects}"}
        if len(own["y_true"].unique()) > 1:
            scores = compare_models(own, groups, metrics=[metric], n_resamples=300, random_state=0)
            row |= by_model(scores, metric).rename(display_name).to_dict()
        rows[name] = row
    columns = ["recordings", "subjects", *map(display_name, models)]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).fillna("one class")
    return table, len(sizes) - len(large)
