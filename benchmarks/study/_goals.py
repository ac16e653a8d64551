"""What the small student was meant to reach on all recordings, beside what it did."""

import pandas as pd

from benchmarks.readme_table import markdown
from benchmarks.study._names import shown
from benchmarks.study._variants import SCRATCH, student_of
from sklearn_heartkd.comparison._models import PRETRAINED, TEACHERS

_ELSEWHERE = """\
No network on this page starts from synthetic recordings, but in the comparison of starts on the inner \
splits. `heartkd train` gives all its networks that start: the same goals with it are in \
[comparison.md](comparison.md#in-short).

Goals measured elsewhere: distilled minus scratch where both are trained with noise in \
[noise.md](noise.md), extrasystoles by their rhythm in [rhythm.md](rhythm.md), the time of an epoch of \
distillation in [benchmarks.md](benchmarks.md), and when k-means does help in [kmeans.md](kmeans.md).
"""


def goals_of(scores, differences, teacher):
    """Return the goals as text: columns "measured" and "to reach", as far as there are models.

    Parameters
    ----------
    scores : DataFrame
        As `scores_of` returns it, of A+B.
    differences : DataFrame
        As `differences_of` returns it.
    teacher : str
        The one that teaches the default student.
    """
    pupil = student_of(teacher).name
    rows = {}
    there = [name for name in TEACHERS if name in scores.index]
    for name in there:
        rows[f"accuracy of {shown(name)}"] = _score(scores, name, "accuracy"), "≥ 0.80"
    if there:
        best = scores.loc[there, "accuracy"].idxmax()
        rows[f"accuracy of the best teacher, {shown(best)}"] = (
            _score(scores, best, "accuracy"),
            "≥ 0.84",
        )
    if pupil in scores.index:
        rows["accuracy of the default student"] = _score(scores, pupil, "accuracy"), "≥ 0.83"
        wanted = {"balanced_accuracy": "≥ 0.75", "within_a": "≥ 0.82", "within_b": "≥ 0.64"}
        places = {"within_a": ", recordings of A", "within_b": ", recordings of B"}
        for key in [key for key in wanted if key in scores]:
            name = f"balanced accuracy of the default student{places.get(key, '')}"
            rows[name] = _score(scores, pupil, key), wanted[key]
    for baseline, goal in ((teacher, "≥ 0"), (SCRATCH, "≥ +0.03"), (PRETRAINED, "")):
        for metric in ("accuracy", "balanced_accuracy"):
            if baseline == SCRATCH and metric == "accuracy":
                continue
            measured = _difference(differences, pupil, baseline, metric)
            if measured:
                name = f"{metric.replace('_', ' ')}, default student minus {shown(baseline)}"
                if baseline == SCRATCH and PRETRAINED in set(differences["baseline"]):
                    name += " (start and teacher together)"
                rows[name] = measured, goal
    refined = _of(differences, family="k-means", metric="accuracy")["difference"]
    if len(refined):
        spread = f"{refined.mean():+.3f} on average, {refined.min():+.3f} to {refined.max():+.3f}"
        rows[f"accuracy by k-means, {len(refined)} models"] = spread, "+0.02 to +0.04"
    return pd.DataFrame.from_dict(rows, orient="index", columns=["measured", "to reach"])


def goals_text(scores, differences, teacher):
    """Return the goals as the first section of the page."""
    seeds = sorted({int(count) for count in scores["seeds"]})
    return [
        "## In short\n",
        f"On A+B, {' or '.join(map(str, seeds))} seed(s) a model, ± standard deviation over the seeds, "
        "95 % intervals in brackets. The default student is "
        f"{scores.loc[student_of(teacher).name, 'parameters']:,.0f} parameters taught by "
        f"{shown(teacher)}.\n",
        markdown(goals_of(scores, differences, teacher)),
        "",
        _ELSEWHERE,
    ]


def _score(scores, model, key):
    value, spread = scores.loc[model, key], scores.loc[model, f"{key}_sd"]
    return f"{value:.3f} ± {spread:.3f}" if spread == spread else f"{value:.3f} –"


def _of(differences, **columns):
    for name, value in columns.items():
        differences = differences[differences[name] == value]
    return differences


def _difference(differences, model, baseline, metric):
    rows = _of(differences, model=model, baseline=baseline, metric=metric)
    rows = rows[rows["family"] != "losses"]  # those are of one seed
    if not len(rows):
        return None
    row = rows.iloc[0]
    return f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
