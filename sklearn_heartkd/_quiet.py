"""Silence that is kept to the calling thread's turn."""

import threading
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
