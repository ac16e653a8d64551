"""How well extrasystoles are found on PASCAL, by subject, from length, spectrum, rhythm and a network.

    OMP_NUM_THREADS=1 python -m benchmarks.extrastole --data path/to/heartbeat-sounds

Support vector machines separate *extrastole* from the other classes; the pretrained student of the
comparison adds its log odds. Settings, the weight of the student and the thresholds are chosen on inner
splits of the training folds. The length of a recording is a shortcut, so there are three checks: length
alone, pairs of recordings of the same length, and recordings cut to their first 3 s. Takes about ten
minutes. Writes benchmarks/results/extrastole.csv and the tables of docs/benchmarks/rhythm.md.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.metrics import precision_recall_curve, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import MFCC, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.comparison import N_SYNTHETIC, Recipe
from sklearn_heartkd.datasets import load_pascal

OUT = RESULTS / "extrastole.csv"
RATE = 2000
PRECISION = 0.30
CUT = 3.0  # seconds; three quarters of set B have them
SAME = 0.1  # two recordings are of the same length if their logarithms differ by less
C = {"duration": 1.0, "statistics": 0.5, "rhythm": 1.0}
SHARE = 0.3  # of the network's log odds beside the decision values of the machines
MODELS = {
    "duration": ["duration"],
    "statistics": ["statistics"],
    "rhythm": ["rhythm"],
    "network": ["network"],
    "statistics + rhythm": ["statistics", "rhythm"],
    "statistics + rhythm + network": ["statistics", "rhythm", "network"],
}


def features_of(recordings):
    """Return the table of each support vector machine; nothing in it is learned."""
    statistics = make_union(
        MFCC(sampling_rate=RATE, output="summary"),
        LogMelSpectrogram(sampling_rate=RATE, output="summary"),
    )
    return {
        "duration": np.log([[len(recording)] for recording in recordings]),
        "statistics": statistics.fit_transform(recordings),
        "rhythm": RhythmFeatures(sampling_rate=RATE).fit_transform(recordings),
    }


def machine(table):
    return make_pipeline(StandardScaler(), SVC(C=C[table], class_weight="balanced"))


class Network:
    """The student's weighted log odds of extrastole."""

    def __init__(self, pascal, recipe):
        self.pascal, self.recipe = pascal, recipe

    def __call__(self, training, test):
        """Return the scores of some recordings after training on others, by their numbers."""
        data, target = self.pascal.data, np.asarray(self.pascal.target)
        model = self.recipe.make("student_pretrained", 0, {})
        subjects = np.asarray(self.pascal.groups)[training]
        model.fit([data[i] for i in training], target[training], groups=subjects)
        found = model.predict_proba([data[i] for i in test])
        odds = found[:, list(model.classes_).index("extrastole")]
        return SHARE * logit(odds.astype(np.float64).clip(1e-4, 1 - 1e-4))


def scores_of(name, X, target, inner, train, test, network):
    """Return the scores of one machine out of fold inside the training part, and on the test part."""
    if name == "network":
        inside = np.zeros(len(train))
        for rest, held_out in inner:
            inside[held_out] = network(train[rest], train[held_out])
        return inside, network(train, test)
    rows, y = X[name][train], target[train] == "extrastole"
    inside = cross_val_predict(machine(name), rows, y, cv=inner, method="decision_function")
    return inside, machine(name).fit(rows, y).decision_function(X[name][test])


def threshold(y, score):
    """Return the threshold of the highest recall at a precision above PRECISION, if there is one."""
    precision, recall, thresholds = precision_recall_curve(y, score)
    reached = precision[:-1] > PRECISION
    if not reached.any():
        return np.inf
    return thresholds[np.argmax(np.where(reached, recall[:-1], -1.0))]


def predict(X, target, groups, network=None):
    """Return, out of fold, the scores of each model and whether they pass the inner threshold."""
    y = target == "extrastole"
    there = [*X, "network"] if network is not None else list(X)
    models = {model: names for model, names in MODELS.items() if set(names) <= set(there)}
    scores = {model: np.zeros(len(y)) for model in models}
    alarms = {model: np.zeros(len(y), dtype=bool) for model in models}
    outer = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for fold, (train, test) in enumerate(outer.split(target, target, groups)):
        splitter = StratifiedGroupKFold(4, shuffle=True, random_state=fold)
        inner = list(splitter.split(train, target[train], groups[train]))
        inside, outside = {}, {}
        for name in there:
            inside[name], outside[name] = scores_of(name, X, target, inner, train, test, network)
        for model, names in models.items():
            scores[model][test] = sum(outside[name] for name in names)
            limit = threshold(y[train], sum(inside[name] for name in names))
            alarms[model][test] = scores[model][test] >= limit
    return scores, alarms


def interval(y, score, groups, n_resamples):
    """Return the 95 % interval of the area under the curve over resampled subjects."""
    subjects = np.unique(groups, return_inverse=True)[1]
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(n_resamples):
        counts = np.bincount(rng.choice(subjects.max() + 1, subjects.max() + 1))
        weight = np.pad(counts, (0, subjects.max() + 1 - len(counts)))[subjects]
        if weight[y].any():
            areas.append(roc_auc_score(y, score, sample_weight=weight))
    return np.quantile(areas, [0.025, 0.975])


def area_at_same_length(y, score, length):
    """Return how often an extrastole scores above another recording of the same length."""
    length = np.log(length)
    same = np.abs(length[y][:, np.newaxis] - length[~y]) < SAME
    above = np.sign(score[y][:, np.newaxis] - score[~y]) / 2 + 0.5
    return above[same].mean()


def describe(y, score, alarm, groups, length, n_resamples):
    low, high = interval(y, score, groups, n_resamples)
    return {
        "auc": roc_auc_score(y, score),
        "auc_low": low,
        "auc_high": high,
        "auc_same_length": area_at_same_length(y, score, length),
        "recall": alarm[y].mean(),
        "precision": y[alarm].mean() if alarm.any() else np.nan,
        "recordings": len(y),
    }


def grounds(pascal):
    """Yield what is heard, of which sets, its tables, its lengths and the recordings that count."""
    n_samples = round(CUT * RATE)
    lengths = np.array([len(recording) for recording in pascal.data])
    long = lengths >= n_samples
    in_b = pascal.frame["set"].to_numpy() == "b"
    whole = features_of(pascal.data)
    cut = features_of([recording[:n_samples] for recording in pascal.data])
    del cut["duration"]
    yield "whole", "ab", whole, lengths, np.full(len(long), True)
    yield "whole", "b", whole, lengths, in_b
    yield f"whole, {CUT:g} s or more", "ab", whole, lengths, long
    yield f"first {CUT:g} s", "ab", cut, np.minimum(lengths, n_samples), long


def evaluate(pascal, n_resamples=1000, network=None):
    """Return the table of areas, recalls and precisions on all grounds; the network's on all recordings."""
    rows = []
    for heard, trained_on, X, lengths, chosen in grounds(pascal):
        part = {name: table[chosen] for name, table in X.items()}
        target, groups = pascal.target[chosen], pascal.groups[chosen]
        in_b = pascal.frame["set"].to_numpy()[chosen] == "b"
        scores, alarms = predict(part, target, groups, network if chosen.all() else None)
        shown = {trained_on: np.full(len(target), True)}
        if trained_on == "ab":
            shown["b"] = in_b
        for tested_on, mask in shown.items():
            where = {"heard": heard, "trained_on": trained_on, "tested_on": tested_on}
            known = groups[mask], lengths[chosen][mask], n_resamples
            for model in scores:
                answers = scores[model][mask], alarms[model][mask]
                found = describe((target == "extrastole")[mask], *answers, *known)
                rows.append(where | {"model": model} | found)
    return pd.DataFrame(rows)


def tables():
    """Return the tables of docs/benchmarks/rhythm.md."""
    areas, lengths, sets = [], [], {"ab": "A+B", "b": "B"}
    keys = ["heard", "trained_on", "tested_on"]
    for (heard, trained, tested), part in pd.read_csv(OUT).groupby(keys, sort=False):
        own = part.set_index("model")
        if heard == "whole":
            row = {"trained on": sets[trained], "tested on": sets[tested]} | dict.fromkeys(
                MODELS, "–"
            )
            for cell in own.itertuples():
                row[cell.Index] = f"{cell.auc:.3f} ({cell.auc_low:.3f} to {cell.auc_high:.3f})"
            both = own.loc["statistics + rhythm"]
            row["recall, precision of both"] = f"{both['recall']:.2f}, {both['precision']:.2f}"
            areas.append(row)
        if trained == "ab":
            for pairs, column in (("all", "auc"), ("of one length", "auc_same_length")):
                row = {"recordings": heard, "tested on": sets[tested], "pairs": pairs}
                models = ("statistics", "rhythm", "statistics + rhythm")
                lengths.append(row | {model: f"{own.loc[model, column]:.3f}" for model in models})
    found = {"extrastole": areas, "same length": lengths}
    return {
        ("docs/benchmarks/rhythm.md", name): rows_as_markdown(rows) for name, rows in found.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder heartbeat-sounds")
    args = parser.parse_args()
    pascal = load_pascal(args.data, sampling_rate=RATE)
    with TemporaryDirectory() as folder:
        recipe = Recipe(sampling_rate=RATE, n_synthetic=N_SYNTHETIC, memory=folder)
        table = evaluate(pascal, network=Network(pascal, recipe))
    table.to_csv(OUT, index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
