"""Texts from strangers, such as the names of files, made safe to show and to store."""

_FORMULA = ("=", "+", "-", "@")


def printable(text: object) -> str:
    r"""Return `text` with control characters, and bytes that are not UTF-8, as escapes.

    Examples
    --------
    >>> from sklearn_heartkd.utils._text import printable
    >>> print(printable("a\x1b[2J\nb"))
    a\x1b[2J\nb
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def guard_cell(value: object) -> object:
    """Return a cell of a table such that no spreadsheet takes a text for a formula.

    A text that begins with ``= + - @`` gets a leading apostrophe, see `unguard_cell`.
    """
    if isinstance(value, str) and value.startswith((*_FORMULA, *(f"'{c}" for c in _FORMULA))):
        return f"'{value}"
    return value


def unguard_cell(value: object) -> object:
    """Return what `guard_cell` was given."""
    if isinstance(value, str) and value[:1] == "'" and guard_cell(value[1:]) == value:
        return value[1:]
    return value
