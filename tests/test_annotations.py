"""The public surface is annotated, so that users can check their own code with mypy --strict."""

import importlib
import inspect

import pytest

import sklearn_heartkd


def public_functions():
    """Yield the name and the function of everything public that can be called."""
    for package in sklearn_heartkd._SUBPACKAGES:
        module = importlib.import_module(f"sklearn_heartkd.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield f"{package}.{name}", value
            elif inspect.isclass(value):
                yield from (
                    (f"{package}.{name}.{member}", function)
                    for member, function in methods_of(value)
                )


def methods_of(cls):
    """Return the public methods and `__init__` that `cls` has from this package."""
    for owner in cls.__mro__:
        if not owner.__module__.startswith("sklearn_heartkd"):
            continue
        for member, found in vars(owner).items():
            if isinstance(found, property):
                function = found.fget
            else:
                function = inspect.unwrap(getattr(found, "__func__", found))
            is_public = member == "__init__" or not member.startswith("_")
            # what a dataclass or a named tuple makes has the annotations of its fields
            if (
                is_public
                and inspect.isfunction(function)
                and function.__module__ == owner.__module__
            ):
                yield member, function


@pytest.mark.parametrize(("name", "function"), dict(public_functions()).items())
def test_arguments_and_result_are_annotated(name, function):
    parameters = inspect.signature(function).parameters
    missing = [
        parameter
        for parameter in parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
    ]
    assert missing == []
    if not name.endswith("__init__") or not parameters:
        assert "return" in function.__annotations__
