"""Parameters of the teachers and losses in a list, exposed as those of nested estimators are."""

from typing import Any, Self

from sklearn.base import BaseEstimator


class NestedListsMixin(BaseEstimator):
    """Expose ``teacher__<name>__<parameter>`` and ``losses__<name>__<parameter>``.

    Where `teacher` or `losses` is a list of named objects, the objects and their parameters become
    parameters of the meta-estimator, as in :class:`~sklearn.ensemble.VotingClassifier`; the weight of
    a loss is ``losses__<name>__weight``. A loss that is named in the list becomes an object once one of
    its parameters is set.
    """

    _lists = ("teacher", "losses")
    _by_name: dict = {}  # what a name in a list stands for

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get parameters, and with `deep` those of nested objects.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of teachers, student and losses.

        Returns
        -------
        dict
            Parameters by name.
        """
        found = super().get_params(deep=deep)
        for outer in self._lists if deep else ():
            value = getattr(self, outer)
            for name, nested, *weight in named_items(value if isinstance(value, list) else []):
                inner = self._as_object(nested)
                found[f"{outer}__{name}"] = nested
                found |= {f"{outer}__{name}__weight": share for share in weight}
                if hasattr(inner, "get_params"):
                    for key, setting in inner.get_params().items():
                        found[f"{outer}__{name}__{key}"] = setting
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also nested ones.

        Parameters
        ----------
        **params : dict
            Values by name, such as ``student__width`` or ``losses__kd__temperature``.

        Returns
        -------
        self : object
            The classifier itself.
        """
        in_lists = {}
        for key in list(params):
            outer, _, inner = key.partition("__")
            value = params.get(outer, getattr(self, outer, None))
            if inner and outer in self._lists and isinstance(value, list):
                in_lists[key] = params.pop(key)
            elif inner and outer in ("student", "losses") and not hasattr(value, "set_params"):
                objects = {
                    "student": "student=StudentClassifier(), or DenseStudentClassifier() for tables",
                    "losses": "losses=SoftTargets()",
                }
                raise ValueError(
                    f"{outer}={value!r} has no parameter {inner!r}; give an object whose parameters can be "
                    f"set, such as {objects[outer]}."
                )
        super().set_params(**params)
        # an object before its parameters
        for key in sorted(in_lists, key=lambda key: (key.count("__") > 1, key)):
            self._set_in_list(*key.split("__", 2), value=in_lists[key])
        return self

    def _as_object(self, nested):
        """Return an object of the class that a name in a list stands for, or the object there."""
        known = isinstance(nested, str) and nested in self._by_name
        return self._by_name[nested]() if known else nested

    def _set_in_list(self, outer, name, inner=None, *, value):
        items = [list(item) for item in named_items(getattr(self, outer))]
        names = [item[0] for item in items]
        if name not in names:
            raise ValueError(f"{outer} does not have {name!r}; its names are {names}.")
        item = items[names.index(name)]
        if inner is None:
            item[1] = value
        elif inner == "weight" and len(item) == 3:
            item[2] = value
        else:
            item[1] = self._as_object(item[1])
            if not hasattr(item[1], "set_params"):
                raise ValueError(
                    f"{outer} has {item[1]!r} under the name {name!r}, which has no parameter {inner!r}; "
                    "give an object in its place."
                )
            item[1].set_params(**{inner: value})
        setattr(self, outer, [tuple(item) for item in items])


def named_items(items):
    """Return what of a list is (name, object) or (name, object, weight)."""
    return [item for item in items if isinstance(item, (tuple, list)) and len(item) in (2, 3)]


def check_names(teachers):
    """Raise if a list of teachers is empty, holds anything but pairs, or has a name that cannot be."""
    if not teachers or any(not isinstance(t, (tuple, list)) or len(t) != 2 for t in teachers):
        raise ValueError(
            f"teacher takes a classifier or a list of at least one (name, classifier), got {teachers!r}."
        )
    check_distinct("teacher", [name for name, _ in teachers])


def check_distinct(parameter, names):
    """Raise if two objects in a list have the same name, or a name cannot be part of a parameter's.

    Parameters
    ----------
    parameter : {"teacher", "losses"}
    names : list of str
    """
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{parameter} has {twice} more than once; give each a different name.")
    wrong = [name for name in names if not isinstance(name, str) or "__" in name]
    if wrong:
        raise ValueError(
            f"{parameter} has the names {wrong}, but names must be strings without '__', which separates "
            "the names of nested parameters."
        )
