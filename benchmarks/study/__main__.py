"""The command line of the study: stages, one after another."""

import argparse
from functools import partial
from pathlib import Path

import joblib
import torch

from benchmarks import study
from benchmarks.study import _selection
from benchmarks.study._fitting import plan, run
from benchmarks.study._grounds import CHOSEN_ON, PARTS, Grounds
from benchmarks.study._page import write_page
from benchmarks.study._results import Results
from benchmarks.study._trainings import (
    labelled_starts_of,
    teaching_of,
)
from benchmarks.study._variants import (
    ALL_TEACHERS,
    SCRATCH,
    Variant,
    losses_for,
    losses_of,
    sizes_of,
    student_of,
)
from sklearn_heartkd.comparison._models import TEACHERS
from sklearn_heartkd.datasets import load_pascal

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("select", "finals", "starts", "losses", "teachers", "teaching", "sizes")


def variants_of(stage, teacher, chosen):
    """Return what a stage fits on each part.

    Parameters
    ----------
    stage : str
    teacher : str
    chosen : list of str
        The losses of the stage `teachers`.
    """
    if stage == "select":
        return _selection.variants_of(teacher)
    if stage == "finals":
        kinds = [_selection.finals(teacher)[0], *_selection.trainings(teacher).values()]
        return [variant for choices in kinds for variant in choices.values()]
    if stage == "starts":
        kinds = labelled_starts_of(teacher).values()
        return [variant for choices in kinds for variant in choices.values()]
    if stage == "losses":
        return [Variant(SCRATCH), *losses_of(teacher)]
    if stage == "teachers":
        plain = [Variant(name) for name in (*ALL_TEACHERS, SCRATCH)]
        return plain + [
            student_of(name, losses=loss)
            for loss in chosen
            for name in ALL_TEACHERS
            if loss in losses_for(name)
        ]
    return teaching_of(teacher) if stage == "teaching" else sizes_of(teacher)


def steps_of(stage, options, grounds):
    """Return the (ground, seeds) on which a stage runs."""
    first = options.seeds[:1]
    if stage == "select":
        return [(grounds.inner, first)]
    if stage in ("finals", "starts"):
        return [(grounds.inner, options.seeds)]
    if stage == "losses":
        return [(grounds.outer(CHOSEN_ON), first)] if CHOSEN_ON in options.parts else []
    return [(grounds.outer(part), options.seeds) for part in options.parts]


def chosen_losses(stage, results):
    """Return the losses that the selection chose; only the stage `teachers` cannot do without."""
    chosen = results.chosen()
    if chosen is None and stage == "teachers":
        raise SystemExit(
            "The stage teachers takes the losses that the stage select chooses; run it first."
        )
    return chosen["losses"] if chosen else []


def count(options, grounds, results):
    """Print how many fits each chosen stage still waits for; fits shared by stages count once."""
    seen, total = set(), 0
    for stage in options.stages:
        if stage == "report":
            continue
        for ground, seeds in steps_of(stage, options, grounds):
            chosen = results.chosen()
            losses = chosen["losses"] if chosen else ["kd", "kd+infonce", "kd+crd"]
            shared, own = plan(ground, variants_of(stage, options.teacher, losses), seeds)
            waiting = {
                (ground.name, *task) for task in (*shared, *(task for _, task in own))
            } - seen
            seen |= waiting
            total += len(waiting)
            print(f"{stage:9} {ground.name:9} {len(waiting):4} fits wait")
    print(f"{'all':19} {total:4} fits wait", flush=True)


def select(ground, options, results):
    """Rank what was fitted on the inner splits, and store the choice."""
    fits = results.fits(ground.name)
    kinds = _selection.candidates(options.teacher)
    table = _selection.rank(fits[fits["seed"] == options.seeds[0]], kinds)
    table.to_csv(results.folder / "selection.csv", index=False, float_format="%.6g")
    chosen = _selection.choose(table, options.teacher, options.seeds[0])
    results.write_chosen(chosen)
    print(f"chosen on the inner splits: {chosen}", flush=True)


def decide(ground, options, results):
    """Rank the finalists, and how models are trained, over all seeds, and store the rankings."""
    fits = results.fits(ground.name)
    table = _selection.rank_finals(fits, options.teacher, options.seeds)
    table.to_csv(results.folder / "finals.csv", index=False, float_format="%.6g")
    print(f"won on the inner splits: {table.loc[0, 'choice']}", flush=True)
    fits = fits[fits["seed"].isin(options.seeds)]
    table = _selection.rank(fits, _selection.trainings(options.teacher))
    table.to_csv(results.folder / "trainings.csv", index=False, float_format="%.6g")


def rank_starts(ground, options, results):
    """Rank models with and without a start from labelled synthetic recordings, and store it."""
    fits = results.fits(ground.name)
    fits = fits[fits["seed"].isin(options.seeds)]
    table = _selection.rank(fits, _selection.labelled_starts(options.teacher))
    table.to_csv(results.folder / "starts.csv", index=False, float_format="%.6g")


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study",
        description=study.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", help="the folder of the PASCAL recordings")
    parser.add_argument("--work", default="results", help="keeps the fits")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results" / "study")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "study.md")
    parser.add_argument(
        "--stages", nargs="+", choices=(*STAGES, "report"), default=(*STAGES, "report")
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--teacher", choices=(*TEACHERS, "ensemble"), default="conv2d")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--max-epochs", type=int, help="of every network; for a trial")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--count", action="store_true", help="only print how many fits wait")
    options = parser.parse_args(arguments)
    options.max_epochs = options.max_epochs or "auto"
    options.stages = [stage for stage in (*STAGES, "report") if stage in options.stages]
    return options


def main(arguments=None, load=None):
    options = parse(arguments)
    if load is None:
        if options.data is None:
            raise SystemExit("Say with --data where the PASCAL recordings are.")
        load = partial(load_pascal, options.data)
    grounds = Grounds(load, options.work, folds=options.folds, max_epochs=options.max_epochs)
    results = Results(options.results)
    count(options, grounds, results)
    if options.count:
        return
    results.settle(teacher=options.teacher, folds=options.folds, max_epochs=options.max_epochs)
    torch.set_num_threads(1)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        for stage in options.stages:
            for ground, seeds in steps_of(stage, options, grounds) if stage != "report" else []:
                losses = chosen_losses(stage, results)
                variants = variants_of(stage, options.teacher, losses)
                print(f"{stage} on {ground.name}, seeds {seeds}", flush=True)
                run(ground, variants, seeds, options.jobs, results.append)
                results.collect(ground)
                if stage == "select":
                    select(ground, options, results)
                if stage == "starts":
                    rank_starts(ground, options, results)
                if stage == "finals":
                    decide(ground, options, results)
    if "report" in options.stages:
        for part in options.parts:
            results.collect(grounds.outer(part))
        write_page(results, options.parts, options.page)
        print(f"wrote {options.page}", flush=True)


if __name__ == "__main__":
    main()
