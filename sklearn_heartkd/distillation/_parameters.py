"""Parameters of the teachers and losses in a list, exposed as those of nested estimators are."""

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

    def get_params(self, deep=True):
        """Return the parameters, and with `deep` those of nested objects."""
        found = super().get_params(deep=False)
        if not deep:
            return found
        for outer, value in list(found.items()):
            if outer in self._lists and isinstance(value, list):
                for name, nested, *weight in named_items(value):
                    found[f"{outer}__{name}"] = nested
                    if weight:
                        found[f"{outer}__{name}__weight"] = weight[0]
                    if isinstance(nested, str) and nested in self._by_name:
                        nested = self._by_name[nested]()
                    if hasattr(nested, "get_params"):
                        for inner, setting in nested.get_params().items():
                            found[f"{outer}__{name}__{inner}"] = setting
            elif hasattr(value, "get_params") and not isinstance(value, type):
                for inner, setting in value.get_params().items():
                    found[f"{outer}__{inner}"] = setting
        return found

    def set_params(self, **params):
        """Set parameters, also nested ones."""
        rest = {}
        for key, value in params.items():
            outer, _, inner = key.partition("__")
            if (
                inner
                and outer in self._lists
                and isinstance(params.get(outer, getattr(self, outer)), list)
            ):
                continue
            self._check_reachable(outer, inner, params.get(outer, getattr(self, outer, None)))
            rest[key] = value
        super().set_params(**rest)
        # an object before its parameters
        for key in sorted(params.keys() - rest.keys(), key=lambda key: (key.count("__") > 1, key)):
            self._set_in_list(*key.split("__", 2), value=params[key])
        return self

    def _check_reachable(self, outer, inner, value):
        if inner and outer == "student" and value is None:
            raise ValueError(
                f"student is None, the default one, and has no parameter {inner!r}; give it as an "
                "object, such as student=StudentClassifier(), whose parameters can be set."
            )
        if inner and outer == "losses" and isinstance(value, str):
            raise ValueError(
                f"losses={value!r} is a name and has no parameter {inner!r}; set temperature or weights, "
                "or give losses as objects, as losses=SoftTargets() or [(name, loss, weight), ...]."
            )

    def _set_in_list(self, outer, name, inner=None, *, value):
        items = [list(item) for item in named_items(getattr(self, outer))]
        for item in items:
            if item[0] == name:
                if inner is None:
                    item[1] = value
                elif inner == "weight" and len(item) == 3:
                    item[2] = value
                else:
                    if isinstance(item[1], str) and item[1] in self._by_name:
                        item[1] = self._by_name[item[1]]()
                    if not hasattr(item[1], "set_params"):
                        raise ValueError(
                            f"{outer} has {item[1]!r} under the name {name!r}, which has no parameter "
                            f"{inner!r}; give an object in its place."
                        )
                    item[1].set_params(**{inner: value})
                setattr(self, outer, [tuple(item) for item in items])
                return
        names = [item[0] for item in items]
        raise ValueError(f"{outer} holds no {name!r}; its names are {names}.")


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
    """Raise if two objects in a list are named alike, or a name cannot be part of a parameter's.

    Parameters
    ----------
    parameter : {"teacher", "losses"}
    names : list of str
    """
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ValueError(f"{parameter} has the names {wrong}, which are no text; give it strings.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{parameter} has {twice} more than once; give each a name of its own.")
    unreachable = [name for name in names if "__" in name]
    if unreachable:
        raise ValueError(
            f"{parameter} has the names {unreachable}, whose parameters set_params could not reach; "
            "leave '__' out of a name."
        )
