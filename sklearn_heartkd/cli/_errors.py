"""Error messages about files that cannot be opened."""

from pathlib import Path


def explain_error(error, options):
    """Return the message of an error of any verb.

    Messages of the library stay as they are. For errors of the operating system, the message contains
    the path and what to do. `options` are those of the verb; its `model` is recognized among paths.
    """
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    path = Path(error.filename)
    model = getattr(options, "model", None)
    is_model = model is not None and path == Path(model)
    if isinstance(error, FileNotFoundError) and is_model:
        how = "export" if path.suffix.lower() == ".onnx" else "train"
        return (
            f"The model {path} does not exist; check the path, or {how} one: heartkd {how} --help."
        )
    if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
        return f"The folder {path.parent} of {path.name} does not exist; check the path."
    if isinstance(error, FileNotFoundError):
        return f"The file {path} does not exist; check the path."
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder; give a file{' of a model' if is_model else ''}."
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"The folder {path} cannot be made, because there is a file; give another folder."
    return f"{path} cannot be opened ({error.strerror}); check the path and its permissions."
