"""Whom warnings point to.

Nothing in this package filters warnings: the filters belong to the whole process, and
``warnings.catch_warnings`` in several threads can leave a filter behind for good, also where only one of
the threads is ours. What would warn without need is computed so that it does not.
"""

import sys
import traceback
import warnings


def outside():
    """Return the stack level of the code that called this package, be it through scikit-learn."""
    frames = [frame for frame, _ in traceback.walk_stack(sys._getframe(1))]
    names = [frame.f_globals.get("__name__", "") for frame in frames]
    between = ("sklearn", "sklearn_heartkd", "joblib", "torch")
    levels = (level for level, name in enumerate(names, 1) if name.partition(".")[0] not in between)
    return next(levels, len(names))


def warn(message):
    """Warn the code that called this package."""
    warnings.warn(message, stacklevel=outside())
