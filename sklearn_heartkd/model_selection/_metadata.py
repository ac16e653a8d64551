"""What metadata alone tell about the class."""

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


def metadata_findings(table, labels, groups, random_state):
    """Return a finding for each piece of metadata that a small forest can tell the class from.

    `table` holds the columns file, source, n_samples, seconds, rms_db, peak_db, sampling_rate.
    """
    pieces = {
        "recording length": table[["n_samples", "seconds"]],
        "loudness": table[["rms_db", "peak_db"]],
        "sampling rate": table[["sampling_rate"]],
        "source": table[["source"]].apply(lambda column: pd.factorize(column)[0]),
        "file name": pd.DataFrame([_numbers(name) for name in table["file"]]),
    }
    sources = sorted(table["source"].unique())
    places = [("", np.ones(len(table), dtype=bool))]
    if len(sources) > 1:
        places += [(f" in source {s!r}", (table["source"] == s).to_numpy()) for s in sources]
    for place, chosen in places:
        for name, values in pieces.items():
            score = _scores(
                values[chosen].to_numpy(dtype=float), labels[chosen], groups[chosen], random_state
            )
            if score is not None:
                yield _verdict(name, place, score)


def _numbers(name):
    """Return the numbers in a file's name, cut so that a time stamp gives its month too."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    runs = re.findall(r"\d+", stem)[:3]
    runs += ["-1"] * (3 - len(runs))
    return [float(part) for run in runs for part in (run, run[:6])]


def _scores(values, labels, groups, random_state):
    """Cross-validate by group; None where a class is too rare or the values are constant."""
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


def _verdict(name, place, score):
    excess = score["balanced_accuracy"] - score["chance"]
    betrayed = excess > max(_MARGIN, _ERRORS * score["standard_error"])
    best = max(score["recall"], key=score["recall"].get)
    figures = (
        f"balanced accuracy {score['balanced_accuracy']:.2f} (chance {score['chance']:.2f}), "
        f"accuracy {score['accuracy']:.2f} (always the commonest class "
        f"{score['majority_accuracy']:.2f})"
    )
    if betrayed:
        message = (
            f"a forest that sees nothing else tells the class{place}: {figures}; best known is "
            f"{best!r} with recall {score['recall'][best]:.2f}. Do not let a model see it, and "
            "report scores within each source."
        )
    else:
        message = f"does not tell the class{place}: {figures}."
    return Finding(f"class from {name}", "problem" if betrayed else "note", message, values=score)


def constant_length_findings(table, labels):
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


def source_findings(table, labels):
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
