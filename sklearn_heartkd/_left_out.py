"""What a model leaves out when it is saved, because it predicts nothing."""

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
