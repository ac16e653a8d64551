"""What is stored with a model, and whether an object can be stored."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LEFT_OUT: ContextVar[frozenset[str]] = ContextVar("_LEFT_OUT", default=frozenset())


def is_left_out(what):
    """Whether what is saved in this thread leaves out the "recordings" of a pretraining or "teachers"."""
    return what in _LEFT_OUT.get()


@contextmanager
def leaving_out(*what) -> Iterator[None]:
    """While it lasts, what is saved in this thread leaves out "recordings" or "teachers"."""
    token = _LEFT_OUT.set(_LEFT_OUT.get() | set(what))
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)


def require_storable(memory, value, what, advice):
    """Raise if `value`, which the message calls `what`, cannot be stored and found again in a memory."""
    try:
        pickle.dumps(value)
    except Exception as error:  # an object may raise anything
        raise ValueError(
            f"memory={memory!r} cannot recognize {what} again ({error}); {advice}, or set memory=None."
        ) from error
