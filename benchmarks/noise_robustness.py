"""Accuracy against the signal-to-noise ratio of the test recordings, with and without noise in training.

    OMP_NUM_THREADS=1 python benchmarks/noise_robustness.py path/to/heartbeat-sounds [--seeds 0 1 2]

A teacher, the student from scratch and the student of that teacher are trained on PASCAL A+B as it
is, and with noise added on-line to the batches, for the same number of batches. The test recordings
are disturbed as waveforms. Models and predictions stay in --work, where an interrupted run goes on.
With all folds, writes benchmarks/results/noise_robustness.csv, docs/images/noise_robustness.png and
the results in docs/noise.md.
"""

import argparse
import re
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from sklearn_heartkd.augmentation import AdditiveNoise, Batch
from sklearn_heartkd.classifiers._defaults import default_augmentation
from sklearn_heartkd.comparison import Recipe, split_by_subject
from sklearn_heartkd.comparison._storage import check_same, model_file, result_file, write_whole
from sklearn_heartkd.comparison._tasks import Task
from sklearn_heartkd.datasets import load_pascal, read_recording
from sklearn_heartkd.datasets._disturbances import Spectrum, ambient_noise, artifact, rms
from sklearn_heartkd.datasets._heart import draw_subject
from sklearn_heartkd.metrics import compare_models, oof_frame
from sklearn_heartkd.utils._random import torch_generator

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "noise_robustness.csv"
PAGE = ROOT / "docs" / "noise.md"
PICTURE = ROOT / "docs" / "images" / "noise_robustness.png"

MODELS = {
    "conv2d": "teacher (Conv2D)",
    "student": "student from scratch",
    "student_of_conv2d": "student of that teacher",
}
TRAINING = {"clean": "as recorded", "online": "with noise"}
SNRS = (30, 20, 10, 5, 0)
METRICS = ("accuracy", "balanced_accuracy")
# half of the rows of a batch are noisy
ONLINE = [AdditiveNoise(noise, snr=(0, 30), probability=0.3) for noise in ("white", "pink")]


def disturb(recording, noise, snr, seed):
    """Return a recording with noise at a ratio in dB; the seed alone chooses the noise."""
    x = torch.from_numpy(np.asarray(recording))[None, None]
    row = torch.zeros(1, dtype=torch.long)
    batch = Batch(x, target=row, weight=torch.ones(1), index=row, subject=row)
    noisy = AdditiveNoise(noise, snr=snr, keep_level=False)(batch, torch_generator(seed))
    return noisy.x[0, 0].numpy()


def make_ambience(sampling_rate, n_pieces=40, seconds=10):
    """Return speech, friction, knocks, hiss and breath, as around synthetic heart sounds."""
    time = np.arange(seconds * sampling_rate) / sampling_rate
    spectrum = Spectrum(len(time), sampling_rate)
    pieces = []
    for rng in np.random.default_rng(0).spawn(n_pieces):
        room = draw_subject(rng, "artifact")
        disturbance = artifact(room, time, spectrum, rng)
        steady = ambient_noise(room, time, spectrum, rng)
        pieces.append(disturbance / rms(disturbance) + 0.5 * steady / rms(steady))
    return np.concatenate(pieces)


def make_model(name, training, recipe, task, work):
    """Return the unfitted model of a task; its teacher was trained in the same way."""
    sources = {}
    if name == "student_of_conv2d":
        teacher = model_file(work, task._replace(model=f"conv2d-{training}"))
        sources = {"conv2d": joblib.load(teacher)}
    model = recipe.make(name, task.seed, sources)
    if training == "online":
        network = model.estimator[-1]
        network = getattr(network, "student", network)
        network.set_params(augmentation=[*ONLINE, *default_augmentation()])
    return model


def fit(name, training, task, data, split, recipe, work):
    """Return one model, fitted on the training part of a split."""
    rows = split[0]
    model = make_model(name, training, recipe, task, work)
    X, y = [data.data[i] for i in rows], np.asarray(data.target)[rows]
    return model.fit(X, y, groups=np.asarray(data.groups)[rows])


def predict(model, task, data, split, noises):
    """Return the predictions for the test part, as it is and with each noise at each ratio."""
    rows = split[1]
    levels = [("none", np.inf), *product(noises, SNRS)]
    frames = []
    for noise, snr in levels:
        X = [data.data[i] for i in rows]
        if noise != "none":
            X = [disturb(x, noises[noise], snr, int(i)) for x, i in zip(X, rows, strict=True)]
        frame = oof_frame(
            task.model,
            seed=task.seed,
            fold=task.fold,
            recording=rows,
            y_true=np.asarray(data.target)[rows],
            y_pred=model.predict(X),
        )
        frames.append(frame.assign(noise=noise, snr=snr))
    return pd.concat(frames)


def run(options, data, noises):
    """Fit what is not yet in the folder, and return the predictions of all tasks."""
    recipe = Recipe(sampling_rate=data.sampling_rate, max_epochs=options.max_epochs)
    splits = split_by_subject(data.target, data.groups, 5)
    (options.work / "parts").mkdir(parents=True, exist_ok=True)
    settings = (recipe, options.ambience)
    check_same(options.work / "settings.json", data, splits, settings)
    found = []
    for seed, fold, training, name in product(options.seeds, options.folds, TRAINING, MODELS):
        task = Task(seed, fold, f"{name}-{training}")
        path = result_file(options.work, task)
        if not path.exists():
            fitted = model_file(options.work, task)
            if not fitted.exists():
                model = fit(name, training, task, data, splits[fold], recipe, options.work)
                write_whole(model, fitted)
            model = joblib.load(fitted)
            write_whole(predict(model, task, data, splits[fold], noises), path)
            print(task.name, flush=True)
        found.append(joblib.load(path))
    return pd.concat(found, ignore_index=True)


def score(predictions, subjects):
    """Return the scores of each model at each noise, and what noise in training adds to them."""
    predictions = predictions.assign(subject=np.asarray(subjects)[predictions["recording"]])
    name = predictions["model"].str.partition("-")[0]
    rows = []
    for (noise, snr, kind), part in predictions.groupby(["noise", "snr", name], sort=False):
        compared = compare_models(
            part, "subject", baseline=f"{kind}-clean", metrics=METRICS, random_state=0
        )
        kept = compared.drop(columns=["std", "t", "p_value"])
        kept[["model", "training"]] = kept["model"].str.split("-", expand=True)
        rows.append(kept.assign(noise=noise, snr=snr, seeds=part["seed"].nunique()))
    keys = ["model", "training", "noise", "snr", "metric"]
    table = pd.concat(rows).set_index(keys).reset_index()
    return table.sort_values(["noise", "snr"], ascending=[True, False], kind="stable")


def score_teaching(predictions, subjects):
    """Return what the distilled student has over the one from scratch, trained in the same way."""
    predictions = predictions.assign(subject=np.asarray(subjects)[predictions["recording"]])
    name = predictions["model"].str.partition("-")
    students = predictions[name[0] != "conv2d"]
    rows = []
    for (noise, snr, training), part in students.groupby(["noise", "snr", name[2]], sort=False):
        compared = compare_models(
            part, "subject", baseline=f"student-{training}", metrics=METRICS, random_state=0
        )
        kept = compared[compared["model"] != f"student-{training}"]
        kept = kept[["metric", "difference", "difference_low", "difference_high"]]
        rows.append(kept.assign(noise=noise, snr=snr, training=training))
    return pd.concat(rows, ignore_index=True)


def teaching(table, noises):
    """Return what the teacher adds as markdown."""
    lines = ["| test noise | training | clean | 20 dB | 10 dB | 0 dB |", "|---" * 6 + "|"]
    chosen = table[table["metric"] == "balanced_accuracy"]
    for noise, training in product(noises, TRAINING):
        rows = chosen[chosen["noise"].isin(["none", noise]) & (chosen["training"] == training)]
        rows = rows.set_index("snr").loc[[np.inf, 20, 10, 0]]
        cells = [
            f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
            for row in rows.itertuples()
        ]
        lines.append(f"| {noise} | {TRAINING[training]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def at(table, model, training, noise, metric):
    """Return the rows of one model and metric, from the clean recordings to the noisiest."""
    wanted = table[(table["model"] == model) & (table["training"] == training)]
    wanted = wanted[wanted["metric"] == metric]
    wanted = wanted[wanted["noise"].isin(["none", noise])]
    return wanted.sort_values("snr", ascending=False).set_index("snr")


def markdown(table, noise):
    """Return accuracy / balanced accuracy under one noise as markdown."""
    heads = ["clean", *(f"{snr} dB" for snr in SNRS)]
    lines = ["| model | training | " + " | ".join(heads) + " |", "|---" * (2 + len(heads)) + "|"]
    for model, training in product(MODELS, TRAINING):
        both = [at(table, model, training, noise, metric)["value"] for metric in METRICS]
        cells = [f"{a:.3f} / {b:.3f}" for a, b in zip(*both, strict=True)]
        lines.append(f"| {MODELS[model]} | {TRAINING[training]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gains(table, noises):
    """Return what noise in training adds to the balanced accuracy as markdown."""
    shown = (np.inf, 20, 10, 0)
    lines = ["| test noise | model | training | clean | 20 dB | 10 dB | 0 dB |", "|---" * 7 + "|"]
    for noise, model, training in product(noises, MODELS, list(TRAINING)[1:]):
        rows = at(table, model, training, noise, "balanced_accuracy").loc[list(shown)]
        cells = [
            f"{row.difference:+.3f} ({row.difference_low:+.3f} to {row.difference_high:+.3f})"
            for row in rows.itertuples()
        ]
        start = f"| {noise} | {MODELS[model]} | {TRAINING[training]} | "
        lines.append(start + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(table, noises):
    """Draw the scores against the ratio, one column a noise."""
    figure = Figure(figsize=(3.6 * len(noises), 6), layout="constrained")
    panels = figure.subplots(len(METRICS), len(noises), sharex=True, sharey="row", squeeze=False)
    colours = dict(zip(MODELS, ("#0072B2", "#D55E00", "#009E73"), strict=True))
    styles = dict(zip(TRAINING, (":", "-"), strict=True))
    ticks = np.arange(len(SNRS) + 1)
    for (row, metric), (column, noise) in product(enumerate(METRICS), enumerate(noises)):
        ax = panels[row, column]
        for model, training in product(MODELS, TRAINING):
            values = at(table, model, training, noise, metric)["value"]
            label = f"{MODELS[model]}, {TRAINING[training]}"
            ax.plot(ticks, values, styles[training], color=colours[model], label=label)
        ax.set_xticks(ticks, ["clean", *SNRS])
        ax.grid(alpha=0.3)
        if row == 0:
            ax.set_title(f"{noise} noise" if noise in ("white", "pink") else noise)
        else:
            ax.set_xlabel("signal-to-noise ratio of the test recordings, dB", fontsize=8)
        if column == 0:
            ax.set_ylabel(metric.replace("_", " "))
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(MODELS), fontsize=8)
    return figure


def report(table, taught, noises):
    """Return the results as markdown."""
    count = table["seeds"].max()
    parts = [f"Averages over {count} seed{'s' if count > 1 else ''}."]
    parts += ["![Scores against the signal-to-noise ratio](images/noise_robustness.png)"]
    for noise in noises:
        title = {"ambience": "Ambience", "recorded": "Recorded ambience"}
        parts += [f"## {title.get(noise, f'{noise.capitalize()} noise')}", markdown(table, noise)]
    return "\n\n".join(
        [
            *parts,
            "## What noise in training adds",
            "Balanced accuracy minus that of the same model trained as recorded, with a 95 % interval "
            "(paired bootstrap over subjects and seeds):",
            gains(table, noises),
            "## What the teacher adds",
            "Balanced accuracy of the distilled student minus that of the student from scratch, both "
            "trained in the same way, with a 95 % interval as above:",
            teaching(taught, noises),
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, default=Path("results") / "noise_robustness")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folds", type=int, nargs="+", choices=range(5), default=range(5))
    parser.add_argument("--ambience", type=Path, help="a recording of a room as another noise")
    parser.add_argument("--max-epochs", type=int, help="for a quick look")
    options = parser.parse_args()
    options.max_epochs = options.max_epochs or "auto"
    data = load_pascal(options.folder, subset="ab")
    noises = {"white": "white", "pink": "pink", "ambience": make_ambience(data.sampling_rate)}
    if options.ambience is not None:
        noises["recorded"] = read_recording(options.ambience, data.sampling_rate)[0]
    predictions = run(options, data, noises)
    table = score(predictions, data.groups)
    taught = score_teaching(predictions, data.groups)
    text = report(table, taught, noises)
    print(text)
    if len(set(options.folds)) < 5 or options.max_epochs != "auto":
        draw(table, noises).savefig(options.work / PICTURE.name, dpi=100)
        return
    table.to_csv(RESULTS, index=False, float_format="%.6g")
    taught.to_csv(RESULTS.with_stem("noise_teaching"), index=False, float_format="%.6g")
    draw(table, noises).savefig(PICTURE, dpi=100)
    block = f"<!-- results -->\n{text}\n<!-- end of results -->"
    page = PAGE.read_text(encoding="utf-8")
    pattern = r"<!-- results -->.*<!-- end of results -->"
    PAGE.write_text(re.sub(pattern, lambda _: block, page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
