"""What is checked in a saved model before any object is made of it.

A saved model is an archive in an archive: the inner one, by skops, has a tree of objects as JSON and
the arrays as files. Anybody can write one, so sizes and types are read from it first.
"""

import io
import json
import zipfile

import numpy as np

from sklearn_heartkd.deployment._trusted import is_safe, trusted_names
from sklearn_heartkd.utils._text import printable

_SCHEMA = "schema.json"
# settings of a machine or of a fit, which a stranger must not choose; the last would start processes
_DROPPED = ("memory", "callbacks", "n_jobs")
_NULL = {
    "__class__": "str",
    "__module__": "builtins",
    "__loader__": "JsonNode",
    "content": "null",
    "is_json": True,
}
# A few digits are enough to ask for any amount of time and memory.
_HIGHEST = {
    "depth": 100,
    "n_layers": 100,
    "n_fft": 2**14,
    "n_mels": 2**12,
    "n_mfcc": 2**12,
    "order": 1000,
    "duration": 600,  # seconds
    "window": 600,
    "sampling_rate": 100_000,
}


def checked_archive(data, max_size):
    """Return the members of a zip archive that unpacks to at most `max_size` bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        _require(sum(entry.file_size for entry in entries) <= max_size, max_size)
        return {entry.filename: archive.read(entry) for entry in entries}


def checked_content(content, max_size):
    """Check the inner archive and drop the settings that a model file must not have.

    Returns the content, and the types in it that scikit-learn reads without checks. The content and all
    that is read from it may have `max_size` bytes.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        _require(len(content) + size <= max_size, max_size)
        # what JSON describes takes some 20 times as much memory as its text
        _require(16 * archive.getinfo(_SCHEMA).file_size <= max_size, max_size)
        schema = json.loads(archive.read(_SCHEMA))
        nodes = list(_nodes(schema))
        # a member is read again for each node that refers to it
        size = sum(_loaded_size(archive, node["file"]) for node in nodes if "file" in node)
        _require(len(content) + size <= max_size, max_size)
        unsafe = {full_name(node) for node in nodes if _is_unsafe(node)}
        if any([_clean(node) for node in nodes]):
            content = _with_schema(archive, schema)
    return content, unsafe


def full_name(node):
    """Return the type of a node with its module."""
    return printable(f"{node.get('__module__')}.{node.get('__class__')}")


def _require(is_small_enough, max_size):
    if not is_small_enough:
        raise ValueError(f"it would unpack to more than {max_size} bytes")


def _nodes(schema):
    """Yield all dictionaries of a tree; without recursion, which a deep tree would exhaust."""
    rest = [schema]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            if "__loader__" in value:
                yield value
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _attributes(node):
    """Return the nodes of the attributes of an object by their names."""
    content = node.get("content")
    content = content.get("content") if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _is_unsafe(node):
    if node["__loader__"] == "BytearrayNode":
        return True  # takes eight times its size, and no model has one
    name = full_name(node)
    if not name.startswith("sklearn.") or is_safe(name):
        return False
    # an estimator that is not fitted, such as the template of a teacher, has no arrays
    names = set(_attributes(node)) - {"_sklearn_version"}
    is_fitted = any(key.startswith("_") or key.endswith("_") for key in names)
    return is_fitted or name in trusted_names()


def _clean(node):
    """Replace dropped settings by None and check the others; return whether there were any."""
    attributes = _attributes(node)
    for name, highest in _HIGHEST.items():
        value = attributes.get(name, _NULL).get("content")
        if isinstance(value, str) and full_name(node).startswith("sklearn_heartkd."):
            value = json.loads(value)
            if isinstance(value, int | float) and not abs(value) <= highest:
                raise ValueError(f"its {name}={value:g} is not at most {highest}")
    found = [name for name in _DROPPED if attributes.get(name, _NULL).get("content") != "null"]
    attributes.update(dict.fromkeys(found, _NULL))
    return bool(found)


def _loaded_size(archive, name):
    """Return the bytes that a member becomes; raise where an array declares more than there are."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        start = file.read(6)
        file.seek(0)
        if start.startswith(b"PK"):  # a sparse matrix, which is an archive of arrays
            with zipfile.ZipFile(file) as inner:
                return sum(_loaded_size(inner, member) for member in inner.namelist())
        if start == b"\x93NUMPY":
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            shape, _, dtype = (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(
                file
            )
            n_bytes = dtype.itemsize
            for length in shape:
                n_bytes *= length
            if n_bytes != size - file.tell():
                raise ValueError(f"an array of shape {shape} has another number of bytes")
    return size


def _with_schema(archive, schema):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, json.dumps(schema) if name == _SCHEMA else archive.read(name))
    return target.getvalue()
