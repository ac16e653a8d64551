from dataclasses import replace

from sklearn_heartkd.comparison import Recipe, compare
from sklearn_heartkd.comparison import _tasks as tasks_module

RECIPE = Recipe(window=1.0, hop=1.0, max_epochs=2, n_estimators=3)
PRETRAINED = replace(RECIPE, n_synthetic=10)
MODELS = ["svm", "student", "student_of_conv1d"]


def run(data, **options):
    options = {"folds": 2, "models": MODELS, "recipe": RECIPE, "n_jobs": 1} | options
    return compare(data, **options)


def spy_on_fits(monkeypatch, stop_after=None):
    done = []
    original = tasks_module._fit

    def fit(task, *arguments):
        if len(done) == stop_after:
            raise KeyboardInterrupt
        done.append(task.name)
        return original(task, *arguments)

    monkeypatch.setattr(tasks_module, "_fit", fit)
    return done
