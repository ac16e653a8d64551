"""Public docstrings follow numpydoc, with the exceptions that scikit-learn makes."""

import importlib
import inspect
import warnings

import pytest
from numpydoc.validate import validate

import sklearn_heartkd

EVERYWHERE = {"RT02", "GL01", "GL02"}
CLASSES_AND_FUNCTIONS_ONLY = {"ES01", "SA01", "EX01"}


def public_objects():
    """Yield the dotted name of every public function and class, and of its public methods."""
    for package in sklearn_heartkd._SUBPACKAGES:
        module = importlib.import_module(f"sklearn_heartkd.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            yield f"{module.__name__}.{name}", False
            members = vars(value).items() if inspect.isclass(value) else ()
            for member, found in members:
                is_method = inspect.isroutine(found) or isinstance(found, property)
                if not member.startswith("_") and is_method:
                    yield f"{module.__name__}.{name}.{member}", True


@pytest.mark.parametrize(("name", "is_method"), list(public_objects()))
def test_docstring(name, is_method):
    ignored = EVERYWHERE | (CLASSES_AND_FUNCTIONS_ONLY if is_method else set())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = validate(name)["errors"]
    assert [error for error in found if error[0] not in ignored] == []
