"""Whether metadata alone predict the class."""

import re

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score
from sklearn.model_selection import StratifiedGroupKFold

from sklearn_heartkd.model_selection._report import Finding

_N_SPLITS = 5
_MARGIN = 0.10  # above chance, for a verdict
_ERRORS = 2.0  # standard errors above chance, for a verdict
_CONSTANT_SHARE = 0.5  # of a class with exactly one length
_FEWEST = 5  # recordings of a class, for a verdict about its lengths


def label_findings(table, groups, random_state):
    """Return findings on what the metadata tell about the class of the labeled recordings.

    `table` holds the columns label, file, source, n_samples, seconds, rms_db, peak_db, sampling_rate.
    """
    known = table["label"].notna().to_numpy()
    if table.loc[known, "label"].nunique() < 2:
        return
    table, groups = table[known].reset_index(drop=True), groups[known]
    labels = table["label"].to_numpy(dtype=str)
    yield from _source_findings(table, labels)
    yield from _constant_length_findings(table, labels)
    yield from _prediction_findings(table, labels, groups, random_state)


def _prediction_findings(table, labels, groups, random_state):
    """Return a finding for each piece of metadata, in all and in each source."""
    pieces = {
        "recording length": table[["n_samples", "seconds"]],
        "loudness": table[["rms_db", "peak_db"]],
        "sampling rate": table[["sampling_rate"]],
        "source": _codes(table[["source"]]),
        "file name": pd.DataFrame([_numbers(name) for name in table["file"]]),
    }
    words = _codes(pd.DataFrame([_words(name) for name in table["file"]]))
    sources = sorted(table["source"].unique())
    places = [("", np.ones(len(table), dtype=bool))]
    if len(sources) > 1:
        places += [(f" in source {s!r}", (table["source"] == s).to_numpy()) for s in sources]
    for place, chosen in places:
        known = labels[chosen], groups[chosen], random_state
        scores = {name: _scores(values[chosen], *known) for name, values in pieces.items()}
        if not _predicts(scores["file name"]):
            by_words = _scores(words[chosen], *known)
            if _predicts(by_words):
                # names that hold the label are usual, and no leak of the recording itself
                del scores["file name"]
                yield Finding(
                    "class from file name",
                    "note",
                    f"the words in the names tell the class{place}: {_figures(by_words)}. This is usual "
                    "where names hold the labels; do not let a model see them.",
                    values=by_words,
                )
        for name, score in scores.items():
            if score is not None:
                yield _verdict(name, place, score)


def _codes(table):
    """Return a table with a number for each distinct text of a column."""
    return table.apply(lambda column: pd.factorize(column)[0])


def _stem(name):
    return name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _words(name):
    """Return the first words in a file's name."""
    words = re.findall(r"[^\W\d_]+", _stem(name).lower())
    return [*words, "", "", "", ""][:4]


def _numbers(name):
    """Return the numbers in a file's name, cut so that a time stamp gives its month too."""
    runs = re.findall(r"\d+", _stem(name))[:3]
    runs += ["-1"] * (3 - len(runs))
    return [float(part) for run in runs for part in (run, run[:6])]


def _scores(values, labels, groups, random_state):
    """Cross-validate by group; None where a class is too rare or the values are constant."""
    values = values.to_numpy(dtype=float)
    classes, counts = np.unique(labels, return_counts=True)
    n_groups = [len(np.unique(groups[labels == label])) for label in classes]
    classes, counts = classes[np.greater(n_groups, 1)], counts[np.greater(n_groups, 1)]
    kept = np.isin(labels, classes)
    if len(classes) < 2 or len(np.unique(values[kept], axis=0)) < 2:
        return None
    values, labels, groups = values[kept], labels[kept], groups[kept]
    n_splits = min(_N_SPLITS, *(n for n in n_groups if n > 1))
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    forest = RandomForestClassifier(50, min_samples_leaf=2, random_state=random_state)
    probabilities = np.zeros((len(labels), len(classes)))
    for train, test in splitter.split(values, labels, groups):
        forest.fit(values[train], labels[train])
        seen = np.searchsorted(classes, forest.classes_)
        probabilities[np.ix_(test, seen)] = forest.predict_proba(values[test])
    likely = classes[probabilities.argmax(axis=1)]
    fair = classes[(probabilities / counts).argmax(axis=1)]  # as if classes were equally frequent
    recalls = recall_score(labels, fair, labels=classes, average=None)
    effective = [len(np.unique(groups[labels == label])) for label in classes]
    chance = 1 / len(classes)
    return {
        "accuracy": float(accuracy_score(labels, likely)),
        "majority_accuracy": float(counts.max() / counts.sum()),
        "balanced_accuracy": float(balanced_accuracy_score(labels, fair)),
        "chance": chance,
        "standard_error": float(
            np.sqrt(np.sum(chance * (1 - chance) / np.array(effective))) / len(classes)
        ),
        "recall": {str(name): float(recall) for name, recall in zip(classes, recalls, strict=True)},
    }


def _margin(score):
    return max(_MARGIN, _ERRORS * score["standard_error"])


def _predicts(score):
    return score is not None and score["balanced_accuracy"] - score["chance"] > _margin(score)


def _figures(score):
    return (
        f"balanced accuracy {score['balanced_accuracy']:.2f} (chance {score['chance']:.2f}), "
        f"accuracy {score['accuracy']:.2f} (always the commonest class "
        f"{score['majority_accuracy']:.2f})"
    )


def _verdict(name, place, score):
    if _predicts(score):
        best = max(score["recall"], key=score["recall"].get)
        message = (
            f"a forest that sees nothing else tells the class{place}: {_figures(score)}; best known is "
            f"{best!r} with recall {score['recall'][best]:.2f}. Do not let a model see it, and "
            "report scores within each source."
        )
        return Finding(f"class from {name}", "problem", message, values=score)
    if score["chance"] - score["balanced_accuracy"] > _margin(score):
        # each value occurs in every class: the forest has seen it in the other classes only
        message = (
            f"this check cannot decide{place}: {_figures(score)}. Scores below chance come from values "
            "that occur once in each class, such as a numbering that starts again."
        )
    else:
        message = f"does not tell the class{place}: {_figures(score)}."
    return Finding(f"class from {name}", "note", message, values=score)


def _constant_length_findings(table, labels):
    """Return a finding for each class of which most recordings have exactly one length."""
    for (source, label), rows in table.groupby(["source", labels]):
        lengths = rows["n_samples"].value_counts()
        n_samples, count = int(lengths.index[0]), int(lengths.iloc[0])
        others = table[(table["source"] == source) & (labels != label)]["n_samples"]
        elsewhere = float((others == n_samples).mean()) if len(others) else np.nan
        share = count / len(rows)
        if len(rows) < _FEWEST or share < _CONSTANT_SHARE or not elsewhere < share / 2:
            continue
        where = f" of source {source!r}" if source else ""
        yield Finding(
            "length of a class",
            "problem",
            f"{count} of {len(rows)} recordings of class {label!r}{where} have exactly "
            f"{n_samples} samples, but only {elsewhere:.0%} of the other classes: crop or loop "
            "all recordings to one duration, and do not pad with zeros.",
            rows.loc[rows["n_samples"] == n_samples, "file"].tolist(),
            {"class": str(label), "source": str(source), "n_samples": n_samples, "share": share},
        )


def _source_findings(table, labels):
    """Return a finding for each class that exists in some of the sources only."""
    counts = pd.crosstab(labels, table["source"].to_numpy())
    for label, row in counts.iterrows():
        absent = [str(source) for source in counts.columns if not row[source]]
        if absent:
            present = [str(source) for source in counts.columns if row[source]]
            yield Finding(
                "class and source",
                "problem",
                f"class {label!r} exists only in source {', '.join(present)}, not in "
                f"{', '.join(absent)}: a model can tell it by the recording device. Report each "
                "source by itself.",
                values={"class": str(label), "present": present, "absent": absent},
            )
