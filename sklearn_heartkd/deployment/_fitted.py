"""Loading of a model file in the form that explains best."""

from sklearn_heartkd.deployment.runtime import HeartSoundModel


def load_fitted(path):
    """Load the fitted estimator of a file of `save_model`, or the model of a file of `export_onnx`.

    Parameters
    ----------
    path : path-like
        The latter is recognized by its suffix ``.onnx``.

    Returns
    -------
    estimator or HeartSoundModel
    """
    if str(path).lower().endswith(".onnx"):
        return HeartSoundModel.load(path)
    from sklearn_heartkd.deployment import load_model

    return load_model(path)
