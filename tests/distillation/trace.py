"""The files of the package that X visits during a call."""

import sys
from pathlib import Path

import numpy as np

import sklearn_heartkd

ROOT = Path(sklearn_heartkd.__file__).parent
# batches of tensors, not X: what a network is trained and evaluated with counts as one place
LOOP = (
    "augmentation",
    "networks",
    "classifiers/_batches.py",
    "classifiers/_training.py",
    "distillation/_objective.py",
)


def files_visited(function, X):
    """Return the files, relative to the package, in which a function gets X while `function` runs.

    An array of the shape of X, or a tensor of it, counts as X: validation and conversion make copies.
    The training loop is one file, whatever its parts.
    """
    visited = set()

    def profile(frame, event, argument):
        if event != "call" or not frame.f_code.co_filename.startswith(f"{ROOT}/"):
            return
        n_arguments = frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount
        names = frame.f_code.co_varnames[:n_arguments]
        if any(_is_like(X, frame.f_locals.get(name)) for name in names):
            name = Path(frame.f_code.co_filename).relative_to(ROOT).as_posix()
            visited.add("training loop" if name.startswith(LOOP) else name)

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return visited


def _is_like(X, value):
    return isinstance(value, np.ndarray) and value.shape == np.shape(X)
