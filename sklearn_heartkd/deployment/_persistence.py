"""Fitted models to files and back, without pickle."""

import hashlib
import io
import json
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._trusted import trusted_names
from sklearn_heartkd.deployment.runtime import is_sealed

_FORMAT = "sklearn_heartkd model 1"
_MODEL, _MANIFEST = "model.skops", "manifest.json"
_LARGEST = 2**30  # bytes; anything larger is no model of ours


class ModelFileError(ValueError):
    """Raised for a file that is no saved model, is damaged or holds what is not trusted."""


def save_model(model, path, *, metadata=None, keep_teachers=True):
    """Save a fitted model to one file that can be loaded without trusting its author.

    Parameters
    ----------
    model : estimator
        Fitted; made of estimators of scikit-learn and of this package.
    path : path-like
        The file to write.
    metadata : dict, default=None
        What else is worth knowing, such as the training data and the scores; it must be
        serialisable as JSON.
    keep_teachers : bool, default=True
        Whether the fitted teachers of a :class:`~sklearn_heartkd.DistilledClassifier`, ``teacher_``, are
        saved too. Its student predicts without them. A teacher in a
        :class:`~sklearn.frozen.FrozenEstimator` is a parameter, too, and stays.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    ModelFileError
        If the model holds an object that `load_model` would refuse, such as one of another package
        or a function of your own.
    NotFittedError
        If the model, or a step of a pipeline, is not fitted.
    TypeError
        If it is no estimator.

    See Also
    --------
    load_model : The way back.

    Notes
    -----
    The file is a zip archive of a skops archive and a manifest with its SHA-256 checksum and the
    versions of the packages. The weights are numpy arrays. The recordings of a
    :class:`~sklearn_heartkd.ContrastivePretraining` or :class:`~sklearn_heartkd.SupervisedPretraining`
    are left out: they predict nothing.

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

    from sklearn_heartkd.utils._pickling import leaving_out

    _check_fitted(model)
    with leaving_out("recordings") if keep_teachers else leaving_out("recordings", "teachers"):
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
    the file is looked up among the estimators of this package and of scikit-learn, and a list of
    what these are made of. The checksum protects from accidents, the list of types from code. A
    forged tree or table of neighbours can still end the process that predicts with it.

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
        If the file is no saved model, such as one of `export_onnx`, is damaged, or holds an unknown
        type.
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
        model = skops.io.loads(content, trusted=trusted_names())
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
    if is_sealed(data):
        raise ModelFileError(
            f"{path} is an ONNX file of export_onnx, not a saved model: run it with heartkd predict or "
            "HeartSoundModel.load, and to load or export a model give the file of save_model or "
            "heartkd train."
        )
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


def _check_fitted(model, where=""):
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(f"save_model takes a fitted estimator{where}, got {model!r}.")
    if isinstance(model, Pipeline):  # which itself looks at its last step only
        for name, step in model.steps:
            if step not in (None, "passthrough"):
                _check_fitted(step, f" in step {name!r}")
        return
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise NotFittedError(
            f"save_model takes a fitted model, and {type(model).__name__}{where} is not fitted; call "
            "fit first."
        ) from error


def _check_types(content, verdict):
    import skops.io

    try:
        unknown = set(skops.io.get_untrusted_types(data=content)) - set(trusted_names())
    except Exception as error:
        raise ModelFileError(f"{verdict}: its list of objects is damaged ({error}).") from error
    if unknown:
        raise ModelFileError(
            f"{verdict}: it holds {', '.join(sorted(unknown))}, and only the estimators of scikit-learn "
            "and sklearn_heartkd, and what most of them are made of, are trusted; build the model "
            "without it, or keep the model with joblib for those who trust you."
        )


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
