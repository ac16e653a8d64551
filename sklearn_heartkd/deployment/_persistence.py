"""Fitted models to files and back, without pickle."""

import hashlib
import io
import json
import warnings
import zipfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sklearn_heartkd._version import __version__

_FORMAT = "sklearn_heartkd model 1"
_MODEL, _MANIFEST = "model.skops", "manifest.json"
_LARGEST = 2**30  # bytes; anything larger is no model of ours
# a table of nodes, without which no forest can be saved, and a dictionary
_OF_SCIKIT_LEARN = ("sklearn.tree._tree.Tree", "sklearn.utils._bunch.Bunch")
_PACKAGES_OF_OURS = (
    "preprocessing",
    "features",
    "augmentation",
    "classifiers",
    "refinement",
    "distillation",
    "metrics",
)


class ModelFileError(ValueError):
    """Raised for a file that is no saved model, is damaged or holds what is not trusted."""


def save_model(model, path, *, metadata=None):
    """Save a fitted model to one file that can be loaded without trusting its author.

    Parameters
    ----------
    model : estimator
        Made of estimators of scikit-learn and of this package.
    path : path-like
        The file to write.
    metadata : dict, default=None
        What else is worth knowing, such as the training data and the scores; it must be
        serialisable as JSON.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    ModelFileError
        If the model holds an object of another package, which `load_model` would refuse.

    See Also
    --------
    load_model : The way back.

    Notes
    -----
    The file is a zip archive of a skops archive and a manifest with its SHA-256 checksum and the
    versions of the packages. The weights are numpy arrays. The unlabelled recordings of a
    :class:`~sklearn_heartkd.ContrastivePretraining` are left out: they predict nothing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_heartkd import StudentClassifier
    >>> from sklearn_heartkd.deployment import load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> model = StudentClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = load_model(save_model(model, Path(folder) / "iris.model"))
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    import skops.io

    from sklearn_heartkd.classifiers._pretraining import unlabelled_left_out

    with unlabelled_left_out():
        content = skops.io.dumps(model)
    _check_types(content, f"{type(model).__name__} cannot be saved")
    manifest = {
        "format": _FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": _versions(),
        "metadata": metadata or {},
    }
    path = Path(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
        archive.writestr(_MODEL, content)
    return path


def load_model(path):
    """Load a model that `save_model` wrote.

    Nothing in the file runs: before any object is made, the checksum is compared and every type in
    the file is looked up among the estimators of this package and what skops trusts of
    scikit-learn and numpy. The checksum protects from accidents, the list of types from code.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    model : estimator
        The fitted model.

    Raises
    ------
    ModelFileError
        If the file is no saved model, is damaged, or holds an unknown type.
    OSError
        If the file cannot be opened.

    Warns
    -----
    UserWarning
        If the file was written with another version of a package that matters.
    """
    import skops.io

    path = Path(path)
    data = path.read_bytes()
    content, manifest = _open(data, path)
    _check_types(content, f"{path} is refused")
    differences = _differences(manifest["versions"])
    try:
        model = skops.io.loads(content, trusted=_trusted())
    except Exception as error:
        raise ModelFileError(
            f"{path} cannot be loaded ({type(error).__name__}: {error})"
            + (f"; it was saved with {differences}." if differences else ".")
        ) from error
    if differences:
        warnings.warn(
            f"{path} was saved with {differences}: compare its predictions, or install these "
            "versions.",
            stacklevel=2,
        )
    return model


def read_metadata(path):
    """Return the manifest of a saved model: its versions and the metadata given by its author."""
    return _open(Path(path).read_bytes(), path)[1]


def _open(data, path):
    """Return the checked content and the manifest; nothing in them has been interpreted yet."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                raise ValueError("it would unpack to more than a gigabyte")
            manifest = json.loads(archive.read(_MANIFEST))
            content = archive.read(_MODEL)
        if manifest["format"] != _FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, not {_FORMAT!r}")
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("its checksum does not match its content")
        if not isinstance(manifest["versions"], dict):
            raise ValueError("its manifest lists no versions")
    except Exception as error:  # zipfile raises many kinds for a damaged archive
        raise ModelFileError(
            f"{path} is no saved model or is damaged ({error}): save it again with save_model."
        ) from error
    return content, manifest


def _check_types(content, verdict):
    import skops.io

    try:
        unknown = set(skops.io.get_untrusted_types(data=content)) - set(_trusted())
    except Exception as error:
        raise ModelFileError(f"{verdict}: its list of objects is damaged ({error}).") from error
    if unknown:
        raise ModelFileError(
            f"{verdict}: it holds {', '.join(sorted(unknown))}, and only estimators of scikit-learn "
            "and sklearn_heartkd are trusted; build the model from those."
        )


def _trusted():
    """List what a saved model may hold beside what skops trusts, by full names."""
    from sklearn.base import BaseEstimator

    from sklearn_heartkd.augmentation import Augmentation
    from sklearn_heartkd.refinement import ClusterTable

    classes = [ClusterTable]
    for name in _PACKAGES_OF_OURS:
        package = import_module(f"sklearn_heartkd.{name}")
        members = [getattr(package, public) for public in package.__all__]
        classes += [
            member
            for member in members
            if isinstance(member, type) and issubclass(member, (BaseEstimator, Augmentation))
        ]
    names = {f"{member.__module__}.{member.__name__}" for member in classes}
    return sorted(names.union(_OF_SCIKIT_LEARN))


def _versions():
    return {
        "sklearn_heartkd": __version__,
        "scikit-learn": version("scikit-learn"),
        "numpy": np.__version__,
        "torch": version("torch"),
        "skops": version("skops"),
    }


def _differences(saved):
    """Describe the packages whose major or minor version differs; the rest is compatible."""
    current = _versions()
    names = ("sklearn_heartkd", "scikit-learn")
    return " and ".join(
        f"{name} {saved.get(name, 'unknown')} (here: {current[name]})"
        for name in names
        if str(saved.get(name)).split(".")[:2] != current[name].split(".")[:2]
    )
