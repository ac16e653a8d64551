"""Accuracy against the signal-to-noise ratio of the test recordings, with and without noise in training.

    OMP_NUM_THREADS=1 python -m benchmarks.noise_robustness path/to/heartbeat-sounds --seeds 0 1 2

A Conv2D teacher, the student from scratch and the student of that teacher are trained on PASCAL A+B
as it is, and with noise in half of the rows of each batch. The test recordings are disturbed as
waveforms. Fits stay in --work, where a stopped run continues. Writes the CSV files noise_robustness and
noise_teaching, and the tables and the picture of docs/benchmarks/noise.md. The stored scores under ambience
were measured with an earlier mix of the same kinds of sound.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.utils import Bunch

from benchmarks._tables import IMAGES, RESULTS, interval, rows_as_markdown, write_tables
from benchmarks._tasks import Task, fit, keep, open_folder, predict, run
from sklearn_heartkd.augmentation import (
    AdditiveNoise,
    BandMasking,
    Batch,
    Gain,
    Mixup,
    RandomCrop,
    TimeMasking,
)
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.datasets import load_pascal, make_heart_sounds
from sklearn_heartkd.metrics import compare_models

MODELS = {
    "conv2d": "teacher (Conv2D)",
    "student": "student from scratch",
    "student_of_conv2d": "student of that teacher",
}
TRAINING = {"clean": "as recorded", "online": "with noise"}
NOISES = ("white", "pink", "ambience")
SNRS = (30, 20, 10, 5, 0)
SHOWN = {np.inf: "clean", 20: "20 dB", 10: "10 dB", 0: "0 dB"}
METRICS = ("accuracy", "balanced_accuracy")
# half of the rows of a batch are noisy; then the default augmentation of the networks
NOISY_AUGMENTATION = [
    *(AdditiveNoise(noise, snr=(0, 30), probability=0.3) for noise in ("white", "pink")),
    RandomCrop(),
    Gain(),
    BandMasking(),
    TimeMasking(),
    Mixup(),
]


def disturb(recording, noise, snr, seed):
    """Return a recording with noise at a ratio in dB; the seed alone chooses the noise."""
    x = torch.from_numpy(np.asarray(recording))[None, None]
    row = torch.zeros(1, dtype=torch.long)
    batch = Batch(x, target=row, weight=torch.ones(1), index=row, subject=row)
    generator = torch.Generator().manual_seed(seed)
    return AdditiveNoise(noise, snr=snr, keep_level=False)(batch, generator).x[0, 0].numpy()


def make_ambience(sampling_rate, n=40, seconds=10):
    """Return speech, friction, knocks and hiss: recordings of the class artifact, one after another."""
    sounds = make_heart_sounds(
        n,
        classes=("artifact",),
        n_subjects=n,
        duration=seconds,
        sampling_rate=sampling_rate,
        random_state=0,
    )
    return np.concatenate([row / np.sqrt(np.mean(row**2)) for row in sounds.data])


def compute(task, data, splits, recipe, noises, folder):
    """Fit one model, and return its predictions for the test part under every noise."""
    name, training = task.model.split("-")
    file = task.file(folder, "model")
    if not file.exists():
        sources = {}
        if name == "student_of_conv2d":
            teacher = task._replace(model=f"conv2d-{training}")
            sources = {"conv2d": joblib.load(teacher.file(folder, "model"))}
        model = recipe.make(name, task.seed, sources)
        network = getattr(model.estimator[-1], "student", model.estimator[-1])
        if training == "online":
            network.set_params(augmentation=NOISY_AUGMENTATION)
        keep(fit(model, data, splits[task.fold][0]), file)
    fitted, rows, frames = joblib.load(file), splits[task.fold][1], []
    for noise, snr in [("none", np.inf), *product(noises, SNRS)]:
        noisy = list(data.data)
        if noise != "none":
            for i in rows:
                noisy[i] = disturb(noisy[i], noises[noise], snr, int(i))
        frame = predict(fitted, task, Bunch(**data | {"data": noisy}), rows)
        frames.append(frame[frame.columns.drop(frame.filter(regex="^p_"))])
        frames[-1] = frames[-1].assign(noise=noise, snr=snr)
    return pd.concat(frames)


def score(predictions, subjects):
    """Return the scores under each noise, and what noise in training and the teacher add to them."""
    predictions = predictions.assign(subject=np.asarray(subjects)[predictions["recording"]])
    predictions[["kind", "training"]] = predictions["model"].str.split("-", expand=True)
    table = pd.concat(
        compared(part, f"{kind}-clean").assign(noise=noise, snr=snr, seeds=part["seed"].nunique())
        for (noise, snr, kind), part in predictions.groupby(["noise", "snr", "kind"], sort=False)
    )
    table = table.sort_values(["noise", "snr"], ascending=[True, False], kind="stable")
    students = predictions[predictions["kind"] != "conv2d"]
    taught = pd.concat(
        compared(part, f"student-{training}").assign(noise=noise, snr=snr)
        for (noise, snr, training), part in students.groupby(["noise", "snr", "training"])
    )
    return table, taught[taught["model"] != "student"].drop(columns=["model", "value"])


def compared(part, baseline):
    """Return scores and differences to a baseline, by model and training."""
    table = compare_models(part, "subject", baseline=baseline, metrics=METRICS, random_state=0)
    table[["model", "training"]] = table["model"].str.split("-", expand=True)
    return table.drop(columns=["std", "t", "p_value"])


def at(table, noise, metric, **where):
    """Return the rows of one noise and metric by ratio, the clean recordings first."""
    for column, value in where.items():
        table = table[table[column] == value]
    table = table[(table["metric"] == metric) & table["noise"].isin(["none", noise])]
    return table.sort_values("snr", ascending=False).set_index("snr")


def scores_under(table, noise):
    """Return accuracy / balanced accuracy under one noise."""
    rows = []
    for model, training in product(MODELS, TRAINING):
        where = {"model": model, "training": training}
        both = [at(table, noise, metric, **where)["value"] for metric in METRICS]
        cells = [f"{a:.3f} / {b:.3f}" for a, b in zip(*both, strict=True)]
        heads = ["clean", *(f"{snr} dB" for snr in SNRS)]
        start = {"model": MODELS[model], "training": TRAINING[training]}
        rows.append(start | dict(zip(heads, cells, strict=True)))
    return rows_as_markdown(rows)


def gains(table, noise, **where):
    """Return the differences in balanced accuracy at some ratios."""
    rows = at(table, noise, "balanced_accuracy", **where).loc[list(SHOWN)]
    cells = [interval(r.difference, r.difference_low, r.difference_high) for r in rows.itertuples()]
    return dict(zip(SHOWN.values(), cells, strict=True))


def read():
    """Return the stored scores and the differences between distilled student and scratch."""
    return [pd.read_csv(RESULTS / f"noise_{name}.csv") for name in ("robustness", "teaching")]


def tables():
    """Return the tables of docs/benchmarks/noise.md."""
    table, taught = read()
    found = {noise: scores_under(table, noise) for noise in NOISES}
    found["noise in training"] = rows_as_markdown(
        {"test noise": noise, "model": MODELS[model]}
        | gains(table, noise, model=model, training="online")
        for noise, model in product(NOISES, MODELS)
    )
    found["the teacher"] = rows_as_markdown(
        {"test noise": noise, "training": name} | gains(taught, noise, training=training)
        for noise, (training, name) in product(NOISES, TRAINING.items())
    )
    return {("docs/benchmarks/noise.md", name): text for name, text in found.items()}


def draw():
    """Draw the scores against the ratio, one column for each noise."""
    table, _ = read()
    figure = Figure(figsize=(3.6 * len(NOISES), 6), layout="constrained")
    panels = figure.subplots(len(METRICS), len(NOISES), sharex=True, sharey="row")
    ticks = np.arange(len(SNRS) + 1)
    for (row, metric), (column, noise) in product(enumerate(METRICS), enumerate(NOISES)):
        ax = panels[row, column]
        for model, color in zip(MODELS, ("#0072B2", "#D55E00", "#009E73"), strict=True):
            for training, style in zip(TRAINING, (":", "-"), strict=True):
                values = at(table, noise, metric, model=model, training=training)["value"]
                label = f"{MODELS[model]}, {TRAINING[training]}"
                ax.plot(ticks, values, style, color=color, label=label)
        ax.set_xticks(ticks, ["clean", *SNRS])
        ax.grid(alpha=0.3)
        panels[0, column].set_title(noise)
        panels[1, column].set_xlabel("signal-to-noise ratio, dB", fontsize=8)
        panels[row, 0].set_ylabel(metric.replace("_", " "))
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(MODELS), fontsize=8)
    figure.savefig(IMAGES / "noise_robustness.png", dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, default=Path("results") / "noise_robustness")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    data = load_pascal(options.folder, subset="ab")
    noises = {"white": "white", "pink": "pink", "ambience": make_ambience(data.sampling_rate)}
    recipe = Recipe(sampling_rate=data.sampling_rate)
    splits = split_by_subject(data.target, data.groups, 5)
    open_folder(options.work, data, splits, recipe)
    where = {"data": data, "splits": splits, "recipe": recipe, "folder": options.work}
    compute_one = partial(compute, noises=noises, **where)
    predictions = []
    for name in MODELS:  # the teacher first
        models = [f"{name}-{training}" for training in TRAINING]
        tasks = [Task(*key) for key in product(options.seeds, range(5), models)]
        predictions.append(run(tasks, compute_one, options.work))
    found = score(pd.concat(predictions), data.groups)
    for name, table in zip(("robustness", "teaching"), found, strict=True):
        table.to_csv(RESULTS / f"noise_{name}.csv", index=False, float_format="%.6g")
    write_tables(tables())
    draw()


if __name__ == "__main__":
    main()
