"""Fitted models to files and back, without pickle."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd._version import __version__
from sklearn_heartkd.deployment._archive import checked_archive, checked_content
from sklearn_heartkd.deployment._torch import require_torch
from sklearn_heartkd.deployment._trusted import trusted_names
from sklearn_heartkd.deployment.runtime import (
    check_channel,
    is_sealed,
    read_domain,
    read_model_file,
)
from sklearn_heartkd.utils._files import replace_files
from sklearn_heartkd.utils._text import printable
from sklearn_heartkd.utils._unwrap import parts_of

_FORMAT = "sklearn_heartkd model 1"
_MODEL, _MANIFEST = "model.skops", "manifest.json"
_MAX_SIZE = 2**28


class ModelFileError(ValueError):
    """Raised for a file that is not a saved model, is damaged or cannot be trusted.

    It is a :class:`ValueError`; the message says what to do.

    See Also
    --------
    load_model : Raises it.

    Examples
    --------
    >>> from sklearn_heartkd.deployment import ModelFileError
    >>> issubclass(ModelFileError, ValueError)
    True
    """


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    metadata: dict[str, Any] | None = None,
    keep_teachers: bool = False,
    channel: str | int = "mean",
    domain: Any = None,
    scope: str = "",
) -> Path:
    """Save a fitted classifier to one file that can be loaded without trusting its author.

    An existing file is replaced in one step: it stays whole where saving fails.

    Parameters
    ----------
    model : estimator
        A fitted classifier made of estimators of scikit-learn and of this package.
    path : path-like
        The file to write.
    metadata : dict, default=None
        Further information, such as the training data and the scores, serializable as JSON.
    keep_teachers : bool, default=False
        Whether to save the fitted teachers of a :class:`~sklearn_heartkd.DistilledClassifier`,
        ``teacher_``, too. Its student predicts without them.
    channel : {"mean", "left", "right"} or int, default="mean"
        The channel of a stereo recording that the model was trained on.
    domain, scope : optional
        As in :func:`export_onnx`, for ``heartkd predict`` and ``heartkd export``.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    ModelFileError
        If `load_model` would refuse the file: it is larger than 256 MB, or the model contains an
        object of another package or a function of your own.
    NotFittedError
        If the model is not fitted.
    TypeError
        If the model is not a classifier.

    See Also
    --------
    load_model : Load the file.
    export_onnx : Write a file that runs without scikit-learn.

    Notes
    -----
    The file is a zip archive of a skops archive and a manifest with its SHA-256 checksum and the
    versions of the packages. The weights are numpy arrays. `memory`, `callbacks` and `n_jobs` are not
    saved, nor the recordings of a :class:`~sklearn_heartkd.ContrastivePretraining` or
    :class:`~sklearn_heartkd.SupervisedPretraining`: they are not used for prediction.

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
    verdict = f"{type(model).__name__} cannot be saved"
    with leaving_out("recordings") if keep_teachers else leaving_out("recordings", "teachers"):
        content = skops.io.dumps(model)
    content, _ = _check_content(content, verdict, _MAX_SIZE)
    manifest = {
        "format": _FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": _versions(),
        "channel": check_channel(channel),
        "metadata": metadata or {},
        "domain": None if domain is None else domain.to_json(),
        "scope": scope,
    }
    described = json.dumps(manifest, indent=1)
    with replace_files(path) as [made], zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MANIFEST, described)
        archive.writestr(_MODEL, content)
    return Path(path)


def load_model(
    path: str | os.PathLike[str], *, max_size: int = _MAX_SIZE, trust: bool = False
) -> Any:
    """Load a fitted classifier that `save_model` wrote.

    Nothing in the file runs: before any object is made, the sizes and the checksum are compared, and
    every type in the file is looked up among the estimators of this package and of scikit-learn and
    what these are made of. The checksum protects from accidents, the list of types from code.

    Parameters
    ----------
    path : path-like
        The file.
    max_size : int, default=268435456
        The largest number of bytes to which the file, and the archive inside it, may unpack.
    trust : bool, default=False
        Whether to load fitted trees, nearest neighbors, SVC and other models that scikit-learn
        computes with compiled code. This code does not check its arrays, so that a forged file can
        crash the process or make it read foreign memory. Set it for files of people whom you trust.
        Networks and linear models do not need it.

    Returns
    -------
    model : estimator
        The fitted classifier, without `memory`, `callbacks` and `n_jobs`.

    Raises
    ------
    ModelFileError
        If the file is not a saved model (but one of `export_onnx`, for example), is damaged or too
        large, or contains a type that is not trusted.
    OSError
        If the file cannot be opened.
    ImportError
        If torch is not installed. Only files of `export_onnx` run without it, see
        :class:`~sklearn_heartkd.deployment.runtime.HeartSoundModel`.

    Warns
    -----
    UserWarning
        If the file was written with another version of a package that matters.

    See Also
    --------
    save_model : Write the file.
    runtime_model : Classify waveforms of any sampling rate with the model.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_heartkd.deployment import load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = load_model(save_model(tree, Path(folder) / "iris.model"), trust=True)
    >>> loaded.score(X, y)
    1.0
    """
    return load_with_manifest(path, max_size, trust)[0]


def load_with_manifest(path, max_size=_MAX_SIZE, trust=False):
    """Return what `load_model` returns and the manifest of the file: versions, channel, metadata."""
    require_torch("load_model")
    import skops.io

    content, manifest = _open(path, max_size)
    path = printable(path)
    content, unsafe = _check_content(content, f"{path} is refused", max_size)
    if unsafe and not trust:
        raise ModelFileError(
            f"{path} is refused: it contains {', '.join(sorted(unsafe))}, which scikit-learn computes "
            "with compiled code that does not check the arrays of a file; pass trust=True if you trust "
            "the author, or distill the model into a network, which needs no trust."
        )
    differences = _differences(manifest["versions"])
    try:
        model = skops.io.loads(content, trusted=trusted_names())
        _check_fitted(model)
        _check_parameters(model)
    except Exception as error:  # forged objects raise anything
        raise ModelFileError(
            f"{path} cannot be loaded ({type(error).__name__}: {printable(error)})"
            + (f"; it was saved with {differences}." if differences else ".")
        ) from error
    if differences:
        warnings.warn(
            f"{path} was saved with {differences}: compare its predictions, or install these "
            "versions.",
            stacklevel=3,
        )
    return model, manifest


def _open(path, max_size):
    """Return the content and the manifest, whose checksum is right; no object has been made yet."""
    try:
        data = read_model_file(path, max_size)
    except ValueError as error:
        raise ModelFileError(str(error)) from error
    path = printable(path)
    if is_sealed(data):
        raise ModelFileError(
            f"{path} is an ONNX file of export_onnx, not a saved model: run it with heartkd predict or "
            "HeartSoundModel.load, and to load or export a model give the file of save_model or "
            "heartkd train."
        )
    try:
        members = checked_archive(data, max_size)
        manifest = json.loads(members[_MANIFEST])
        content = members[_MODEL]
        if manifest["format"] != _FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, not {_FORMAT!r}")
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("its checksum does not match its content")
        if not isinstance(manifest["versions"], dict):
            raise ValueError("its manifest has no versions")
        manifest["channel"] = check_channel(manifest.get("channel", "mean"))
        read_domain(manifest.setdefault("domain", None))
        manifest["scope"] = str(manifest.get("scope", ""))
    except Exception as error:  # zipfile raises many kinds for a damaged archive
        raise ModelFileError(
            f"{path} is not a saved model or is damaged ({printable(error)}): save it again with "
            "save_model."
        ) from error
    return content, manifest


def _check_fitted(model):
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(f"save_model takes a fitted classifier, got {model!r}.")
    if not is_classifier(model):
        raise TypeError(
            f"save_model takes a fitted classifier, and {type(model).__name__} is not a classifier; "
            "save the pipeline that ends with one."
        )
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise NotFittedError(
            f"save_model takes a fitted model, and {type(model).__name__} is not fitted; call fit first."
        ) from error


def _check_parameters(model):
    """Raise where a parameter has a wrong type or is out of its range."""
    for part in parts_of(model):
        if hasattr(part, "_validate_params"):
            part._validate_params()
    if not isinstance(model.classes_, np.ndarray) or model.classes_.ndim != 1:
        raise ValueError(f"classes_={model.classes_!r} is not a 1-D array")


def _check_content(content, verdict, max_size):
    """Return the content without what is dropped, and its types that need trust."""
    import skops.io

    try:
        content, unsafe = checked_content(content, max_size)
        unknown = set(skops.io.get_untrusted_types(data=content)) - set(trusted_names())
    except Exception as error:
        raise ModelFileError(
            f"{verdict}: its list of objects is damaged ({printable(error)})."
        ) from error
    if unknown:
        raise ModelFileError(
            f"{verdict}: it contains {printable(', '.join(sorted(unknown)))}, and only the estimators "
            "of scikit-learn and sklearn_heartkd, and what most of them are made of, are trusted; "
            "build the model without it, or keep the model with joblib for those who trust you."
        )
    return content, unsafe


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
        f"{name} {printable(saved.get(name, 'unknown'))} (here: {current[name]})"
        for name in names
        if str(saved.get(name)).split(".")[:2] != current[name].split(".")[:2]
    )
