"""Where a teacher helps a student, and where it does not.

    python -m benchmarks.where_distillation_pays --data path/to/folder [--work DIR] [--seeds 0 1 2]
        [--settings a_to_b synthetic] [--jobs 1]

The settings: labels on one device and unlabeled recordings of another; few labeled subjects of PASCAL
B; few labeled subjects among synthetic ones; wrong labels. (`distillation_on_tables` has the tables.)
The unlabeled recordings are labeled ones whose labels are hidden, of other subjects than those that
are tested. The folder is that of `leave_one_device_out`. Writes
benchmarks/results/where_distillation_pays.csv and the table of docs/benchmarks/where-distillation-pays.md.
Fits stay in --work, where a stopped run continues.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sklearn.base import clone

from benchmarks import _distillation_settings as draws
from benchmarks._tables import RESULTS, interval, rows_as_markdown, write_tables
from benchmarks._tasks import Task, run
from sklearn_heartkd import DenseStudentClassifier, DistilledClassifier, WindowedClassifier
from sklearn_heartkd.metrics import compare_models, oof_frame

FILE = RESULTS / "where_distillation_pays.csv"
KINDS = ("teacher", "controls", "labelled_only", "distilled")
TITLES = {
    "teacher": "teacher",
    "scratch": "from scratch",
    "long": "three times the steps",
    "rebalanced": "from scratch, re-balanced",
    "long_rebalanced": "three times the steps, re-balanced",
    "labelled_only": "distilled, labeled rows only",
    "distilled": "distilled",
}
CONTROLS = ("scratch", "long", "rebalanced", "long_rebalanced")


class Setting(NamedTuple):
    """One row of the table: its title, its draw by seed, and whether classes are re-balanced."""

    title: str
    draw: object
    student: str = "log-mel"  # or "cmvn", "table"
    prior: str | None = "balanced"
    seeds: tuple = (0, 1, 2)


def _devices(source, target):
    def draw(path, seed):
        return draws.from_device_to_device(path, source, target, seed), None

    return draw


def _few(n_subjects):
    def draw(path, seed):
        return draws.few_subjects(path, n_subjects, seed), None

    return draw


def _synthetic(**options):
    def draw(path, seed):
        return draws.synthetic(seed, **options)

    return draw


A_TO_B, B_TO_A = _devices("PASCAL A", "PASCAL B"), _devices("PASCAL B", "PASCAL A")
SETTINGS = {
    "a_to_b": Setting("PASCAL A labeled, B unlabeled; log-mel", A_TO_B),
    "a_to_b_cmvn": Setting("PASCAL A labeled, B unlabeled; log-mel with CMVN", A_TO_B, "cmvn"),
    "synthetic": Setting(
        "synthetic, 20 labeled and 80 unlabeled subjects; dense",
        _synthetic(as_table=True),
        "table",
        None,
        tuple(range(12)),
    ),
    "b_20": Setting("PASCAL B, 20 labeled subjects; log-mel", _few(20), prior=None),
    "flipped": Setting(
        "synthetic, 50 labeled subjects with 20 % of labels wrong, 50 unlabeled; dense",
        _synthetic(as_table=True, n_labeled=50, flipped=0.2),
        "table",
        None,
        tuple(range(12)),
    ),
    "b_to_a": Setting("PASCAL B labeled, A unlabeled; log-mel", B_TO_A),
    "b_to_a_cmvn": Setting("PASCAL B labeled, A unlabeled; log-mel with CMVN", B_TO_A, "cmvn"),
    "physionet_to_b": Setting(
        "PhysioNet a labeled, PASCAL B unlabeled; log-mel", _devices("PhysioNet a", "PASCAL B")
    ),
    "b_10": Setting("PASCAL B, 10 labeled subjects; log-mel", _few(10), prior=None),
    "b_50": Setting("PASCAL B, 50 labeled subjects; log-mel", _few(50), prior=None),
    "synthetic_conv": Setting(
        "synthetic, 20 labeled and 80 unlabeled subjects; log-mel",
        _synthetic(as_table=False),
        prior=None,
    ),
}


def models(setting, columns, seed):
    """Return the unfitted teacher and student of a setting."""
    if setting.student == "table":
        return draws.table_teacher(columns, seed), DenseStudentClassifier(random_state=seed)
    student = draws.log_mel_student(seed, cmvn=setting.student == "cmvn")
    return draws.rhythm_teacher(seed), student


def compute(task, path):
    """Return the predictions of one kind of model in one draw of a setting."""
    name, _, kind = task.model.partition("-")
    setting = SETTINGS[name]
    draw, columns = setting.draw(path, task.seed)
    teacher, student = models(setting, columns, task.seed)
    X, y, rows = draw.X, draw.y, draw.labeled

    def windowed(model):
        if columns is not None:
            return model
        return WindowedClassifier(model, window=draws.WINDOW, hop=2.5, sampling_rate=draws.RATE)

    def fit(model, **unlabeled):
        groups = {} if kind == "teacher" and columns is not None else {"groups": draw.groups[rows]}
        return windowed(model).fit(X[rows], y[rows], **groups, **unlabeled)

    fitted = []  # of each kind and part
    if kind == "teacher":
        fitted = [(kind, fit(teacher))] * len(draw.test)
    elif kind == "controls":
        scratch = fit(student)
        network = scratch if columns is not None else scratch.estimator_[-1]
        longer = clone(student)
        end = longer if columns is not None else longer[-1]
        end.set_params(max_epochs=3 * network.n_iter_)
        fitted = [("scratch", scratch), ("long", fit(longer))] * len(draw.test)
    else:
        model = DistilledClassifier(teacher, student, random_state=task.seed)
        if kind == "labelled_only":
            fitted = [(kind, fit(model))] * len(draw.test)
        else:
            model.set_params(unlabeled_prior=setting.prior)
            fitted = [
                (kind, fit(model, X_unlabeled=X[part], groups_unlabeled=draw.groups[part]))
                for part in draw.unlabeled
            ]
    frames = []
    n_models = len(fitted) // len(draw.test)
    for number, (model, estimator) in enumerate(fitted):
        part = number // n_models
        test, unlabeled = draw.test[part], draw.unlabeled[part]
        frames.append(_predicted(model, estimator, draw, test, task, part))
        if kind == "controls":
            prior = estimator.predict_proba(X[unlabeled]).mean(axis=0)
            again = f"{model}_rebalanced".removeprefix("scratch_")
            frames.append(_predicted(again, estimator, draw, test, task, part, prior))
    print(f"{name}, seed {task.seed}: {kind}", flush=True)
    return pd.concat(frames, ignore_index=True).assign(setting=name)


def _predicted(model, estimator, draw, test, task, part, prior=1.0):
    probabilities = estimator.predict_proba(draw.X[test]) / prior
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    return oof_frame(
        model,
        seed=task.seed,
        fold=part,
        recording=test,
        y_true=draw.y[test],
        y_pred=estimator.classes_[probabilities.argmax(axis=1)],
        y_proba=probabilities,
        classes=estimator.classes_,
    ).assign(subject=draw.groups[test])


def summary(predictions):
    """Return balanced accuracy, area and the difference to the best control, by setting and model."""
    rows = []
    for name, part in predictions.groupby("setting", sort=False):
        frame = part.drop(columns="setting").dropna(axis=1)
        # these draws test different recordings; synthetic ones also have different subjects
        if name.startswith(("synthetic", "flipped", "b_1", "b_2", "b_5")):
            subject = frame["subject"].astype(str)
            if not name.startswith("b_"):
                subject = frame["seed"].astype(str) + "-" + subject
            recording = frame["recording"] + 10_000 * frame["seed"]
            frame = frame.assign(subject=subject, recording=recording, seed=0)
        metrics = ["balanced_accuracy"]
        if "p_murmur" in frame and frame["y_true"].nunique() == 2:
            metrics.append("roc_auc_murmur")
        options = {"metrics": metrics, "n_resamples": 1000, "random_state": 0}
        scores = compare_models(frame, "subject", baseline="scratch", **options)
        of_controls = scores[scores["model"].isin(CONTROLS)].query("metric == 'balanced_accuracy'")
        best = of_controls.loc[of_controls["value"].idxmax(), "model"]
        scores = compare_models(frame, "subject", baseline=best, **options)
        kept = ["model", "metric", "value", "low", "high"]
        kept += ["difference", "difference_low", "difference_high"]
        scores = scores[kept].assign(best_control=best, n_seeds=part["seed"].nunique())
        rows.append(scores.assign(setting=name))
    return pd.concat(rows, ignore_index=True)


def tables():
    """Return the table of docs/benchmarks/where-distillation-pays.md."""
    scores = pd.read_csv(FILE).query("metric == 'balanced_accuracy'")
    rows = []
    for name, part in scores.groupby("setting", sort=False):
        by_model = part.set_index("model")
        row = {"setting": f"{SETTINGS[name].title} ({part['n_seeds'].iloc[0]} draws)"}
        row |= {TITLES[model]: f"{by_model.loc[model, 'value']:.3f}" for model in TITLES}
        won = by_model.loc["distilled"]
        gain = interval(won["difference"], won["difference_low"], won["difference_high"])
        rows.append(row | {"distilled minus the best from scratch": gain})
    return {
        ("docs/benchmarks/where-distillation-pays.md", "where distillation pays"): rows_as_markdown(
            rows
        )
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", type=Path, default=Path("results/where_distillation_pays"))
    parser.add_argument("--seeds", type=int, nargs="+", help="by default, those of each setting")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tasks = [
        Task(seed, 0, f"{name}-{kind}")
        for name in options.settings
        for seed in options.seeds or SETTINGS[name].seeds
        for kind in KINDS
    ]
    predictions = run(tasks, partial(compute, path=options.data), options.work, options.jobs)
    summary(predictions).to_csv(FILE, index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
