"""Warnings: whom they point to, and silence that other threads do not see."""

import sys
import threading
import traceback
import warnings
from contextlib import contextmanager

_FILTERS = threading.Lock()


@contextmanager
def ignore_warnings(category):
    """Ignore warnings of a category, one thread at a time.

    The filters belong to the whole process: two threads that change and restore them in turns would
    leave the change behind.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield


def outside():
    """Return the stack level of the code that called this package, be it through scikit-learn."""
    frames = [frame for frame, _ in traceback.walk_stack(sys._getframe(1))]
    names = [frame.f_globals.get("__name__", "") for frame in frames]
    between = ("sklearn", "sklearn_heartkd", "joblib")
    levels = (level for level, name in enumerate(names, 1) if name.partition(".")[0] not in between)
    return next(levels, len(names))
