"""Running the fits of a stage, and what is kept of each."""

from time import perf_counter

import joblib
import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from sklearn_heartkd.comparison._storage import check_same, load_models, result_file, write_whole
from sklearn_heartkd.comparison._tasks import (
    Task,
    fit_and_predict,
    fit_and_refine,
    run_tasks,
    tasks_of,
)
from sklearn_heartkd.metrics._torch_cost import count_parameters
from sklearn_heartkd.utils._unwrap import final_estimator


def plan(ground, variants, seeds):
    """Return the comparison's tasks and the study's own (variant, task) pairs that are waiting."""
    models = _models_of_comparison(variants)
    tasks = tasks_of(models, seeds, len(ground.splits)) if models else []
    shared = [task for task in tasks if not result_file(ground.comparison, task).exists()]
    own = [
        (variant, task)
        for variant in {variant.name: variant for variant in variants}.values()
        if variant.make is not None
        for seed in seeds
        for fold in range(len(ground.splits))
        for task in [Task(seed, fold, variant.name)]
        if not result_file(ground.folder, task).exists()
    ]
    return shared, own


def run(ground, variants, seeds, n_jobs, on_result):
    """Fit what is waiting of some variants; `on_result` gets the result of each fit."""
    shared, own = plan(ground, variants, seeds)
    where = ground.data, ground.splits, ground.recipe
    run_tasks(shared, *where, ground.comparison, n_jobs)
    for task in shared:
        on_result(read_shared(ground, task))
    (ground.folder / "parts").mkdir(parents=True, exist_ok=True)
    check_same(ground.folder / "settings.json", *where)
    jobs = [delayed(_fit)(ground, variant, task) for variant, task in own]
    runner = Parallel(n_jobs=min(n_jobs, max(1, len(jobs))), return_as="generator_unordered")
    with tqdm(total=len(jobs), unit="fit", desc=ground.name, disable=None) as bar:
        for task in runner(jobs):
            bar.set_postfix_str(task.name, refresh=False)
            bar.update()
            on_result(read_own(ground, task))


def _models_of_comparison(variants):
    models = [variant.name for variant in variants if variant.make is None]
    models += [source for variant in variants for source in variant.sources]
    return list(dict.fromkeys(models))


def _fit(ground, variant, task):
    start = perf_counter()
    sources = load_models(ground.comparison, task, variant.sources)
    model = variant.make(ground.recipe, task.seed, sources)
    where = ground.data, ground.splits[task.fold]
    if variant.refined:
        fits = list(fit_and_refine(task, model, *where, ground.recipe))
    else:
        fits = [fit_and_predict(task, model, *where)]
    result = pd.concat([frame for _, _, frame in fits], ignore_index=True)
    result = result.assign(
        parameters=parameters_of(fits[0][1]), seconds=perf_counter() - start, part=ground.name
    )
    write_whole(result, result_file(ground.folder, task))
    return task


def read_own(ground, task):
    """Return the predictions of one of the study's tasks, with its parameters and seconds."""
    return joblib.load(result_file(ground.folder, task))


def read_shared(ground, task):
    """Return the predictions of one of the comparison's tasks in the same form."""
    fitted = load_models(ground.comparison, task, [task.model])[task.model]
    predictions = joblib.load(result_file(ground.comparison, task))
    return predictions.assign(parameters=parameters_of(fitted), part=ground.name)


def parameters_of(model):
    """Return the trainable numbers of a fitted network, or of all that are averaged; else NaN."""
    members = getattr(model, "estimators_", [model])
    modules = [getattr(final_estimator(member), "module_", None) for member in members]
    return float("nan") if None in modules else sum(map(count_parameters, modules))


def read_finished(ground):
    """Return the results of all finished tasks of a ground, the comparison's first."""
    found = []
    for folder, read in ((ground.comparison, read_shared), (ground.folder, read_own)):
        for path in sorted((folder / "parts").glob("*.predictions")):
            model, seed, fold = path.stem.rsplit("-", 2)
            task = Task(int(seed.removeprefix("seed")), int(fold.removeprefix("fold")), model)
            found.append(read(ground, task))
    return found
